"""Provisioning: members' accounts in apps made, changed and closed, by SCIM 2.0 (O2, O3).

steps              an app as a push is to it: who has changed, who they are there, the plan, sending
gathering_accounts  gather who has changed, and who they are in the app
gathered_accounts  what was found in the app, as the archive keeps it (Q4)
app_basis          what a push is decided with, and its documents in the archive (Q4)
app_state          what is remembered of an app: its groups, and the settings it was pushed with
account_plan       the plan of a push, person by person
account_items      its items: counts, hash, file
account_errors     entries for the error log about accounts and groups
closing_leavers    those who leave closed at once, beside any push, as the table's stream names them
ending_access      a leaver's account in an app closed, read back and recorded
leaver_accounts    which accounts that is about, and what is recorded where a push has written meanwhile
sending_accounts   send the plan chunk by chunk, and record each step
bringing_in_line   a chunk of members brought in line with an app
wanted_accounts    who is to be in an app, with which attributes and groups
first_contact      whose an account is that is found there
adoption           what a person says of an account that was there before
differences        the steps from what was sent to what is wanted
step_outcomes      what comes of a step: the account after it
group_changes      who is put into which group, and taken out of it
group_renames      groups whose assignment goes by another name now
renaming_groups    one of them renamed
other_accounts     second accounts of a member, of a change of address
closing_others     they are found, and closed
drift              where an app is not as it was left
comparing_accounts  that found out for all of an app
looking            accounts looked for: by external id, by name, in a list
grouping           groups found, made and filled
ports              what all this needs of the app and the roster
"""
