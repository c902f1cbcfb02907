"""List what happened in an organization: a journal of members, runs, errors and settings (Q3). Reads only.

It costs what happened, not the size of the roster, and one call reads so much and no more (`reading_changes`,
`reading_logs`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
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
from muster.insight.reading_logs import MOST_ERRORS, MOST_RUNS
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


@dataclass(frozen=True, slots=True)
class _Beside:
    """What happened beside the changes of members, and whether more happened than was read."""

    runs: list[Run] = field(default_factory=list)
    versions: list[Json] = field(default_factory=list)
    log: list[Json] = field(default_factory=list)
    more_errors: bool = False
    ran: Sequence[Run] = ()


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


def list_changes(sources: Sources, settings: Settings, asked: Asked, now: datetime) -> Json:
    """Return what happened in a period, or in a run.

    `{since, until, counts, people, attributes, causes, runs, settings, log, warnings, cursor}`: `people` has
    up to `limit` with what is new of each (`member_news.shown`) and the name, the weightiest first;
    `attributes` how often each changed of those with no other news, `causes` how many changes and people each
    brought; `runs` those that are news, `settings` the versions saved, `log` the error log by code. A further
    page has people alone. Raises `NotFound` and `Rejected`.
    """
    question = _understood(sources, settings, asked, now)
    ran, more_runs = question.ran()
    told = _Told({run.id: run.kind for run in ran})
    read = question.read(told)
    beside = question.beside(ran)
    warnings = question.left_out(read, more_runs=more_runs, more_errors=beside.more_errors)
    return {
        **({"warnings": warnings} if warnings else {}),
        "since": question.when.since,
        "until": question.when.until,
        **_shown(question, told, beside),
        "cursor": read.cursor,
    }


def _understood(sources: Sources, settings: Settings, asked: Asked, now: datetime) -> "_Question":
    organization = settings.organization
    run = find_run(sources.runs, organization, asked.run_id) if asked.run_id else None
    default = _LONGER if asked.person or asked.cause else DEFAULT
    when = _period_of(run, now) if run else period(asked.since, asked.until, now, settings.time_zone, default)
    person = find(sources.views, organization, asked.person) if asked.person else None
    return _Question(sources, organization, asked, when, run, person)


def _period_of(run: Run, now: datetime) -> Period:
    ended = datetime.fromisoformat(run.finished_at) if run.finished_at else now
    return Period(timestamp(datetime.fromisoformat(run.started_at) - _SLACK), timestamp(ended + _SLACK))


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, with the period, the run and the person that it is about, where it is about one."""

    sources: Sources
    organization: str
    asked: Asked
    when: Period
    run: Run | None
    person: Member | None

    @property
    def cause(self) -> str | None:
        """What brought the changes that are asked for, where that is asked."""
        return f"{causes.RUN}:{self.run.id}" if self.run else self.asked.cause

    def ran(self) -> tuple[list[Run], bool]:
        """Return the runs of the period, and whether there are more."""
        if self.run:
            return [self.run], False
        return reading_logs.runs(self.sources.runs, self.organization, self.when)

    def read(self, told: _Told) -> Read:
        """Read the changes that are asked for."""
        tests = [causes.matching(self.cause, told.kinds)] if self.cause else []
        tests += [reading_changes.about(self.asked.value)] if self.asked.value else []
        return reading_changes.read(self._entries(), _all(tests), self.asked.people_at_most, told.add)

    def _entries(self) -> Iterator[Json]:
        """Return the entries of the period, newest first; of one person those of its own history."""
        since, cursor = self.when.since, self.asked.cursor
        until = self.when.until if cursor is None else reading_changes.before(cursor)
        if self.person:
            views = self.sources.views
            return reading_changes.of_member(views, self.organization, self.person.id, since, until)
        expected = self.asked.people_at_most or MOST_CHANGES
        return self.sources.journal.changes(self.organization, since, until, expected)

    def beside(self, ran: list[Run]) -> _Beside:
        """Return what else happened: all, or of one cause or person what belongs to it; told once."""
        asked = self.asked
        if asked.cursor is not None:
            return _Beside()
        named = causes.run_named(self.cause)
        runs = [run for run in ran if run.id == named] if named or asked.narrowed else ran
        log, more = ([], False) if asked.value else self._errors()
        return _Beside(runs, [] if asked.narrowed else self._versions(), log, more, ran)

    def _versions(self) -> list[Json]:
        run = self.run.id if self.run else None
        return reading_logs.versions(self.sources.versions, self.organization, self.when, run)

    def _errors(self) -> tuple[list[Json], bool]:
        tests = [reading_logs.about(self.person)] if self.person else []
        tests += [reading_logs.of(self.cause)] if self.cause else []
        return reading_logs.errors(self.sources.journal, self.organization, self.when, _all(tests))

    def left_out(self, read: Read, *, more_runs: bool, more_errors: bool) -> list[str]:
        """Return what the answer leaves out, and how to see it."""
        found = []
        if read.cut_at:
            found.append(
                f"{MOST_CHANGES:,} changes were looked at, back to {read.cut_at};"
                " ask again with the cursor for those before."
            )
        parts = [f"{MOST_RUNS:,} runs"] if more_runs else []
        parts += [f"{MOST_ERRORS:,} entries of the error log"] if more_errors else []
        if parts:
            what = " and ".join(parts)
            found.append(f"The newest {what} were looked at; ask about a shorter period for the others.")
        if not read.cursor and not self.person:
            sources = self.sources
            found += reading_logs.before_the_journal(
                sources.journal, sources.versions, self.organization, self.when
            )
        return found


def _all(tests: Sequence[Matches]) -> Matches:
    return lambda entry: all(test(entry) for test in tests)


def _shown(question: _Question, told: _Told, beside: _Beside) -> Json:
    """Return what happened, with the names of the members that are shown."""
    changed = [member_news.shown(each) for each in told.news.values()]
    of_kind = Counter(each["news"] for each in changed)
    news = [run for run in beside.runs if is_news(run)]
    first = sorted(changed, key=member_news.weight)[: question.asked.limit]
    ids = {each["member"] for each in (*first, *beside.log) if each["member"]}
    members = question.sources.roster.members(question.organization, ids)
    return {
        "counts": {
            **{each: of_kind[each] for each in member_news.NEWS},
            "runs": len(news),
            "quiet_runs": len(beside.runs) - len(news),
            "settings": len(beside.versions),
            "errors": sum(each["count"] for each in beside.log),
        },
        "people": sorted((_named(members.get(each["member"]), each) for each in first), key=_by_name),
        "attributes": member_news.attributes(changed),
        "causes": told.by_cause(),
        "runs": [run_summaries.brief(run) for run in news],
        "settings": beside.versions,
        "log": [
            {**each, "name": members[each["member"]].name if each["member"] in members else None}
            for each in reading_logs.with_states(beside.log, beside.ran, members)
        ],
    }


def _by_name(said: Json) -> tuple[int, int, str]:
    """Return what people on a page are sorted by: their weight, and those alike by name."""
    kind, first, member = member_news.weight(said)
    return kind, first, said["name"] or member


def _named(member: Member | None, said: Json) -> Json:
    """Return what is new with the member's name, and the group that is waited for."""
    if member is None:
        return {"member": said["member"], "name": None, **said}
    requests: dict[str, str | None] = {feature: member.feature(feature).request for feature in FEATURES}
    return {"member": member.id, "name": member.name, **member_news.with_requests(said, requests)}
