"""Who is to be in a SCIM target, with which attributes and in which groups (O2)."""

from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

import orjson

from muster.crm.scim_attributes import ENTITLEMENTS, USER_NAME, Value, Values
from muster.roster import end_dates, seats, written_fields
from muster.roster.member import Member
from muster.settings import Settings, assignment_order
from muster.settings.target_connection import HoldersOf, MembersOf, TargetConnection

# Salesforce writes en_GB, and SCIM, as BCP 47 has it, en-GB.
_LANGUAGES = frozenset({"locale", "preferredLanguage"})


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """An active user as it is to be in a target: its attributes, and the names of its groups.

    `lacking` are attributes without which the target does not take the user: until the member has them,
    nothing is sent.
    """

    values: Values = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def user_name(self) -> str:
        """The userName, by which the account may be found."""
        return str(self.values.get(USER_NAME, ""))

    @property
    def digest(self) -> str:
        """The digest of all of it."""
        document = [dict(self.values), self.groups]
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        return blake2b(text, digest_size=8).hexdigest()


def wanted(
    member: Member, connection: TargetConnection, settings: Settings, today: date
) -> WantedAccount | None:
    """Return what the member is to have in a target; `None`: no account, or none that lets anybody in."""
    if end_dates.has_left(member, today) or not _is_in_scope(member, connection, settings):
        return None
    held = tuple(sorted(seats.held(member.seats)))
    values: dict[str, Value] = {}
    for name, source in connection.mapped.items():
        if value := written_fields.value_of(member, source):
            values[name] = value.replace("_", "-") if name in _LANGUAGES else value
    if connection.seats_as == ENTITLEMENTS and held:
        values[ENTITLEMENTS] = held
    needed = (USER_NAME, *connection.dialect.requires)
    lacking = tuple(dict.fromkeys(name for name in needed if name not in values))
    return WantedAccount(values, _groups(member, held, connection, settings), lacking)


def _is_in_scope(member: Member, connection: TargetConnection, settings: Settings) -> bool:
    match connection.who:
        case HoldersOf(seat=seat):
            return seat in seats.held(member.seats)
        case MembersOf(assignments=names):
            return _assignment(member, settings) in names
    return True


def _assignment(member: Member, settings: Settings) -> str | None:
    """Return the name of the member's assignment as the settings have it now (A12)."""
    now = assignment_order.successor(member.assignment, member.assignment_filter, settings)
    return now.name if now else member.assignment


def _groups(
    member: Member, held: tuple[str, ...], connection: TargetConnection, settings: Settings
) -> tuple[str, ...]:
    names: set[str] = set()
    if connection.groups_of_assignments and (assignment := _assignment(member, settings)):
        names.add(assignment)
    if connection.groups_of_workspaces:
        names |= {f"{workspace}: {profile}" for workspace, profile in member.workspaces.items()}
    if connection.seats_as == "groups":
        names |= set(held)
    return tuple(sorted(names))
