"""Imports: bring the roster in line with Salesforce and Vault CRM (ScheduledImportFunction).

importing             start an import, or try other settings
steps                 the job of an import: gather, decide, apply, notify
gathering             gather what a run decides with, make its plan, keep it
remembered            what imports remember once a run is complete
selecting             pick the users that a full import has to decide about
finding_again         find everybody again in another Salesforce org
succession            who of another Salesforce org is who in the roster
planning              turn what was gathered into a plan, in the order of applying
left_out              who is left out of the roster: counts by reason, and the first of each (A4)
frozen_users          members who are frozen in Salesforce, told and counted (A17)
seating               who is served from the lines once the plan is applied (A9)
plan_items            the items of a plan: counts, hash, file
applying              apply a plan, deciding each item again on what is stored
importing_vault_crm   the Vault CRM part of an import: what is read
planning_vault_crm    who is linked, followed, or no longer linked to a user of Vault CRM (I3, G10)
recording_holders     users of Vault CRM with a group who are linked to nobody, recorded (G10)
erasing_leavers       erase who left long ago (T5)
notifying_managers    send mails to managers about new members of their teams (N1)
manager_mails         who gets such a mail, and what it says
ports                 what imports need from the outside world
"""
