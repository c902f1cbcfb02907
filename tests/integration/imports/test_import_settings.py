"""The settings that say whom an import brings in, and whether there is one at all (A4, A7, W7, W9)."""

from typing import Any

import pytest

import scheduled_import
from tests.integration.company import SALES, SUPPORT, Company


def test_switched_off_nothing_is_imported_and_a_preview_is_possible(company: Company) -> None:
    company.salesforce.create(Department="Sales")
    company.put(auto_provision={"enabled": False, "require_call_center": False})
    before = company.items()
    for event in ({"mode": "full"}, {"mode": "incremental", "by": "schedule"}):
        said = company.run(**event)
        [error] = said["errors"]
        assert (said["status"], error["where"]) == ("rejected", "auto_provision.enabled")
        assert error["remedy"]
    assert company.ask("runs")["runs"] == []
    assert company.items() == before
    assert company.run(preview=True)["counts"] == {"created": 1, "grant": 1}


def test_without_a_connection_or_without_settings_an_import_says_what_is_missing(company: Company) -> None:
    company.put(connections={})
    [error] = company.run()["errors"]
    assert error["where"] == "connections.salesforce"
    [error] = scheduled_import.handler(
        {"organization": "other", "mode": "full", "by": "jane"}, company.context
    )["errors"]
    assert (error["where"], "no settings" in error["message"]) == ("organization", True)
    assert error["remedy"]


@pytest.mark.parametrize(
    ("switch", "change", "reason"),
    [
        ("when_deactivated", {"IsActive": False}, "inactive_user"),
        ("when_unmatched", {"Department": "Kitchen"}, "unmatched"),
    ],
)
def test_each_switch_keeps_its_kind_of_member_active_until_it_is_off(
    company: Company, switch: str, change: dict[str, Any], reason: str
) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales")
    company.put(keep_active={switch: True})
    company.run()
    org.update(ada, **change)
    company.run()
    kept = company.roster()[ada]
    assert kept["active"]
    assert kept["seats"] == {"gong": {"state": "held"}}
    before = company.items()
    company.run()
    assert company.items() == before
    company.put(keep_active={})
    assert company.run("incremental")["counts"] == {"deactivated": 1}
    assert company.roster()[ada]["inactive_reason"] == reason


def test_each_switch_keeps_nobody_but_its_own_kind(company: Company) -> None:
    org = company.salesforce
    left, moved = org.create(Department="Sales"), org.create(Department="Sales")
    company.put(keep_active={"when_deactivated": True})
    company.run()
    org.update(left, IsActive=False)
    org.update(moved, Department="Kitchen")
    company.run()
    assert company.active() == {left}
    company.put(keep_active={"when_unmatched": True})
    company.run()
    assert company.active() == set()


def test_managers_are_salesforces_unless_its_structure_is_ignored(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Support")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.put(ignore_organizational_structure=True)
    company.run()
    assert company.roster()[ada]["manager"] is None
    before = company.items()
    company.run()
    assert company.items() == before
    company.put(ignore_organizational_structure=False)
    company.run("incremental")
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]


def test_addresses_of_other_domains_are_left_out_or_converted(company: Company) -> None:
    org = company.salesforce
    own = org.create(Department="Sales", Email="own@acme.example")
    far = org.create(Department="Sales", Email="far@else.example")
    company.put(domains={"primary": "acme.example"})
    company.run()
    assert company.active() == {own}
    company.put(domains={"primary": "acme.example", "convert": True})
    company.run("incremental")
    roster = company.roster()
    assert company.active() == {own, far}
    assert roster[far]["email"] == "far@acme.example"
    assert roster[far]["crm"]["salesforce"]["email"] == "far@else.example"
    before = company.items()
    company.run()
    assert company.items() == before


