"""Imports: bring the roster in line with Salesforce and Vault CRM (ScheduledImportFunction).

importing             start an import, or try other settings
steps                 the work of an import: gather, decide, apply, notify, end
selecting             pick the users that a full import has to decide about
planning              turn what was gathered into a plan, in the order of applying
seating               who is served from the lines once the plan is applied (A9)
plan_items            the items of a plan: counts, hash, file
applying              apply a plan, deciding each item again on what is stored
importing_vault_crm   the Vault CRM part of an import
notifying_managers    send mails to managers about new members of their teams (N1)
manager_mails         who gets such a mail, and what it says
ports                 what imports need from the outside world
"""
