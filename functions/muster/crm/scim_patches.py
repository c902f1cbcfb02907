"""Bodies of SCIM's PATCH: one operation for each thing that changes, by its path, in small letters (O2).

Booleans are booleans. Members and entitlements are added and removed one by one, never replaced: whatever
Muster does not know of stays. A change of a user names only what differs from what was sent before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from muster.crm.scim_attributes import (
    ENTITLEMENTS,
    Attribute,
    Json,
    Values,
    at,
    body,
    entitlements,
    known,
    typed,
)
from muster.crm.scim_dialect import Dialect
from muster.crm.scim_filters import quoted

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

type Operation = Mapping[str, Any]


def patch(operations: Sequence[Operation]) -> Json:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH], "Operations": list(operations)}


def activation(active: bool, dialect: Dialect) -> Operation:
    """Return what lets a user in, or keeps the user out; it is sent by itself."""
    return _set("active", active, dialect)


def renaming(name: str, dialect: Dialect) -> Operation:
    """Return what gives a group another name."""
    return _set("displayName", name, dialect)


def changes(before: Values, after: Values, dialect: Dialect) -> list[Operation]:
    """Return what makes a user that has `before` one that has `after`; empty if they are the same."""
    made: list[Operation] = []
    changed = [name for name in after if after[name] != before.get(name)]
    gone = [name for name in before if name not in after]
    listed: dict[str, None] = {}
    for name in [*changed, *gone]:
        attribute = known(name)
        if name == ENTITLEMENTS:
            made += _entitlements(before, after)
        elif attribute.type and not (dialect.value_paths and dialect.paths):
            listed[attribute.root] = None
        elif name in after:
            made.append(_change(name, attribute, after, dialect, is_new=name not in before))
        else:
            # Of several values the whole one goes, its type as well.
            made.append({"op": "remove", "path": _path(attribute).removesuffix(".value")})
    for root in listed:
        values = [
            typed(each, str(value)) for name, value in after.items() if (each := known(name)).root == root
        ]
        made.append(_set(root, values, dialect) if values else {"op": "remove", "path": root})
    return made


def added(members: Iterable[str]) -> Operation:
    """Return what adds members to a group."""
    return {"op": "add", "path": "members", "value": [{"value": each} for each in members]}


def removed(members: Iterable[str]) -> list[Operation]:
    """Return what takes members out of a group: each by itself, since a list empties some groups."""
    return [{"op": "remove", "path": f"members[value eq {quoted(each)}]"} for each in members]


def calls(operations: Sequence[Operation], dialect: Dialect) -> Iterator[list[Operation]]:
    """Yield operations as they fit into one call each."""
    for some in batched(operations, dialect.operations_a_call, strict=False):
        yield list(some)


def replaced(resource: Json, active: bool, before: Values, after: Values) -> Json:
    """Return the whole user for a PUT: all that the target shows, with what is ours as it should be.

    A PUT that leaves something out clears it, `active` included; so nothing is left out but what the target
    itself writes.
    """
    kept = {key: value for key, value in resource.items() if key.casefold() not in ("meta", "groups")}
    made = _without_ours(kept, before, after)
    for key, value in body(after).items():
        made[key] = _merged(made.get(key), value)
    return made | {"active": active}


def _entitlements(before: Values, after: Values) -> Iterator[Operation]:
    had, wanted = _tuple(before), _tuple(after)
    for value in (each for each in had if each not in wanted):
        yield {"op": "remove", "path": f"{ENTITLEMENTS}[value eq {quoted(value)}]"}
    if new := [each for each in wanted if each not in had]:
        yield {"op": "add", "path": ENTITLEMENTS, "value": entitlements(new)}


def _tuple(values: Values) -> tuple[str, ...]:
    found = values.get(ENTITLEMENTS, ())
    return found if isinstance(found, tuple) else (found,)


def _change(name: str, attribute: Attribute, after: Values, dialect: Dialect, *, is_new: bool) -> Operation:
    value = after[name]
    if attribute.type:
        if is_new:
            # A path to a value that is not there is refused.
            return {"op": "add", "path": attribute.root, "value": [typed(attribute, str(value))]}
        return {"op": "replace", "path": _path(attribute), "value": value}
    if dialect.paths:
        return {"op": "replace", "path": _path(attribute), "value": value}
    return {
        "op": "replace",
        "value": {key: each for key, each in body({name: value}).items() if key != "schemas"},
    }


def _set(path: str, value: object, dialect: Dialect) -> Operation:
    return (
        {"op": "replace", "path": path, "value": value}
        if dialect.paths
        else {"op": "replace", "value": {path: value}}
    )


def _path(attribute: Attribute) -> str:
    if attribute.schema:
        return f"{attribute.schema}:{attribute.root}"
    if attribute.type:
        return f"{attribute.root}[type eq {quoted(attribute.type)}].value"
    return f"{attribute.root}.{attribute.part}" if attribute.part else attribute.root


def _without_ours(resource: Json, before: Values, after: Values) -> Json:
    """Return a user without what was sent before, or is to be sent now."""
    made = {key: _copy(each) for key, each in resource.items()}
    for name, value in {**after, **before}.items():
        attribute = known(name)
        holder = made.get(attribute.schema) if attribute.schema else made
        if not isinstance(holder, dict):
            continue
        inner = holder.get(attribute.root)
        if attribute.part and isinstance(inner, dict):
            inner.pop(attribute.part, None)
        elif isinstance(inner, list) and attribute.type:
            holder[attribute.root] = [each for each in inner if at(each, "type") != attribute.type]
        elif isinstance(inner, list) and isinstance(value, tuple):
            holder[attribute.root] = [each for each in inner if at(each, "value") not in value]
        elif not isinstance(inner, dict | list):
            holder.pop(attribute.root, None)
    return made


def _copy(value: object) -> object:
    return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def _merged(had: object, value: object) -> object:
    if isinstance(had, dict) and isinstance(value, dict):
        return had | value
    if not isinstance(had, list) or not isinstance(value, list):
        return value
    if any(at(each, "primary") for each in value):
        # There is one primary address, and that is ours.
        had = [each | {"primary": False} if at(each, "primary") else each for each in had]
    return [*had, *(each for each in value if each not in had)]
