"""SOQL, the query language, over the sandbox's SQLite database.

tokens   cuts a query into words, numbers, texts and signs
grammar  the parsed query, and the parser: a recursive descent over the tokens
semi_joins  where a sub-select may stand, and what it may be
dates    date literals: TODAY, LAST_N_DAYS:30 and their like
text     how Salesforce compares text
sql      turns a parsed query into one parameterised SQLite statement

Source: the SOQL and SOSL reference, developer.salesforce.com.
"""
