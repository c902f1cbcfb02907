"""What a vault tells: what became of each record of a write, and what it says of its fields and users."""

from dataclasses import dataclass
from enum import Enum

from muster.errors import Problem

RECORDS_A_CALL = 500


class Outcome(Enum):
    """What became of one record."""

    WRITTEN = "written"
    NO_CHANGES = "no_changes"  # it held these values before: nothing was saved, and nothing was set off
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the record `id`; `problem` says why it was refused."""

    id: str
    outcome: Outcome
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    `editable`: the integration user may set it. `picklist` is the name of the list of its values.
    """

    name: str
    label: str
    type: str
    editable: bool
    active: bool
    picklist: str | None = None


@dataclass(frozen=True, slots=True)
class IntegrationUser:
    """Who is logged in. `language` is a code like `en`, `security_profile` a name like `vault_owner__v`.

    `name` is first and last name, as far as there are any.
    """

    id: str
    username: str
    language: str
    security_profile: str
    security_policy_id: int
    active: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class SecurityPolicy:
    """How its users log in, `Password` for example, and after how many days a password expires.

    0 days means never, `None` that the policy does not say.
    """

    authentication: str
    password_expires_after_days: int | None
