"""What lists and filters do not show although it is there."""

import re

from sandbox.scim.protocol import Json, is_active
from sandbox.scim.quirks import Quirks

_EQUALS = re.compile(r'^\(?(\w+)(?:\.\w+)? eq "((?:[^"\\]|\\.)*)"\)?$')


def list_is_altered(quirks: Quirks, wanted: str | None) -> bool:
    """Whether a list with this filter may lack what is there."""
    hides = quirks.taken or quirks.inactive in {"gone", "unlisted"} or quirks.list_lag_s
    return bool(hides or (quirks.case_sensitive_filters and wanted))


def is_listed(quirks: Quirks, resource: Json, wanted: str | None) -> bool:
    """Whether lists and filters show a user or group; `wanted` is the filter."""
    name = str(resource.get("userName") or resource.get("displayName"))
    if name.casefold() in {each.casefold() for each in quirks.taken}:
        return False
    if quirks.inactive in {"gone", "unlisted"} and not is_active(resource):
        return False
    return not (quirks.case_sensitive_filters and wanted and _differs_in_case(resource, wanted))


def _differs_in_case(resource: Json, wanted: str) -> bool:
    found = _EQUALS.match(wanted)
    value = resource.get(found[1]) if found else None
    return found is not None and isinstance(value, str) and value != found[2]
