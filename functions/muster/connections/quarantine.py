"""A connection that keeps failing is tried less and less often, and reported once (P6). Pure.

healthy       its last call worked, or it has failed fewer than `TOLERATED` times in a row
quarantined   it has failed `TOLERATED` times in a row: schedules only probe it, after `FIRST` and then at
              intervals that double up to `LONGEST`; admins may try at any time
password      the password in its secret was refused: it is quarantined at once, and not probed at all while
              that is so, for nobody would log in (U5)
quiet         nothing was asked of it for a day: schedules make one call, so that it is known whether it works
maintenance   it has announced how long it is down: that is no failure, and schedules wait for its end
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from muster.errors import Problem
from muster.times import timestamp

TOLERATED = 3
# That calls work is noted so often and no more, so that runs which find nothing to do write nothing.
NOTED = timedelta(hours=1)
QUIET = timedelta(hours=24)
FIRST = timedelta(minutes=30)
LONGEST = timedelta(hours=6)

type Reason = Literal["password", "maintenance"]


@dataclass(frozen=True, slots=True)
class Health:
    """A connection's failures in a row, since when, and when it is next tried (ISO 8601).

    `reason`: what it is, where that is not just failing. `last_good` is when a call last worked, to the hour;
    `None` if that was not noted yet.
    """

    failures: int = 0
    since: str | None = None
    probe_at: str | None = None
    reason: Reason | None = None
    last_good: str | None = None

    @property
    def quarantined(self) -> bool:
        """Whether it has failed too often to be tried by every schedule."""
        return self.failures >= TOLERATED or self.reason == "password"

    @property
    def in_maintenance(self) -> bool:
        """Whether it was down for maintenance when it was last called."""
        return self.reason == "maintenance"

    def is_due(self, now: datetime) -> bool:
        """Whether a schedule may try it, if the password in its secret was not refused."""
        return self.probe_at is None or now >= datetime.fromisoformat(self.probe_at)

    def is_to_be_probed(self, now: datetime) -> bool:
        """Whether somebody has to call it to know whether it works: it did not lately, or nobody has."""
        if self.failures or self.in_maintenance or self.last_good is None:
            return True
        return now - datetime.fromisoformat(self.last_good) >= QUIET


def worked(health: Health, now: datetime) -> Health:
    """Return the health after a call that worked."""
    last = health.last_good
    if last is None or now - datetime.fromisoformat(last) >= NOTED:
        last = timestamp(now, to="seconds")
    return Health(last_good=last)


def failed(health: Health, now: datetime) -> Health:
    """Return the health after another failure."""
    failures = health.failures + 1
    probe_at = None
    if failures >= TOLERATED:
        wait = min(FIRST * 2 ** min(failures - TOLERATED, 10), LONGEST)
        probe_at = timestamp(now + wait, to="seconds")
    since = health.since or timestamp(now, to="seconds")
    return Health(failures, since, probe_at, last_good=health.last_good)


def refused(health: Health, now: datetime) -> Health:
    """Return the health after the password in the connection's secret was refused, or not sent again."""
    since = health.since or timestamp(now, to="seconds")
    return Health(max(health.failures, 1), since, None, "password", health.last_good)


def down(health: Health, now: datetime, announced: timedelta) -> Health:
    """Return the health of a connection that is down for maintenance for an announced time.

    It is tried again after that, or after `LONGEST` if that is sooner: an announcement may be wrong.
    """
    probe_at = timestamp(now + min(announced, LONGEST), to="seconds")
    return replace(health, probe_at=probe_at, reason="maintenance")


def entered(before: Health, after: Health) -> bool:
    """Whether this failure starts the quarantine, or first shows that it is the password (N2).

    Either is reported to admins: who knows that a connection fails does not know yet what to do about it.
    """
    is_new = not before.quarantined or (after.reason == "password" and before.reason != "password")
    return after.quarantined and is_new


def quarantine_notice(connection: str, health: Health, why: str) -> Problem:
    """Return the error log's text when a connection is quarantined."""
    if health.reason == "password":
        return Problem(
            f"connections.{connection}",
            f"cannot be used: {why}",
            "Do what it says. Schedules leave the connection alone until then, and use it again by themselves"
            " once the secret has another version.",
        )
    return Problem(
        f"connections.{connection}",
        f"has failed {health.failures} times since {health.since}, the last time because {why}; schedules now"
        f" try it less often, next at {health.probe_at}",
        "Correct what it names; a push or an import started by hand tries at once.",
    )


def maintenance_notice(connection: str, health: Health, why: str) -> Problem:
    """Return the error log's text when a connection begins to be down for maintenance."""
    return Problem(
        f"connections.{connection}",
        f"is not available: {why}; schedules wait until {health.probe_at}",
        "Nothing to do: schedules then use it again, and nothing is lost. A push or an import started by hand"
        " tries at once.",
    )


def recovery_notice(connection: str, before: Health) -> Problem:
    """Return the error log's text when a connection works again."""
    return Problem(
        f"connections.{connection}",
        f"works again; it had failed {before.failures} times since {before.since}",
        "Nothing to do: schedules use it again.",
    )


def waiting(connection: str, health: Health) -> str:
    """Return what a schedule is told that may not try a connection which keeps failing or is down."""
    if health.in_maintenance:
        return f"{connection} is down for maintenance; it is tried again at {health.probe_at}."
    return f"{connection} has failed {health.failures} times; it is tried again at {health.probe_at}."
