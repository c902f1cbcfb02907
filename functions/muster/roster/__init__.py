"""Decide and write: who is a member, and what each member has.

member, history, links   the values: a member, its history, its links to users and the keys it is known by
engage_state             what a member has of an Engage feature: request, status, group
vault_state              what Vault CRM and Align last showed of a member, and what is to be done for it
accounts            what is known of a member's account in an app (O3)
stored_values            what the values of a stored member have in common: JSON, and what is unknown of it
as_of                    a member as it was: later changes taken back (Q2)
past_rosters             members as they were, from a snapshot and the changes between (Q2)
snapshots                snapshots: the files that everybody is written to, and their manifest (Q2)
decisions                what deciding is given, and what it returns
effects                  what follows from a decision: counts, lines, keys, what is due, events
member_events            the events that a change is told outward as, from its history entry (O1)
recorded_teams           under whom a member counts as recorded (N1)
salesforce_lifecycle     how a Salesforce user changes its member: create, link, update, close (W8)
namesakes                who is taken for whom, who waits for whom, and whose an address is (A14)
vault_lifecycle          how a Vault CRM user changes its member: link, update, leave alone (I3)
vault_links              whose a user of Vault CRM is, and what is told of links (A14, G10)
pending_edits            a request edited here and not sent yet, when Vault CRM shows another one (I10)
eligibility, reasons     who belongs in the roster, and if not, why (A4)
activity                 whether a member is active, and if not, why; who is kept (A7, A8, A13, A16)
assignment_grants        what an assignment gives to a user, by value or from a field (A2)
entitlements             what of it a member gets, and what has effect (A5, A9)
possible_losses          what a change may free, before it is decided: match keys and seats (A9, A14)
taken_back               the seats and groups that a change takes from a member (A9, G6)
refuted_messages         messages that said what Salesforce does not bear out (W11)
data_capture             a data capture setting: what is intended, and what has effect (A9, A10)
seats                    who holds a seat and who waits in line (A9)
manager_hierarchy        who reports to whom: a member's manager, loops, depths (A10)
engage_groups            the groups a member requests, and what a push has to send (G6, P1)
engage_errors            entries for the error log about failed requests and users of Vault CRM (P3)
written_fields           fields of Vault CRM that custom mappings write: what is to be written (G5)
former_groups            what a leaver had requested, requested again for who comes back (G11)
vault_tries              what is tried in Vault CRM until it is done, and when (G7)
requests_set_aside       requests that wait until their feature is pushed (G12)
requests_under_way       since when a request has been under way, and whether that is too long (P3)
end_dates                end dates and statuses set by hand, and who has left (G7, A16)
erasure                  what remains of a member who is erased, and who cannot be yet (T5)
unlinked_holders         users of Vault CRM with a group that are linked to nobody, and what to do (G10)
licence_places           places in line for an Engage licence (G8)
finding                  members and users found by id, username or e-mail address
writing_user_changes     changes of users written into the roster, whatever others write meanwhile
writing_members          changes of members known by id, likewise
erasing_members          members erased, each with its history
retrying_writes          the retry loop of both, and of edits: decide, write, decide again on conflict
serving_seat_lines       a freed seat given to the first in line (A9)
counting_seats           how many of each seat are taken, as a use case writes
taking_snapshots         everybody written to a snapshot, once a day (Q2)
ports                    what all this needs of the roster table, and of the snapshots
"""
