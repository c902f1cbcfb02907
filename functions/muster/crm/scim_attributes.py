"""Attributes of a SCIM user by name, and their place in a body and in the paths of a PATCH.

    userName, title               as in the RFC
    name.givenName                a part
    emails.work                   the value of that type, the primary e-mail address
    phoneNumbers.mobile           likewise
    urn:…:2.0:User:department     an attribute of an extension, by its schema and name
    entitlements                  a list of values, of which only those that are named here are ours

A user is a mapping from these names to texts, and to a tuple of texts for `entitlements`. What is empty is
left out, never null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]
type Value = str | tuple[str, ...]
type Values = Mapping[str, Value]

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER_NAME = "userName"
EXTERNAL_ID = "externalId"
ENTITLEMENTS = "entitlements"

_PLAIN = frozenset(
    {
        USER_NAME,
        EXTERNAL_ID,
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
    }
)
_PARTS = {"name": frozenset({"formatted", "familyName", "givenName", "middleName"})}
_TYPES = {
    "emails": frozenset({"work"}),
    "phoneNumbers": frozenset({"work", "mobile", "other"}),
}
# One with a manager fails the whole user where the target cannot resolve it, so that is none of these.
_EXTENSION = re.compile(r"(urn(?::[A-Za-z0-9][A-Za-z0-9._-]{0,60}){2,12}):([A-Za-z][A-Za-z0-9_-]{0,60})")
_NEVER = frozenset({"manager", "password"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name taken apart: `schema` of an extension, `root`, and of a part or typed value what follows."""

    root: str
    part: str = ""
    type: str = ""
    schema: str = ""


def parse(name: str) -> Attribute | None:
    """Return the attribute of a name, `None` if it is none that a user can be given."""
    if found := _EXTENSION.fullmatch(name):
        # The core schema's own attributes go by their plain names.
        known = found[2].casefold() in _NEVER or found[1].casefold() == USER.casefold()
        return None if known else Attribute(found[2], schema=found[1])
    if name in _PLAIN or name == ENTITLEMENTS:
        return Attribute(name)
    root, _, rest = name.partition(".")
    if rest in _PARTS.get(root, ()):
        return Attribute(root, part=rest)
    if rest in _TYPES.get(root, ()):
        return Attribute(root, type=rest)
    return None


def names() -> list[str]:
    """Return the names that attributes of the core schema have."""
    parts = [f"{root}.{part}" for root, several in (_PARTS | _TYPES).items() for part in several]
    return sorted([*_PLAIN, *parts])


def known(name: str) -> Attribute:
    """Return the attribute of a name that has been checked."""
    attribute = parse(name)
    if attribute is None:
        raise ValueError(f"{name} is no attribute of a SCIM user")
    return attribute


def body(values: Values) -> Json:
    """Return a user with these values as it is sent, without `active`."""
    made: Json = {"schemas": [USER]}
    for name, value in values.items():
        attribute = known(name)
        if attribute.schema:
            if attribute.schema not in made:
                made["schemas"].append(attribute.schema)
            made.setdefault(attribute.schema, {})[attribute.root] = value
        elif attribute.part:
            made.setdefault(attribute.root, {})[attribute.part] = value
        elif attribute.type:
            made.setdefault(attribute.root, []).append(typed(attribute, str(value)))
        else:
            made[attribute.root] = entitlements(value) if isinstance(value, tuple) else value
    return made


def typed(attribute: Attribute, value: str) -> Json:
    """Return one of several values: the only e-mail address is the primary one."""
    primary = {"primary": True} if attribute.root == "emails" else {}
    return {"value": value, "type": attribute.type} | primary


def entitlements(values: Iterable[str]) -> list[Json]:
    """Return entitlements as they are sent."""
    return [{"value": value} for value in values]


def shown(resource: Json, names: Iterable[str]) -> dict[str, Value]:
    """Return what a user, as a target shows it, has of these attributes; what it does not show is left out.

    Names compare without case, as the RFC has it. A target that knows no types shows the one value it has.
    """
    found: dict[str, Value] = {}
    for name in names:
        attribute = known(name)
        holder = at(resource, attribute.schema) if attribute.schema else resource
        value = at(holder, attribute.root)
        if attribute.part:
            value = at(value, attribute.part)
        elif attribute.type:
            value = _of_type(value, attribute)
        if name == ENTITLEMENTS:
            found[name] = tuple(sorted(_texts(value)))
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            found[name] = str(value)
    return found


def at(holder: object, key: str) -> object:
    """Return what an object has under a key in any case; `None` where there is none."""
    if not isinstance(holder, dict):
        return None
    if key in holder:
        return holder[key]
    wanted = key.casefold()
    return next((value for each, value in holder.items() if str(each).casefold() == wanted), None)


def _of_type(value: object, attribute: Attribute) -> object:
    several = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    of_type = [each for each in several if str(at(each, "type")).casefold() == attribute.type]
    untyped = [each for each in several if at(each, "type") is None]
    if attribute.root == "emails":
        untyped.sort(key=lambda each: at(each, "primary") is not True)
    return next((at(each, "value") for each in [*of_type, *untyped]), None)


def _texts(value: object) -> list[str]:
    several = value if isinstance(value, list) else []
    texts = [at(each, "value") if isinstance(each, dict) else each for each in several]
    return [text for text in texts if isinstance(text, str)]
