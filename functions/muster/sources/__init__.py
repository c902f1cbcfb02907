"""Gather: users as a CRM shows them, whole or refused (I1, I4).

user_changes           one Salesforce user at one moment
notifications          a notification's fields as a user change: which are listed, which are null (W5)
newest_changes         which of two states is newer; the newest change per user (W4)
salesforce_users       a row of Salesforce as a user change, and its digest
vault_users            a row of Vault CRM as a user, and its digest
samples                a count of rows, and the first of them
member_states          what the index by state shows of a member
reading_by_id          users read by id, with the filters that match them (W6)
gathering_salesforce   all, changed or named users, page by page into the run archive
gathering_vault_crm    likewise for Vault CRM
ports                  what reading needs of Salesforce, Vault CRM and the archive
"""
