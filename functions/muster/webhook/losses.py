"""What messages take from members, and how much of it the guard lets through in an hour (W12). Pure.

Losses are counted as in a plan (`runs.guard`): those that were let through in the last hour and those of
the message that comes now. Beyond a limit, all losses of that message are held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.errors import Problem
from muster.roster import eligibility
from muster.roster.decisions import Decision
from muster.roster.reasons import EXPLAINED
from muster.roster.taken_back import groups_lost, seats_lost
from muster.runs import guard
from muster.runs.operations import DEACTIVATE, REVOKE
from muster.runs.reasons import Trip
from muster.settings import Settings
from muster.sources.newest_changes import is_read
from muster.sources.user_changes import UserChange
from muster.times import timestamp

# Codes of the error log.
DEACTIVATION, SEATS, GROUPS = CODES = ("held_deactivation", "held_seats", "held_groups")

WINDOW = timedelta(hours=1)
# Whatever the guard allows: what is remembered of an hour is one item of the table.
MOST_AN_HOUR = 2_000


@dataclass(frozen=True, slots=True)
class Loss:
    """What a message takes from a member: an `operation` of the guard.

    It counts for `former`, the assignment that the member has. `at` is when it was let through (ISO 8601).
    """

    member: str
    operation: str
    former: str | None
    at: str

    @property
    def key(self) -> tuple[str, str]:
        """What it is counted by, once an hour however often it comes."""
        return self.member, self.operation

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that it counts as, for the guard."""
        return (self.operation,)

    @property
    def assignment(self) -> str | None:
        """No assignment: what is taken counts for the former one."""
        return None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is stored of an organization: its active members as the last import counted them, and losses.

    `active` counts per assignment, and all of them under `""`. `losses` are those that were let through,
    `revision` the number of the item that holds them; 0: there is none.
    """

    active: Mapping[str, int]
    losses: tuple[Loss, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A loss, and what an admin is told of it if it is held: a code of the error log, and words."""

    loss: Loss
    code: str
    text: str

    def problem(self, trip: Trip, settings: Settings) -> Problem:
        """Return the problem of a loss that is held because of a limit."""
        limit = f"the messages of an hour come to more than the guard allows ({trip.text()})"
        return Problem("the member", f"{self.text}, and stays as it was: {limit}", _remedy(settings))


def taken_by(change: UserChange, decision: Decision, now: datetime) -> Taken | None:
    """Return what a decision takes from a member; `None` where it takes nothing that has to be asked about.

    Nobody is asked about users whom Salesforce, read back, shows as deactivated (W10).
    """
    before, after = decision.before, decision.after
    if before is None or after is None or not before.active:
        return None
    if not after.active:
        if is_read(change.source) and not eligibility.is_active(change.fields):
            return None
        reason = after.inactive_reason or ""
        loss = Loss(before.id, DEACTIVATE, before.assignment, timestamp(now))
        text = f"would be deactivated ({reason}: {EXPLAINED.get(reason, '').rstrip('.')})"
        return Taken(loss, DEACTIVATION, text)
    loss = Loss(before.id, REVOKE, before.assignment, timestamp(now))
    if seats := seats_lost(before, after):
        return Taken(loss, SEATS, f"would lose {', '.join(seats)}")
    if features := groups_lost(before, after):
        return Taken(loss, GROUPS, f"would lose the group of {', '.join(features)}")
    return None


def of_the_last_hour(losses: Iterable[Loss], now: datetime) -> list[Loss]:
    """Return the losses that still count."""
    since = timestamp(now - WINDOW)
    return [loss for loss in losses if loss.at > since]


def beyond(
    losses: Sequence[Loss], recorded: Sequence[Loss], active: Mapping[str, int], settings: Settings
) -> Trip | None:
    """Return a limit that losses exceed together with those of the last hour; `None`: they may pass."""
    counted = {loss.key: loss for loss in (*recorded, *losses)}
    operations = {loss.operation for loss in losses}
    for trip in guard.tripped(counted.values(), active, settings):
        if trip.operation in operations:
            return trip
    if len(counted) > MOST_AN_HOUR:
        [operation, *_] = sorted(operations)
        return Trip(operation, None, len(counted), active.get(guard.EVERYONE, 0), MOST_AN_HOUR)
    return None


def _remedy(settings: Settings) -> str:
    if settings.connections.salesforce is None:
        return (
            "Without a connection to Salesforce nothing is imported. If this is right, raise the limits of"
            " guard for a while, and save the users in Salesforce again; if not, put the data back there."
        )
    return (
        "Nothing has to be done at once: the next import plans it and, beyond the limits of guard, waits for"
        " approval. Approve or reject it there, or put the data back in Salesforce."
    )
