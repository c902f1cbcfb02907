"""List what happened in an organization: a journal of members, runs, errors and settings (Q3). Reads only.

It costs what happened, not the size of the roster, and one call reads so much and no more (`reading_changes`,
`reading_logs`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from muster.crm.engage_features import FEATURES
from muster.insight import causes, member_news, reading_changes, reading_logs, run_summaries
from muster.insight.causes import Kinds
from muster.insight.member_news import MemberNews
from muster.insight.periods import DEFAULT, Period, period
from muster.insight.ports import Journal, RunLog, SettingsLog
from muster.insight.querying_runs import find_run
from muster.insight.reading_changes import MOST_CHANGES, Matches, Read
from muster.insight.reading_logs import MOST_RUNS
from muster.insight.run_news import is_news
from muster.roster.finding import find
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.runs.run import Run
from muster.settings import Settings
from muster.times import timestamp

# What is asked about one person or cause may be longer ago.
_LONGER = timedelta(days=30)
# A run's writes are between its beginning and its end, by clocks that may differ.
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an admin asks for; `since` and `until` as written (`periods`).

    `person` names a member, `cause` what brought the changes (`causes.matching`), `value` a value or an
    attribute. `one_by_one`: `limit` people and a cursor for the next, not a summary that names so many.
    """

    since: str | None = None
    until: str | None = None
    run_id: str | None = None
    person: str | None = None
    cause: str | None = None
    value: str | None = None
    limit: int = 100
    cursor: str | None = None
    one_by_one: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether only some changes are asked for."""
        return bool(self.person or self.cause or self.value)

    @property
    def people_at_most(self) -> int | None:
        """Of how many people changes are read; `None`: of all."""
        return self.limit if self.one_by_one else None


@dataclass(frozen=True, slots=True)
class Sources:
    """What the journal is read from."""

    journal: Journal
    views: RosterViews
    roster: Roster
    runs: RunLog
    versions: SettingsLog


def list_changes(sources: Sources, settings: Settings, asked: Asked, now: datetime) -> Json:
    """Return what happened in a period, or in a run.

    `{since, until, counts, people, attributes, causes, runs, settings, log, warnings, cursor}`: `people` has
    up to `limit` with what is new of each (`member_news.shown`) and the name, the weightiest first;
    `attributes` how often each changed of those with no other news, `causes` how many changes and people each
    brought; `runs` those that are news, `settings` the versions saved, `log`
    the error log by code. A further page has people alone. Raises `NotFound` and `Rejected`.
    """
    organization = settings.organization
    run = find_run(sources.runs, organization, asked.run_id) if asked.run_id else None
    when = _period_of(run, now) if run else _period(asked, now, settings.time_zone)
    person = find(sources.views, organization, asked.person) if asked.person else None
    ran, more_runs = ([run], False) if run else reading_logs.runs(sources.runs, organization, when)
    kinds = {each.id: each.kind for each in ran}
    cause = f"{causes.RUN}:{run.id}" if run else asked.cause
    matches = _matching(cause, asked.value, kinds)
    told = _Told(kinds)
    read = reading_changes.read(
        _found(sources, organization, when, person, asked), matches, asked.people_at_most, told.add
    )
    changed = [member_news.shown(each) for each in told.news.values()]
    shown_runs, versions, log = _beside(sources, organization, when, asked, ran, run, person)
    news = [each for each in shown_runs if is_news(each)]
    left_out = _warnings(sources, organization, when, asked, read, more_runs)
    of_kind = Counter(each["news"] for each in changed)
    return {
        **({"warnings": left_out} if left_out else {}),
        "since": when.since,
        "until": when.until,
        "counts": {
            **{each: of_kind[each] for each in member_news.NEWS},
            "runs": len(news),
            "quiet_runs": len(shown_runs) - len(news),
            "settings": len(versions),
            "errors": sum(each["count"] for each in log),
        },
        "people": _named(sources.roster, organization, changed, asked.limit),
        "attributes": member_news.attributes(changed),
        "causes": told.by_cause(),
        "runs": [run_summaries.brief(each) for each in news],
        "settings": versions,
        "log": log,
        "cursor": read.cursor,
    }


# ── When ─────────────────────────────────────────────────────────────────────────────────────────


def _period(asked: Asked, now: datetime, time_zone: str) -> Period:
    default = _LONGER if asked.person or asked.cause else DEFAULT
    return period(asked.since, asked.until, now, time_zone, default)


def _period_of(run: Run, now: datetime) -> Period:
    ended = datetime.fromisoformat(run.finished_at) if run.finished_at else now
    return Period(timestamp(datetime.fromisoformat(run.started_at) - _SLACK), timestamp(ended + _SLACK))


# ── Members ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Told:
    """What the entries come to: what is new of each member, and how many changes and people by cause."""

    kinds: Kinds
    news: dict[str, MemberNews] = field(default_factory=dict)
    changes: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    people: dict[tuple[str, str | None], set[str]] = field(default_factory=dict)

    def add(self, entry: Json) -> None:
        """Add an entry."""
        member_news.add_to(self.news, entry)
        of = causes.kind_of(entry, self.kinds), causes.by_hand(entry)
        self.changes[of] += 1
        self.people.setdefault(of, set()).add(entry["member"])

    def by_cause(self) -> list[Json]:
        """Return the causes with what they brought, those of most people first."""
        ordered = sorted(self.changes, key=lambda of: (-len(self.people[of]), of[0], of[1] or ""))
        return [
            {"cause": of[0], "by": of[1], "changes": self.changes[of], "people": len(self.people[of])}
            for of in ordered
        ]


def _found(
    sources: Sources, organization: str, when: Period, person: Member | None, asked: Asked
) -> Iterator[Json]:
    """Return the entries of the period, newest first; of one person those of its own history."""
    until = when.until if asked.cursor is None else reading_changes.before(asked.cursor)
    if person:
        return reading_changes.of_member(sources.views, organization, person.id, when.since, until)
    expected = asked.people_at_most or MOST_CHANGES
    return sources.journal.changes(organization, when.since, until, expected)


def _matching(cause: str | None, value: str | None, kinds: Kinds) -> Matches:
    tests = [causes.matching(cause, kinds)] if cause else []
    tests += [reading_changes.about(value)] if value else []
    return lambda entry: all(test(entry) for test in tests)


def _named(roster: Roster, organization: str, changed: Iterable[Json], limit: int) -> list[Json]:
    """Return the weightiest of what is new, each with the member's name, and the group that is waited for."""
    first = sorted(changed, key=member_news.weight)[:limit]
    members = roster.members(organization, [each["member"] for each in first])
    named = []
    for each in first:
        member = members.get(each["member"])
        if member:
            each = member_news.with_requests(each, {name: getattr(member, name) for name in FEATURES})
        named.append({"member": each["member"], "name": member.name if member else None, **each})
    return named


