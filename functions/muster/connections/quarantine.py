"""A connection that keeps failing is tried less and less often, and reported once (P6). Pure.

healthy       its last call worked, or it has failed fewer than `TOLERATED` times in a row
quarantined   it has failed `TOLERATED` times in a row: schedules only probe it, after `FIRST` and then at
              intervals that double up to `LONGEST`; admins may try at any time
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.errors import Problem
from muster.times import timestamp

TOLERATED = 3
FIRST = timedelta(minutes=30)
LONGEST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Health:
    """A connection's failures in a row, since when, and when it is next tried (ISO 8601)."""

    failures: int = 0
    since: str | None = None
    probe_at: str | None = None

    @property
    def quarantined(self) -> bool:
        """Whether it has failed too often to be tried by every schedule."""
        return self.failures >= TOLERATED

    def is_due(self, now: datetime) -> bool:
        """Whether a schedule may try it."""
        return self.probe_at is None or now >= datetime.fromisoformat(self.probe_at)


def failed(health: Health, now: datetime) -> Health:
    """Return the health after another failure."""
    failures = health.failures + 1
    probe_at = None
    if failures >= TOLERATED:
        wait = min(FIRST * 2 ** min(failures - TOLERATED, 10), LONGEST)
        probe_at = timestamp(now + wait, to="seconds")
    return Health(failures, health.since or timestamp(now, to="seconds"), probe_at)


def entered(before: Health, after: Health) -> bool:
    """Whether this failure starts the quarantine: the one that is reported to admins (N2)."""
    return after.quarantined and not before.quarantined


def quarantine_notice(connection: str, health: Health, why: str) -> Problem:
    """Return the error log's text when a connection is quarantined."""
    return Problem(
        f"connections.{connection}",
        f"has failed {health.failures} times since {health.since}, the last time because {why}; schedules now"
        f" try it less often, next at {health.probe_at}",
        "Correct what it names; a push or an import started by hand tries at once.",
    )


def recovery_notice(connection: str, before: Health) -> Problem:
    """Return the error log's text when a connection works again."""
    return Problem(
        f"connections.{connection}",
        f"works again; it had failed {before.failures} times since {before.since}",
        "Nothing to do: schedules use it again.",
    )
