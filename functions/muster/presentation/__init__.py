"""Presentation: what Muster answers in words, as short lines and as tables (Q3, V3).

Works on answers as functions publish them, so that the functions, the demo and whatever else shows answers
to people use the same words and the same columns.

answers                 in which order an answer is laid out, and what of it is shown only on request
lines                   short lines, so many at most; counts with their nouns
exports                 what a CSV file holds
health                  how an organization is, worst first
changes                 what happened: who joined, left or changed, by what, and which runs were news
member_news             what is new of one person
causes                  what brought a change; how runs and moments are called
tables                  a table as a value: headings and rows; and as lines of text
words                   the words for attributes, features, statuses, origins and causes
outcomes                what a plan or a run does to how many, in one sentence
plans                   what an import does to people, in lines
sendings                what a push sends to Vault CRM
undoings                what of a run cannot be put back, why, and what to do
left_out                who of Salesforce's users is no active member, and why
members                 members, what they hold, and their history
past                    a member as of a past moment, and what differs between two
past_rosters            the same of the whole roster
explanations            why somebody has what they have
seats                   seats and who is in line
licences                Engage licences: who has one, who waits, which are nobody's
replays                 what came of making a run's plan again
runs                    runs, and one with its plan
resent                  events of members that were sent once more
errors                  the error log
organizations           the organizations there are
checks                  checks of connections, links of the webhook's chain
edits                   what came of edits and group requests by hand
settings_differences    where settings differ, and who saved them
digest                  the morning digest, as a mail
"""
