"""`field_maps` in the document: overrides of the default map, one per target (W7, G5).

    field_maps: {salesforce: {title: Job_Title__c, picture_url: null, name: {join: [FirstName, LastName]}}}

`FieldMaps.salesforce` is the whole map, the defaults with the overrides applied, as `crm.salesforce_fields`
uses it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, PlainSerializer, Tag

from muster.crm.salesforce_fields import (
    DEFAULT_SALESFORCE_MAP,
    TARGETS,
    FieldMap,
    FirstValidEmail,
    Join,
    Source,
)
from muster.settings.align_field_maps import AlignMaps
from muster.settings.values import Listed, Section, UserField
from muster.settings.vault_field_maps import VaultCrmMaps
from muster.validation import did_you_mean, refused

# Without these there is no member.
_NEEDED_TARGETS = frozenset({"username", "email", "first_name", "last_name"})


def _not_empty(fields: tuple[str, ...]) -> tuple[str, ...]:
    if not fields:
        raise refused("is empty", "Name at least one field.")
    return fields


# Not pydantic's own minimum: that one would count a field twice, as wrong and as missing.
_Fields = Annotated[Listed[UserField], AfterValidator(_not_empty), Field(json_schema_extra={"minItems": 1})]


class FirstValidEmailRecipe(Section):
    """The value of the first field that holds an e-mail address; else the last field's value."""

    first_valid_email: _Fields = Field(
        description="Fields, in the order they are tried.", examples=[["Username", "Email"]]
    )


class JoinRecipe(Section):
    """The fields' values with a blank between them; empty ones are left out."""

    join: _Fields = Field(
        description="Fields, in the order they are joined.",
        examples=[["FirstName", "LastName"]],
    )


def _target(key: str) -> str:
    if key not in TARGETS:
        raise refused("is not an attribute of a member", did_you_mean(key, TARGETS))
    return key


def _kind(source: object) -> str:
    if not isinstance(source, dict):
        return "<field>"
    return "<join>" if "join" in source else "<first valid email>"


type WrittenSource = Annotated[
    Annotated[UserField, Tag("<field>")]
    | Annotated[FirstValidEmailRecipe, Tag("<first valid email>")]
    | Annotated[JoinRecipe, Tag("<join>")],
    Discriminator(_kind),
]


def _whole(overrides: Mapping[str, Any]) -> FieldMap:
    """Return the defaults with the overrides applied; `None`: the attribute stays empty."""
    unmapped = sorted(_NEEDED_TARGETS & {target for target, source in overrides.items() if source is None})
    if unmapped:
        raise refused(f"takes {', '.join(unmapped)} away", "Every member needs them; map them to a field.")
    return {**DEFAULT_SALESFORCE_MAP, **{target: _source(written) for target, written in overrides.items()}}


def _source(written: Any) -> Source | None:
    match written:
        case FirstValidEmailRecipe():
            return FirstValidEmail(written.first_valid_email)
        case JoinRecipe():
            return Join(written.join)
        case str() | None:
            return written
    raise TypeError(type(written).__name__)  # pragma: no cover - the validator lets nothing else through


def _written(field_map: FieldMap) -> dict[str, Any]:
    return {target: _written_source(source) for target, source in field_map.items()}


def _written_source(source: Source | None) -> Any:
    match source:
        case FirstValidEmail():
            return {"first_valid_email": list(source.fields)}
        case Join():
            return {"join": list(source.fields)}
        case _:
            return source


def _one_property_per_target(schema: dict[str, Any]) -> None:
    """Name the targets in the JSON Schema, so that editors complete them."""
    source = schema.pop("additionalProperties")
    schema["properties"] = {
        target: {"description": f"The source of a member's {target}; null for none.", **source}
        for target in DEFAULT_SALESFORCE_MAP
    }
    schema["additionalProperties"] = False


if TYPE_CHECKING:
    # What comes out; a type checker cannot see what goes in.
    type SalesforceMap = FieldMap
else:
    SalesforceMap = Annotated[
        Mapping[Annotated[str, AfterValidator(_target)], WrittenSource | None],
        AfterValidator(_whole),
        PlainSerializer(_written),
    ]


class FieldMaps(Section):
    """How fields of the connected systems become attributes of a member."""

    salesforce: SalesforceMap = Field(
        default_factory=lambda: dict(DEFAULT_SALESFORCE_MAP),
        description=(
            "Attribute → field of the Salesforce user, for the attributes that are to differ from the"
            " default; null: the attribute stays empty."
        ),
        examples=[{"title": "Job_Title__c", "picture_url": None, "username": "Email"}],
        json_schema_extra=_one_property_per_target,
    )
    vault_crm: VaultCrmMaps = Field(
        default_factory=VaultCrmMaps,
        description="Between fields of user__sys in Vault CRM and members, each way.",
    )
    align: AlignMaps = Field(
        default_factory=AlignMaps,
        description="From fields of roster_member__aln in Align to members.",
    )
