"""What apps in which members have accounts have in common: who is in them, and what of them (O2).

who: everyone | {seat: gong} | {assignments: [Field sales]}
"""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, Tag

from muster.crm.scim_dialect import Dialect
from muster.crm.vault_fields import CUSTOM_OUTBOUND
from muster.settings.connection import Connection
from muster.settings.values import Listed, Name, SeatName, Section, no_duplicates
from muster.settings.vault_field_maps import CUSTOM_TARGET
from muster.validation import did_you_mean, refused


def _member_attribute(value: str) -> str:
    if value not in CUSTOM_OUTBOUND and not re.fullmatch(CUSTOM_TARGET, value):
        raise refused(
            "is no attribute of a member",
            f"{did_you_mean(value, CUSTOM_OUTBOUND)} Or write custom. and a name, like custom.Region__c.",
        )
    return value


MemberAttribute = Annotated[str, AfterValidator(_member_attribute)]
type SeatsAs = Literal["not_sent", "entitlements", "groups"]


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


class TargetConnection(Connection):
    """An app in which members have accounts; what `provisioning` asks of it, whatever kind it is."""

    # Under which key of `connections` apps of this kind are.
    kind: ClassVar[str]

    who: Who

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The name that the settings have for it among those of its kind; empty outside of settings."""
        return self._name

    def be_called(self, name: str) -> None:
        """Note the name; `Settings` does."""
        self._name = name

    @property
    def key(self) -> str:
        """What it is called below `connections`, in runs and in the error log: `scim.gong`."""
        return f"{self.kind}.{self._name}"

    @property
    @abstractmethod
    def leads_to(self) -> str:
        """Which app it is: two connections with the same have the same accounts."""

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """What the app takes and does."""

    @property
    @abstractmethod
    def mapped(self) -> Mapping[str, str]:
        """All attributes that are sent, or that an account is found by: attribute there → of the member."""

    @property
    @abstractmethod
    def makes_accounts(self) -> bool:
        """Whether an account is made for a member who has none."""

    @property
    @abstractmethod
    def deletes_leavers(self) -> bool:
        """Whether the account of who leaves is deleted, and not only closed."""

    @property
    @abstractmethod
    def only_ends_access(self) -> bool:
        """Whether accounts are another's: Muster closes those of leavers, and opens what it has closed.

        So there is nothing to do for who is active and has none, and who leaves is looked for once more.
        """

    @property
    @abstractmethod
    def ids_are_names(self) -> bool:
        """Whether its ids of accounts are names or addresses of people, which belong in no error log."""

    @property
    @abstractmethod
    def adopted_by(self) -> str:
        """The rule by which an account that was there, of that userName, is the member's; empty: none.

        Without one it is left alone until somebody adopts it by hand (O3).
        """

    @property
    @abstractmethod
    def groups_of_assignments(self) -> bool:
        """Whether the app has a group for each assignment."""

    @property
    @abstractmethod
    def groups_of_workspaces(self) -> bool:
        """Whether the app has a group for each workspace and permission profile."""

    @property
    @abstractmethod
    def seats_as(self) -> SeatsAs:
        """As what the seats that a member holds are sent."""

    @property
    @abstractmethod
    def stays_valid(self) -> str:
        """What of a closed account cannot be ended, in words: a whole sentence (O4)."""
