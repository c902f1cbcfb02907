"""What was found in an app, as the run archive keeps it (Q4). Pure."""

from collections.abc import Iterable, Mapping

import orjson

from muster.crm.scim_resources import Resource, read_resource
from muster.provisioning.drift import Seen
from muster.provisioning.first_contact import Found
from muster.roster.member import Json

# The archive's name for it.
FOUND = "found"
SEEN = "seen"


def written_found(found: Mapping[str, Found]) -> bytes:
    """Return what was found, by member, as a part."""
    lines = [
        [member, [each.body for each in one.by_external_id], [each.body for each in one.by_name]]
        for member, one in found.items()
    ]
    return orjson.dumps(lines)


def read_found(part: bytes) -> dict[str, Found]:
    """Return what was found, by member, of a part."""
    return {member: Found(_resources(own), _resources(named)) for member, own, named in orjson.loads(part)}


def written_seen(until: str, seen: Mapping[str, Seen]) -> bytes:
    """Return what was seen of those who are not as they were left, as a part; `until`: the last compared."""
    lines = [
        [member, one.user.body if one.user else None, sorted(one.groups), [each.body for each in one.others]]
        for member, one in seen.items()
    ]
    return orjson.dumps({"until": until, "seen": lines})


def read_seen(part: bytes) -> tuple[str, dict[str, Seen]]:
    """Return who was compared last, and what was seen, by member, of a part."""
    document = orjson.loads(part)
    seen = {
        member: Seen(read_resource(user), frozenset(groups), tuple(_resources(others)))
        for member, user, groups, others in document["seen"]
    }
    return document["until"], seen


def _resources(bodies: Iterable[Json]) -> list[Resource]:
    return [each for body in bodies if (each := read_resource(body))]
