"""Reporting: runs as metrics for alarms and the dashboard, and a mail in the morning (N2).

reporting_runs   report a run once its outcome is certain
run_metrics      the metrics: silence, seats, credentials, outcomes
digesting        what happened in a day, needs somebody or ends soon, as one mail
last_digest      which digest was sent last, and from when on the next one tells
ports            what the digest needs of the outside world
"""
