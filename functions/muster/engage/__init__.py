"""Engage: groups and licences in Vault CRM, and Align, brought in line with the roster (G1 to G12, P1 to P5).

steps           Vault CRM as a push is to it: who is due, what it shows, the plan, sending, the outcome
gathering_due   gather who is due and who is in line, and their users in Vault CRM
push_basis      what a push is decided with, and its documents in the archive (Q4)
push_plan       the plan of a push, person by person (P1, G7, G8)
push_items      its items, step by step: counts, hash, file (P1)
item_outcomes   what comes of an item: the member after it; whether it is wanted still (P2, P3)
checking_links  links checked before anything is sent by them (G10)
another_vault   a vault to whose users members are not linked yet, as a check (G10)
expected_losses  who would lose a group by the next push, as far as the roster knows
group_writes    what it writes to take somebody out of a group, or into one (P1, G7)
licence_lines   who in line gets a free licence (G8)
align_records   records of Align's roster: what they show, and whom they are about (G9)
align_requests  what admins ask for in them, taken over
align_outcomes  what they are shown
align_entries   entries for the error log about them
reading_align   Align's roster as a run reads it
writing_align   Align's records written, and read again
syncing_align   the Align part of a push, and of an import
reading_outcomes  read what has come of requests, and record it
sending_items   items of the plan written to Vault CRM, and what comes of it (P2, P3, P5)
sending_records  records sent so that one that is refused holds up no other (P3)
ports           what it needs from the outside world
"""
