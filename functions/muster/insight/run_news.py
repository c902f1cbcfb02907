"""Which runs are news: they changed something, failed, wait, or somebody decided about them. Pure."""

from muster.runs.kinds import kind_of
from muster.runs.run import Run, Status

# Counts of what is as it was.
_NOTHING_NEW = frozenset(
    {"unchanged", "stale", "waiting", "not_provisioned", "looked_at", "in_line", "under_way", "not_sent"}
)
_SUCCEEDED = (Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS)


def is_news(run: Run) -> bool:
    """Whether an admin who asks what happened has to see the run; all others are quiet ones."""
    if run.status in (Status.PARKED, Status.FAILED, Status.RUNNING):
        return True
    if run.status is Status.REJECTED:
        # The others were put aside by a newer plan, or because the same plan waits already.
        return run.rejected_by is not None
    if run.status not in _SUCCEEDED:
        return False
    decided = run.approved_by is not None or not kind_of(run).applies
    return decided or run.errors > 0 or any(run.counts[name] for name in run.counts.keys() - _NOTHING_NEW)
