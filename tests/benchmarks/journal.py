"""What happened in a day, of 100,000 people, against the bare reading of the same entries.

The table is in memory: the client's own cost counts, the network's does not. The roster is not read but for
the names that are shown, so its size costs nothing; that is counted.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from muster.adapters.aws import roster_keys
from muster.adapters.aws.journal import Journal
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.roster_views import RosterViews
from muster.adapters.aws.run_table import RunTable, _to_item
from muster.adapters.aws.settings_table import SettingsTable
from muster.insight.listing_changes import Asked, Sources, list_changes
from muster.presentation import changes
from muster.roster.effects import indexed
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.member import Member
from muster.runs.run import Run, Status
from muster.settings import Settings
from muster.times import timestamp
from tests.benchmarks.canned_aws import CannedAws
from tests.benchmarks.paired import Ratio, paired

PEOPLE, CHANGES, RUNS_A_DAY = 100_000, 10_000, 193
ROUNDS = 7
NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
SETTINGS = Settings.model_validate_json('{"organization": "acme"}')


class Table(CannedAws):
    """Answers queries by the keys of what is stored, page by page."""

    partitions: dict[tuple[str, str], list[dict[str, Any]]]

    def fill(self, items: Mapping[tuple[str, str], list[dict[str, Any]]]) -> None:
        """Have these items, by partition and name of their sort key, each list newest first."""
        self.partitions = dict(items)

    def _said(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "BatchGetItem":
            [(_, wanted)] = body["RequestItems"].items()
            self.calls["members read"] += len(wanted["Keys"])
        return self._found(body) if operation == "Query" else super()._said(operation, body)

    def _found(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        values = body["ExpressionAttributeValues"]
        sort = "recorded" if "IndexName" in body else "sk"
        found = self.partitions.get((values[":pk"]["S"], sort), [])
        first = next((values[name]["S"] for name in (":since", ":first") if name in values), "")
        start = body.get("ExclusiveStartKey", {}).get(sort, {}).get("S", "~")
        found = [item for item in found if first <= item[sort]["S"] < start]
        page = found[: body.get("Limit", len(found))]
        self.calls["entries read"] += len(page) if sort == "recorded" else 0
        more = {"LastEvaluatedKey": page[-1]} if len(page) < len(found) else {}
        names = body.get("ExpressionAttributeNames", {}).values()
        shown = [{name: item[name] for name in names} for item in page] if names else page
        return {"Items": shown, "Count": len(page), **more}


def whole(days: int = 2) -> Iterator[Ratio]:
    """Measure the answer about the last day, where there were so many such days."""
    client = boto3.client("dynamodb")
    table = Table(client)
    entries = [_entry(number) for number in range(CHANGES * days)]
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        item = roster_keys.history_item("acme", entry)
        found[item["pk"]["S"], "recorded"].append(item)
        member = Member(id=entry.member, organization="acme", name="Ada Lovelace", revision=1)
        table.store(roster_keys.member_item(member, indexed(member)))
    for number in range(RUNS_A_DAY * days):
        item = _to_item(_run(number))
        found[item["pk"]["S"], "sk"].append(item)
    table.fill(found)
    journal = Journal(client, "roster")
    runs, settings = RunTable(client, "roster"), SettingsTable(client, "roster")
    sources = Sources(journal, RosterViews(client, "roster"), RosterTable(client, "roster"), runs, settings)
    since, until = timestamp(NOW - timedelta(hours=24)), timestamp(NOW)

    def answer() -> list[str]:
        said = list_changes(sources, SETTINGS, Asked(since=since, until=until), NOW)
        return [changes.headline(said), *changes.summary(said)]

    def read() -> list[Any]:
        return list(journal.changes("acme", since, until, CHANGES))

    if (count := len(read())) != CHANGES:
        raise RuntimeError(f"{count:,} changes were read")
    table.calls.clear()
    answer()
    counted = ", ".join(f"{count:,} {name}" for name, count in sorted(table.calls.items()))
    yield Ratio(
        f"changes of a day, {CHANGES:,} of {PEOPLE:,} people / bare reading of them",
        paired(answer, read, ROUNDS, 3),
        None,
        counted,
    )


def _entry(number: int) -> HistoryEntry:
    """Return a change: of a hundred one joins, one leaves, and the others change their title."""
    at = timestamp(NOW - (number + 1) * timedelta(hours=24) / CHANGES)
    entry = HistoryEntry(
        member=f"member-{number % PEOPLE:06d}",
        version=2,
        at=at,
        origin="crm",
        run=f"run:{number // 100}",
        changes=(),
    )
    match number % 100:
        case 0:
            new = {"active": True, "assignment": "Sales", "seats.gong.state": "held"}
            new |= {f"field_{n}": f"value {n}" for n in range(30)}
            return replace(entry, changes=tuple(FieldChange(*each) for each in _changed({}, new)))
        case 1:
            changed = _changed({"active": True, "seats.gong.state": "held"}, {"active": False})
            return replace(entry, changes=tuple(FieldChange(*each) for each in changed))
    return replace(entry, changes=(FieldChange("title", "Rep", "Lead"),))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in {**before, **after}:
        yield name, before.get(name), after.get(name)


def _run(number: int) -> Run:
    started = NOW - (number + 1) * timedelta(hours=24) / RUNS_A_DAY
    return Run(
        id=f"{started:%Y%m%dT%H%M%S}000-{number:08x}",
        organization="acme",
        mode="incremental",
        started_at=timestamp(started),
        finished_at=timestamp(started + timedelta(seconds=20)),
        status=Status.SUCCEEDED,
        by="schedule",
        counts={} if number % 2 else {"updated": 100},
    )
