"""Which fields of a Vault CRM user may be read into the roster, and which may be written (G2, G4, G5).

A mapping's *target* is an attribute of the member: `engage.request`, `engage_connect.status`,
`custom.Country`. The *system* mappings are fixed and can only be switched off; the *custom* ones are free.
The settings say under `field_maps.vault_crm` which are active. No other module names an Engage field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from muster.crm.engage_features import CONNECT, ENGAGE, FEATURES, Feature
from muster.crm.salesforce_fields import TARGETS

OBJECT = "user__sys"
# Fields that identify a user; read whatever is mapped.
IDENTITY = ("id", "username__sys", "email__sys", "status__v", "modified_date__v")
# The API name of a field, with the ending that says where it comes from: __v, __sys, __c.
FIELD_NAME = r"[a-z][a-z0-9_]*__[a-z]+"
# They give access to somebody's meetings: never read, never written, never logged (G2).
NEVER_MAPPED = frozenset({"remote_meeting_host_id__v", "remote_meeting_host_token__v"})

_REQUEST = {ENGAGE: "engage_group_request__v", CONNECT: "engage_connect_group_request__v"}
_STATUS = {ENGAGE: "engage_group_provisioning_status__v", CONNECT: "engage_connect_group_status__v"}
_GROUP = {ENGAGE: "engage_group__v", CONNECT: "engage_connect_group__v"}


def request_field(feature: Feature) -> str:
    """Return the field in which a group is requested."""
    return _REQUEST[feature]


def status_field(feature: Feature) -> str:
    """Return the field with the outcome of the request."""
    return _STATUS[feature]


def group_field(feature: Feature) -> str:
    """Return the field with the group that the user is in."""
    return _GROUP[feature]


def engage_fields(feature: Feature) -> tuple[str, str, str]:
    """Return the fields of a feature: request, status and group."""
    return request_field(feature), status_field(feature), group_field(feature)


def can_be_mapped(field: str) -> bool:
    """Whether a custom mapping may name the field."""
    return re.fullmatch(FIELD_NAME, field) is not None and field not in NEVER_MAPPED


def _targets(**fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for feature in FEATURES:
        for name, field_of in fields.items():
            yield f"{feature}.{name}", field_of[feature]


# Target → field, all of them active by default.
SYSTEM_INBOUND: Mapping[str, str] = dict(_targets(group=_GROUP, status=_STATUS))
CUSTOM_INBOUND: Mapping[str, str] = dict(_targets(request=_REQUEST))
SYSTEM_OUTBOUND: Mapping[str, str] = dict(_targets(request=_REQUEST, status=_STATUS))
# The attributes of a member that a custom mapping may write, beside those under `custom`.
CUSTOM_OUTBOUND = frozenset({*TARGETS, "assignment", "crm.id"})
# Who the user is, how the user logs in and what the user may do: no custom mapping writes these.
_ACCESS = frozenset(
    {
        *IDENTITY,
        "activation_date__sys",
        "created_by__v",
        "created_date__v",
        "domain_user_id__sys",
        "federated_id__sys",
        "global_id__sys",
        "last_login__sys",
        "license_type__sys",
        "modified_by__v",
        "security_policy__sys",
        "security_profile__sys",
        "send_welcome_email__sys",
        "state__v",
    }
)
_OF_ENGAGE = frozenset(name for feature in FEATURES for name in engage_fields(feature))


def why_never_written(field: str) -> str | None:
    """Return why no custom mapping may write a field; `None` if one may (G5)."""
    if field in NEVER_MAPPED:
        return "lets into somebody's meetings"
    if field in _OF_ENGAGE:
        return "is a field of Engage, which the system mappings write"
    if field in _ACCESS:
        return "says who the user is, or what the user may do in Vault CRM"
    return None


def to_edit(features: Iterable[Feature]) -> tuple[str, ...]:
    """Return the fields that the integration user must be allowed to edit, for these features.

    Those of `NEVER_MAPPED` are among them: Vault fills them in as the integration user (U2).
    """
    names: list[str] = []
    for feature in features:
        names += engage_fields(feature)
        if feature == ENGAGE:
            names += sorted(NEVER_MAPPED)
    return tuple(names)
