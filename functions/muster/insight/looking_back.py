"""Look back at one member: as it was at a moment, and what differs between two moments (Q2). Reads only."""

from dataclasses import asdict
from datetime import datetime
from itertools import islice

from muster.crm.engage_features import FEATURES
from muster.insight import causes, run_summaries
from muster.insight.finding_members import find_member
from muster.insight.member_news import MemberNews, shown, with_requests
from muster.insight.periods import TICK, end_of, period
from muster.insight.querying_members import RUNS_OF_A_HISTORY
from muster.roster.as_of import IN_ROSTER, NOT_YET, Past, as_json, as_of, is_before, later
from muster.roster.history import differences, values_of
from muster.roster.member import Json, Member
from muster.roster.ports import RosterViews
from muster.runs.ports import Runs
from muster.settings import Settings
from muster.times import timestamp

# What a member's JSON has besides.
_NOT_IN_HISTORY = ("version", "updated_at", "source_version", "seats.*.place")
# Entries of a history, read at a time.
_PAGE = 100


def show_as_of(
    views: RosterViews, runs: Runs, settings: Settings, reference: str, at: str, now: datetime
) -> Json:
    """Return a member as it was at a moment, or at the end of a day, and what differs since.

    `{member, name, at, standing, standing_at, was, not_in_history, news, differences, changes, runs}`: `was`
    has the shape of a member's JSON without what is `not_in_history`; `None` where the member was not in the
    roster, or nothing is known (`standing`, `roster.as_of`). `standing_at` is when it joined after that, was
    erased, or its history begins. `news` is what is new of the member since (`member_news`), `differences`
    each value that is another now, with what changed it last:
    `{field, before, after, at, run, origin, why?}`. `changes` counts the history entries, `runs` has the
    latest runs that brought them, in short. Raises `NotFound` or `Rejected`.
    """
    before = end_of("at", at, now, settings.time_zone)
    member = find_member(views, settings.organization, reference)
    entries = _entries(views, member, before)
    past = as_of(member, entries, before)
    return {
        "member": member.id,
        "name": member.name,
        "at": timestamp(before - TICK),
        "standing": past.standing,
        "standing_at": past.standing_at,
        "was": as_json(past.values) if past.standing == IN_ROSTER else None,
        "not_in_history": list(_NOT_IN_HISTORY),
        **_between(runs, member, past, values_of(member), later(entries, before)),
    }


def show_difference(
    views: RosterViews,
    runs: Runs,
    settings: Settings,
    reference: str,
    since: str,
    until: str | None,
    now: datetime,
) -> Json:
    """Return what differs of a member between two moments; a day is meant whole, `until` is now by default.

    `{member, name, since, until, standing, standing_at, news, differences, changes, runs}`: as for
    `show_as_of`, but `standing` and `standing_at` are of both moments: `{since, until}`. Raises `NotFound` or
    `Rejected`.
    """
    when = period(since, until, now, settings.time_zone)
    begin, end = (datetime.fromisoformat(moment) for moment in (when.since, when.until))
    member = find_member(views, settings.organization, reference)
    entries = _entries(views, member, begin)
    first, last = (as_of(member, entries, moment) for moment in (begin, end))
    within = later(entries, begin)[len(later(entries, end)) :]
    return {
        "member": member.id,
        "name": member.name,
        "since": when.since,
        "until": when.until,
        "standing": {"since": first.standing, "until": last.standing},
        "standing_at": {"since": first.standing_at, "until": last.standing_at},
        **_between(runs, member, first, last.values, within),
    }


def _entries(views: RosterViews, member: Member, since: datetime) -> list[Json]:
    """Return the history entries of a member from a moment on, newest first, and an older one."""
    found: list[Json] = []
    cursor: str | None = None
    while True:
        page, cursor = views.history(member.organization, member.id, _PAGE, cursor)
        found += page
        if cursor is None or is_before(found[-1], since):
            return found


def _between(runs: Runs, member: Member, first: Past, last: Json, within: list[Json]) -> Json:
    """Return what differs between a moment and a later one, and what brought it.

    `last` has the values at the later moment, `within` the history entries between them, newest first.
    """
    latest: dict[str, Json] = {}
    news = MemberNews(member.id, within[0]["at"] if within else "")
    for entry in within:
        news.add(entry)
        for change in entry["changes"]:
            latest.setdefault(change["field"], entry)
    requests: dict[str, str | None] = {feature: last.get(f"{feature}.request") for feature in FEATURES}
    differing = differences(first.values, last) if first.standing in (IN_ROSTER, NOT_YET) else ()
    brought = dict.fromkeys(filter(None, map(causes.run_of, within)))
    found = (runs.run(member.organization, run) for run in islice(brought, RUNS_OF_A_HISTORY))
    return {
        "news": with_requests(shown(news), requests) if within else None,
        "differences": [{**asdict(each), **_cause(latest.get(each.field, {}))} for each in differing],
        "changes": len(within),
        "runs": {run.id: run_summaries.brief(run) for run in found if run},
    }


def _cause(entry: Json) -> Json:
    """Return what brought a difference; nothing for a value that no entry of the history has."""
    return {name: entry[name] for name in ("at", "run", "origin", "why") if name in entry}
