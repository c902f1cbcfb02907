"""Which fields of a Vault CRM user are read into the roster, and which are written (G2, G4, G5).

A map's *target* is what a member has: `engage.request`, `engage_connect.status`, `custom.Country`. The
*system* mappings are fixed and can only be switched off; the *custom* ones are free. Which of them are
active is in the settings under `field_maps.vault_crm`; nothing else knows the name of an Engage field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from muster.crm.engage_features import CONNECT, ENGAGE, FEATURES

OBJECT = "user__sys"
# Who someone is; read whatever is mapped.
IDENTITY = ("id", "username__sys", "email__sys", "status__v", "modified_date__v")
# A field by its API name, with the ending that says whose it is: __v, __sys, __c.
FIELD_NAME = r"[a-z][a-z0-9_]*__[a-z]+"
# What lets into somebody's meetings: never read, never written, never logged (G2).
NEVER_MAPPED = frozenset({"remote_meeting_host_id__v", "remote_meeting_host_token__v"})

_REQUEST = {ENGAGE: "engage_group_request__v", CONNECT: "engage_connect_group_request__v"}
_STATUS = {ENGAGE: "engage_group_provisioning_status__v", CONNECT: "engage_connect_group_status__v"}
_GROUP = {ENGAGE: "engage_group__v", CONNECT: "engage_connect_group__v"}


def request_field(feature: str) -> str:
    """Return the field in which Vault CRM is asked for a group."""
    return _REQUEST[feature]


def status_field(feature: str) -> str:
    """Return the field that says what has become of the request."""
    return _STATUS[feature]


def group_field(feature: str) -> str:
    """Return the field with the group that the user is in."""
    return _GROUP[feature]


def engage_fields(feature: str) -> tuple[str, str, str]:
    """Return the fields of a feature: request, status and group."""
    return request_field(feature), status_field(feature), group_field(feature)


def can_be_mapped(field: str) -> bool:
    """Tell whether a custom mapping may name the field."""
    return re.fullmatch(FIELD_NAME, field) is not None and field not in NEVER_MAPPED


def _targets(**fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for feature in FEATURES:
        for name, field_of in fields.items():
            yield f"{feature}.{name}", field_of[feature]


# Target → field, all of them active by default (the lists of the seed).
SYSTEM_INBOUND: Mapping[str, str] = dict(_targets(group=_GROUP, status=_STATUS))
CUSTOM_INBOUND: Mapping[str, str] = dict(_targets(request=_REQUEST))
SYSTEM_OUTBOUND: Mapping[str, str] = dict(_targets(request=_REQUEST, status=_STATUS))


def to_edit(features: Iterable[str]) -> tuple[str, ...]:
    """Return the fields that the integration user has to be allowed to edit, for these features.

    Those that lead into meetings are among them: Vault fills them in its name (U2).
    """
    names: list[str] = []
    for feature in features:
        names += engage_fields(feature)
        if feature == ENGAGE:
            names += sorted(NEVER_MAPPED)
    return tuple(names)
