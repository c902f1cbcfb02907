"""Members at a moment, from any later or earlier state and the history between (Q2). Pure.

`as_of` does it for one member with the whole history at hand; here the entries are those of everybody, of a
stretch of time, kept as small as can be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from muster.roster.as_of import as_json
from muster.roster.history import values_of
from muster.roster.member import Json, Member
from muster.roster.reasons import ERASED
from muster.roster.snapshots import member_of

type Changes = Mapping[int, "Change"]


class Missing(Exception):
    """An entry of the member's history is not among those at hand."""


@dataclass(frozen=True, slots=True)
class Change:
    """A history entry: whether it is `earlier` than the moment, and its `changes` as JSON.

    `None`: it is the member's first one, and nobody asks what it says, for it is later than the moment or
    earlier than what is known of everybody.
    """

    earlier: bool
    changes: bytes | None


@dataclass(slots=True)
class Stretch:
    """The history entries of a stretch of time by member and version, seen from a `moment`.

    `known` is when everybody began to be read, of whom that leads to the moment. `erased` are those whom one
    of the entries erases, `size` what they take up in bytes, about.
    """

    moment: datetime
    known: datetime
    of: dict[str, dict[int, Change]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    size: int = 0

    def add(self, entry: Json) -> None:
        """Add an entry; one that is there already makes no difference."""
        if is_erasure(entry):
            self.erased.add(entry["member"])
        at = datetime.fromisoformat(entry["at"])
        earlier = at < self.moment
        is_asked = not joins(entry) or self.known <= at < self.moment
        changes = orjson.dumps(entry["changes"]) if is_asked else None
        self.of.setdefault(entry["member"], {})[entry["version"]] = Change(earlier, changes)
        # What Python needs for an entry, besides.
        self.size += 300 + len(changes or b"")


def joins(entry: Json) -> bool:
    """Whether an entry is the first one of a member, which has its id."""
    return any(change["field"] == "id" and change["before"] is None for change in entry["changes"])


def is_erasure(entry: Json) -> bool:
    """Whether with an entry the member was erased (T5)."""
    return any(
        change["field"] == "inactive_reason" and change["after"] == ERASED for change in entry["changes"]
    )


def at_the_moment(member: Member, changes: Changes) -> Member | None:
    """Return a member as it was at the moment that the changes are seen from; `None`: not there yet.

    `member` is it at any time, with its version then; what changed between that time and the moment has to be
    among the changes, else `Missing` is raised. Changes are in the order of their versions, whatever the
    clocks said.
    """
    last = max((version for version, each in changes.items() if each.earlier), default=0)
    if last > member.version:
        values = values_of(member) if member.version else {}
        for version in range(member.version + 1, last + 1):
            values |= {change["field"]: change["after"] for change in _said(changes, version)}
        return _member(values)
    version = member.version
    values = {}
    while version in changes and not changes[version].earlier:
        if changes[version].changes is None:
            return None
        values = values or values_of(member)
        values |= {change["field"]: change["before"] for change in _said(changes, version)}
        version -= 1
    if version == 0:
        return None
    return _member(values) if values else member


def nobody(organization: str, member: str) -> Member:
    """Return whom a member was before the first entry."""
    return replace(Member(id=member, organization=organization), version=0)


def _said(changes: Changes, version: int) -> Iterator[Json]:
    found = changes.get(version)
    if found is None or found.changes is None:
        raise Missing
    yield from orjson.loads(found.changes)


def _member(values: Json) -> Member:
    return member_of(as_json({name: value for name, value in values.items() if value is not None}))
