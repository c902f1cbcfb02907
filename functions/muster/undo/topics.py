"""What a run changed about a member, as an admin speaks of it: a seat, a setting, a request, an attribute.

History has a seat as three fields and a setting of data capture as four. One of them decides, and the others
follow from it; so what is compared, put back and told is the whole of it, a topic. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from muster.crm.engage_features import CONNECTION, FEATURES
from muster.roster.member import Json
from muster.undo.undone import Undone

SEATS, WORKSPACES, CAPTURE, REQUEST, MANAGER = "seats", "workspaces", "data_capture", "request", "manager"
# What whoever is active is granted, and loses with leaving.
GRANTS = (SEATS, WORKSPACES, CAPTURE)
ATTRIBUTE, IN_VAULT = "attribute", "in_vault"
STATUS, END_DATE, ACTIVE, ASSIGNMENT = "crm_user_status", "end_date", "active", "assignment"
BY_HAND = (STATUS, END_DATE)

# What follows from whether a member is active, and why.
_OF_BEING_ACTIVE = frozenset({"active", "inactive_reason", "enabled"})
# What becomes of accounts in apps follows from the member: whoever is put back is due for a push to each.
_NEVER = frozenset({"id", "organization", "accounts"})


class Standing(StrEnum):
    """What can be said of a topic before any rule is asked."""

    # It is as it was before the run.
    SETTLED = "settled"
    # It was changed since, to something else.
    OVERTAKEN = "overtaken"
    # It is as the run left it.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing about a member; `name` is as in its JSON, `key` what it is called among its like."""

    kind: str
    name: str
    key: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of history that decide it."""
        match self.kind:
            case "seats":
                return (f"{self.name}.state",)
            case "data_capture":
                return (f"{self.name}.intended", f"{self.name}.origin")
        return (self.name,)

    def value(self, values: Json) -> Any:
        """Return what decides it, of a member's values by dotted names."""
        first = values.get(self.fields[0])
        if self.kind == SEATS:
            # Whether it is held, or waits, follows from the seats that are free.
            return first is not None
        if self.kind == CAPTURE:
            origin = values.get(self.fields[1]) or ""
            return first, origin if origin.startswith(("manager:", "manual:")) else None
        if self.kind == ACTIVE:
            return bool(first)
        return first

    def standing(self, undone: Undone, values: Json) -> Standing:
        """Return how it stands now; `values` are the member's."""
        now = self.value(values)
        if now == self.value(undone.before(values)):
            return Standing.SETTLED
        changed_since = any(name in undone.later for name in self.fields)
        if changed_since or now != self.value(undone.left(values)):
            return Standing.OVERTAKEN
        return Standing.OPEN


def topics_of(undone: Undone) -> list[Topic]:
    """Return what a run changed about a member, each once, in the order of its history."""
    if undone.joined:
        # Whoever was not there before had nothing.
        return [Topic(ACTIVE, ACTIVE)]
    return topics_named(change.field for change in undone.changes)


def topics_named(fields: Iterable[str]) -> list[Topic]:
    """Return what these fields of history are about, each once."""
    return list(dict.fromkeys(_topics(fields)))


def _topics(names: Iterable[str]) -> Iterator[Topic]:
    for name in names:
        first, _, rest = name.partition(".")
        key = rest.rpartition(".")[0]
        if first in _NEVER:
            continue
        if name in _OF_BEING_ACTIVE:
            yield Topic(ACTIVE, ACTIVE)
        elif first in (SEATS, CAPTURE):
            yield Topic(first, f"{first}.{key}", key)
        elif first == WORKSPACES:
            yield Topic(WORKSPACES, name, rest)
        elif first in FEATURES:
            yield Topic(REQUEST if rest == REQUEST else IN_VAULT, name, first)
        elif name.startswith(f"crm.{CONNECTION}."):
            yield Topic(IN_VAULT, name)
        elif name in (*BY_HAND, MANAGER):
            yield Topic(name, name)
        else:
            yield Topic(ATTRIBUTE, name)
