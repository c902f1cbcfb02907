"""What was found in an app, as the run archive keeps it (Q4). Pure."""

from collections.abc import Iterable, Mapping

import orjson

from muster.crm.scim_resources import Resource, read_resource
from muster.provisioning.first_contact import Found
from muster.roster.member import Json

# The archive's name for it.
FOUND = "found"


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


def _resources(bodies: Iterable[Json]) -> list[Resource]:
    return [each for body in bodies if (each := read_resource(body))]
