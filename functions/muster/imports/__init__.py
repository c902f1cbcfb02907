"""Imports: bring the roster in line with Salesforce and Vault CRM (ScheduledImportFunction).

importing             start an import, or try other settings
steps                 the job of an import: gather, decide, apply, notify
gathering             gather what a run decides with, have it decided, keep the plan
reading_sources       the reads of an import in their order
looking_up            the second read: what the roster knows of who was read, kept in the archive
remembered            what imports remember once a run is complete
known_roster          what the roster knew, and its documents in the archive (Q4)
known_users           what it knew of each user, part by part
foreseeing            who else may have to be decided about, and so is looked up
selecting             pick the users that an import has to decide about
ordering              map, judge and digest each of them once, in the order of deciding
finding_again         find everybody again in another Salesforce org
succession            who of another Salesforce org is who in the roster
deciding              the whole plan of an import, a function of what was gathered (I1)
planning              turn what was gathered into a plan, in the order of applying
left_out              who is left out of the roster: counts by reason, and the first of each (A4)
frozen_users          members who are frozen in Salesforce, told and counted (A17)
seating               who is served from the lines once the plan is applied (A9)
plan_items            the items of a plan: counts, hash, file
applying              apply a plan, deciding each item again on what is stored
importing_vault_crm   the Vault CRM part of an import: what is read
vault_users_read      what was read of it, as a plan needs it
planning_vault_crm    who is linked, followed, or no longer linked to a user of Vault CRM (I3, G10)
recording_holders     users of Vault CRM with a group who are linked to nobody, recorded (G10)
erasing_leavers       erase who left long ago (T5)
notifying_managers    send mails to managers about new members of their teams (N1)
manager_mails         who gets such a mail, and what it says
ports                 what imports need from the outside world
"""
