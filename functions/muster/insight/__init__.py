"""Insight: answer questions about the roster and its runs (RosterQueryFunction, Q1).

querying_members        list members, show one, its history, seats
member_filters          what members can be listed by
pages_by_name           members by name, page by page
looking_back            one member as of a past moment, and what differs between two (Q2)
listing_past_members    members as they were at a moment, and what they had together (Q2)
reading_past_rosters    the roster as it was, read from a snapshot and the changes between (Q2)
comparing_moments       what differs of the roster between two moments or runs (Q2)
net_changes             history entries folded into what differs of each member in the end
finding_members         a member found as people call it, by name as well
listing_errors          list the error log, with what has become of each entry
error_states            whether an entry of the error log is open, and what has solved it
querying_runs           list runs, show one and the items of its plan
gathering_health        how an organization is, asking its systems too
health                  what that comes to: what is broken, waits, runs out; whether it is safe to push
findings                one thing about an organization's health
app_findings            what waits in each app, and how it stands with its pushes
exporting               the roster, seats, licences or errors as a file to fetch
listing_changes         list what happened lately, or in a run: members, runs, errors, settings
reading_changes         read the history entries of a period, and no more than a call may
reading_logs            read the runs, versions of the settings and errors of a period
member_news             what is new of each member, folded from history entries
causes                  what brought a change: a run, a message, somebody's edit
periods                 periods as admins write them
run_news                which runs are news, and which quiet
listing_organizations   list the organizations there are
listing_licences        list who has an Engage licence, nobody included, and who waits for one
explaining_members      explain why someone is in the roster or not, asking Salesforce if need be
explanations            the text and JSON of such an explanation
run_summaries           a run in short: progress, and what to do about it
account_explanations    accounts in apps: whose they are, what is due, why there is none, what to do
seat_explanations       seats in words: who holds one, who waits, why someone has none
ports                   what questions need of the outside world
"""
