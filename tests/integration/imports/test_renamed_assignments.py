"""Renaming an assignment is not moving its members: hand edits, overrides and places in line stay (A12)."""

from typing import Any

import pytest

import member_settings
import organization_settings
from tests.integration.company import SALES, SUPPORT, Company

LEAD: dict[str, Any] = {
    "workspaces": {"EMEA": "Lead"},
    "data_capture": {"import_emails": "prevented"},
    "seats": [],
}
EMAILS = {"data_capture": {"import_emails": "enabled", "record_web_conferences": "prevented"}}
MANUAL = {**SUPPORT, **EMAILS}
RENAMED = {**MANUAL, "name": "Customer support"}
MOVED = {**RENAMED, "filter": "Department LIKE 'Support%'"}


def about_edits(said: dict[str, Any]) -> list[dict[str, str]]:
    """Return the warnings of an answer, but that a guard can stop nothing among so few."""
    return [warning for warning in said["warnings"] if warning["where"] != "guard"]


def edit(company: Company, member: str, by: str = "jane", role: str = "admin", **change: Any) -> None:
    changes = [{"member": member, **change}]
    event = {"organization": "acme", "by": by, "as": role, "changes": changes}
    said = member_settings.handler(event, company.context)
    assert said["status"] == "succeeded", said


def edited(company: Company) -> str:
    """Return the id of somebody whose values were edited by hand."""
    eve = company.salesforce.create(Department="Support")
    company.put(assignments=[SALES, MANUAL])
    company.run()
    edit(company, eve, **LEAD)
    return eve


def preview(company: Company, *assignments: dict[str, Any]) -> dict[str, Any]:
    document = {**company.document, "assignments": list(assignments)}
    event = {"organization": "acme", "action": "preview", "by": "jane", "settings": document}
    said: dict[str, Any] = organization_settings.handler(event, company.context)
    assert said["status"] == "succeeded", said
    return said


@pytest.mark.parametrize(
    "versions",
    [
        [[SALES, RENAMED]],
        [[RENAMED, SALES]],
        [[SALES, {**MOVED, "formerly": ["Support"]}]],
        # Several times before an import sees it.
        [[SALES, RENAMED], [{**RENAMED, "name": "Help"}, SALES]],
        [[SALES, RENAMED], [SALES, MANUAL]],
        # Two exchange their names.
        [[{**SALES, "name": "Support"}, {**MANUAL, "name": "Sales"}]],
    ],
)
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_what_was_edited_by_hand_stays(
    company: Company, versions: list[list[dict[str, Any]]], mode: str
) -> None:
    eve = edited(company)
    for assignments in versions:
        said = company.put(assignments=assignments)
        assert (said["status"], about_edits(said)) == ("succeeded", [])
    company.run(mode)
    member = company.roster()[eve]
    name = next(each["name"] for each in versions[-1] if each.get("update_mode") == "manual")
    assert (member["assignment"], member["workspaces"], member["seats"]) == (name, {"EMEA": "Lead"}, {})
    capture = member["data_capture"]
    assert (capture["import_emails"]["intended"], capture["import_emails"]["origin"]) == (
        "prevented",
        "manual:jane",
    )
    # What the assignment gave carries its name.
    assert capture["record_web_conferences"]["origin"] == f"assignment:{name}"
    before = company.items()
    company.run()
    assert company.items() == before


def test_a_managers_override_stays(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Support")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.put(managers={"may_toggle_capture": True})
    company.run()
    edit(company, ada, boss, "manager", data_capture={"record_web_conferences": "prevented"})
    company.put(assignments=[{**SALES, "name": "Sales EMEA"}, SUPPORT])
    company.run("incremental")
    capture = company.roster()[ada]["data_capture"]
    assert capture["record_web_conferences"]["intended"] == "prevented"
    assert capture["record_web_conferences"]["origin"].startswith("manager:")
    assert capture["import_emails"]["origin"] == "assignment:Sales EMEA"


def test_places_in_line_stay(company: Company) -> None:
    company.put(seats={"gong": {"limit": 1}})
    company.salesforce.create(Department="Sales")
    company.run()
    ada = company.salesforce.create(Department="Sales")
    company.run()
    since = company.roster()[ada]["seats"]["gong"]["since"]
    company.put(assignments=[SUPPORT, {**SALES, "name": "Sales EMEA"}])
    company.run("incremental")
    assert company.roster()[ada]["seats"]["gong"] == {"state": "waiting", "since": since}


def test_whoever_is_kept_goes_with_the_name(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.put(keep_active={"when_deactivated": True})
    company.run()
    company.salesforce.update(ada, IsActive=False, Department="Kitchen")
    company.run()
    company.put(assignments=[{**SALES, "name": "Sales EMEA", "seats": []}, SUPPORT])
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["assignment"], member["seats"]) == ("Sales EMEA", {})


def test_between_saving_and_the_import_the_renamed_assignment_governs(company: Company) -> None:
    eve = edited(company)
    company.put(assignments=[SALES, {**RENAMED, "update_mode": "automatic"}])
    changes = [{"member": eve, "seats": ["gong"]}]
    event = {"organization": "acme", "by": "jane", "changes": changes}
    [error] = member_settings.handler(event, company.context)["errors"]
    assert "(automatic)" in error["message"]
    assert company.ask("explain", member=eve)["assignment"]["position"] == 2


@pytest.mark.parametrize(
    ("assignments", "then"),
    [
        ([SALES, MOVED], "Customer support"),
        ([SALES, {**MANUAL, "name": "Everybody", "filter": "Department != 'Sales'"}], "Everybody"),
        ([{**SALES, "filter": "Department != 'Kitchen'"}, MANUAL], "Sales"),
    ],
)
def test_a_change_that_takes_hand_edits_away_is_a_warning_with_counts(
    company: Company, assignments: list[dict[str, Any]], then: str
) -> None:
    eve = edited(company)
    said = preview(company, *assignments)
    [warning] = about_edits(said)
    assert warning["where"] == "assignments"
    assert f"from 1 member: 1 of 'Support' (then in '{then}')" in warning["message"]
    assert "formerly" in warning["remedy"]
    [change] = said["changes"]
    assert change["loses_by_hand"] == ["data_capture.import_emails", "workspaces.EMEA"]
    assert about_edits(company.put(assignments=assignments)) == [warning]
    # An import's own preview says so too.
    assert company.run("full", preview=True)["warnings"] == [warning]
    company.run()
    assert company.roster()[eve]["workspaces"] != {"EMEA": "Lead"}


def test_an_assignment_that_becomes_automatic_takes_hand_edits_away_too(company: Company) -> None:
    edited(company)
    [warning] = about_edits(preview(company, SALES, {**MANUAL, "update_mode": "automatic"}))
    assert "from 1 member: 1 of 'Support'" in warning["message"]
    assert "then in" not in warning["message"]


def test_whoever_leaves_loses_nothing_that_a_warning_is_about(company: Company) -> None:
    edited(company)
    assert about_edits(preview(company, SALES)) == []
