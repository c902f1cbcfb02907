"""Provisioning: members' accounts in apps made, changed and closed, by SCIM 2.0 (O2, O3).

wanted_accounts   who is to be in an app, with which attributes and groups
first_contact     whose an account is that is found there
adoption          what a person says of an account that was there before
differences       the steps from what was sent to what is wanted
step_outcomes     what comes of a step: the account after it
due               from when on a push has to look at a member
group_changes     who is put into which group, and taken out of it
looking           accounts looked for: by external id, by name, in a list
grouping          groups found, made and filled
bringing_in_line  a chunk of members brought in line with an app
ports             what all this needs of the app and the roster
"""
