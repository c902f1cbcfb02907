"""A member's history: one entry per effective change, with each value before and after (I11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.roster.member import SHOWN, Json, Member

# Attributes of the record rather than of the person; history leaves them out.
_BOOKKEEPING = frozenset({"version", "updated_at", "source_version"})


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
        if name not in _BOOKKEEPING and (before is None or getattr(before, name) != getattr(after, name))
    ]
    old = _flat(before.shown(names)) if before else {}
    new = _flat(after.shown(names))
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in [*new, *(name for name in old if name not in new)]
        if old.get(name) != new.get(name)
    )


def _flat(value: Json, prefix: str = "") -> Json:
    flat: Json = {}
    for key, item in value.items():
        if key == "phone_numbers":
            item = {number["type"]: number["number"] for number in item}
        if isinstance(item, Mapping):
            flat |= _flat(dict(item), f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = item
    return flat


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
