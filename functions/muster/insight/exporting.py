"""Export as a CSV file that can be fetched for an hour: the roster, seats, licences, changes, errors (Q3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import batched, chain, islice
from tempfile import SpooledTemporaryFile

from muster.errors import Problem, Rejected
from muster.insight import comparing_moments, listing_changes, listing_errors, listing_past_members
from muster.insight.comparing_moments import Compared
from muster.insight.pages_by_name import MOST_READ, place_of
from muster.insight.periods import end_of
from muster.insight.ports import ExportFiles, Journal, RunLog, SettingsLog
from muster.insight.querying_members import filter_of
from muster.insight.reading_past_rosters import PastSources, past_roster
from muster.presentation import changes, exports, past_rosters
from muster.presentation.lines import counted
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews, Snapshots, UnlinkedHolders
from muster.settings import Settings
from muster.validation import did_you_mean

# Ten thousand people who changed.
_A_PAGE, _MOST_PAGES = 500, 20
# What is larger waits on the disk of the function, not in its memory.
_IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is exported is read, and where the file goes."""

    views: RosterViews
    roster: Roster
    runs: RunLog
    files: ExportFiles
    holders: UnlinkedHolders
    journal: Journal
    versions: SettingsLog
    snapshots: Snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is exported: `filters` of `list` and `at`, a moment, are for members, periods for the others."""

    what: str
    filters: Mapping[str, object] = field(default_factory=dict)
    at: str | None = None
    since: str | None = None
    until: str | None = None
    since_run: str | None = None
    until_run: str | None = None
    run_id: str | None = None

    def misplaced(self) -> Iterator[Problem]:
        """Yield what does not go with what is exported."""
        if self.what not in exports.OF_MEMBERS:
            for name in ("filters", "at"):
                if getattr(self, name):
                    where = name.removesuffix("s")
                    yield Problem(where, "is for what is about members", "Leave it out.")
        for name in ("since", "until", "run_id"):
            if getattr(self, name) and self.what not in ("changes", "differences"):
                yield Problem(name, "is for changes and differences", "Leave it out.")
        for name in ("since_run", "until_run"):
            if getattr(self, name) and self.what != "differences":
                yield Problem(name, "is for differences", "Leave it out.")


def export(sources: Sources, settings: Settings, wanted: Wanted, now: datetime) -> Json:
    """Write a file and return `{message, what, rows, bytes, link, until}`; raises `Rejected`."""
    what = wanted.what
    if what not in exports.EVERYTHING:
        remedy = did_you_mean(what, exports.EVERYTHING)
        raise Rejected(Problem("what", f"is {what!r}, which cannot be exported", remedy))
    if problems := [*wanted.misplaced()]:
        raise Rejected(*problems)
    match what:
        case "errors":
            columns, lines = _errors(sources, settings)
        case "changes":
            columns, lines = _changes(sources, settings, wanted, now)
        case "differences":
            columns, lines = _differences(sources, settings, wanted, now)
        case _:
            columns, lines = _members(sources, settings, wanted, now)
    name = f"{settings.organization}-{what}-{now:%Y%m%dT%H%M%S}.csv"
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        file.write(exports.BYTE_ORDER_MARK.encode())
        file.write(exports.line(columns).encode())
        rows = sum(1 for line in lines if file.write(line.encode()))
        size = file.tell()
        file.seek(0)
        link, until = sources.files.put(settings.organization, name, file, now)
    return {
        "message": f"{counted(rows, 'row')} written; the link works until {until}.",
        "what": what,
        "rows": rows,
        "bytes": size,
        "link": link,
        "until": until,
    }


def _members(
    sources: Sources, settings: Settings, asked: Wanted, now: datetime
) -> tuple[Sequence[str], Iterator[str]]:
    """Return the columns, and the lines by name of the members; only the lines are kept in memory."""
    columns, rows = exports.OF_MEMBERS[asked.what]
    wanted = filter_of(sources.views, settings.organization, asked.filters)
    members: Iterator[Member]
    if asked.at:
        before = end_of("at", asked.at, now, settings.time_zone)
        read = PastSources(sources.views, sources.journal, sources.snapshots)
        past = past_roster(read, settings.organization, before, now)
        members = listing_past_members.matching(past, wanted)
    else:
        everyone = islice(sources.views.everyone(settings.organization, wanted.active), MOST_READ)
        members = (member for member in everyone if wanted.matches(member))
    found = [
        (place_of(member), [exports.line(cells) for cells in rows(member.to_json())]) for member in members
    ]
    of_nobody: list[str] = []
    if asked.what == "licences" and not asked.filters and not asked.at:
        holders = sources.holders.holders(settings.organization).values()
        of_nobody = [exports.line(cells) for each in holders for cells in exports.of_nobody(asdict(each))]
    return columns, chain((line for _, lines in sorted(found) for line in lines), of_nobody)


def _differences(
    sources: Sources, settings: Settings, asked: Wanted, now: datetime
) -> tuple[Sequence[str], Iterator[str]]:
    """Return the columns of what differs between two moments, and a line for each value of each person."""
    if not (asked.since or asked.since_run or asked.run_id):
        raise Rejected(Problem("since", "is missing", "Say since when, or since_run, or run_id."))
    compared = Compared(
        since=asked.since,
        until=asked.until,
        since_run=asked.since_run,
        until_run=asked.until_run,
        run_id=asked.run_id,
    )
    when = comparing_moments.period_of(sources.runs, settings, compared, now)
    found = comparing_moments.differences(sources.journal, settings.organization, when, asked.run_id)

    def lines() -> Iterator[str]:
        for some in batched(found.differing(), _A_PAGE, strict=False):
            ids = {each.news.member for each in some}
            members = sources.roster.members(settings.organization, ids)
            for each in some:
                said = comparing_moments.person(each, members.get(each.news.member))
                yield from map(exports.line, past_rosters.cells(said))

    return exports.DIFFERENCES, lines()


def _changes(
    sources: Sources, settings: Settings, wanted: Wanted, now: datetime
) -> tuple[Sequence[str], Iterator[str]]:
    """Return the columns of a journal, and its lines: as many pages as one answer may have."""
    journal = listing_changes.Sources(
        sources.journal, sources.views, sources.roster, sources.runs, sources.versions
    )
    period = {"since": wanted.since, "until": wanted.until, "run_id": wanted.run_id}
    rows: list[Sequence[str]] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        asked = listing_changes.Asked(**period, limit=_A_PAGE, cursor=cursor, one_by_one=True)
        page = listing_changes.list_changes(journal, settings, asked, now)
        rows += changes.as_table({"runs": (), "settings": (), "log": (), **page}).rows
        cursor = page["cursor"]
        if cursor is None:
            break
    return exports.CHANGES, map(exports.line, rows)


def _errors(sources: Sources, settings: Settings) -> tuple[Sequence[str], Iterator[str]]:
    columns, rows = exports.ERRORS
    log = listing_errors.list_errors(
        listing_errors.Sources(sources.views, sources.roster, sources.runs, settings),
        settings.organization,
        listing_errors.MOST_READ,
        None,
        "any",
    )["log"]
    return columns, (exports.line(cells) for entry in log for cells in rows(entry))
