"""`field_maps.vault_crm` in the document (G5): which system mappings are active, and the custom ones.

    field_maps: {vault_crm: {inbound: {custom: {custom.Country: country_code__v}}, outbound: {system: []}}}

Inbound, `custom` holds overrides of the default, one per target; the model holds the whole map. Outbound it
holds attribute → field, and there is no default. The targets and fields are explained in `crm.vault_fields`.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag

from muster.crm.vault_fields import CUSTOM_INBOUND, CUSTOM_OUTBOUND, SYSTEM_INBOUND, SYSTEM_OUTBOUND
from muster.settings.values import Listed, Section, VaultField, WrittenVaultField, no_duplicates
from muster.validation import did_you_mean, refused

# The keys of SYSTEM_INBOUND and SYSTEM_OUTBOUND, for editors and the type checker.
type InboundTarget = Literal["engage.group", "engage.status", "engage_connect.group", "engage_connect.status"]
type OutboundTarget = Literal[
    "engage.request", "engage.status", "engage_connect.request", "engage_connect.status"
]

# All these fields are read in one query, which has room for more than this.
MOST_CUSTOM = 100
# Stored under `custom` in a member's JSON, beside the custom fields of Salesforce.
CUSTOM_TARGET = r"custom\.[A-Za-z][A-Za-z0-9_]{0,79}"


def _no_system_mapping(key: str, system: Mapping[str, str]) -> None:
    if key in system:
        raise refused(
            f"is a system mapping, which cannot be edited: it is {system[key]}",
            "Switch it on or off in the list system, beside this.",
        )


def _target(key: str) -> str:
    _no_system_mapping(key, SYSTEM_INBOUND)
    if key not in CUSTOM_INBOUND and not re.fullmatch(CUSTOM_TARGET, key):
        raise refused(
            "is not what a field of Vault CRM can be mapped to",
            f"{did_you_mean(key, CUSTOM_INBOUND)} Or write custom. and a name, like custom.Country.",
        )
    return key


def _attribute(key: str) -> str:
    _no_system_mapping(key, SYSTEM_OUTBOUND)
    if key not in CUSTOM_OUTBOUND and not re.fullmatch(CUSTOM_TARGET, key):
        raise refused(
            "is no attribute of a member that can be written to Vault CRM",
            f"{did_you_mean(key, CUSTOM_OUTBOUND)} Or write custom. and a name, like custom.Region__c.",
        )
    return key


def _whole(overrides: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return {**CUSTOM_INBOUND, **overrides}


def _targets_by_name(schema: dict[str, Any]) -> None:
    """Name the targets in the JSON Schema, so that editors complete them."""
    sources = {
        target: f"The source of a member's {target}; null takes it from nowhere." for target in CUSTOM_INBOUND
    }
    _keys_by_name(schema, sources)


def _attributes_by_name(schema: dict[str, Any]) -> None:
    """Name the attributes in the JSON Schema, so that editors complete them."""
    _keys_by_name(
        schema, {name: f"Where a member's {name} is written to." for name in sorted(CUSTOM_OUTBOUND)}
    )


def _keys_by_name(schema: dict[str, Any], described: Mapping[str, str]) -> None:
    field = schema.pop("additionalProperties")
    schema["properties"] = {name: {"description": text, **field} for name, text in described.items()}
    schema["patternProperties"] = {f"^{CUSTOM_TARGET}$": field}
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


class ValueMap(Section):
    """A field of user__sys, and what it holds for each value of the attribute."""

    field: WrittenVaultField = Field(description="The field.")
    map: Mapping[str, Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        min_length=1,
        max_length=200,
        description=(
            "Value of the attribute → value of the field, of a picklist its API name. For another value the"
            " field stays as it is."
        ),
        examples=[{"Rep": "sales__v"}],
    )


def _kind(written: object) -> str:
    return "<map>" if isinstance(written, dict | ValueMap) else "<field>"


type WrittenField = Annotated[
    Annotated[WrittenVaultField, Tag("<field>")] | Annotated[ValueMap, Tag("<map>")], Discriminator(_kind)
]


class OutboundMap(Section):
    """What a push writes to Vault CRM."""

    system: Annotated[Listed[OutboundTarget], AfterValidator(no_duplicates)] = Field(
        default=get_args(OutboundTarget.__value__),
        description=(
            "The system mappings that are active. Without its request a feature is not pushed; without its"
            " status only requests are sent."
        ),
    )
    custom: Mapping[Annotated[str, AfterValidator(_attribute)], WrittenField] = Field(
        default_factory=dict,
        max_length=MOST_CUSTOM,
        description=(
            "Attribute of a member → field of user__sys that a push writes it to. An attribute that is empty"
            " empties the field only where Muster has filled it."
        ),
        examples=[{"title": "title__sys", "custom.Role__c": {"field": "role__c", "map": {"Rep": "rep__c"}}}],
        json_schema_extra=_attributes_by_name,
    )


class VaultCrmMaps(Section):
    """Between users of Vault CRM and members, each way."""

    inbound: InboundMap = Field(default_factory=InboundMap, description="What an import takes over.")
    outbound: OutboundMap = Field(default_factory=OutboundMap, description="What a push writes.")
