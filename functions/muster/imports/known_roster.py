"""What the roster knew when an import was gathered, and its documents in the run archive (I1, Q4).

With the pages that were read, it is all that a plan is made from. Who is looked up follows from what was
read, so that the cost follows the changes: of the other members there is no more than the index shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from muster import __version__
from muster.errors import Problem
from muster.imports.known_users import USERS_A_PART, KnownUsers, document_of, members_of
from muster.imports.succession import Person
from muster.roster.member import Member
from muster.roster.seats import Pool, Pools
from muster.runs.archive import keep_list, kept_bodies, kept_list
from muster.runs.import_state import ImportState
from muster.settings import Settings
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts
from muster.sources.user_changes import UserChange
from muster.times import timestamp

# The names of its parts in an attempt's folder.
USERS, WAITING, IN_VAULT = "known", "known_waiting", "known_in_vault"
_MEMBERS, _STATES, _FORMER, _READ_AGAIN = "known_members", "known_states", "known_former", "waiting_users"
_STATES_A_PART = 20_000


class VaultReading(StrEnum):
    """What became of reading Vault CRM."""

    NOT_DUE = "not_due"
    READ = "read"
    FAILED = "failed"


class Waiting(NamedTuple):
    """A user who waited for a namesake, as it was read again, and the match keys that it waits for."""

    change: UserChange
    keys: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class KnownRoster:
    """What was known.

    `at` is when the roster was first asked, `state` what imports remembered, `untried` the settings' version
    if what they name could not be tried. `states` is what the index showed, by CRM id, where everyone was
    read; `in_vault` those in Vault CRM, where everyone was read there. `due` are the CRM ids of members that
    an end date or status has evaluated again, `leaving` those of them who are active. `former` are the
    members linked to users of another Salesforce org.

    `users` is what was known of each user to decide about, in order; `waiting` are others who may be let in,
    and `waiting_users` what was known of them. `idle` says of users who are unchanged why their member is not
    active (`None`: it is). `lines` are the first in line for each seat that may become free, `members` those
    of them, and of those who may lose their user of Vault CRM, who are not among the users.
    `unlinked` are match keys of members who will be linked to no user of Vault CRM, which is asked for them.
    `vault` says what became of reading Vault CRM, `vault_problem` why it failed, and `vault_users` is what
    was known of its users, in order.
    """

    at: datetime
    state: ImportState
    untried: int | None = None
    states: Mapping[str, MemberState] = field(default_factory=dict)
    in_vault: Sequence[MemberState] = ()
    due: tuple[str, ...] = ()
    leaving: frozenset[str] = frozenset()
    former: Sequence[Person] = ()
    pools: Pools = field(default_factory=dict)
    users: KnownUsers = field(default_factory=KnownUsers)
    idle: Mapping[str, str | None] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()
    waiting_users: KnownUsers = field(default_factory=KnownUsers)
    lines: dict[str, Sequence[str]] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    unlinked: frozenset[str] = frozenset()
    vault: VaultReading = VaultReading.NOT_DUE
    vault_problem: Problem | None = None
    vault_users: KnownUsers = field(default_factory=KnownUsers)

    def sought_in_line(self) -> frozenset[str]:
        """Return the members (ids) in a line who were looked up as users."""
        return frozenset(name for line in self.lines.values() for name in line) - self.members.keys()


def keep(known: KnownRoster, settings: Settings, parts: Parts) -> dict[str, Any]:
    """Keep in the archive what is not there yet; returns the document about it, and about the settings.

    What was known of users is kept as it is read (`looking_up`).
    """
    # Of members there is one state for two reasons, and it is kept once.
    states = dict.fromkeys((*known.states.values(), *known.in_vault))
    read_again = ({**asdict(each.change), "waits_for": each.keys} for each in known.waiting)
    lists: dict[str, tuple[Iterable[Any], int]] = {
        _STATES: (map(tuple, states), _STATES_A_PART),
        _FORMER: (map(tuple, known.former), _STATES_A_PART),
        _READ_AGAIN: (read_again, USERS_A_PART),
        _MEMBERS: (((name, document_of(each)) for name, each in known.members.items()), USERS_A_PART),
    }
    counts = {
        USERS: len(known.users.parts),
        WAITING: len(known.waiting_users.parts),
        IN_VAULT: len(known.vault_users.parts),
        **{name: keep_list(parts, name, *of_list) for name, of_list in lists.items()},
    }
    return {
        "version": __version__,
        "at": timestamp(known.at),
        "settings": settings.model_dump(mode="json"),
        "untried": known.untried,
        "state": known.state.to_json(),
        "by_crm_id": bool(known.states),
        "in_vault": bool(known.in_vault),
        "due": known.due,
        "leaving": sorted(known.leaving),
        "pools": {seat: [pool.used, pool.waiting] for seat, pool in known.pools.items()},
        "idle": known.idle,
        "lines": known.lines,
        "unlinked": sorted(known.unlinked),
        "vault": known.vault,
        "vault_problem": known.vault_problem and asdict(known.vault_problem),
        "parts": counts,
    }


def kept(document: Mapping[str, Any], parts: Parts) -> KnownRoster:
    """Return what was known, by the document and the parts in the archive."""
    counts = document["parts"]

    def bodies(name: str) -> list[bytes]:
        return kept_bodies(parts, name, counts[name])

    def values(name: str) -> list[Any]:
        return kept_list(parts, name, counts[name])

    states = [MemberState(*each) for each in values(_STATES)]
    problem = document["vault_problem"]
    return KnownRoster(
        at=datetime.fromisoformat(document["at"]),
        state=ImportState.from_json(document["state"]),
        untried=document["untried"],
        states={each.crm_id: each for each in states if each.crm_id} if document["by_crm_id"] else {},
        in_vault=[each for each in states if each.vault_id] if document["in_vault"] else [],
        due=tuple(document["due"]),
        leaving=frozenset(document["leaving"]),
        former=[Person(*each) for each in values(_FORMER)],
        pools={seat: Pool(*numbers) for seat, numbers in document["pools"].items()},
        users=KnownUsers(bodies(USERS)),
        idle=document["idle"],
        waiting=[_waiting(each) for each in values(_READ_AGAIN)],
        waiting_users=KnownUsers(bodies(WAITING)),
        lines=document["lines"],
        members=members_of(values(_MEMBERS)),
        unlinked=frozenset(document["unlinked"]),
        vault=VaultReading(document["vault"]),
        vault_problem=problem and Problem(**problem),
        vault_users=KnownUsers(bodies(IN_VAULT)),
    )


def _waiting(document: dict[str, Any]) -> Waiting:
    keys = tuple(document.pop("waits_for"))
    return Waiting(UserChange(**{**document, "matches": frozenset(document["matches"])}), keys)
