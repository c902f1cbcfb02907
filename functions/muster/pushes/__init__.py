"""Pushes: what has changed in the roster sent to one system, whichever it is (ScheduledPushFunction).

pushing  start a push
steps    the job of any push: who is due, what the system shows, the plan, send, what came of it
blocked  what keeps a push from sending, in words (U6)
ports    what a push needs of the system that it is to (`engage` and `provisioning` have them)
"""
