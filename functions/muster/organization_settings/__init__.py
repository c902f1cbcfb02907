"""Organization settings: read, tried, saved (OrganizationSettingsFunction, S1 to S3).

configuring               what admins do with settings and with the webhook's address
previewing                a change tried on the whole roster before it is saved (S2)
saving                    one save: tried, approved, written with what follows from it
listing_mappable_fields   which fields of a connection can be mapped (G5)
ports                     what this needs of the settings table and Salesforce
"""
