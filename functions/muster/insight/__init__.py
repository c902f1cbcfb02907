"""Insight: questions about the roster and its runs, answered (RosterQueryFunction, Q1).

querying_members        list, one member, history, error log, seats
querying_runs           which runs there were, how one stands, what its plan does
querying_explanations   why someone is in the roster or not, looked up in Salesforce if need be
explanations            that answer put into words
run_words               a run in words, and what to do about it
seat_words              seats in words: who holds, who waits, why someone has none
"""
