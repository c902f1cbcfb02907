"""A Cognito user pool in the settings: which it is, and by what a member is known there (O4).

known_by: {attribute: preferred_username, member: custom.Employee_Number__c}
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from muster.crm.scim_attributes import USER_NAME
from muster.crm.scim_dialect import Dialect
from muster.settings.target_connection import MemberAttribute, SeatsAs, TargetConnection, Who
from muster.settings.values import Section, UserPoolId
from muster.validation import did_you_mean, refused

# Those that are one person's, of the few that ListUsers searches by.
ATTRIBUTES = ("email", "username", "sub", "preferred_username")
# A list has 60 users a page: each member is asked for, which costs less unless the pool is small.
_DIALECT = Dialect(
    filterable=frozenset({USER_NAME}), lists_whole=False, page_size=60, deletes_users="refused"
)


def _attribute(value: str) -> str:
    if value.startswith("custom:"):
        raise refused(
            f"is {value}, and Cognito finds nobody by a custom attribute",
            f"Keep the value in preferred_username as well, or choose another of {', '.join(ATTRIBUTES)}.",
        )
    if value not in ATTRIBUTES:
        raise refused(
            "is no attribute that Cognito finds one person by",
            f"{did_you_mean(value, ATTRIBUTES)} It is one of {', '.join(ATTRIBUTES)}.",
        )
    return value


class KnownBy(Section):
    """By what a member is found in the pool: a user with the same value is the member."""

    attribute: Annotated[
        str,
        Field(max_length=80, json_schema_extra={"enum": list(ATTRIBUTES)}),
        AfterValidator(_attribute),
    ] = Field(default="email", description="Attribute of the user in the pool.")
    member: MemberAttribute = Field(
        default="email",
        description="Attribute of the member with the same value.",
        examples=["username", "crm.id", "custom.Employee_Number__c"],
    )


class UserPoolConnection(TargetConnection):
    """A Cognito user pool, in which the sessions of leavers are ended."""

    kind: ClassVar[str] = "cognito"

    user_pool: UserPoolId = Field(description="Id of the user pool; it begins with its region.")
    known_by: KnownBy = Field(default_factory=KnownBy, description="By what a member is known in the pool.")
    who: Who = Field(
        default="everyone",
        description=(
            "Who may be in the pool, of the active members: everyone, the holders of a seat, or the members"
            " of some assignments."
        ),
        examples=["everyone", {"seat": "portal"}, {"assignments": ["Field sales"]}],
    )

    @property
    def region(self) -> str:
        """The region that the pool is in."""
        return self.user_pool.partition("_")[0]

    @property
    def leads_to(self) -> str:
        """The pool, by its id."""
        return self.user_pool

    @property
    def dialect(self) -> Dialect:
        """What a pool does: users are found by one attribute, which goes by the name userName here."""
        return _DIALECT

    @property
    def mapped(self) -> dict[str, str]:
        """What a user is found by."""
        return {USER_NAME: self.known_by.member}

    @property
    def makes_accounts(self) -> bool:
        """Not so: users sign up themselves, or come from an identity provider."""
        return False

    @property
    def deletes_leavers(self) -> bool:
        """Not so: they are disabled."""
        return False

    @property
    def only_ends_access(self) -> bool:
        """So: Muster disables who leaves, and enables again whom it has disabled."""
        return True

    @property
    def ids_are_names(self) -> bool:
        """So: a user is known by the name."""
        return True

    @property
    def adopted_by(self) -> str:
        """The setting says who is who."""
        return "known_by"

    @property
    def groups_of_assignments(self) -> bool:
        """Not so."""
        return False

    @property
    def groups_of_workspaces(self) -> bool:
        """Not so."""
        return False

    @property
    def seats_as(self) -> SeatsAs:
        """They are not."""
        return "not_sent"

    @property
    def stays_valid(self) -> str:
        """What of a disabled user cannot be ended, in words (O4)."""
        return (
            "ID and access tokens that an app checks by itself are valid until they expire (an hour, unless"
            " the app client sets 5 minutes to a day), and so are AWS credentials taken from an identity"
            " pool; the app has to look up who is disabled, or its tokens must be short-lived."
        )
