"""A user or group as a SCIM target shows it, read as leniently as targets write.

Ids are texts or numbers, booleans are booleans or texts, names of attributes come in any case, and `schemas`
or `meta` may be missing. Only what has no id is no resource.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from muster.crm import scim_attributes
from muster.crm.scim_attributes import Json

type Kind = Literal["Users", "Groups"]
USERS: Kind = "Users"
GROUPS: Kind = "Groups"

_LONGEST_ID = 1_000


@dataclass(frozen=True, slots=True)
class Resource:
    """One user or group: its id, in the target's own spelling, and all that was shown of it."""

    id: str
    body: Json = field(repr=False)

    @property
    def user_name(self) -> str:
        """The userName of a user, in the target's own spelling; empty if not shown."""
        return _text(self.body, "userName")

    @property
    def display_name(self) -> str:
        """The displayName, which is a group's name; empty if not shown."""
        return _text(self.body, "displayName")

    @property
    def external_id(self) -> str:
        """The id by which whoever made it knows it; empty if not shown."""
        return _text(self.body, "externalId")

    @property
    def active(self) -> bool | None:
        """Whether the user may log in; `None` if not shown."""
        return read_boolean(scim_attributes.at(self.body, "active"))

    @property
    def members(self) -> frozenset[str]:
        """The ids of a group's members, as far as they are shown."""
        members = scim_attributes.at(self.body, "members")
        several = members if isinstance(members, list) else []
        ids = (_id_of(scim_attributes.at(each, "value")) for each in several)
        return frozenset(each for each in ids if each)


def read_resource(shown: object) -> Resource | None:
    """Return the resource in a decoded answer, `None` if there is none in it."""
    found = _id_of(scim_attributes.at(shown, "id"))
    return Resource(found, shown) if found and isinstance(shown, dict) else None


def read_boolean(value: object) -> bool | None:
    """Return a boolean in any spelling: true, "True", 1, "yes"; `None` if it is none."""
    if isinstance(value, bool):
        return value
    return {
        "true": True,
        "1": True,
        "yes": True,
        "false": False,
        "0": False,
        "no": False,
    }.get(str(value).casefold())


def same_name(one: str, other: str) -> bool:
    """Whether two userNames, or names of groups, are the same to those targets which tell no case apart."""
    return one.casefold() == other.casefold()


def named(resources: Iterable[Resource], attribute: str, value: str) -> list[Resource]:
    """Return those that really have a value, whatever a filter by it has found.

    A target may overlook a filter and answer with everybody. Names compare in any case, external ids exactly.
    """
    return [each for each in resources if _has(each, attribute, value)]


def _has(resource: Resource, attribute: str, value: str) -> bool:
    shown = _text(resource.body, attribute)
    return shown == value if attribute == scim_attributes.EXTERNAL_ID else same_name(shown, value)


def _text(body: Json, name: str) -> str:
    value = scim_attributes.at(body, name)
    return value if isinstance(value, str) else ""


def _id_of(value: object) -> str:
    """Return an id as text, empty if it is none. A path made of one of dots alone would lead elsewhere."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if 0 < len(text) <= _LONGEST_ID and text.strip(".") else ""
