"""A snapshot after an import of everyone: once a day, whole or not at all, and no import fails by it."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import boto3
import pytest

import scheduled_import
from muster import bootstrap
from muster.adapters.aws.snapshot_files import SnapshotFiles
from muster.errors import Unavailable
from muster.roster import taking_snapshots
from muster.roster.taking_snapshots import CODE
from tests.integration.company import Company

type Json = dict[str, Any]
type PassTime = Callable[[timedelta], None]

MEMBERS, MANIFESTS = "_snapshots/members/organization=acme/", "_snapshots/manifests/organization=acme/"
PEOPLE = ("Ada", "Bob", "Cleo", "Dan", "Eve")


@pytest.fixture
def hired(company: Company) -> Company:
    """Return Acme with five people who have not been imported yet."""
    for name in PEOPLE:
        address = dict.fromkeys(("Username", "Email"), f"{name.lower()}@acme.example")
        company.salesforce.create(FirstName=name, LastName="X", Department="Sales", Division="G", **address)
    return company


def kept(company: Company, folder: str) -> dict[str, bytes]:
    """Return the files in a folder of the bucket."""
    assert company.rules.archive
    files = company.rules.archive.objects
    return {name.removeprefix(folder): body for name, body in files.items() if name.startswith(folder)}


def today() -> str:
    clock: Any = vars(scheduled_import)["datetime"]
    return f"{clock.now(UTC):%Y-%m-%d}"


def test_everybody_is_written_as_shown_in_parts_and_the_manifest_says_which(
    hired: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_snapshots, "MEMBERS_A_PART", 2)
    said = hired.run("full")
    parts = kept(hired, MEMBERS)
    assert [*parts] == [f"day={today()}/part-0000{number}.jsonl.gz" for number in (1, 2, 3)]
    lines = [json.loads(line) for part in parts.values() for line in gzip.decompress(part).splitlines()]
    assert {each["id"]: each for each in lines} == {each["id"]: each for each in hired.roster().values()}
    [(name, manifest)] = kept(hired, MANIFESTS).items()
    assert name == f"{today()}.json"
    told = json.loads(manifest)
    assert (told["run"], told["members"], told["active"], told["erased"]) == (said["run_id"], 5, 5, [])
    assert [(each["members"], each["bytes"]) for each in told["parts"]] == [
        (2, len(part)) if number < 3 else (1, len(part)) for number, part in enumerate(parts.values(), 1)
    ]
    assert told["muster_version"]


def test_one_is_taken_a_day_and_only_by_an_import_of_everyone_that_is_applied(
    hired: Company, pass_time: PassTime
) -> None:
    hired.run("full", preview=True)
    assert kept(hired, "_snapshots/") == {}
    hired.run("full")
    first = kept(hired, "_snapshots/")
    hired.salesforce.create(FirstName="Fay", LastName="X", Department="Sales")
    hired.run("full")
    assert kept(hired, "_snapshots/") == first
    pass_time(timedelta(days=1))
    hired.run("incremental")
    hired.run(None, members=["ada@acme.example"])
    assert kept(hired, "_snapshots/") == first
    hired.run("full")
    assert len(kept(hired, MANIFESTS)) == 2


class Broken(SnapshotFiles):
    """A bucket that takes so many files, and then none."""

    takes = 0

    def _put(self, key: str, body: bytes, kind: str) -> None:
        if not self.takes:
            raise Unavailable("the archive of snapshots answered SlowDown")
        self.takes -= 1
        super()._put(key, body, kind)


@pytest.mark.parametrize("takes", range(4))
def test_what_fails_is_told_once_and_the_next_import_takes_it(
    hired: Company, takes: int, monkeypatch: pytest.MonkeyPatch, pass_time: PassTime
) -> None:
    monkeypatch.setattr(taking_snapshots, "MEMBERS_A_PART", 2)
    broken = Broken(boto3.client("s3"), "archive")
    broken.takes = takes
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "snapshot_files", lambda: broken)
        assert hired.run("full")["status"] == "succeeded"
    [entry] = [each for each in hired.errors() if each["code"] == CODE]
    assert "SlowDown" in entry["message"]
    assert hired.ask("errors", state="open", detail=True)["log"][0]["code"] == CODE
    # Without its manifest there is no snapshot, whatever parts there are.
    assert (bootstrap.snapshot_files().days("acme"), len(kept(hired, MEMBERS))) == ([], takes)
    pass_time(timedelta(seconds=5))
    again = hired.run("full")
    assert again["status"] == "succeeded"
    assert (bootstrap.snapshot_files().days("acme"), len(kept(hired, MEMBERS))) == ([today()], 3)
    [entry] = hired.ask("errors", state="solved", detail=True)["log"]
    assert (entry["code"], entry["solved_by"]) == (CODE, again["run_id"])


def test_where_the_time_is_up_the_import_has_succeeded_all_the_same(
    hired: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = taking_snapshots.SnapshotTaker.take

    def late(taker: taking_snapshots.SnapshotTaker, run: str) -> object:
        hired.have_seconds(taking_snapshots._MARGIN_S - 1)
        return taken(taker, run)

    monkeypatch.setattr(taking_snapshots.SnapshotTaker, "take", late)
    said = hired.run("full")
    assert said["status"] == "succeeded"
    assert "not enough time" in hired.errors()[0]["message"]
    assert kept(hired, "_snapshots/") == {}


def test_the_same_roster_makes_the_same_files(hired: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    hired.run("full")
    files = kept(hired, MEMBERS)
    with monkeypatch.context() as patch:
        patch.setattr(SnapshotFiles, "days", lambda *_: [])
        hired.run("full")
    assert kept(hired, MEMBERS) == files


def test_a_file_that_was_damaged_is_not_read(hired: Company) -> None:
    hired.run("full")
    assert hired.rules.archive
    [name] = kept(hired, MEMBERS)
    hired.rules.archive.objects[f"{MEMBERS}{name}"] = gzip.compress(b"")
    with pytest.raises(Unavailable, match="part 1 of the snapshot of"):
        hired.ask("as_of", at="now")
