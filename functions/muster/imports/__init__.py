"""Imports: the roster brought in line with Salesforce and Vault CRM (ScheduledImportFunction).

importing             start an import, or try other settings
steps                 the work of an import: gather, decide, apply, notify, end
selecting             whom a full import decides about, of everyone who was read
planning              what was gathered to a plan, in the order of applying
plan_items            the items of a plan: counts, hash, file
applying              a plan applied, item by item, each decided again on what is stored
importing_vault_crm   the Vault CRM part of an import
notifying_managers    mails to managers about new members of their teams, sent (N1)
manager_mails         who gets such a mail, and what it says
ports                 what imports need of the world outside
"""