def test_the_domain_and_the_names_are_those_that_the_member_would_have(company: Company) -> None:
    org = company.salesforce
    for name, kind in (("Work_Email__c", "Email"), ("Preferred__c", "Text")):
        org.call("POST", "/sandbox/custom-fields", {"name": name, "type": kind})
    names = {"Preferred__c": "Ada", "Department": "Sales"}
    ada = org.create(Email="x@login.example", Work_Email__c="ada@acme.example", **names)
    eve = org.create(Email="eve@acme.example", Work_Email__c="eve@rival.example", **names)
    nameless = org.create(Work_Email__c="nil@acme.example", Department="Sales")
    mapped = {"email": "Work_Email__c", "first_name": "Preferred__c"}
    company.put(domains={"primary": "acme.example"}, field_maps={"salesforce": mapped})
    assert company.run()["counts"] == {"created": 1}
    assert company.active() == {ada}
    assert company.roster()[ada]["email"] == "ada@acme.example"
    now = company.ask("explain", member=eve)["now"]
    assert (now["reason"], now["would_have"]["email"]) == ("email_domain", "eve@rival.example")
    assert company.ask("explain", member=nameless)["reason"] == "name_missing"
    # The webhook judges alike.
    assert company.hear({"Id": eve}, {"Id": nameless}) == 0
    assert company.active() == {ada}
    org.update(ada, Work_Email__c="ada@rival.example")
    assert company.hear({"Id": ada}) == 0
    assert company.roster()[ada]["inactive_reason"] == "email_domain"


def test_an_assignment_says_for_itself_whether_its_members_need_a_call_center(company: Company) -> None:
    org = company.salesforce
    sales, support = org.create(Department="Sales"), org.create(Department="Support")
    company.put(
        auto_provision={"require_call_center": True},
        assignments=[{**SALES, "require_call_center": False}, SUPPORT],
    )
    company.run()
    assert company.active() == {sales}
    member = company.roster()[sales]
    assert (member["enabled"], member["inbound_enabled"]) == (True, False)
    company.put(assignments=[SALES, {**SUPPORT, "require_call_center": False}])
    company.run()
    assert company.active() == {support}
    assert company.roster()[sales]["inactive_reason"] == "call_center_missing"


def test_a_custom_field_that_the_settings_no_longer_list_disappears(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales", Region__c="EMEA", Title="Rep")
    listed = {"require_call_center": False, "custom_fields": ["Region__c"]}
    company.put(auto_provision=listed)
    company.run()
    assert company.roster()[ada]["custom"] == {"Region__c": "EMEA"}
    company.put(auto_provision={"require_call_center": False}, field_maps={"salesforce": {"title": None}})
    company.run()
    assert (company.roster()[ada]["custom"], company.roster()[ada]["title"]) == ({}, None)
    before = company.items()
    company.run()
    assert company.hear({"Id": ada}) == 0
    assert company.items() == before


def test_who_has_left_is_nobodys_manager_whether_a_member_before_or_not(company: Company) -> None:
    org = company.salesforce
    boss, never = org.create(Department="Support"), org.create(Department="Support", IsActive=False)
    ada, bob = (org.create(Department="Sales", ManagerId=above) for above in (boss, never))
    company.run()
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]
    org.update(boss, IsActive=False)
    # In one run, and as part of its plan.
    preview = company.run(preview=True)
    assert preview["counts"] == {"deactivated": 1, "updated": 1, "revoke": 1}
    assert company.run()["counts"] == {"deactivated": 1, "updated": 1}
    assert [company.roster()[each]["manager"] for each in (ada, bob)] == [None, None]
    why = [company.ask("explain", member=each)["manager"]["why"] for each in (ada, bob)]
    assert "is not an active member. The user is deactivated in Salesforce" in why[0]
    assert "is not a member." in why[1]
    before = company.items()
    assert company.run()["counts"] == {}
    assert company.hear({"Id": ada}, {"Id": bob}) == 0
    assert company.items() == before
    for each in (boss, never):
        org.update(each, IsActive=True)
    company.run()
    roster = company.roster()
    assert [roster[each]["manager"] for each in (ada, bob)] == [roster[boss]["id"], roster[never]["id"]]
    before = company.items()
    company.run()
    assert company.items() == before


def test_a_manager_who_left_by_a_message_goes_from_the_reports_with_the_next_full_import(
    company: Company,
) -> None:
    org = company.salesforce
    boss = org.create(Department="Support")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.run()
    org.update(boss, IsActive=False)
    assert company.hear({"Id": boss}) == 0
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]
    assert company.run()["counts"] == {"updated": 1}
    assert company.roster()[ada]["manager"] is None
    # Whoever is looked at has it at once, also in the same message.
    org.update(boss, IsActive=True)
    assert company.hear({"Id": boss}) == 0
    org.update(boss, IsActive=False)
    org.update(ada, Title="Chief")
    assert company.hear({"Id": boss}, {"Id": ada}) == 0
    assert company.roster()[ada]["manager"] is None
    org.update(boss, IsActive=True)
    assert company.hear({"Id": boss}) == 0
    assert company.run()["counts"] == {"updated": 1}
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]
