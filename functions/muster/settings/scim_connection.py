"""A SCIM target in the settings: where it is, who is in it, and what of them (O2).

who: everyone | {seat: gong} | {assignments: [Field sales]}
attributes: {title: title, timezone: null}     what differs from the profile's own
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, Tag, model_validator

from muster.crm import scim_attributes
from muster.crm.scim_attributes import ENTITLEMENTS, EXTERNAL_ID, USER_NAME
from muster.crm.scim_dialect import Dialect
from muster.crm.vault_fields import CUSTOM_OUTBOUND
from muster.settings.connection import Connection, secret_of
from muster.settings.scim_profiles import PROFILES
from muster.settings.values import (
    Listed,
    Name,
    ScimHost,
    ScimPath,
    SeatName,
    SecretName,
    Section,
    no_duplicates,
)
from muster.settings.vault_field_maps import CUSTOM_TARGET
from muster.validation import did_you_mean, refused

MOST_ATTRIBUTES = 50

type ProfileName = Literal["generic", "gong", "slack", "aws_identity_center", "github_emu", "strict"]


class HoldersOf(Section):
    """Whoever holds a seat."""

    seat: SeatName = Field(description="The seat; who waits for it is not in the target yet.")


class MembersOf(Section):
    """Whoever has one of some assignments."""

    assignments: Annotated[Listed[Name], AfterValidator(no_duplicates)] = Field(
        min_length=1, max_length=200, description="Their names.", examples=[["Field sales"]]
    )


def _kind(value: object) -> str:
    if isinstance(value, HoldersOf) or (isinstance(value, dict) and "seat" in value):
        return "<seat>"
    return "<assignments>" if isinstance(value, dict | MembersOf) else "<everyone>"


type Who = Annotated[
    Annotated[Literal["everyone"], Tag("<everyone>")]
    | Annotated[HoldersOf, Tag("<seat>")]
    | Annotated[MembersOf, Tag("<assignments>")],
    Discriminator(_kind),
]


class ScimGroups(Section):
    """Which groups there are in the target, filled with their members."""

    assignments: bool = Field(default=True, description="One for each assignment, with its name.")
    workspaces: bool = Field(
        default=False, description="One for each workspace and permission profile: `EMEA: Team member`."
    )


def _attribute(key: str) -> str:
    if key in (EXTERNAL_ID, ENTITLEMENTS) or scim_attributes.parse(key) is None:
        if key == EXTERNAL_ID:
            raise refused("is the member's own id, by which Muster knows the user again", "Take it out.")
        if key == ENTITLEMENTS:
            raise refused("hold the member's seats", "Take it out, and set seats to entitlements.")
        raise refused(
            "is no attribute of a SCIM user that can be set",
            f"{did_you_mean(key, scim_attributes.names())} An attribute of an extension is written with its"
            f" schema, like {scim_attributes.ENTERPRISE}:department.",
        )
    return key


def _source(value: str) -> str:
    if value not in CUSTOM_OUTBOUND and not re.fullmatch(CUSTOM_TARGET, value):
        raise refused(
            "is no attribute of a member",
            f"{did_you_mean(value, CUSTOM_OUTBOUND)} Or write custom. and a name, like custom.Region__c.",
        )
    return value


if TYPE_CHECKING:
    type _Attributes = Mapping[str, str | None]
else:
    _Attributes = Mapping[
        Annotated[str, AfterValidator(_attribute)], Annotated[str, AfterValidator(_source)] | None
    ]


def _attributes_by_name(schema: dict[str, Any]) -> None:
    """Name the attributes in the JSON Schema, so that editors complete them."""
    field = schema.pop("additionalProperties")
    schema["properties"] = {
        name: {"description": f"Where the user's {name} comes from; null sends it no more.", **field}
        for name in scim_attributes.names()
        if name != EXTERNAL_ID
    }
    schema["patternProperties"] = {"^urn:": field}
    schema["additionalProperties"] = False


class ScimConnection(Connection):
    """An app that is provisioned by SCIM 2.0."""

    host: ScimHost = Field(description="The host of the app's SCIM endpoints.")
    path: ScimPath = Field(default="/scim/v2", description="The path below which Users and Groups are.")
    secret: SecretName | None = secret_of("scim/<name>")
    profile: ProfileName = Field(
        default="generic", description="What is known of the app: what it takes, and what it cannot do."
    )
    who: Who = Field(
        description=(
            "Who is in the app, of the active members: everyone, the holders of a seat, or the members of"
            " some assignments."
        ),
        examples=["everyone", {"seat": "gong"}, {"assignments": ["Field sales"]}],
    )
    groups: ScimGroups = Field(default_factory=ScimGroups, description="Which groups there are in the app.")
    seats: Literal["not_sent", "entitlements", "groups"] = Field(
        default="not_sent",
        description=(
            "Whether the seats that a member holds are sent: as entitlements of the user, or as membership in"
            " groups with the seats' names."
        ),
    )
    attributes: _Attributes = Field(
        default_factory=dict,
        max_length=MOST_ATTRIBUTES,
        description=(
            "Attribute of the SCIM user → attribute of the member, for those that are to differ from the"
            " profile's or come on top; null sends an attribute no more."
        ),
        examples=[{"title": "title", f"{scim_attributes.ENTERPRISE}:department": "custom.Department__c"}],
        json_schema_extra=_attributes_by_name,
    )
    on_leave: Literal["deactivate", "delete"] = Field(
        default="deactivate",
        description=(
            "What becomes of a user who leaves, or is not one of `who` any more: the account is deactivated,"
            " or deleted."
        ),
    )
    create: bool = Field(
        default=True, description="Whether accounts are made. Off: only accounts that are there are kept."
    )
    adopt: Literal["by_hand", "same_user_name"] = Field(
        default="by_hand",
        description=(
            "What becomes of an account that was there before, with the userName of a member: it is left"
            " alone until somebody adopts it, or it is adopted."
        ),
    )

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The name that the settings have for it; empty outside of settings."""
        return self._name

    @property
    def key(self) -> str:
        """How it is called among all connections: in runs, the error log, and with members' accounts."""
        return f"scim.{self._name}"

    @property
    def system(self) -> str:
        """Which app it leads to: accounts in another one are others."""
        return f"{self.host}{self.path}"

    def be_called(self, name: str) -> None:
        """Note the name; `Settings` does."""
        self._name = name

    @property
    def dialect(self) -> Dialect:
        """What the target takes and does."""
        return PROFILES[self.profile].dialect

    @property
    def mapped(self) -> dict[str, str]:
        """All attributes that are sent, the profile's among them: attribute there → of the member."""
        whole = {**PROFILES[self.profile].attributes, **self.attributes}
        return {name: source for name, source in whole.items() if source is not None}

    @model_validator(mode="after")
    def _fits_the_profile(self) -> "ScimConnection":
        dialect = self.dialect
        if self.on_leave == "delete" and dialect.deletes_users == "refused":
            raise refused(
                f"on_leave is delete, and {self.profile} deletes nobody by SCIM",
                "Write on_leave: deactivate.",
            )
        mapped = self.mapped
        missing = [name for name in (USER_NAME, *dialect.requires) if name not in mapped]
        if missing:
            raise refused(
                f"attributes leave out {', '.join(missing)}, without which {self.profile} takes no user",
                "Map it to an attribute of the member.",
            )
        allowed = dialect.allows
        foreign = [name for name in mapped if allowed is not None and name not in allowed]
        if foreign:
            raise refused(
                f"attributes name {', '.join(foreign)}, which {self.profile} does not have",
                "Take it out, or choose the profile generic.",
            )
        return self
