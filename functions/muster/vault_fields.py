"""Which fields of a Vault CRM user are read into the roster, and which are written (G2, G4, G5).

A map's *target* is what a member has: `engage.request`, `engage_connect.status`, `custom.Country`. The
*system* mappings are fixed and can only be switched off; the *custom* ones are free. Which of them are
active is in the settings under `field_maps.vault_crm`; nothing else knows the name of an Engage field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from muster.groups import CONNECT, ENGAGE, FEATURES

if TYPE_CHECKING:
    from muster.settings import Settings

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


def inbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field for what an import takes over, system mappings first."""
    written = settings.field_maps.vault_crm.inbound
    system = {target: field for target, field in SYSTEM_INBOUND.items() if target in written.system}
    custom = {target: field for target, field in written.custom.items() if field is not None}
    return system | custom


def outbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field for what a push may write, of features that are not managed as well."""
    active = settings.field_maps.vault_crm.outbound.system
    return {target: field for target, field in SYSTEM_OUTBOUND.items() if target in active}


def to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields that are read of each user, each once.

    Those of a feature that is pushed are among them whatever the maps say: what is to be sent depends
    on what Vault CRM shows (`groups.to_send`).
    """
    pushing = [field for feature in pushed(settings) for field in engage_fields(feature)]
    named = (*IDENTITY, *inbound(settings).values(), *outbound(settings).values(), *pushing)
    return tuple(dict.fromkeys(named))


def pushed(settings: Settings) -> tuple[str, ...]:
    """Return the features that are pushed: managed, and their request's mapping switched on (G1)."""
    connection = settings.connections.vault_crm
    managed = connection.manage_features if connection else ()
    active = outbound(settings)
    return tuple(feature for feature in FEATURES if feature in managed and f"{feature}.request" in active)


def sends_status(settings: Settings, feature: str) -> bool:
    """Tell whether a push may write the feature's status; otherwise only its request."""
    return f"{feature}.status" in outbound(settings)


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


def to_write(settings: Settings) -> tuple[str, ...]:
    """Return the fields that a push may write, which the integration user has to be allowed to edit."""
    features = pushed(settings)
    return tuple(
        field for target, field in outbound(settings).items() if target.partition(".")[0] in features
    )
