"""Query the roster: members, history, error log, seats and their waiting lines. Reads only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from muster.insight import causes, member_filters, run_summaries, seat_explanations
from muster.insight.finding_members import find_member
from muster.insight.member_filters import MemberFilter
from muster.insight.pages_by_name import MOST_READ, page_by_name
from muster.insight.seat_explanations import Lines
from muster.roster import seats
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.seats import Pool
from muster.runs.ports import Runs
from muster.settings import Settings

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
# Of whom is in line for a seat, so many are named.
FIRST_IN_LINE = 500
# Each costs a read.
RUNS_OF_A_HISTORY = 20
# A place in line is counted, not stored, so the line is read whole.
_WHOLE_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where members are looked up: as people read them, and the lines for seats."""

    views: RosterViews
    roster: Roster


def list_members(
    sources: Sources,
    settings: Settings,
    filters: Mapping[str, object],
    limit: int,
    cursor: str | None,
) -> Json:
    """Return a page of members by name: `{members, total, read, cursor}`; no cursor: the last page.

    The active members by default; `member_filters` says what else can be listed by. A page is full unless
    it is the last one. `total` counts all that match, `read` those that were looked at. Raises `Rejected`
    for a filter that is none, with the nearest.
    """
    wanted = filter_of(sources.views, settings.organization, filters)
    seen: dict[str, set[str]] = {name: set() for name in wanted.wanted}
    total = read = 0

    def matching() -> Iterator[Member]:
        nonlocal total, read
        for member in islice(sources.views.everyone(settings.organization, wanted.active), MOST_READ):
            read += 1
            if wanted.matches(member):
                total += 1
                yield member
            else:
                for name, values in seen.items():
                    values.update(member_filters.values_of(member, name))

    shown, following = page_by_name(matching(), limit, cursor)
    if not total:
        member_filters.require_known(wanted, seen, settings)
    lines = lines_for(sources.roster, settings.organization, shown)
    return {
        "total": total,
        "read": read,
        "cursor": following,
        "members": [seat_explanations.with_places(member, lines) for member in shown],
    }


def show_member(views: RosterViews, roster: Roster, organization: str, reference: str) -> Json:
    """Return the member with this id, CRM id, username or e-mail address.

    Raises `NotFound` or `Rejected`.
    """
    member = find_member(views, organization, reference)
    return seat_explanations.with_places(member, lines_for(roster, organization, [member]))


def show_history(
    views: RosterViews, runs: Runs, organization: str, reference: str, limit: int, cursor: str | None
) -> Json:
    """Return a page of one member's history, newest first: `{member, history, runs, cursor}`.

    Each entry has `opens`, the event that shows what brought it. `runs` has the runs that brought them, in
    short and by id: the latest `RUNS_OF_A_HISTORY`.
    """
    member = find_member(views, organization, reference)
    entries, following = views.history(organization, member.id, limit, cursor)
    brought = dict.fromkeys(filter(None, map(causes.run_of, entries)))
    found = [runs.run(organization, run) for run in islice(brought, RUNS_OF_A_HISTORY)]
    return {
        "member": member.id,
        "history": [{**entry, "opens": causes.opened_by(entry, organization)} for entry in entries],
        "runs": {run.id: run_summaries.brief(run) for run in found if run},
        "cursor": following,
    }


def show_seats(roster: Roster, settings: Settings) -> Json:
    """Return each seat of the settings, how many hold it and who is first in line: `{seats}` (A9)."""
    organization = settings.organization
    pools = roster.pools(organization, settings.seats)
    first = {
        name: roster.line(organization, name, FIRST_IN_LINE) if pool.waiting else []
        for name, pool in pools.items()
    }
    members = roster.members(organization, {member for line in first.values() for member in line})
    return {
        "seats": {
            name: seat_explanations.of_seat(
                name,
                pools.get(name, Pool()),
                [members[member] for member in first.get(name, ()) if member in members],
                settings,
            )
            for name in settings.seats
        }
    }


def lines_for(roster: Roster, organization: str, members: Iterable[Member]) -> Lines:
    """Return the line for each seat that any of these members waits for; one query a seat."""
    waited_for = {
        seat: None
        for member in members
        for seat, place in member.seats.items()
        if place.state == seats.WAITING
    }
    return {
        seat: {member: place for place, member in enumerate(roster.line(organization, seat, _WHOLE_LINE), 1)}
        for seat in waited_for
    }


def filter_of(views: RosterViews, organization: str, filters: Mapping[str, object]) -> MemberFilter:
    """Return the filter of an event, with a manager's id in place of what it is called by."""
    manager = filters.get("manager")
    if isinstance(manager, str):
        filters = {**filters, "manager": find_member(views, organization, manager).id}
    return member_filters.parsed(filters)
