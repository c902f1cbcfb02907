"""VQL, the query language, over the sandbox's SQLite database.

tokens   cuts a query into words, numbers, texts and signs
grammar  the parsed query, and the parser: a recursive descent over the tokens
sql      turns a parsed query into parameterised SQLite statements

Source: the VQL reference, developer.veevavault.com/vql.
"""
