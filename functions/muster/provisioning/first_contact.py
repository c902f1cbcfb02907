"""Whose an account is that is found in a SCIM target: by external id, then by userName (O3).

An account is Muster's own only if it carries the member's id as its external id, if Muster has tried to make
it where there was none, or if somebody, or a rule of the settings, has said so. All others are left alone.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from muster.crm.scim_resources import Resource
from muster.roster.accounts import CONFLICT, LINKED, MATCHED, UNKNOWN, Account, Standing
from muster.settings.target_connection import TargetConnection

# How an account came to be linked.
CREATED, BY_EXTERNAL_ID = "created", "external_id"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look has found: by external id, and by userName; empty too where the target finds by neither."""

    by_external_id: Sequence[Resource] = ()
    by_name: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """How a member stands with what was found; `why` says what a conflict is."""

    standing: Standing
    resource: Resource | None = None
    origin: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is whose already: the member to whom an account is linked, by its id, `None` for nobody.

    `is_member` says whether an external id is a member's.
    """

    taken: Callable[[str], str | None]
    is_member: Callable[[str], bool]


def match(member: str, account: Account, found: Found, roster: Roster, connection: TargetConnection) -> Match:
    """Return how a member, by its id, stands with what was found of it."""
    # Where the target does not find by the external id, an account may show it all the same.
    own = _each_once([*found.by_external_id, *(one for one in found.by_name if one.external_id == member)])
    named = _each_once(found.by_name)
    if own:
        matched = Match(LINKED, own[0], account.origin or BY_EXTERNAL_ID)
        several = len(own) > 1
    elif named:
        matched = _by_name(account, named[0], roster, connection)
        several = len(named) > 1
    elif account.taken:
        return Match(CONFLICT, why="the target has that userName or address, and shows nobody who has it")
    else:
        return Match(UNKNOWN)
    if several:
        return Match(CONFLICT, why="several accounts carry the member's id, or its userName")
    other = roster.taken(matched.resource.id) if matched.resource else None
    if other not in (None, member):
        return Match(CONFLICT, matched.resource, why=linked_to(other or ""))
    return matched


def linked_to(member: str) -> str:
    """Return why an account is nobody else's."""
    return f"the account is linked to the member {member}"


def orphans(shown: Iterable[Resource], roster: Roster, user_names: Collection[str]) -> list[Resource]:
    """Return the active users of a target who are nobody's: to be told, and never touched (O3).

    `user_names` are those that members are to have there.
    """
    names = {name.casefold() for name in user_names}
    return [
        each
        for each in shown
        if each.active is not False
        and roster.taken(each.id) is None
        and each.user_name.casefold() not in names
    ]


def _by_name(account: Account, only: Resource, roster: Roster, connection: TargetConnection) -> Match:
    if only.external_id and roster.is_member(only.external_id):
        return Match(CONFLICT, only, why=f"the account carries the id of the member {only.external_id}")
    is_being_made = account.unsure and account.access == "given" and not account.taken and not account.origin
    if is_being_made and not only.external_id:
        # There was none when Muster made it, and its answer was lost; the target keeps no external id.
        return Match(LINKED, only, CREATED)
    if rule := connection.adopted_by:
        return Match(LINKED, only, f"adopted:{rule}")
    return Match(MATCHED, only)


def _each_once(resources: Iterable[Resource]) -> list[Resource]:
    return list({each.id: each for each in resources}.values())
