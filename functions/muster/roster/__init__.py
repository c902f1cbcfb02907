"""Decide and write: who is a member, and what each member has.

member, history, links   the values: a member, its history, its links to users and the keys it is known by
decisions                what deciding is given, and what it answers
salesforce_lifecycle     what a changed Salesforce user makes of its member: create, link, update, close (W8)
vault_lifecycle          what a Vault CRM user makes of its member; edits that are not pushed yet (I3, I10)
eligibility, reasons     who belongs in the roster, and if not, why (A4)
grants, entitlements     what an assignment gives, and what of it a member gets (A2, A5, A9)
seats                    who holds a seat and who waits in line (A9)
manager_hierarchy        who reports to whom: loops and depths (A10)
engage_groups            what a member asks of Engage, and what a push has to send (G6, P1)
departures               who has left: inactive, set inactive, past the end date (G7)
licence_places           places in line for an Engage licence (G8)
finding                  members and users found by what people call them
writing_user_changes     changes of users written into the roster, whatever others write meanwhile
writing_members          changes of members known by id, likewise
retrying_writes          the retry loop of both, and of edits: decide, write, decide again on conflict
serving_seat_lines       a freed seat given to the first in line (A9)
counting_seats           how many of each seat are taken, while a use case writes
ports                    what all this needs of the roster table
"""
