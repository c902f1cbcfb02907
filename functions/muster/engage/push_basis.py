"""What a push was decided with, and its documents in the run archive (P1, Q4).

The pages that Vault CRM showed are there as received; these are the values that the plan was made from, so
that it can be made again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from muster import __version__
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.runs.archive import keep_list, kept_list
from muster.settings import Settings
from muster.sources.ports import Parts
from muster.sources.vault_users import VaultUser

_MEMBERS, _USERS, _LINE = "known", "known_users", "known_in_line"
_A_PART = 1_000


@dataclass(frozen=True, slots=True)
class PushBasis:
    """Members by id, in order, users by Vault CRM id, and who in line may get a licence, in its order.

    `in_line` maps a member to the place, and whether at once. `writable` are the fields of custom mappings
    that can be written.
    """

    members: Mapping[str, Member]
    users: Mapping[str, VaultUser]
    in_line: Mapping[str, tuple[Place, bool]]
    writable: frozenset[str]


def keep(basis: PushBasis, settings: Settings, parts: Parts) -> dict[str, Any]:
    """Keep in the archive what a push is decided with; returns the document about it."""
    lists: dict[str, list[Any]] = {
        _MEMBERS: [member.to_document() for member in basis.members.values()],
        _USERS: list(basis.users.values()),
        _LINE: [[name, asdict(place), at_once] for name, (place, at_once) in basis.in_line.items()],
    }
    return {
        "version": __version__,
        "settings": settings.model_dump(mode="json"),
        "writable": sorted(basis.writable),
        "parts": {name: keep_list(parts, name, values, _A_PART) for name, values in lists.items()},
    }


def kept(document: Mapping[str, Any], parts: Parts) -> PushBasis:
    """Return what a push was decided with, by the document and the parts in the archive."""

    def values(name: str) -> list[Any]:
        return kept_list(parts, name, document["parts"][name])

    members = [Member.from_document(each) for each in values(_MEMBERS)]
    users = [VaultUser.from_json(each) for each in values(_USERS)]
    return PushBasis(
        members={member.id: member for member in members},
        users={user.id: user for user in users},
        in_line={name: (Place(**place), at_once) for name, place, at_once in values(_LINE)},
        writable=frozenset(document["writable"]),
    )
