"""Records of a vault: the outcome of writing each, and what it shows of fields, users and policies."""

from dataclasses import dataclass
from enum import Enum

from muster.errors import Problem

RECORDS_A_CALL = 500
# The type of the error where the integration user may not do that.
NOT_ALLOWED = "INSUFFICIENT_ACCESS"


class Outcome(Enum):
    """The outcome of writing one record."""

    WRITTEN = "written"
    NO_CHANGES = "no_changes"  # it held these values before: nothing was saved, and no trigger ran
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of writing the record `id`; `problem` says why it was refused.

    `forbidden`: it was refused because the integration user may not do that.
    """

    id: str
    outcome: Outcome
    problem: Problem | None = None
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    `editable`: the integration user may set it. `picklist` is the name of the list of its values. `length` is
    how many characters it takes, 0 where its type has no length.
    """

    name: str
    label: str
    type: str
    editable: bool
    active: bool
    picklist: str | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class IntegrationUser:
    """The user we are logged in as. `language` is like `en`, `security_profile` like `vault_owner__v`.

    `name` is first and last name, as far as known.
    """

    id: str
    username: str
    language: str
    security_profile: str
    security_policy_id: int
    active: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class BaseLicence:
    """How many full users an application of the vault may have, and has: its own licences, not Engage's."""

    application: str
    licensed: int
    used: int

    @property
    def left(self) -> int:
        """How many more users can be made active."""
        return max(0, self.licensed - self.used)


@dataclass(frozen=True, slots=True)
class SecurityPolicy:
    """How the users under it log in, `Password` for example, and after how many days a password expires.

    0 days means never, `None` that the policy does not say.
    """

    authentication: str
    password_expires_after_days: int | None
