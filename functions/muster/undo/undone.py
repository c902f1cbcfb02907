"""What a run changed about each member, and what has changed there since, by the members' history (I11).

Pure: no I/O, no clock. History entries are as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from muster.crm.engage_features import FEATURES, REQUEST_SENT
from muster.roster.history import FieldChange
from muster.roster.member import Json


@dataclass(frozen=True, slots=True)
class Later:
    """A field that was changed after a run: its value as the run left it, and who changed it last.

    `run`, `origin` and `at` are those of the last history entry that changed it by hand, else of the last.
    """

    left: Any
    run: str
    origin: str
    at: str

    @property
    def by_hand(self) -> bool:
        """Whether a person changed it."""
        return self.origin.startswith(("manual:", "manager:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What a run changed about one member (id), each field once: before the run, and as it left it.

    `later` are the fields that were changed since, by name, these or others. `sent` are the Engage features
    for which the run sent a request to Vault CRM.
    """

    member: str
    changes: tuple[FieldChange, ...]
    later: Mapping[str, Later] = field(default_factory=dict)
    sent: tuple[str, ...] = ()

    @property
    def joined(self) -> bool:
        """Whether the run created the member."""
        return any(change.field == "id" and change.before is None for change in self.changes)

    def before(self, values: Json) -> Json:
        """Return the fields' values before the run; `values` are the member's now, by dotted names."""
        return self.left(values) | {change.field: change.before for change in self.changes}

    def left(self, values: Json) -> Json:
        """Return the fields' values as the run left them."""
        return values | {name: each.left for name, each in self.later.items()}

    @classmethod
    def from_json(cls, document: Json) -> Undone:
        """Return what the archive keeps."""
        return cls(
            member=document["member"],
            changes=tuple(FieldChange(**each) for each in document["changes"]),
            later={name: Later(**each) for name, each in document["later"].items()},
            sent=tuple(document["sent"]),
        )


def undone(member: str, entries: Iterable[Json], run: str) -> Undone:
    """Return what a run (`run:<id>`) changed about a member, by its history from the run on, in any order."""
    ordered = sorted(entries, key=lambda entry: int(entry["version"]))
    mine = [entry for entry in ordered if entry["run"] == run]
    last = mine[-1]["version"] if mine else 0
    later: dict[str, Later] = {}
    for entry in ordered:
        if entry["version"] <= last:
            continue
        for each in entry["changes"]:
            name, known = each["field"], later.get(each["field"])
            left = known.left if known else each["before"]
            found = Later(left, entry["run"], entry["origin"], entry["at"])
            if known is None or found.by_hand or not known.by_hand:
                later[name] = found
    return Undone(member=member, changes=_net(mine), later=later, sent=_sent(mine))


def _net(entries: Iterable[Json]) -> tuple[FieldChange, ...]:
    """Return what these entries changed in all; what they changed and changed back is left out."""
    found: dict[str, FieldChange] = {}
    for entry in entries:
        for each in entry["changes"]:
            name = each["field"]
            before = found[name].before if name in found else each["before"]
            found[name] = FieldChange(name, before, each["after"])
    return tuple(each for each in found.values() if each.before != each.after)


def _sent(entries: Iterable[Json]) -> tuple[str, ...]:
    statuses = {
        each["field"] for entry in entries for each in entry["changes"] if each["after"] == REQUEST_SENT
    }
    return tuple(feature for feature in FEATURES if f"{feature}.status" in statuses)