# ── What else happened ───────────────────────────────────────────────────────────────────────────


def _beside(
    sources: Sources,
    organization: str,
    when: Period,
    asked: Asked,
    ran: list[Run],
    run: Run | None,
    person: Member | None,
) -> tuple[list[Run], list[Json], list[Json]]:
    """Return runs, versions of the settings and errors: all, or of one cause or person what belongs to it."""
    if asked.cursor is not None:
        return [], [], []
    named = run.id if run else causes.run_named(asked.cause)
    runs = [each for each in ran if each.id == named] if named or asked.narrowed else ran
    versions = (
        []
        if asked.narrowed
        else reading_logs.versions(sources.versions, organization, when, run.id if run else None)
    )
    if asked.value:
        return runs, versions, []
    cause = f"{causes.RUN}:{run.id}" if run else asked.cause
    tests = [reading_logs.about(person)] if person else []
    tests += [reading_logs.of(cause)] if cause else []
    log = reading_logs.errors(
        sources.journal, organization, when, lambda entry: all(test(entry) for test in tests)
    )
    return runs, versions, log


# ── What is not shown ────────────────────────────────────────────────────────────────────────────


def _warnings(
    sources: Sources, organization: str, when: Period, asked: Asked, read: Read, more_runs: bool
) -> list[str]:
    """Return what the answer leaves out, and how to see it."""
    found = []
    if read.cut_at:
        found.append(
            f"{MOST_CHANGES:,} changes were looked at, back to {read.cut_at};"
            " ask again with the cursor for those before."
        )
    if more_runs:
        found.append(
            f"The newest {MOST_RUNS:,} runs were looked at; ask about a shorter period for the others."
        )
    if not read.cursor and not asked.person and _goes_further_back(sources, organization, when):
        begins = sources.journal.begins(organization)
        if begins is None or begins > when.since:
            when_it_does = f"begins {begins}" if begins else "is empty so far"
            found.append(
                f"The journal of members {when_it_does}: what Muster changed before it kept one is in each"
                " member's history."
            )
    return found


def _goes_further_back(sources: Sources, organization: str, when: Period) -> bool:
    """Whether the organization had settings before the period, so that there may be earlier changes."""
    first = sources.versions.version(organization, 1)
    return first is not None and reading_logs.is_earlier(first.at, when.since)
