"""Reporting: a run's outcome as metrics for alarms and the dashboard (N2).

reporting_runs   report a run once its outcome is certain
run_metrics      the metrics: silence, seats, credentials, outcomes
"""
