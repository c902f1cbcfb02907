"""What the past costs of 100,000 members: a snapshot, the roster as of a moment, the difference of a month.

The table is in memory, in pages as DynamoDB cuts them, and so are the files: the client's own cost counts,
not the network's. Memory is what Python's objects take at most.
"""

import resource
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import orjson

from muster.adapters.aws import roster_keys
from muster.adapters.aws.journal import Journal
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.roster_views import RosterViews
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.settings_table import SettingsTable
from muster.insight import comparing_moments, reading_past_rosters
from muster.insight.comparing_moments import Compared, ComparedSources
from muster.insight.listing_past_members import PastPage, list_past_members
from muster.insight.reading_past_rosters import PastSources
from muster.roster.effects import indexed
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.snapshots import Manifest
from muster.roster.taking_snapshots import SnapshotTaker
from muster.settings import Settings
from muster.times import timestamp
from tests.benchmarks.paired import Ratio, paired
from tests.benchmarks.questions import PEOPLE, STORED, Table, _member

ROUNDS = 2
# As many as a hundred thousand people change in a week, and in a month.
A_WEEK, A_MONTH = 12_500, 50_000
TAKEN = datetime(2026, 11, 1, 2, 20, tzinfo=UTC)
NOW = TAKEN + timedelta(days=30)
SETTINGS: Settings = STORED.settings


class Files:
    """Snapshots in memory."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.taken: Manifest | None = None

    def days(self, organization: str) -> list[str]:
        """Return the one day there is, if it is there."""
        return [self.taken.day] if self.taken else []

    def manifest(self, organization: str, day: str) -> Manifest:
        """Return what there is."""
        assert self.taken
        return self.taken

    def part(self, organization: str, day: str, number: int) -> bytes:
        """Return a file."""
        return self.parts[number]

    def put_part(self, organization: str, day: str, number: int, body: bytes) -> None:
        """Keep a file."""
        self.parts[number] = body

    def put_manifest(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self.taken = manifest


class Past(Table):
    """The table, with a journal whose entries are all earlier than its end."""

    end = ""

    def _answer(self, request: Any, **asked: Any) -> Any:
        values = orjson.loads(request.body).get("ExpressionAttributeValues", {})
        if values.get(":since", {"S": ""})["S"] >= self.end > "":
            self.calls["Query"] += 1
            return self._said_nothing(request)
        return super()._answer(request, **asked)


def whole(people: int = PEOPLE) -> Iterator[Ratio]:
    """Measure each, and say what it calls."""
    client = boto3.client("dynamodb")
    table = Past(client)
    filled = map(_member, range(people))
    table.fill((roster_keys.member_item(each, indexed(each)) for each in filled), shown="doc")
    views, roster, journal = (
        RosterViews(client, "roster"),
        RosterTable(client, "roster"),
        Journal(client, "roster"),
    )
    files = Files()
    taker = SnapshotTaker("acme", views, files, roster, lambda: TAKEN, lambda: 900.0)

    def snapshot() -> None:
        files.taken = None
        taker.take("run-1")

    def everyone() -> int:
        return sum(1 for _ in views.everyone("acme", None))

    yield _measured(f"snapshot of {people:,} members / bare reading of them", table, snapshot, everyone)
    size = sum(map(len, files.parts.values()))
    past = PastSources(views, journal, files)
    week = TAKEN + timedelta(days=7)
    _have(table, A_WEEK, people, week)

    def as_of() -> None:
        asked = PastPage(at=timestamp(week), filters={"active": "any"})
        list_past_members(past, SETTINGS, asked, NOW)

    def from_the_table() -> None:
        chosen = reading_past_rosters._snapshots
        reading_past_rosters._snapshots = lambda *_: (None, None)
        try:
            as_of()
        finally:
            reading_past_rosters._snapshots = chosen

    yield _measured(
        f"as of a moment {A_WEEK:,} changes after a snapshot of {size / 1e6:.1f} MB / bare reading of all",
        table,
        as_of,
        everyone,
    )
    table.end = ""
    yield _measured(
        f"as of a moment {A_WEEK:,} changes ago, from the table / bare reading of all",
        table,
        from_the_table,
        everyone,
    )
    _have(table, A_MONTH, people, NOW)
    runs, versions = RunTable(client, "roster"), SettingsTable(client, "roster")
    compared = ComparedSources(journal, roster, runs, versions)

    def diff() -> None:
        asked = Compared(since=timestamp(TAKEN), until=timestamp(NOW))
        comparing_moments.show_differences(compared, SETTINGS, asked, 20, None, NOW)

    def read() -> int:
        return sum(1 for _ in journal.changes("acme", timestamp(TAKEN), timestamp(NOW), A_MONTH))

    yield _measured(f"difference of {A_MONTH:,} changes / bare reading of them", table, diff, read)


def _have(table: Past, count: int, people: int, end: datetime) -> None:
    """Have so many changes in the journal, from when the snapshot was taken to the end."""
    table.pages = {key: page for key, page in table.pages.items() if key[1] != "by_recorded"}
    entries = (_entry(number, count, people, end) for number in reversed(range(count)))
    table.fill(
        (roster_keys.history_item("acme", entry) for entry in entries), sort="by_recorded", shown="doc"
    )
    table.end = timestamp(end)


def _entry(number: int, count: int, people: int, end: datetime) -> HistoryEntry:
    return HistoryEntry(
        member=f"member-{number * 7 % people:06d}",
        version=2,
        at=timestamp(TAKEN + (end - TAKEN) * ((number + 1) / (count + 2))),
        origin="crm",
        run=f"run:{number // 500}",
        changes=(FieldChange("title", "Account Executive", "Lead"),),
    )


def _measured(name: str, table: Past, ours: Callable[[], object], bare: Callable[[], object]) -> Ratio:
    ratios = paired(ours, bare, ROUNDS, 1)
    table.calls.clear()
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    ours()
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - spent
    counts = ", ".join(f"{count:,} {call}" for call, count in sorted(table.calls.items()))
    note = f"{spent:.1f} s of processor time; {counts}; {_peak(ours):.0f} MB of memory"
    return Ratio(name, ratios, None, note)


def _peak(work: Callable[[], object]) -> float:
    """Return how many MB of Python's memory the work has at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
