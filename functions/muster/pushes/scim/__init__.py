"""SCIM targets: what a member is to have there, and what has to be done for it (O2, O3).

wanted_users    who is to be in a target, with which attributes and groups
first_contact   whose an account is that is found there
adoption        what a person says of an account that was there before
differences     the steps from what was sent to what is wanted
step_outcomes   what comes of a step: the account after it
due             from when on a push has to look at a member
group_changes   who is put into which group, and taken out of it
looking         accounts looked for: by external id, by name, in a list
grouping        groups found, made and filled
provisioning    a chunk of members brought in line with a target
ports           what all this needs of the target and the roster
"""
