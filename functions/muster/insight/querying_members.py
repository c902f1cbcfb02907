"""Query the roster: members, history, error log, seats and their waiting lines. Reads only."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from muster.errors import Problem, Rejected
from muster.insight import causes, run_summaries, seat_explanations
from muster.insight.seat_explanations import Lines
from muster.roster import seats
from muster.roster.finding import find
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.seats import Pool
from muster.runs.ports import Runs
from muster.settings import Settings

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
FIRST_IN_LINE = 20
# Each costs a read.
RUNS_OF_A_HISTORY = 20
# A place in line is counted, not stored, so the line is read whole.
_WHOLE_LINE = 1_000_000

# What a list can be filtered by, besides `active` and `custom.<field>`; text matches in any case.
FILTERS = frozenset(
    {
        "enabled",
        "inbound_enabled",
        "inactive_reason",
        "username",
        "email",
        "first_name",
        "last_name",
        "name",
        "assignment",
        "seat",
    }
)


def list_members(
    views: RosterViews,
    roster: Roster,
    organization: str,
    filters: Mapping[str, Any],
    limit: int,
    cursor: str | None,
) -> Json:
    """Return a page of members, the active ones by default: `{members, cursor}`; no cursor: the last page.

    `filters` is `{"active": true | false | "any", "seat": "<held>", "<attribute>": "<value>",
    "custom.<field>": "<value>"}`. A page can have fewer than `limit` members and still a cursor: members
    that do not match are read but not shown.
    """
    active = _active(filters.get("active", True))
    wanted = {name: _filter(name, value) for name, value in filters.items() if name != "active"}
    found, following = views.members(organization, active, limit, cursor)
    shown = [member for member in found if all(_matches(member, *each) for each in wanted.items())]
    lines = lines_for(roster, organization, shown)
    return {
        "members": [seat_explanations.with_places(member, lines) for member in shown],
        "cursor": following,
    }


def show_member(views: RosterViews, roster: Roster, organization: str, reference: str) -> Json:
    """Return the member with this id, CRM id, username or e-mail address.

    Raises `NotFound` or `Rejected`.
    """
    member = find(views, organization, reference)
    return seat_explanations.with_places(member, lines_for(roster, organization, [member]))


def show_history(
    views: RosterViews, runs: Runs, organization: str, reference: str, limit: int, cursor: str | None
) -> Json:
    """Return a page of one member's history, newest first: `{member, history, runs, cursor}`.

    Each entry has `opens`, the event that shows what brought it. `runs` has the runs that brought them, in
    short and by id: the latest `RUNS_OF_A_HISTORY`.
    """
    member = find(views, organization, reference)
    entries, following = views.history(organization, member.id, limit, cursor)
    brought = dict.fromkeys(filter(None, map(causes.run_of, entries)))
    found = [runs.run(organization, run) for run in islice(brought, RUNS_OF_A_HISTORY)]
    return {
        "member": member.id,
        "history": [{**entry, "opens": causes.opened_by(entry, organization)} for entry in entries],
        "runs": {run.id: run_summaries.brief(run) for run in found if run},
        "cursor": following,
    }


def show_errors(views: RosterViews, organization: str, limit: int, cursor: str | None) -> Json:
    """Return a page of the error log, newest first: `{log, cursor}`."""
    entries, following = views.errors(organization, limit, cursor)
    return {"log": entries, "cursor": following}


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
        if place["state"] == seats.WAITING
    }
    return {
        seat: {member: place for place, member in enumerate(roster.line(organization, seat, _WHOLE_LINE), 1)}
        for seat in waited_for
    }


def _active(value: object) -> bool | None:
    if value == "any":
        return None
    if isinstance(value, bool):
        return value
    raise Rejected(Problem("filter.active", "is neither true, false nor any", 'Say true, false or "any".'))


def _filter(name: str, value: object) -> object:
    if name not in FILTERS and not name.startswith("custom."):
        allowed = ", ".join(sorted([*FILTERS, "active", "custom.<field>"]))
        raise Rejected(Problem(f"filter.{name}", "is not something to filter by", f"Use one of: {allowed}."))
    if not isinstance(value, str | bool) and value is not None:
        raise Rejected(
            Problem(f"filter.{name}", "is not text, true, false or null", "Give the value to look for.")
        )
    return value.casefold() if isinstance(value, str) else value


def _matches(member: Member, name: str, wanted: object) -> bool:
    if name == "seat":
        return wanted in {seat.casefold() for seat in seats.held(member.seats)}
    group, _, field = name.partition(".")
    value = member.custom.get(field) if group == "custom" else getattr(member, name)
    return (value.casefold() if isinstance(value, str) else value) == wanted
