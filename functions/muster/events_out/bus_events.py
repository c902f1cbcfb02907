"""What a history entry is told outward as: events with a deterministic id, without personal data by default.

    {"schema_version": 1, "id": "acme/7f3a…/7/SeatGranted/gong", "organization": "acme", "member": "7f3a…",
     "version": 7, "at": "2026-11-20T08:15:31.000Z", "origin": "crm", "run": "webhook:04l…",
     "seat": "gong", "before": "waiting", "after": "held", "changes": [{"field": "seats.gong.state"}, …]}

Which events an entry is, `roster.member_events` says. Pure: no I/O, no clock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from muster.errors import MusterError
from muster.roster.history import FieldChange, taken_apart
from muster.roster.member import Json
from muster.roster.member_events import Kind, MemberEvent, events

SCHEMA_VERSION = 1
# Targets of rules take 256 KB, some with an envelope of their own around the event.
MOST_BYTES = 200_000
# Which attribute of the detail names what an event is about.
NAMED = {
    Kind.SEAT_GRANTED: "seat",
    Kind.SEAT_REVOKED: "seat",
    Kind.SEAT_WAITING: "seat",
    Kind.LICENCE_GRANTED: "feature",
    Kind.LICENCE_REVOKED: "feature",
}
# The events that say what was and what is now: why somebody is inactive, a seat's state, groups, managers.
WITH_VALUES = frozenset({*NAMED, Kind.MEMBER_DEACTIVATED, Kind.MEMBER_REACTIVATED, Kind.MANAGER_CHANGED})
# Its source, type and time have a place in that, too.
_MOST_OF_DETAIL = MOST_BYTES - 500
# What EventBridge counts for the time of an event.
_TIME_BYTES = 14
_UNREADABLE = "a history entry is not as Muster writes them"


class UnreadableEntry(MusterError):
    """A history entry that is not as Muster writes them; trying again cannot help."""


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event as it goes on the bus; `detail` is JSON."""

    detail_type: str
    at: datetime
    detail: str

    def size(self, source: str) -> int:
        """Return for how many bytes EventBridge counts it, coming from that source."""
        return _TIME_BYTES + len(source.encode()) + len(self.detail_type) + len(self.detail.encode())


def entry_of(document: str) -> Json:
    """Return the history entry of an item's document; raises `UnreadableEntry`."""
    try:
        entry: Json = json.loads(document)
    # It quotes the entry, so it is not chained.
    except (ValueError, RecursionError):
        raise UnreadableEntry(_UNREADABLE) from None
    return entry


def bus_events(organization: str, entry: Json, *, personal_data: bool) -> tuple[BusEvent, ...]:
    """Return the events of a history entry.

    Without `personal_data` they have the ids and the names of the fields that changed, not the values, and
    not who changed them by hand. Raises `UnreadableEntry`.
    """
    try:
        changes = [FieldChange(each["field"], each["before"], each["after"]) for each in entry["changes"]]
        at = datetime.fromisoformat(entry["at"])
        common = {
            "organization": organization,
            "member": str(entry["member"]),
            "version": int(entry["version"]),
            "at": str(entry["at"]),
            "origin": entry["origin"] if personal_data else _without_person(entry["origin"]),
            "run": str(entry["run"]),
        }
        return tuple(
            BusEvent(event.kind, at, _detail(common, event, changes, personal_data=personal_data))
            for event in events(changes)
        )
    # These errors may quote the entry, so they are not chained.
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnreadableEntry(_UNREADABLE) from None


def _without_person(origin: str) -> str:
    kind, _, _ = origin.partition(":")
    return kind if kind in ("manual", "manager") else origin


def _detail(
    common: Mapping[str, object], event: MemberEvent, changes: Sequence[FieldChange], *, personal_data: bool
) -> str:
    concerning = [change for change in changes if _concerns(event, change)]
    detail = {
        "schema_version": SCHEMA_VERSION,
        "id": _id(common, event),
        **common,
        **({NAMED[event.kind]: event.of} if event.kind in NAMED else {}),
        **({"before": event.before, "after": event.after} if event.kind in WITH_VALUES else {}),
    }
    values = [{"field": each.field, "before": each.before, "after": each.after} for each in concerning]
    names = [{"field": each.field} for each in concerning]
    text = _as_json({**detail, "changes": values if personal_data else names, "truncated": False})
    for fewer in (names, []):
        if len(text.encode()) > _MOST_OF_DETAIL:
            text = _as_json({**detail, "changes": fewer, "truncated": True})
    return text


def _as_json(detail: Mapping[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":"))


def _id(common: Mapping[str, object], event: MemberEvent) -> str:
    parts = [common["organization"], common["member"], common["version"], event.kind]
    return "/".join(map(str, [*parts, event.of] if event.of else parts))


def _concerns(event: MemberEvent, change: FieldChange) -> bool:
    """Whether a change is told with an event: all of an entry with the one that is about the member."""
    attribute, name, _ = taken_apart(change.field)
    match NAMED.get(event.kind):
        case "seat":
            return (attribute, name) == ("seats", event.of)
        case "feature":
            return attribute == event.of
    return event.kind != Kind.MANAGER_CHANGED or attribute == "manager"
