"""SOQL, the query language, over the sandbox's SQLite database.

tokens      cuts a query into words, numbers, texts and signs
parsed      the parts of a parsed query
grammar     the parser: a recursive descent over the tokens
semi_joins  where a sub-select may stand, and what it may be
dates       date literals: TODAY, LAST_N_DAYS:30 and their like
functions   parts of a date, labels, distances, multi-select picklists
literals    values in a condition, as they are stored
text        how Salesforce compares text
sql         turns a parsed query into one parameterised SQLite statement

Source: the SOQL and SOSL reference, developer.salesforce.com.
"""
