"""Apply the changes of one queued message to the roster: gather, decide, write (W4-W9, W12).

A message is only a hint: the users it names are read back from Salesforce, unless the settings switch
that off (W6). Safe to repeat and to interrupt: each user's decision is written as a whole or not at all,
and a change that is already in the roster comes out as stale. A notification that cannot be read goes
to the error log and does not hold up the others. What would be taken from too many is held, and left to
the next import (`guarding_losses`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.crm import salesforce_ids
from muster.error_log import LogEntry, at_most, entry_of
from muster.errors import Problem, Rejected
from muster.roster.serving_seat_lines import SeatLineServer
from muster.roster.writing_user_changes import ReadAgain, UserChangeWriter
from muster.settings import Settings, assignment_order, mappings
from muster.sources import newest_changes, notifications, reading_by_id
from muster.sources.ports import Salesforce
from muster.sources.user_changes import UserChange
from muster.times import timestamp
from muster.webhook.guarding_losses import LossGuard
from muster.webhook.messages import QueuedChange, QueuedMessage
from muster.webhook.ports import Ports

_PARKED = {
    "other_object": (
        "is about {object}, and Muster follows User only",
        "Remove the outbound message on that object, or point it elsewhere.",
    ),
    "no_fields": (
        "carries no Id of a user",
        "The user may have been deleted, or the outbound message selects no fields: check it in Salesforce.",
    ),
}

_ONLY_NAMED = Problem(
    "the notification",
    "carries nothing but the Id, and users are not read back from Salesforce",
    "Connect Salesforce and leave auto_provision.read_back on, or have the outbound message carry the fields"
    " that the settings list.",
)
_NOT_SEEN = Problem(
    "Id",
    "names a user that Salesforce does not show to the integration user",
    "Let the integration user read all users (permission View All Users).",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a message: the number of users per outcome, and the error-log entries for review.

    `refuted` is how many messages about its users were refuted by what was read after them (W11).
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    parked: list[LogEntry] = field(default_factory=list)
    refuted: int = 0


def needs_salesforce(settings: Settings) -> bool:
    """Whether a message needs calls to Salesforce: to read the users back, or to evaluate the filters."""
    read_back = settings.auto_provision.read_back or bool(assignment_order.filtered(settings))
    return settings.connections.salesforce is not None and read_back


def apply_message(message: QueuedMessage, settings: Settings | None, ports: Ports, now: datetime) -> Applied:
    """Apply one message to the roster; raises `Unavailable` when it should be retried.

    Without settings, or with `auto_provision.enabled` off (W9), the changes are counted and dropped.
    Salesforce may be left out of the ports unless `needs_salesforce`. Where users are not read back, who
    waits for a namesake stays out when that one leaves, until the next message about itself or an import.
    """
    if settings is None or not settings.auto_provision.enabled:
        return Applied(Counter(dropped=len(message.changes) + len(message.parked)))
    roster, salesforce = ports.roster, ports.salesforce
    read_again: ReadAgain | None = None
    if salesforce and settings.auto_provision.read_back:
        changes, parked = _read_back(message, settings, salesforce, now)
        read_again = _reading_again(settings, salesforce, now)
    else:
        changes, parked = _understand(message, settings, salesforce)
    parked += _parked_entries(message)
    door = LossGuard(settings, ports.losses, now)
    writer = UserChangeWriter(settings, roster, now, judge=door, read_again=read_again)
    roster.park(message.organization, at_most(parked), now.timestamp())
    failures = writer.write(changes)
    roster.park(message.organization, _held_entries(message, door), now.timestamp())
    if failures:
        raise failures[0][1]
    lines = SeatLineServer(settings, roster, now)
    if changes:
        lines.serve_lines(changes[0].run)
    return Applied(writer.outcomes + lines.outcomes, parked, len(writer.refuted))


def _reading_again(settings: Settings, salesforce: Salesforce, now: datetime) -> ReadAgain:
    """Return what reads those who wait for a namesake, once it leaves."""

    def read_again(crm_ids: Sequence[str]) -> Sequence[UserChange]:
        return list(reading_by_id.read_users(crm_ids, settings, salesforce, now, "").changes.values())

    return read_again


def _read_back(
    message: QueuedMessage, settings: Settings, salesforce: Salesforce, now: datetime
) -> tuple[list[UserChange], list[LogEntry]]:
    """Return the users that the message names, as Salesforce has them now, and the error-log entries."""
    named: dict[str, QueuedChange] = {}
    parked = []
    for queued in message.changes:
        crm_id = queued.fields.get("Id", "").strip()
        if salesforce_ids.is_valid(crm_id):
            named[salesforce_ids.to_18(crm_id)] = queued
        else:
            problem = Problem("Id", "is not a Salesforce id", "Send the record's own Id.")
            parked.append(_not_understood(message, queued, problem))
    read = reading_by_id.read_users(named, settings, salesforce, now, "")
    changes = []
    for crm_id, queued in named.items():
        if crm_id in read.changes:
            run, received_at = f"webhook:{queued.notification}", timestamp(message.received_at)
            changes.append(replace(read.changes[crm_id], run=run, received_at=received_at))
        else:
            problem = read.refused[crm_id].problems[0] if crm_id in read.refused else _NOT_SEEN
            parked.append(_not_understood(message, queued, problem))
    return changes, parked


def _understand(
    message: QueuedMessage, settings: Settings, salesforce: Salesforce | None
) -> tuple[list[UserChange], list[LogEntry]]:
    """Return the newest change per user from the message itself; Salesforce evaluates only the filters."""
    listed = {*settings.auto_provision.fields, *settings.auto_provision.custom_fields}
    addresses = mappings.address_fields(settings)
    changes = []
    parked = []
    for queued in message.changes:
        if notifications.names_only(queued.fields):
            parked.append(_named(message, queued, "no_fields", _ONLY_NAMED))
            continue
        try:
            fields, notification = queued.fields, queued.notification
            changes.append(notifications.read(fields, listed, notification, message.received_at, addresses))
        except Rejected as error:
            parked.append(_not_understood(message, queued, error.problems[0]))
    changes = newest_changes.most_recent(changes)
    matches: Mapping[str, frozenset[str]] = {}
    if salesforce and assignment_order.filtered(settings):
        matches = reading_by_id.matches_of([change.crm_id for change in changes], settings, salesforce)
    everyone = assignment_order.unfiltered(settings)
    received_at = timestamp(message.received_at)
    return [
        replace(change, matches=matches.get(change.crm_id, everyone), received_at=received_at)
        for change in changes
    ], parked


def _held_entries(message: QueuedMessage, door: LossGuard) -> list[LogEntry]:
    return at_most(
        entry_of(
            held.problem,
            at=timestamp(message.received_at),
            system=message.provider,
            code=held.code,
            notification=held.change.run.removeprefix("webhook:"),
            record=held.change.crm_id,
            member=held.member,
        )
        for held in door.held.values()
    )


def _parked_entries(message: QueuedMessage) -> list[LogEntry]:
    parked = []
    for other in message.parked:
        text, remedy = _PARKED[other.reason]
        text = text.format(object=other.object or "no object that it names")
        problem = Problem("the notification", text, remedy)
        parked.append(_entry(message, other.notification, other.record, other.reason, problem))
    return parked


def _not_understood(message: QueuedMessage, queued: QueuedChange, problem: Problem) -> LogEntry:
    return _named(message, queued, "not_understood", problem)


def _named(message: QueuedMessage, queued: QueuedChange, code: str, problem: Problem) -> LogEntry:
    return _entry(message, queued.notification, queued.fields.get("Id", "")[:18], code, problem)


def _entry(
    message: QueuedMessage, notification: str, record: str | None, code: str, problem: Problem
) -> LogEntry:
    return entry_of(
        problem,
        at=timestamp(message.received_at),
        system=message.provider,
        code=code,
        notification=notification,
        record=record or None,
    )
