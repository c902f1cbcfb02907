"""Who is left out of the roster, and why: in every preview and import, and in the runs' records (A4, I6)."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import member_settings
import organization_settings
from tests.integration.company import SALES, Company
from tests.simulation.harness.strict_aws import StrictAws

DOMAINS = {"primary": "acme.example"}


def counts(said: dict[str, Any]) -> dict[str, int]:
    """Return how many an answer says are left out, by reason."""
    return {reason: found["count"] for reason, found in said["left_out"].items()}


@pytest.fixture
def outsiders(company: Company) -> dict[str, str]:
    """Return who is left out for which reason; one is in."""
    org = company.salesforce
    company.put(domains=DOMAINS, assignments=[SALES, {"name": "Phones", "require_call_center": True}])
    org.create(Department="Sales")
    return {
        "inactive_user": org.create(Department="Sales", IsActive=False),
        "name_missing": org.create(Department="Sales", FirstName=""),
        "email_domain": org.create(Department="Sales", Email="x@else.example"),
        "call_center_missing": org.create(Department="Kitchen"),
    }


def first_of(said: dict[str, Any]) -> dict[str, str]:
    return {reason: found["first"][0]["user"] for reason, found in said["left_out"].items()}


def test_each_is_counted_and_named_with_the_reason(company: Company, outsiders: dict[str, str]) -> None:
    preview = company.run(preview=True)
    assert first_of(preview) == outsiders
    [rival] = preview["left_out"]["email_domain"]["first"]
    user = company.salesforce.call("GET", f"/services/data/v66.0/sobjects/User/{outsiders['email_domain']}")
    assert (rival["name"], rival["username"]) == (user["Name"], user["Username"])
    run = company.run()
    assert run["left_out"] == preview["left_out"]
    told = (
        "3 people are left out: 1 without a call center, 1 of another e-mail domain,"
        " 1 without a first or last name."
    )
    assert told in preview["message"]
    assert told in run["message"]
    assert told in company.ask("run", run_id=run["run_id"])["message"]
    assert told in company.ask("run", run_id=preview["run_id"])["message"]


def test_the_first_preview_says_why_nobody_comes_in(company: Company) -> None:
    """A call center is required unless the settings say otherwise."""
    for _ in range(3):
        company.salesforce.create(Department="Sales")
    document = {**company.document, "auto_provision": {}}
    event = {"organization": "acme", "action": "preview", "by": "jane", "settings": document}
    said = organization_settings.handler(event, company.context)
    assert "Nothing to change; 3 people are left out: 3 without a call center." in said["message"]
    assert counts(said) == {"call_center_missing": 3}
    company.run()
    said = company.put(auto_provision={})
    assert "Then 3 people are left out: 3 without a call center." in said["message"]
    assert counts(said) == {"call_center_missing": 3}


def test_who_is_unchanged_is_counted_all_the_same(company: Company) -> None:
    """Also who has been a member: of them an import reads no more than a digest."""
    org = company.salesforce
    company.put(domains=DOMAINS)
    stays, moves, leaves, renamed = (org.create(Department="Sales") for _ in range(4))
    company.run()
    org.update(moves, Department="Kitchen")
    org.update(leaves, IsActive=False)
    org.update(renamed, Email="ada@else.example")
    first = company.run()
    assert first_of(first) == {"unmatched": moves, "inactive_user": leaves, "email_domain": renamed}
    before = company.items()
    again = company.run()
    assert again["left_out"] == first["left_out"]
    assert company.items() == before
    # Whom nobody looks at because of themselves is counted once, though the filters of the inactive change.
    org.update(stays, Title="Chief")
    company.put(assignments=[{**SALES, "filter": "Department = 'Sales' AND Manager.Title = null"}])
    org.update(leaves, ManagerId=stays)
    company.run()
    org.update(stays, Title=None)
    assert counts(company.run())["inactive_user"] == 1


def test_who_is_closed_though_salesforce_has_nothing_against_it_is_told_with_the_members_reason(
    company: Company,
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    changes = [{"member": ada, "end_date": "2026-01-31"}]
    asked = {"organization": "acme", "by": "jane", "changes": changes}
    assert member_settings.handler(asked, company.context)["status"] == "succeeded"
    assert first_of(company.run(preview=True)) == {"end_date": ada}


def test_an_incremental_import_counts_those_it_has_read(company: Company, now: SimpleNamespace) -> None:
    org = company.salesforce
    company.put(domains=DOMAINS)
    old = org.create(Department="Kitchen")
    now.time += timedelta(hours=1)
    org.create(Department="Sales")
    company.run()
    now.time += timedelta(hours=1)
    new = org.create(Department="Sales", Email="x@else.example")
    said = company.run("incremental")
    assert first_of(said) == {"email_domain": new}
    assert "1 of those read is left out: 1 of another e-mail domain." in said["message"]
    assert first_of(company.run(None, members=[old])) == {"unmatched": old}


def test_who_waits_for_a_namesake_is_named_with_whom_it_waits_for(company: Company) -> None:
    org = company.salesforce
    pair = [org.create(Department="Sales", Email="s@acme.example") for _ in range(2)]
    company.run()
    for said in (company.run(), company.run(preview=True), company.run()):
        [waits] = said["left_out"]["namesake_active"]["first"]
        [holder] = waits["waits_for"]
        assert holder["member"] == company.roster()[next(iter(company.active()))]["id"]
        assert waits["user"] in {*pair} - company.active()
        assert "1 person is left out: 1 waiting for a namesake to leave." in said["message"]


def test_the_record_of_a_run_counts_and_only_the_archive_names(company: Company, rules: StrictAws) -> None:
    for _ in range(12):
        company.salesforce.create(Department="Kitchen")
    said = company.run()
    [names] = [said["left_out"]["unmatched"]["first"]]
    assert len(names) == 10
    assert [each["user"] for each in names] == sorted(each["user"] for each in names)
    assert company.record(said["run_id"]).left_out == {"unmatched": 12}
    assert company.ask("run", run_id=said["run_id"])["left_out"] == said["left_out"]
    assert rules.archive
    rules.archive.objects.clear()
    later = company.ask("run", run_id=said["run_id"])["left_out"]
    assert later == {"unmatched": {"count": 12, "first": []}}
