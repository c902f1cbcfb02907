"""What `list`, `export` and `health` cost with 100,000 members, against the bare reading of the same.

The table is in memory, in pages as DynamoDB cuts them: the client's own cost counts, not the network's.
A list by name and a file need everyone, whatever is shown of them. Health reads runs, the error log, whom it
names, and who is due: however many members there are.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import boto3
import orjson
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from muster.adapters.aws import roster_keys
from muster.adapters.aws.app_table import AppTable
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.roster_views import RosterViews
from muster.adapters.aws.run_table import RunTable, _to_item
from muster.error_log import LogEntry
from muster.insight import exporting, gathering_health, querying_members
from muster.roster.data_capture import Capture
from muster.roster.effects import indexed
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.roster.seats import HELD_SEAT
from muster.runs.run import Run, Status
from muster.settings.versions import StoredSettings
from tests.benchmarks.canned_aws import CannedAws, _Raw
from tests.benchmarks.paired import Ratio, paired

PEOPLE, RUNS, ERRORS, DUE = 100_000, 400, 5_000, 10_000
ROUNDS = 3
# What a query answers at most, before it leaves out the attributes that were not asked for.
PAGE_BYTES = 1_000_000
NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "seats": {"gong": {"limit": 200_000}},
    "connections": {"vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": ["engage"]}},
}
STORED = StoredSettings("acme", 1, DOCUMENT, "jane", "2026-11-01T00:00:00Z", "", "attempt")


class Table(CannedAws):
    """Answers queries from pages that were made before, so that making them costs nobody anything."""

    def __init__(self, *clients: Any) -> None:
        super().__init__(*clients)
        self.pages: dict[tuple[str, str, str], bytes] = {}

    def fill(self, items: Iterator[Mapping[str, Any]], sort: str = "sk", shown: str | None = None) -> None:
        """Have these items found, in order, by partition and `sort`; `shown` is the one attribute read."""
        partitions: dict[str, list[list[Mapping[str, Any]]]] = defaultdict(lambda: [[]])
        sizes: dict[str, int] = defaultdict(int)
        for item in items:
            pk = item["pk"]["S"]
            sizes[pk] += len(orjson.dumps(item))
            if sizes[pk] > PAGE_BYTES:
                partitions[pk].append([])
                sizes[pk] = 0
            partitions[pk][-1].append({shown: item[shown]} if shown else item)
        for pk, pages in partitions.items():
            for number, page in enumerate(pages):
                key = {"pk": {"S": pk}, "sk": {"S": str(number + 1)}}
                more = {"LastEvaluatedKey": key} if number + 1 < len(pages) else {}
                body = {"Items": page, "Count": len(page), **more}
                self.pages[pk, sort, str(number) if number else ""] = orjson.dumps(body)

    def _answer(self, request: Any, **asked: Any) -> Any:
        if not request.headers["X-Amz-Target"].endswith(b".Query"):
            return super()._answer(request, **asked)
        self.calls["Query"] += 1
        body = orjson.loads(request.body)
        start = body.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        sort = body.get("IndexName", "sk")
        content = self.pages.get((body["ExpressionAttributeValues"][":pk"]["S"], sort, start), _NOTHING)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(content))

    def _said_nothing(self, request: Any) -> Any:
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(_NOTHING))


_NOTHING = orjson.dumps({"Items": [], "Count": 0})


class Nowhere:
    """Takes a file, as the bucket does."""

    def put(self, organization: str, name: str, file: IO[bytes], now: datetime) -> tuple[str, str]:
        """Read the file once, as an upload does."""
        while file.read(1 << 20):
            pass
        return f"https://{organization}/{name}", now.isoformat()


class Quiet:
    """Queues with nothing on them."""

    def changes(self) -> int:
        """Nothing waits."""
        return 0

    changes_given_up = starts_given_up = events_given_up = changes

    def received_at(self, organization: str) -> str | None:
        """A message has just come."""
        return NOW.isoformat() if organization else None


def whole(people: int = PEOPLE) -> Iterator[Ratio]:
    """Measure each question, and say what it calls."""
    client = boto3.client("dynamodb")
    table = Table(client)
    table.fill(map(_item, map(_member, range(people))), shown="doc")
    table.fill(map(_to_item, map(_run, range(RUNS))))
    table.fill(map(_error, range(ERRORS)), shown="doc")
    table.fill(map(_asking, range(min(DUE, people))), sort="by_due", shown="due")
    views, roster, runs = (
        RosterViews(client, "roster"),
        RosterTable(client, "roster"),
        RunTable(client, "roster"),
    )
    settings = STORED.settings
    members = querying_members.Sources(views, roster)
    unused: Any = None  # what the roster alone does not need
    files = exporting.Sources(views, roster, runs, Nowhere(), unused, unused, unused, unused)
    quiet = Quiet()
    sources = gathering_health.Sources(
        views, roster, runs, runs, quiet, quiet, AppTable(client, "roster"), list, list
    )
    read = _Reads(views, roster, runs)

    yield _measured(
        f"list of {people:,} members, a page by name / bare reading of them",
        table,
        lambda: querying_members.list_members(members, settings, {}, 100, None),
        read.everyone,
    )
    yield _measured(
        f"export of {people:,} members / bare reading of them",
        table,
        lambda: exporting.export(files, settings, exporting.Wanted(what="roster"), NOW),
        read.everyone,
    )
    yield _measured(
        f"health with {ERRORS:,} errors, {RUNS} runs, {min(DUE, people):,} due / bare reading of them",
        table,
        lambda: gathering_health.show_health(sources, STORED, NOW, live=False),
        read.health,
    )


class _Reads:
    """The same queries, with nothing made of what they find."""

    def __init__(self, views: RosterViews, roster: RosterTable, runs: RunTable) -> None:
        self.views, self.roster, self.runs = views, roster, runs

    def everyone(self) -> int:
        """Read the members."""
        return sum(1 for _ in self.views.everyone("acme", active=True))

    def health(self) -> None:
        """Read the runs, the error log and who is due."""
        self.runs.runs("acme", RUNS, None)
        for _ in self.views.error_log("acme"):
            pass
        for _ in self.roster.due("acme", NOW.date()):
            pass


def _measured(name: str, table: Table, ours: Callable[[], object], bare: Callable[[], object]) -> Ratio:
    ratios = paired(ours, bare, ROUNDS, 1)
    table.calls.clear()
    start = time.process_time()
    ours()
    spent = time.process_time() - start
    counts = ", ".join(f"{count:,} {call}" for call, count in sorted(table.calls.items()))
    return Ratio(name, ratios, None, f"{spent:.1f} s of processor time; {counts}")


def _member(number: int) -> Member:
    """Return somebody as a first import makes them."""
    username = f"ada.lovelace.{number:06d}@acme.example"
    ids = {"id": f"005000000{number:06d}AAA", "username": username, "email": username}
    capture = Capture("enabled", "enabled", "gong", "assignment:Field sales")
    return Member(
        id=f"member-{number:06d}",
        organization="acme",
        active=True,
        enabled=True,
        username=username,
        email=username,
        first_name="Ada",
        last_name=f"Lovelace {number * 7919 % PEOPLE}",
        name=f"Ada Lovelace {number * 7919 % PEOPLE}",
        title="Account Executive",
        phone_numbers={"mobile": "+44 20 7946 0958", "other": None},
        locale="en_GB",
        language="en_US",
        time_zone="Europe/London",
        crm={"salesforce": ids, "vault_crm": {"id": str(10_000 + number), "username": username}},
        assignment="Field sales",
        update_mode="automatic",
        seats={"gong": HELD_SEAT},
        workspaces={"EMEA": "Team member"},
        data_capture={"record_web_conferences": capture},
        matched=("Field sales",),
        version=1,
        updated_at="2026-11-01T00:00:00Z",
        revision=1,
    )


def _run(number: int) -> Run:
    started = NOW - (number + 1) * timedelta(minutes=7)
    return Run(
        id=f"{started:%Y%m%dT%H%M%S}000-{number:08x}",
        organization="acme",
        mode=None if number % 2 else "incremental",
        kind="push" if number % 2 else "import",
        started_at=started.isoformat(),
        finished_at=(started + timedelta(seconds=20)).isoformat(),
        status=Status.SUCCEEDED,
        by="schedule",
    )


def _item(member: Member) -> Mapping[str, Any]:
    return roster_keys.member_item(member, indexed(member))


def _asking(number: int) -> Mapping[str, Any]:
    """Return the item of somebody who has asked for a group."""
    asked = Engage("UK Field Force", "retry_request", None)
    return _item(replace(_member(number), engage=asked))


def _error(number: int) -> Mapping[str, Any]:
    """Return the item of an entry of the error log, a hundred a run."""
    at = NOW - timedelta(seconds=number)
    entry = LogEntry(
        at=at.isoformat(),
        system="salesforce",
        record=f"005000000{number:06d}AAA",
        notification=f"run-{number // 100}",
        code="not_written",
        message="The roster table did not take it",
        remedy="The next import tries again.",
        member=f"member-{number:06d}",
    )
    return roster_keys.error_item("acme", entry, 0)
