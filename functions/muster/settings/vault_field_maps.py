"""`field_maps.vault_crm` in the document (G5): which system mappings are active, and the custom ones.

    field_maps: {vault_crm: {inbound: {custom: {custom.Country: country_code__v}}, outbound: {system: []}}}

`custom` holds overrides of the default, one per target; the model holds the whole map. The targets and
fields are explained in `crm.vault_fields`.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from muster.crm.vault_fields import CUSTOM_INBOUND, SYSTEM_INBOUND
from muster.settings.values import Listed, Section, VaultField, no_duplicates
from muster.validation import did_you_mean, refused

# The keys of SYSTEM_INBOUND and SYSTEM_OUTBOUND, for editors and the type checker.
type InboundTarget = Literal["engage.group", "engage.status", "engage_connect.group", "engage_connect.status"]
type OutboundTarget = Literal[
    "engage.request", "engage.status", "engage_connect.request", "engage_connect.status"
]

# All these fields are read in one query, which has room for more than this.
MOST_CUSTOM = 100
# Stored under `custom` in a member's JSON, beside the custom fields of Salesforce.
_CUSTOM_TARGET = r"custom\.[A-Za-z][A-Za-z0-9_]{0,79}"


def _target(key: str) -> str:
    if key in SYSTEM_INBOUND:
        raise refused(
            "is a system mapping, which cannot be edited",
            "Switch it on or off in the list system, beside this.",
        )
    if key not in CUSTOM_INBOUND and not re.fullmatch(_CUSTOM_TARGET, key):
        raise refused(
            "is not what a field of Vault CRM can be mapped to",
            f"{did_you_mean(key, CUSTOM_INBOUND)} Or write custom. and a name, like custom.Country.",
        )
    return key


def _whole(overrides: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return {**CUSTOM_INBOUND, **overrides}


def _targets_by_name(schema: dict[str, Any]) -> None:
    """Name the targets in the JSON Schema, so that editors complete them."""
    field = schema.pop("additionalProperties")
    schema["properties"] = {
        target: {"description": f"The source of a member's {target}; null takes it from nowhere.", **field}
        for target in CUSTOM_INBOUND
    }
    schema["patternProperties"] = {f"^{_CUSTOM_TARGET}$": field}
    schema["additionalProperties"] = False


if TYPE_CHECKING:
    type _CustomMap = Mapping[str, str | None]
else:
    _CustomMap = Annotated[
        Mapping[Annotated[str, AfterValidator(_target)], VaultField | None], AfterValidator(_whole)
    ]


class InboundMap(Section):
    """What an import takes over from Vault CRM."""

    system: Annotated[Listed[InboundTarget], AfterValidator(no_duplicates)] = Field(
        default=get_args(InboundTarget.__value__),
        description="The system mappings that are active; one that is left out of the list is switched off.",
    )
    custom: _CustomMap = Field(
        default_factory=lambda: dict(CUSTOM_INBOUND),
        max_length=MOST_CUSTOM,
        description=(
            "Target → field of user__sys, for the targets that are to differ from the default or come on top;"
            " null takes a target from nowhere."
        ),
        examples=[{"custom.Country": "country_code__v"}],
        json_schema_extra=_targets_by_name,
    )


class OutboundMap(Section):
    """What a push writes to Vault CRM."""

    system: Annotated[Listed[OutboundTarget], AfterValidator(no_duplicates)] = Field(
        default=get_args(OutboundTarget.__value__),
        description=(
            "The system mappings that are active. Without its request a feature is not pushed; without its"
            " status only requests are sent."
        ),
    )


class VaultCrmMaps(Section):
    """Between users of Vault CRM and members, each way."""

    inbound: InboundMap = Field(default_factory=InboundMap, description="What an import takes over.")
    outbound: OutboundMap = Field(default_factory=OutboundMap, description="What a push writes.")
