"""Organization settings: read, validate, preview, save (OrganizationSettingsFunction, S1 to S3).

configuring               the actions of admins on settings and on the webhook's address
previewing                try a change on the whole roster before it is saved (S2)
loosening                 which changes wait for approval, whatever they do (I5)
effects                   what settings do that no plan shows
app_effects               what a change does to accounts in apps: left open, closed (O3)
approving                 let a parked change pass
undoing_versions          undo a version: the one before it again (Q2)
saving                    save a new version: validate, preview or approve, write
listing_mappable_fields   ask a connection which of its fields can be mapped (G5)
mappable_fields           what can be mapped, and what each field is mapped to now
ports                     what this needs of the settings table and Salesforce
"""
