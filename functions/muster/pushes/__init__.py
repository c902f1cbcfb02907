"""Pushes: what is pending in the roster, sent to Vault CRM and Align (ScheduledPushFunction).

pushing         start a push
steps           the work of a push: gather who is due, decide, send, read the outcome
push_plan       what a push is going to do, person by person (P1, G7, G8)
licence_lines   who gets a freed licence (G8)
align_records   what Align's records ask of members, and what is written back (G9)
syncing_align   the Align part of a push
error_entries   what an admin has to look at after a push (P3)
ports           what pushes need of the world outside
"""
