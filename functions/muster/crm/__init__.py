"""How Salesforce, Vault and SCIM targets name, query and page things. No settings, no I/O.

salesforce_ids      ids of 15 and 18 characters
canonical_text      one text for one value, by message or by query; answers with half a character (W14)
salesforce_fields   fields of a Salesforce user to attributes of a member (W7)
soql                queries of User, from checked and quoted parts
soql_conditions     how a condition is built: what AND, OR and NOT join
soql_filters        whether an admin's filter is one condition and no more (S3)
changes_elsewhere   what a filter looks at that changes without any change of the user (I2)
vault_fields        the fields of a Vault CRM user, and which of them may be mapped (G2, G5)
vault_records       records of a vault: what was written, fields, users, policies
vql                 queries of a vault, from quoted parts
engage_features     the two Engage features and the statuses of a request (G1 to G3)
align_fields        the object of Align's roster, and when a record of it was saved (G9)
pages               pages of a query's answer, checked before use (I4)
scim_dialect        what a SCIM target takes and does (O2)
scim_attributes     attributes of a SCIM user, in bodies and paths
scim_resources      users and groups as a SCIM target shows them
scim_filters        filters of SCIM, from quoted values
scim_patches        bodies of PATCH and PUT, from what changes
scim_lists          lists of a SCIM target, read to their end
scim_answers        what an answer to a write means
"""
