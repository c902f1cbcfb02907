"""List who has an Engage licence: members, users linked to nobody, and who waits in line (G8, G10).

All of it is what Muster has stored; Vault CRM is not asked. Reads only.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice

from muster.crm.engage_features import FEATURES
from muster.insight.pages_by_name import MOST_READ, page_by_name
from muster.presentation import words
from muster.presentation.lines import counted
from muster.roster import unlinked_holders
from muster.roster.licence_places import Place
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews, UnlinkedHolders
from muster.roster.unlinked_holders import UnlinkedHolder
from muster.runs.ports import Runs
from muster.settings import Settings

# A feature, and a group of it.
type Group = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sources:
    """What licences are listed from."""

    views: RosterViews
    roster: Roster
    holders: UnlinkedHolders
    runs: Runs


@dataclass(slots=True)
class _Found:
    """A page of members with a group; counts of all that were read, by group."""

    members: list[Member] = field(default_factory=list)
    held: Counter[Group] = field(default_factory=Counter)
    left: Counter[Group] = field(default_factory=Counter)
    counted_all: bool = False
    cursor: str | None = None


def list_licences(sources: Sources, settings: Settings, limit: int, cursor: str | None) -> Json:
    """Return who has a licence; no `cursor`: the last page.

    `{as_of, counted_all, groups, nobody_in_all, nobody, waiting, members, cursor}`, on later pages `members`
    and `cursor` alone. `as_of` is when an import last read Vault CRM; pushes since have recorded what they
    did. `groups` counts by feature and group (`counted_all`: all members, not only the first 200,000),
    `nobody` (of so many `in_all`) and `waiting` are the first `limit` of each; `members` is a page of those
    in a group, by name.
    """
    found = _read(sources, settings.organization, limit, cursor)
    page: Json = {"members": [_member(each) for each in found.members], "cursor": found.cursor}
    if cursor is not None:
        return page
    connection = settings.connections.vault_crm
    holders = sources.holders.holders(settings.organization) if connection else {}
    lines, _ = sources.roster.licence_lines(settings.organization)
    return {
        "as_of": sources.runs.state(settings.organization).vault_crm.read_at,
        "counted_all": found.counted_all,
        "groups": list(_groups(found, holders.values(), lines)),
        "nobody_in_all": len(holders),
        "nobody": _nobody(holders.values(), connection.match if connection else "", limit),
        "waiting": _waiting(sources.roster, settings.organization, lines, limit),
        **page,
    }


def in_words(answer: Json) -> str:
    """Return the answer's message."""
    if "groups" not in answer:
        return f"{_number(len(answer['members']), 'member')} more."
    groups = answer["groups"]
    used, nobodys, waiting = (sum(each[name] for each in groups) for name in ("used", "nobody", "waiting"))
    said = f"{_number(used, 'licence')} of {_number(len(groups), 'group')} in use"
    said += f", {nobodys:,} of them by nobody" if nobodys else ""
    said += f"; {counted(waiting, 'person waits', 'people wait')} in line" if waiting else ""
    said += "" if answer["counted_all"] else f" (among the first {MOST_READ:,} members)"
    at = words.moment(answer["as_of"])
    return f"{said}. Vault CRM {f'was last read at {at} UTC' if at else 'has not been read'}."


def _read(sources: Sources, organization: str, limit: int, cursor: str | None) -> _Found:
    """Read all members: count those in a group, and keep a page of them by name."""
    found = _Found()
    read = 0

    def in_a_group() -> Iterator[Member]:
        nonlocal read
        for member in islice(sources.views.everyone(organization, None), MOST_READ):
            read += 1
            if groups := _groups_of(member):
                found.held.update(groups.items())
                found.left.update(groups.items() if not member.active else ())
                yield member

    found.members, found.cursor = page_by_name(in_a_group(), limit, cursor)
    found.counted_all = read < MOST_READ
    return found


def _groups_of(member: Member) -> dict[str, str]:
    """Return the groups that the member is in, by feature."""
    return {name: group for name in FEATURES if (group := member.feature(name).group)}


def _groups(
    found: _Found, holders: Iterable[UnlinkedHolder], lines: Iterable[tuple[str, Place]]
) -> Iterator[Json]:
    nobodys: Counter[tuple[str, str]] = Counter(
        (feature, held["group"])
        for holder in holders
        for feature, held in holder.groups.items()
        if held["group"]
    )
    waiting = Counter((place.feature, place.group) for _, place in lines)
    for feature, group in sorted({*found.held, *nobodys, *waiting}):
        key = (feature, group)
        yield {
            "feature": feature,
            "group": group,
            "used": found.held[key] + nobodys[key],
            "members": found.held[key],
            "members_who_left": found.left[key],
            "nobody": nobodys[key],
            "waiting": waiting[key],
        }


def _nobody(holders: Iterable[UnlinkedHolder], match: str, limit: int) -> list[Json]:
    """Return the first users who are linked to nobody, with what to do; who has long been first."""
    in_order = sorted(holders, key=lambda each: (each.since, each.id))
    return [
        {
            **{name: value for name, value in asdict(holder).items() if name != "id"},
            "user": holder.id,
            "why": unlinked_holders.why(holder, match),
            "do": unlinked_holders.what_to_do(holder, match),
        }
        for holder in in_order[:limit]
    ]


def _waiting(roster: Roster, organization: str, lines: Sequence[tuple[str, Place]], limit: int) -> list[Json]:
    """Return the first in line, group by group, each with its place."""
    members = roster.members(organization, {name for name, _ in lines[:limit]})
    places: Counter[Group] = Counter()
    shown: list[Json] = []
    for name, place in lines[:limit]:
        places[place.feature, place.group] += 1
        shown.append(
            {
                "feature": place.feature,
                "group": place.group,
                "place": places[place.feature, place.group],
                "member": name,
                "name": members[name].name if name in members else None,
                "since": place.since,
            }
        )
    return shown


def _member(member: Member) -> Json:
    return {
        "member": member.id,
        "name": member.name,
        "active": member.active,
        "groups": _groups_of(member),
    }


def _number(count: int, one: str) -> str:
    return f"{count:,} {one}{'s' * (count != 1)}"
