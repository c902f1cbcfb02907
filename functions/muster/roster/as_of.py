"""A member as it was at a moment: its values now, with every later change taken back (Q2).

History has each effective change with each value before and after, so that taking back is exact for what
history covers: the member's JSON without `version`, `updated_at` and `source_version`. Pure: no I/O, no
clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile

from muster.roster.engage_state import NO_ENGAGE
from muster.roster.history import BOOKKEEPING, taken_apart, values_of
from muster.roster.member import SHOWN, Json, Member
from muster.roster.reasons import ERASED

IN_ROSTER = "in_roster"
NOT_YET = "not_yet"
# By now, whenever that was: nothing older is kept (T5).
IS_ERASED = "erased"
NOT_RECORDED = "not_recorded"

# The attributes whose values have names.
_MAPS = ("accounts", "crm", "custom", "data_capture", "engage", "engage_connect", "seats", "workspaces")
# What a setting of data capture has in any case.
_ALWAYS = {"data_capture": dict.fromkeys(("intended", "effective", "seat_required", "origin"))}


@dataclass(frozen=True, slots=True)
class Past:
    """A member at a moment: its `standing`, and its values by dotted names if it was in the roster.

    `standing_at` is when it joined after that, was erased, or its history begins, as `standing` says.
    """

    standing: str
    values: Json = field(default_factory=dict)
    standing_at: str | None = None


def as_of(member: Member, entries: Sequence[Json], moment: datetime) -> Past:
    """Return the member as it was right before a moment.

    History entries come newest first; those older than the moment may be left out, but for the newest.
    """
    values = values_of(member)
    if values.get("inactive_reason") == ERASED:
        return Past(IS_ERASED, standing_at=entries[0]["at"] if entries else None)
    newer = later(entries, moment)
    for entry in newer:
        if _joins(entry):
            return Past(NOT_YET, standing_at=entry["at"])
        values |= {change["field"]: change["before"] for change in entry["changes"]}
    if len(newer) == len(entries):
        return Past(NOT_RECORDED, standing_at=entries[-1]["at"] if entries else None)
    return Past(IN_ROSTER, {name: value for name, value in values.items() if value is not None})


def later(entries: Iterable[Json], moment: datetime) -> list[Json]:
    """Return the first of these history entries, up to one that is older than a moment."""
    return list(takewhile(lambda entry: not is_before(entry, moment), entries))


def is_before(entry: Json, moment: datetime) -> bool:
    """Whether a history entry is older than a moment."""
    return datetime.fromisoformat(entry["at"]) < moment


def as_json(values: Mapping[str, object]) -> Json:
    """Return values by dotted names in the shape of a member's JSON, without what history does not cover.

    What had a name but no value, such as an empty custom field, is not in it.
    """
    shown: Json = {name: values.get(name) for name in SHOWN if name not in BOOKKEEPING}
    shown |= {name: {} for name in _MAPS}
    shown |= {"engage": NO_ENGAGE.to_json(), "engage_connect": NO_ENGAGE.to_json(), "phone_numbers": []}
    for name, value in values.items():
        first, key, last = taken_apart(name)
        if first == "phone_numbers":
            shown[first].append({"type": key, "number": value})
        elif last:
            shown[first].setdefault(key, dict(_ALWAYS.get(first, {})))[last] = value
        elif first in _MAPS:
            shown[first][key] = value
    if not shown["accounts"]:
        # As in a member's JSON: of an organization without apps nothing is said about them.
        del shown["accounts"]
    return shown


def _joins(entry: Json) -> bool:
    """Whether an entry is the first one of a member, which has its id."""
    return any(change["field"] == "id" and change["before"] is None for change in entry["changes"])
