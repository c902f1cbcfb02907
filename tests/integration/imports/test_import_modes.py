"""What an import reads: watermark and overlap, incremental runs that become full, named people (I2)."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests

from muster import bootstrap
from tests.integration.company import Company


def test_an_incremental_run_reads_from_ten_minutes_before_the_newest_change(
    company: Company, now: SimpleNamespace
) -> None:
    org, newest = company.salesforce, now.time
    now.time = newest - timedelta(hours=1)
    ada, bob = org.create(Department="Sales"), org.create(Department="Sales")
    now.time = newest
    org.create(Department="Sales")
    company.run()
    stamp = bootstrap.run_table().state("acme").salesforce.watermark
    assert stamp
    assert datetime.fromisoformat(stamp) == newest.replace(microsecond=0)
    # Salesforce commits late what it stamped earlier.
    now.time = newest - timedelta(minutes=9)
    org.update(ada, Title="Late")
    now.time = newest - timedelta(minutes=12)
    org.update(bob, Title="Too late")
    said = company.run("incremental")
    assert (said["read"], said["counts"]) == (2, {"updated": 1})
    assert company.record(said["run_id"]).since == earlier(stamp)
    roster = company.roster()
    assert (roster[ada]["title"], roster[bob]["title"]) == ("Late", None)
    # Nothing newer was read; the watermark stays.
    assert bootstrap.run_table().state("acme").salesforce.watermark == stamp
    company.run()
    assert company.roster()[bob]["title"] == "Too late"


@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("is_interrupted", [True, False])
def test_who_changes_after_their_page_was_read_is_seen_by_the_next_incremental_run(
    company: Company, now: SimpleNamespace, mode: str, is_interrupted: bool
) -> None:
    org = company.salesforce
    now.time -= timedelta(hours=5)
    first = org.create(Department="Sales")
    company.run()
    now.time += timedelta(hours=2)
    org.update(first, Title="New")
    last = sorted(org.create_many(2_000, Department=["Kitchen"]))[-1]
    org.update(last, Department="Sales")
    assert first < last

    def change(request: requests.PreparedRequest, answer: requests.Response) -> None:
        """Once the first page is there, someone on it changes, and later someone on the last page."""
        if answer.status_code != 200 or not re.search(r"/query\?q=.*Title", str(request.url)):
            return
        org.wire.after = lambda request, answer: None
        now.time += timedelta(minutes=5)
        org.update(first, Title="Newer")
        now.time += timedelta(minutes=30)
        org.update(last, Title="Newest")
        if is_interrupted:
            company.have_seconds(1)

    org.wire.after = change
    said = company.run(mode)
    assert said["status"] == ("continue" if is_interrupted else "succeeded")
    company.have_seconds(900)
    if is_interrupted:
        said = company.run(None, run_id=said["run_id"])
    assert said["mode"] == mode
    assert {crm_id: member["title"] for crm_id, member in company.roster().items()} == {
        first: "New",
        last: "Newest",
    }
    company.run("incremental")
    assert company.roster()[first]["title"] == "Newer"


def earlier(stamp: str) -> str:
    """Return ten minutes before a moment, as it is recorded."""
    before = datetime.fromisoformat(stamp) - timedelta(minutes=10)
    return before.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("end", ["failed", "parked", "previewed"])
def test_only_a_run_that_was_applied_moves_the_watermark(
    company: Company, now: SimpleNamespace, end: str
) -> None:
    org = company.salesforce
    people = org.create_many(3, Department=["Sales"])
    company.put(guard={"floor": 0, "count": 0, "percent": 0})
    company.run()
    before = bootstrap.run_table().state("acme")
    now.time += timedelta(minutes=30)
    org.update(people[0], IsActive=False)
    if end == "failed":
        org.faults({"path": "/services/data", "fault": "html", "count": 9})
        with pytest.raises(Exception, match="not a page"):
            company.run("incremental")
        org.faults()
    else:
        said = company.run("incremental", preview=end == "previewed")
        assert said["status"] == ("parked" if end == "parked" else "succeeded")
    assert company.latest().status == end
    assert bootstrap.run_table().state("acme") == before
    assert company.active() == set(people)
    assert company.run("incremental", preview=True)["counts"]["deactivated"] == 1


@pytest.mark.parametrize("because", ["first", "named only", "settings"])
def test_an_incremental_run_becomes_full_where_everyone_has_to_be_looked_at(
    company: Company, now: SimpleNamespace, because: str
) -> None:
    org = company.salesforce
    ada = org.create(Department="Kitchen", FirstName="Ada")
    now.time += timedelta(hours=1)
    bob = org.create(Department="Sales", FirstName="Bob")
    expected = {bob}
    if because == "named only":
        assert company.run(None, members=[bob])["counts"] == {"created": 1}
    if because == "settings":
        company.run()
        assert company.run("incremental")["mode"] == "incremental"
        assert company.put(assignments=[{"name": "All"}])["status"] == "succeeded"
        expected = {ada, bob}
    said = company.run("incremental")
    assert (said["mode"], said["read"]) == ("full", 2)
    assert company.active() == expected
    assert company.run("incremental")["mode"] == "incremental"


def test_settings_that_decide_about_nobody_make_no_run_full(company: Company) -> None:
    company.salesforce.create(Department="Sales")
    company.run()
    company.put(guard={"floor": 9}, time_zone="Europe/London")
    assert company.run("incremental")["mode"] == "incremental"


def test_a_run_about_named_people_leaves_what_imports_remember_alone(
    company: Company, now: SimpleNamespace
) -> None:
    org = company.salesforce
    org.create(Department="Sales")
    company.run()
    before = bootstrap.run_table().state("acme")
    now.time += timedelta(minutes=30)
    eve, bob = org.create(Department="Sales"), org.create(Department="Sales")
    assert company.run(None, members=[eve])["counts"] == {"created": 1}
    assert bootstrap.run_table().state("acme") == before
    assert company.run("incremental")["counts"] == {"created": 1}
    assert {eve, bob} <= company.active()


def test_who_was_asked_for_by_id_and_is_not_shown_is_told_of(company: Company) -> None:
    said = company.run(None, members=["005000000000999AAA"])
    assert said["status"] == "succeeded_with_errors"
    [entry] = company.errors()
    assert (entry["record"], entry["code"]) == ("005000000000999AAA", "source_user")


def test_history_says_which_run_did_what_and_that_salesforce_was_why(company: Company) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales")
    runs = [company.run()["run_id"]]
    org.update(ada, Title="Chief")
    runs.append(company.run("incremental")["run_id"])
    org.update(ada, IsActive=False)
    runs.append(company.run(None, members=[ada], by="jane")["run_id"])
    entries = company.history(ada)
    assert [(each["origin"], each["run"]) for each in entries] == [
        ("crm", f"run:{run_id}") for run_id in reversed(runs)
    ]
    assert {"field": "title", "before": None, "after": "Chief"} in entries[1]["changes"]
