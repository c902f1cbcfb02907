"""List what happened in an organization: a journal of members, runs, errors and settings (Q3). Reads only.

It costs what happened, not the size of the roster: at most `MOST_CHANGES` changes, `MOST_RUNS` runs and
`MOST_ERRORS` entries of the error log are read by one call.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from muster.crm.engage_features import FEATURES
from muster.insight import causes, member_news, reading_changes, run_summaries
from muster.insight.causes import Kinds
from muster.insight.periods import DEFAULT, Period, period
from muster.insight.ports import Journal, RunLog, SettingsLog
from muster.insight.querying_runs import find_run
from muster.insight.reading_changes import MOST_CHANGES, Matches, Read
from muster.insight.run_news import is_news
from muster.roster.finding import find
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.runs.parking import APPROVAL
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.versions import StoredSettings, changes
from muster.times import timestamp

MOST_RUNS = 3_000
MOST_ERRORS = 2_000
MOST_VERSIONS = 50
# What is asked about one person or cause may be longer ago.
_LONGER = timedelta(days=30)
# A run's writes are between its beginning and its end, by clocks that may differ.
_SLACK = timedelta(minutes=1)
_PLACES = 5


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

    `{since, until, counts, people, causes, runs, settings, log, warnings, cursor}`: `people` has up to
    `limit` with what is new of each (`member_news.shown`) and the name, the weightiest first; `causes` how
    many changes and people each brought; `runs` those that are news, `settings` the versions saved, `log`
    the error log by code. A further page has people alone. Raises `NotFound` and `Rejected`.
    """
    organization = settings.organization
    run = find_run(sources.runs, organization, asked.run_id) if asked.run_id else None
    when = _period_of(run, now) if run else _period(asked, now, settings.time_zone)
    person = find(sources.views, organization, asked.person) if asked.person else None
    ran, more_runs = ([run], False) if run else _runs(sources.runs, organization, when)
    kinds = {each.id: each.kind for each in ran}
    cause = f"{causes.RUN}:{run.id}" if run else asked.cause
    read = _read(sources, organization, when, person, asked, _matching(cause, asked.value, kinds))
    changed = [member_news.shown(each) for each in member_news.by_member(read.entries).values()]
    first_page = asked.cursor is None
    aside = _Aside(sources, organization, when, cause, person) if first_page else None
    shown_runs = aside.runs(ran, asked) if aside else []
    versions = aside.versions(run, asked) if aside else []
    log = aside.errors(asked) if aside else []
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
        "causes": _by_cause(read.entries, kinds),
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


def _read(
    sources: Sources, organization: str, when: Period, person: Member | None, asked: Asked, matches: Matches
) -> Read:
    until = when.until if asked.cursor is None else reading_changes.before(asked.cursor)
    people_at_most = asked.limit if asked.one_by_one else None
    if person:
        found = reading_changes.of_member(sources.views, organization, person.id, when.since, until)
    else:
        expected = people_at_most or MOST_CHANGES
        found = sources.journal.changes(organization, when.since, until, expected)
    return reading_changes.read(found, matches, people_at_most)


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


def _by_cause(entries: Iterable[Json], kinds: Kinds) -> list[Json]:
    changed: Counter[tuple[str, str | None]] = Counter()
    people: dict[tuple[str, str | None], set[str]] = {}
    for entry in entries:
        of = causes.kind_of(entry, kinds), causes.by_hand(entry)
        changed[of] += 1
        people.setdefault(of, set()).add(entry["member"])
    ordered = sorted(changed, key=lambda of: (-len(people[of]), of[0], of[1] or ""))
    return [
        {"cause": of[0], "by": of[1], "changes": changed[of], "people": len(people[of])} for of in ordered
    ]


# ── What else happened ───────────────────────────────────────────────────────────────────────────


def _runs(runs: RunLog, organization: str, when: Period) -> tuple[list[Run], bool]:
    """Return the runs that began or ended in the period, or still wait, and whether there are more.

    What was approved in it may have begun earlier, by as long as an approval may take.
    """
    since, until = (datetime.fromisoformat(each).astimezone(UTC) for each in (when.since, when.until))
    first, before = f"{since - APPROVAL:%Y%m%dT%H%M%S}", f"{until:%Y%m%dT%H%M%S%f}"
    found = list(islice(runs.runs_from(organization, first, before), MOST_RUNS + 1))

    def happened(run: Run) -> bool:
        moments = (run.started_at, run.finished_at)
        return not run.status.ended or any(when.has(each) for each in moments if each)

    return [run for run in found[:MOST_RUNS] if happened(run)], len(found) > MOST_RUNS


@dataclass(frozen=True, slots=True)
class _Aside:
    """What happened beside the changes of members; of one cause or person only what belongs to it."""

    sources: Sources
    organization: str
    when: Period
    cause: str | None
    person: Member | None

    def runs(self, found: list[Run], asked: Asked) -> list[Run]:
        """Return the runs to show."""
        named = causes.run_named(self.cause)
        return [run for run in found if run.id == named] if named or asked.narrowed else found

    def versions(self, run: Run | None, asked: Asked) -> list[Json]:
        """Return the versions of the settings that were saved in the period, newest first."""
        if asked.narrowed:
            return []
        found = self.sources.versions.versions(self.organization, MOST_VERSIONS)
        before: list[StoredSettings | None] = [*found[1:], None]
        return [
            _version(stored, earlier)
            for stored, earlier in zip(found, before, strict=True)
            if self.when.has(stored.at) and (run is None or stored.run == run.id)
        ]

    def errors(self, asked: Asked) -> list[Json]:
        """Return the error log of the period by code: how many, and the newest of each."""
        if asked.value:
            return []
        ids = self._ids()
        notification = (self.cause or "").partition(":")[2]
        by_code: dict[str, Json] = {}
        found = self.sources.journal.errors(self.organization, self.when.since, self.when.until)
        for entry in islice((each for each in found if self.when.has(each["at"])), MOST_ERRORS):
            if ids and entry["record"] not in ids and not any(each in entry["message"] for each in ids):
                continue
            if self.cause and notification != entry["notification"]:
                continue
            newest = {name: entry[name] for name in ("code", "at", "record", "message", "remedy")}
            by_code.setdefault(entry["code"], {**newest, "count": 0})["count"] += 1
        return sorted(by_code.values(), key=lambda each: (-each["count"], each["code"]))

    def _ids(self) -> set[str]:
        if self.person is None:
            return set()
        return {self.person.id, *(name for each in self.person.crm.values() if (name := each.get("id")))}


def _version(stored: StoredSettings, earlier: StoredSettings | None) -> Json:
    where = [each["where"] for each in changes(earlier.document, stored.document)] if earlier else []
    return {
        "version": stored.version,
        "at": stored.at,
        "by": stored.by,
        "approved_by": stored.approved_by,
        "why": stored.why,
        "where": where[:_PLACES],
        "places": len(where),
    }


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
    since = datetime.fromisoformat(when.since)
    return first is not None and datetime.fromisoformat(first.at) < since
