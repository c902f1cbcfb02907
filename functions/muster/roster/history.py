"""A member's history: one entry per effective change, with each value before and after (I11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.roster.member import SHOWN, Json, Member

# Attributes of the record rather than of the person; history leaves them out.
BOOKKEEPING = frozenset({"version", "updated_at", "source_version"})
# The attributes whose values have two names each, of which the first may hold dots.
_OF_TWO_NAMES = frozenset({"accounts", "crm", "data_capture", "seats"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One attribute of a member before and after; a nested one has a dotted name."""

    field: str
    before: Any
    after: Any


def changes_between(before: Member | None, after: Member) -> tuple[FieldChange, ...]:
    """Return the changes that an admin would see, in the order of the member's JSON."""
    names = [
        name
        for name in SHOWN
        if name not in BOOKKEEPING and (before is None or getattr(before, name) != getattr(after, name))
    ]
    return differences(flat(before.shown(names)) if before else {}, flat(after.shown(names)))


def differences(before: Json, after: Json) -> tuple[FieldChange, ...]:
    """Return where two members differ, both as values by dotted names, in the order of the later one."""
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in [*after, *(name for name in before if name not in after)]
        if before.get(name) != after.get(name)
    )


def values_of(member: Member) -> Json:
    """Return what history keeps of a member, by dotted names; what it has no value for is left out."""
    names = [name for name in SHOWN if name not in BOOKKEEPING]
    return {name: value for name, value in flat(member.shown(names)).items() if value is not None}


def flat(value: Json, prefix: str = "") -> Json:
    """Return a member's JSON by dotted names: `seats.gong.state`, `phone_numbers.mobile`."""
    found: Json = {}
    for key, item in value.items():
        if key == "phone_numbers":
            item = {number["type"]: number["number"] for number in item}
        if isinstance(item, Mapping):
            found |= flat(dict(item), f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = item
    return found


def taken_apart(name: str) -> tuple[str, str, str]:
    """Return the attribute of a dotted name, the name in it, and the last one, which not every attribute has.

    `seats.gong.eu.state` is `seats`, `gong.eu`, `state`; `workspaces.EMEA.North` has no last name.
    """
    attribute, _, rest = name.partition(".")
    if attribute not in _OF_TWO_NAMES:
        return attribute, rest, ""
    first, _, last = rest.rpartition(".")
    return attribute, first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One effective change of one member (I11); `why` is the reason given by who made it by hand."""

    member: str
    version: int
    at: str
    origin: str
    run: str
    changes: tuple[FieldChange, ...]
    why: str | None = None


def place(at: str, member: str, version: int) -> str:
    """Return what history entries of an organization are sorted by: time; no two have the same place."""
    return f"{at}|{member}|{version:08d}"
