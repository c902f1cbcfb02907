"""Presentation: what Muster answers in words, as short lines and as tables (Q3, V3).

Works on answers as functions publish them, so that the functions, the demo and whatever else shows answers
to people use the same words and the same columns.

answers         in which order an answer is laid out, and what of it is shown only on request
lines           short lines, so many at most; counts with their nouns
exports         what a CSV file holds
digest          the morning digest, as a mail
health          how an organization is, worst first
tables          a table as a value: headings and rows; and as lines of text
changes         what happened: who joined, left or changed, by what, and which runs were news
member_news     what is new of one person
causes          what brought a change; how runs and moments are called
"""
