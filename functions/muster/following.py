"""The roster follows Salesforce: the changes of one queued message, gathered, decided, applied (W4-W9).

Safe to repeat and to interrupt anywhere: each user's decision is written whole or not at all, and a
change that is already in the roster comes out as stale. What cannot be understood goes to the error
log and does not hold up the rest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from muster import lifecycle, user_changes
from muster.decisions import Decision, Known, keys_of
from muster.errors import MusterError, Rejected, Unavailable
from muster.messages import QueuedMessage
from muster.model import Link, LogEntry, UserChange
from muster.settings import Settings

# Others may write the same member meanwhile; more than this many times in a row is a fault to retry later.
ATTEMPTS = 8
# Users of one message that may fail before the rest is left for the next try.
PATIENCE = 3

_PARKED = {
    "other_object": (
        "the notification is about {object}, and Muster follows User only",
        "Remove the outbound message on that object, or point it elsewhere.",
    ),
    "no_fields": (
        "the notification carries no fields of the user",
        "The user may have been deleted, or the outbound message selects no fields: check it in Salesforce.",
    ),
}


class Roster(Protocol):
    """What following needs of the roster; `adapters.roster_table` is the real one."""

    def gather(self, organization: str, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Known]:
        """Return what is known of each Salesforce user."""

    def waiting(self, organization: str, match_keys: Iterable[str]) -> list[Link]:
        """Return who waits for one of these keys."""

    def write(self, organization: str, decision: Decision, now: float) -> bool:
        """Write a decision whole; `False`: it is void, decide again."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> None:
        """Add to the error log."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a message: how many users per outcome, and what was set aside for review."""

    outcomes: Counter[str] = field(default_factory=Counter)
    parked: list[LogEntry] = field(default_factory=list)


def follow(message: QueuedMessage, settings: Settings | None, roster: Roster, now: datetime) -> Followed:
    """Bring the roster in line with one message; raises `Unavailable` when it should be tried again.

    Without settings, or with `auto_provision.enabled` off (W9), the changes are counted and dropped.
    """
    if settings is None or not settings.auto_provision.enabled:
        return Followed(Counter(dropped=len(message.changes) + len(message.parked)))
    changes, parked = _understand(message, settings)
    followed = Followed(parked=parked)
    roster.park(message.organization, parked, now.timestamp())
    changes = user_changes.most_recent(changes)
    known = _gather(changes, settings, roster)
    failures: list[MusterError] = []
    for change in changes:
        try:
            _settle(change, known[change.crm_id], settings, roster, now, followed.outcomes)
        except MusterError as error:
            # One user who cannot be written holds up no other; a table that is down is not asked a
            # hundred times.
            failures.append(error)
            if len(failures) == PATIENCE:
                break
    if failures:
        raise failures[0]
    return followed


def _understand(message: QueuedMessage, settings: Settings) -> tuple[list[UserChange], list[LogEntry]]:
    listed = {*settings.auto_provision.fields, *settings.auto_provision.custom_fields}
    changes = []
    parked = []
    for queued in message.changes:
        try:
            changes.append(user_changes.read(queued.fields, listed, queued.notification, message.received_at))
        except Rejected as error:
            problem = error.problems[0]
            text = f"{problem.where} {problem.message}"
            record = queued.fields.get("Id", "")[:18]
            parked.append(
                _entry(message, queued.notification, record, "not_understood", text, problem.remedy)
            )
    for other in message.parked:
        text, remedy = _PARKED[other.reason]
        text = text.format(object=other.object or "no object that it names")
        parked.append(_entry(message, other.notification, other.record, other.reason, text, remedy))
    return changes, parked


def _entry(
    message: QueuedMessage, notification: str, record: str | None, code: str, text: str, remedy: str
) -> LogEntry:
    return LogEntry(
        at=message.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        system=message.provider,
        record=record or None,
        notification=notification,
        code=code,
        message=text,
        remedy=remedy,
    )


def _gather(changes: Iterable[UserChange], settings: Settings, roster: Roster) -> dict[str, Known]:
    wanted = {change.crm_id: lifecycle.keys_of_change(change, settings) for change in changes}
    return roster.gather(settings.organization, wanted)


def _settle(
    change: UserChange,
    known: Known,
    settings: Settings,
    roster: Roster,
    now: datetime,
    outcomes: Counter[str],
) -> None:
    for _ in range(ATTEMPTS):
        decision = lifecycle.decide(change, known, settings, now)
        if not decision.writes or roster.write(settings.organization, decision, now.timestamp()):
            break
        known = _gather([change], settings, roster)[change.crm_id]
    else:
        raise Unavailable("a member was changed by others all the time", retry_after=5)
    outcomes[decision.outcome] += 1
    _let_waiting_in(decision, settings, roster, now, outcomes)


def _let_waiting_in(
    decision: Decision, settings: Settings, roster: Roster, now: datetime, outcomes: Counter[str]
) -> None:
    """Link those who waited for a username or e-mail address that this member no longer needs (W8).

    That is looked at each time the member is seen, not only when it gave them up: had the worker died
    right after that write, the message's next delivery finishes the job.
    """
    member = decision.after or decision.before
    if member is None:
        return
    free = {*member.former_keys, *(() if member.active else keys_of(member))}
    if not free:
        return
    for link in roster.waiting(settings.organization, sorted(free)):
        run = f"webhook:after {link.crm_id}"
        change = UserChange(crm_id=link.crm_id, fields=link.fields, source=link.source or "", run=run)
        _settle(change, _gather([change], settings, roster)[change.crm_id], settings, roster, now, outcomes)
