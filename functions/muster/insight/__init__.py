"""Insight: answer questions about the roster and its runs (RosterQueryFunction, Q1).

querying_members        list members, show one, its history, the error log, seats
querying_runs           list runs, show one and the items of its plan
listing_organizations   list the organizations there are
listing_licences        list who has an Engage licence, nobody included, and who waits for one
explaining_members      explain why someone is in the roster or not, asking Salesforce if need be
explanations            the text and JSON of such an explanation
run_summaries           a run in short: progress, and what to do about it
seat_explanations       seats in words: who holds one, who waits, why someone has none
ports                   what questions need of the outside world
"""
