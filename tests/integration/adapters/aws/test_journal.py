"""Changes of members and the error log, read by time from a real table."""

from itertools import islice
from types import SimpleNamespace

import pytest

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.journal import Journal
from muster.error_log import LogEntry
from muster.roster import history
from muster.roster.history import HistoryEntry

MEMBERS = [f"member-{number}" for number in range(40)]


@pytest.fixture
def journal(aws: SimpleNamespace) -> Journal:
    """Return the journal of an organization in which a member changes each second, and of another one."""
    for organization in ("acme", "acme2"):
        for second, member in enumerate(MEMBERS):
            at = f"2026-11-20T08:15:{second:02d}.000Z"
            entry = HistoryEntry(member=member, version=7, at=at, origin="crm", run=organization, changes=())
            aws.dynamodb.put_item(TableName=aws.table, Item=keys.history_item(organization, entry))
    return Journal(aws.dynamodb, aws.table)


def read(journal: Journal, since: str, until: str) -> list[int]:
    """Return the seconds of the changes between two moments of that minute, or places."""
    entries = list(journal.changes("acme", since, until, 100))
    assert {entry["run"] for entry in entries} <= {"acme"}
    return [int(entry["at"][17:19]) for entry in entries]


def moment(second: int) -> str:
    return f"2026-11-20T08:15:{second:02d}.000Z"


def test_changes_of_all_shards_come_in_one_order_the_newest_first(journal: Journal) -> None:
    assert len({keys.member_key("acme", member)["pk"]["S"] for member in MEMBERS}) == keys.SHARDS
    assert read(journal, "2026", "2027") == list(range(39, -1, -1))


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(journal: Journal) -> None:
    assert read(journal, moment(10), moment(13)) == [12, 11, 10]
    assert read(journal, moment(10), moment(10)) == []
    assert read(journal, moment(13), moment(10)) == []


def test_a_place_ends_a_period_before_its_entry(journal: Journal) -> None:
    place = history.place(moment(12), MEMBERS[12], 7)
    assert read(journal, moment(10), place) == [11, 10]


def test_changes_come_oldest_first_after_a_moment_or_a_place(journal: Journal) -> None:
    def seconds(since: str, until: str) -> list[int]:
        return [int(entry["at"][17:19]) for entry in journal.oldest_first("acme", since, until)]

    assert seconds("2026", "2027") == list(range(40))
    assert seconds(moment(10), moment(13)) == [10, 11, 12]
    # A place was read before: what comes after it does.
    assert seconds(history.place(moment(10), MEMBERS[10], 7), moment(13)) == [11, 12]
    assert seconds(moment(13), moment(10)) == []


def test_a_members_entries_come_above_a_version(journal: Journal, aws: SimpleNamespace) -> None:
    for version in (8, 9, 10):
        entry = HistoryEntry(
            member="member-1", version=version, at=moment(50), origin="crm", run="acme", changes=()
        )
        item = keys.history_item("acme", entry)
        # Until 0.2.0 entries were in no index.
        del item["recorded"]
        aws.dynamodb.put_item(TableName=aws.table, Item=item)
    assert [entry["version"] for entry in journal.of_member("acme", "member-1", 0)] == [7, 8, 9, 10]
    assert [entry["version"] for entry in journal.of_member("acme", "member-1", 8)] == [9, 10]
    assert list(journal.of_member("globex", "member-1", 0)) == []


def test_changes_are_read_as_they_are_wanted(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.adapters.aws.journal._FEWEST", 1)
    found = journal.changes("acme", "2026", "2027", 1)
    assert [entry["member"] for entry in islice(found, 3)] == ["member-39", "member-38", "member-37"]


def test_the_journal_begins_with_its_first_entry(journal: Journal) -> None:
    assert journal.begins("acme") == moment(0)
    assert journal.begins("globex") is None


def test_errors_of_a_second_are_found_whatever_the_width_of_their_time(
    journal: Journal, aws: SimpleNamespace
) -> None:
    times = ["08:14:59.999Z", "08:15:00Z", "08:15:00.500Z", "08:16:00Z", "08:16:00.900Z", "08:16:01Z"]
    for time in times:
        entry = LogEntry(
            at=f"2026-11-20T{time}",
            system="salesforce",
            record="005",
            notification="04l",
            code="no_fields",
            message="",
            remedy="",
        )
        aws.dynamodb.put_item(TableName=aws.table, Item=keys.error_item("acme", entry, 2_000_000_000))
    found = journal.errors("acme", "2026-11-20T08:15:00.250Z", "2026-11-20T08:16:00.250Z")
    assert {entry["at"][11:] for entry in found} == set(times[1:5])
