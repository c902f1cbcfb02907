"""Compare the roster of two moments, or after two runs: who joined, left, came back, changed what (Q2).

What lies between is in the journal, with what brought it. What was changed and changed back is no difference.
"""

import base64
import heapq
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from muster.crm.engage_features import FEATURES
from muster.errors import Problem, Rejected
from muster.insight import causes, member_news, reading_logs, run_summaries
from muster.insight.net_changes import NetChange, NetChanges
from muster.insight.periods import TICK, Period, period
from muster.insight.ports import Journal, SettingsLog
from muster.insight.querying_members import RUNS_OF_A_HISTORY
from muster.insight.querying_runs import find_run
from muster.roster.member import Json, Member
from muster.roster.ports import Roster
from muster.runs.ports import Runs
from muster.settings import Settings
from muster.times import timestamp

MOST_CHANGES = 200_000
# A run's writes are between its beginning and its end, by clocks that may differ.
_SLACK = timedelta(minutes=1)

type _Place = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class ComparedSources:
    """What is compared is read from here."""

    journal: Journal
    roster: Roster
    runs: Runs
    versions: SettingsLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What is compared: two moments as written, the roster right after two runs, or what one run changed."""

    since: str | None = None
    until: str | None = None
    since_run: str | None = None
    until_run: str | None = None
    run_id: str | None = None


def show_differences(
    sources: ComparedSources,
    settings: Settings,
    asked: Compared,
    limit: int,
    cursor: str | None,
    now: datetime,
) -> Json:
    """Return what differs of the roster between two moments.

    `{since, until, counts, people, attributes, causes, runs, changes, cursor, warnings?}`: `counts` has how
    many `joined`, `left`, `returned`, were `erased` or `changed`, and were `changed_back`, of whom nothing
    differs; `people` a page, the weightiest first, as `changes` has them, each with its `differences`
    (`NetChange.differences`); `attributes` how often each changed of those with no other news; `causes` what
    brought it to how many (`NetChanges.by_cause`); `runs` the runs of most people, in short, by id; `changes`
    how many entries of the journal lie between. Raises `NotFound` and `Rejected`.
    """
    when = period_of(sources.runs, settings, asked, now)
    found = differences(sources.journal, settings.organization, when, asked.run_id)
    placed = [(member_news.weight(each.shown()), each) for each in found.differing()]
    shown, following = _page(placed, limit, cursor)
    members = sources.roster.members(settings.organization, {each.news.member for each in shown})
    kinds = Counter(place[0] for place, _ in placed)
    by_cause = found.by_cause()
    runs = _runs(sources.runs, settings.organization, by_cause, shown)
    return {
        **_warnings(sources, settings.organization, when),
        "since": when.since,
        "until": when.until,
        "counts": {
            **{kind: kinds[number] for number, kind in enumerate(member_news.NEWS)},
            "changed_back": len(found.of) - len(placed),
        },
        "people": [person(each, members.get(each.news.member)) for each in shown],
        "attributes": member_news.attributes(each.shown() for _, each in placed),
        "causes": [{**each, "cause": _kind(each, runs)} for each in by_cause],
        "runs": runs,
        "changes": found.entries,
        "cursor": following,
    }


def period_of(runs: Runs, settings: Settings, asked: Compared, now: datetime) -> Period:
    """Return the period between what is compared; raises `NotFound` and `Rejected`."""
    if asked.run_id:
        run = find_run(runs, settings.organization, asked.run_id)
        ended = datetime.fromisoformat(run.finished_at) if run.finished_at else now
        return Period(timestamp(datetime.fromisoformat(run.started_at) - _SLACK), timestamp(ended + _SLACK))
    since = _end_of_run(runs, settings, "since_run", asked.since_run) or asked.since
    until = _end_of_run(runs, settings, "until_run", asked.until_run) or asked.until
    return period(since, until, now, settings.time_zone)


def differences(journal: Journal, organization: str, when: Period, run: str | None = None) -> NetChanges:
    """Return what differs between the ends of a period, of one run's changes alone if `run` names it.

    Raises `Rejected` for more changes than one call reads.
    """
    found = NetChanges()
    for number, entry in enumerate(journal.changes(organization, when.since, when.until, MOST_CHANGES)):
        if number == MOST_CHANGES:
            what = f"leaves more than {MOST_CHANGES:,} changes in between"
            remedy = "Ask about moments that are closer to each other, one period after the other."
            raise Rejected(Problem("since", what, remedy))
        if run is None or causes.run_of(entry) == run:
            found.add(entry)
    return found


def person(change: NetChange, member: Member | None) -> Json:
    """Return what differs of somebody, with the name and the group that is waited for."""
    requests: dict[str, str | None] = (
        {feature: member.feature(feature).request for feature in FEATURES} if member else {}
    )
    said = member_news.with_requests(change.shown(), requests)
    name = member.name if member else None
    return {"member": change.news.member, "name": name, **said, "differences": change.differences()}


def _end_of_run(runs: Runs, settings: Settings, where: str, run_id: str | None) -> str | None:
    """Return the moment right after a run, as `period` takes it."""
    if run_id is None:
        return None
    run = find_run(runs, settings.organization, run_id)
    if run.finished_at is None:
        raise Rejected(Problem(where, "is a run that has not ended", "Name one that has: runs lists them."))
    return timestamp(datetime.fromisoformat(run.finished_at) + TICK)


def _page(
    placed: Iterable[tuple[_Place, NetChange]], limit: int, cursor: str | None
) -> tuple[list[NetChange], str | None]:
    after = _position(cursor)
    later = (each for each in placed if after is None or each[0] > after)
    found = heapq.nsmallest(limit + 1, later, key=lambda each: each[0])
    following = None
    if len(found) > limit:
        following = base64.urlsafe_b64encode(json.dumps(found[limit - 1][0]).encode()).decode()
    return [each for _, each in found[:limit]], following


def _position(cursor: str | None) -> _Place | None:
    if cursor is None:
        return None
    try:
        kind, weight, member = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):
        kind = weight = member = None
    if not (isinstance(kind, int) and isinstance(weight, int) and isinstance(member, str)):
        remedy = "Leave it out to start at the beginning."
        raise Rejected(Problem("cursor", "is not one that was handed out", remedy))
    return kind, weight, member


def _runs(
    runs: Runs, organization: str, by_cause: Iterable[Json], shown: Iterable[NetChange]
) -> dict[str, Json]:
    """Return the runs that brought most, and those of who is shown, in short; each costs a read."""
    of_people = (causes.run_of({"run": run}) for each in shown for run, _, _ in each.causes)
    named = dict.fromkeys(filter(None, [*(each["run"] for each in by_cause), *of_people]))
    found = (runs.run(organization, name) for name in islice(named, RUNS_OF_A_HISTORY))
    return {run.id: run_summaries.brief(run) for run in found if run}


def _kind(cause: Json, runs: dict[str, Json]) -> str:
    """Return the kind of a cause, of a run that is at hand the run's."""
    run = runs.get(cause["run"] or "")
    return str(run["kind"]) if run else str(cause["cause"])


def _warnings(sources: ComparedSources, organization: str, when: Period) -> Json:
    told = list(reading_logs.before_the_journal(sources.journal, sources.versions, organization, when))
    return {"warnings": told} if told else {}
