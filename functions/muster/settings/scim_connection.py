"""A SCIM target in the settings: where it is, who is in it, and what of them (O2).

attributes: {title: title, timezone: null}     what differs from the profile's own
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from muster.crm import scim_attributes
from muster.crm.scim_attributes import ENTITLEMENTS, EXTERNAL_ID, USER_NAME
from muster.crm.scim_dialect import Dialect
from muster.settings.connection import secret_of
from muster.settings.scim_profiles import PROFILES
from muster.settings.target_connection import MemberAttribute, SeatsAs, TargetConnection, Who
from muster.settings.values import ScimHost, ScimPath, SecretName, Section
from muster.validation import did_you_mean, refused

MOST_ATTRIBUTES = 50

type ProfileName = Literal["generic", "gong", "slack", "aws_identity_center", "github_emu", "strict"]


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


if TYPE_CHECKING:
    type _Attributes = Mapping[str, str | None]
else:
    _Attributes = Mapping[Annotated[str, AfterValidator(_attribute)], MemberAttribute | None]


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


class ScimConnection(TargetConnection):
    """An app that is provisioned by SCIM 2.0."""

    kind: ClassVar[str] = "scim"

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
    seats: SeatsAs = Field(
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

    @property
    def leads_to(self) -> str:
        """The app, by the address of its SCIM endpoints."""
        return f"{self.host}{self.path}"

    @property
    def dialect(self) -> Dialect:
        """What the target takes and does."""
        return PROFILES[self.profile].dialect

    @property
    def mapped(self) -> dict[str, str]:
        """All attributes that are sent, the profile's among them: attribute there → of the member."""
        whole = {**PROFILES[self.profile].attributes, **self.attributes}
        return {name: source for name, source in whole.items() if source is not None}

    @property
    def makes_accounts(self) -> bool:
        """Whether an account is made for a member who has none."""
        return self.create

    @property
    def deletes_leavers(self) -> bool:
        """Whether the account of who leaves is deleted, and not only closed."""
        return self.on_leave == "delete"

    @property
    def only_ends_access(self) -> bool:
        """Not so: an account is as the member is."""
        return False

    @property
    def ids_are_names(self) -> bool:
        """Not so: they are the app's own."""
        return False

    @property
    def adopted_by(self) -> str:
        """The rule by which an account that was there is a member's; empty: it is adopted by hand."""
        return "" if self.adopt == "by_hand" else self.adopt

    @property
    def groups_of_assignments(self) -> bool:
        """Whether the app has a group for each assignment."""
        return self.groups.assignments

    @property
    def groups_of_workspaces(self) -> bool:
        """Whether the app has a group for each workspace and permission profile."""
        return self.groups.workspaces

    @property
    def seats_as(self) -> SeatsAs:
        """As what the seats that a member holds are sent."""
        return self.seats

    @property
    def stays_valid(self) -> str:
        """What of a closed account cannot be ended, in words (O4)."""
        return (
            "SCIM has no call that ends a session: whether the app ends those that are open when it is told"
            " that a user is inactive, and when, is the app's own doing."
        )

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
