"""Imports through the function's handler: who gets what, twice, changed, incremental, named (I, A)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.integration.company import SALES, SUPPORT, Company


def test_a_first_import_gives_everyone_what_their_assignment_says(company: Company) -> None:
    org = company.salesforce
    boss = org.create(FirstName="Grace", Department="Support")
    ada = org.create(FirstName="Ada", Department="Sales", ManagerId=boss)
    org.create(FirstName="Nobody", Department="Kitchen")
    org.create(FirstName="Gone", Department="Sales", IsActive=False)
    said = company.run()
    assert said["status"] == "succeeded"
    assert said["counts"] == {"created": 2}
    roster = company.roster()
    assert company.active() == {boss, ada}
    shown = roster[ada]
    assert shown["assignment"] == "Sales"
    assert shown["update_mode"] == "automatic"
    assert shown["seats"] == {"gong": {"state": "held"}}
    assert shown["workspaces"] == {"EMEA": "Team member"}
    assert shown["data_capture"] == {
        "record_web_conferences": {
            "intended": "enabled",
            "effective": "enabled",
            "seat_required": "gong",
            "origin": "assignment:Sales",
        },
        "import_emails": {
            "intended": "prevented",
            "effective": "prevented",
            "seat_required": None,
            "origin": "assignment:Sales",
        },
    }
    assert shown["manager"] == roster[boss]["id"]
    assert roster[boss]["update_mode"] == "manual"
    (created,) = company.history(ada)[-1:]
    assert created["run"] == f"run:{said['run_id']}"


def test_an_unchanged_source_means_no_writes_in_either_mode(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Support")
    for _ in range(7):
        org.create(Department="Sales", ManagerId=boss)
    company.run()
    before = company.items()
    for mode in ("full", "incremental", "full"):
        said = company.run(mode)
        assert said["counts"] == {}
        assert company.items() == before


def test_a_manager_who_joins_later_becomes_the_manager_of_those_who_were_there(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Kitchen")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.run()
    assert company.roster()[ada]["manager"] is None
    org.update(boss, Department="Support")
    company.run()
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]
    before = company.items()
    company.run()
    assert company.items() == before


def test_loops_of_managers_are_cut_and_reported(company: Company) -> None:
    org = company.salesforce
    one = org.create(Department="Sales")
    two = org.create(Department="Sales", ManagerId=one)
    org.update(one, ManagerId=two)
    below = org.create(Department="Sales", ManagerId=one)
    said = company.run()
    assert said["status"] == "succeeded_with_errors"
    roster = company.roster()
    assert roster[one]["manager"] is None
    assert roster[two]["manager"] is None
    assert roster[below]["manager"] == roster[one]["id"]
    (entry,) = company.errors()
    assert "leads in a circle" in entry["message"]
    assert one in entry["message"]
    before = company.items()
    company.run()
    assert company.items() == before


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_what_changes_in_salesforce_changes_in_the_roster(company: Company, mode: str) -> None:
    org = company.salesforce
    ada, bob, eve = (org.create(Department="Sales") for _ in range(3))
    company.run()
    org.update(ada, Title="Chief", Department="Support")
    org.update(bob, IsActive=False)
    org.update(eve, Department="Kitchen")
    said = company.run(mode)
    assert said["counts"] == {"deactivated": 2, "updated": 1}
    roster = company.roster()
    assert roster[ada]["title"] == "Chief"
    assert roster[ada]["assignment"] == "Support"
    assert roster[bob]["inactive_reason"] == "inactive_user"
    assert roster[eve]["inactive_reason"] == "unmatched"
    assert roster[bob]["seats"] == roster[eve]["seats"] == {}
    org.update(bob, IsActive=True)
    assert company.run(mode)["counts"] == {"reactivated": 1}
    assert company.roster()[bob]["seats"] == {"gong": {"state": "held"}}


def test_a_filter_over_a_relationship_counts_though_the_user_itself_is_unchanged(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Support", Title="Head")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.put(assignments=[{"name": "Led by a head", "filter": "Manager.Title = 'Head'"}, SUPPORT])
    company.run()
    assert company.roster()[ada]["assignment"] == "Led by a head"
    org.update(boss, Title="Member")
    company.run()
    assert company.roster()[ada]["inactive_reason"] == "unmatched"


def test_seats_run_out_and_the_line_moves_on_in_the_same_run(company: Company) -> None:
    org = company.salesforce
    sales = [org.create(Department="Sales") for _ in range(4)]
    support = [org.create(Department="Support") for _ in range(3)]
    said = company.run()
    assert said["seats"] == {"gong": {"limit": 5, "held": 5, "waiting": 2}}
    roster = company.roster()
    assert all(roster[each]["seats"]["gong"]["state"] == "held" for each in sales)
    waiting = [each for each in support if roster[each]["seats"]["gong"]["state"] == "waiting"]
    assert len(waiting) == 2
    # Someone of the upper assignment comes later, and goes before them.
    late = org.create(Department="Sales")
    company.run("incremental")
    assert company.roster()[late]["seats"]["gong"]["state"] == "waiting"
    org.update(sales[0], IsActive=False)
    said = company.run("incremental")
    assert said["counts"] == {"deactivated": 1, "seated": 1}
    roster = company.roster()
    assert roster[late]["seats"] == {"gong": {"state": "held"}}
    assert roster[late]["data_capture"]["record_web_conferences"]["effective"] == "enabled"
    assert [roster[each]["seats"]["gong"]["state"] for each in waiting] == ["waiting", "waiting"]


def test_named_people_are_imported_now_and_nobody_else(company: Company) -> None:
    org = company.salesforce
    ada = org.create(FirstName="Ada", Department="Sales", Email="ada@acme.example")
    org.create(Department="Sales")
    said = company.run(None, members=["ada@acme.example"])
    assert said["counts"] == {"created": 1}
    assert company.active() == {ada}


def test_who_is_not_known_keeps_nobody_else_from_being_imported(company: Company) -> None:
    ada, bob = (company.salesforce.create(FirstName=name, Department="Sales") for name in ("Ada", "Bob"))
    asked = [ada, "who@acme.example", bob, "no-such-id"]
    preview = company.run(None, members=asked, preview=True)
    assert (preview["status"], preview["counts"]["created"]) == ("succeeded_with_errors", 2)
    assert company.errors() == []
    said = company.run(None, members=asked)
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"created": 2})
    assert company.active() == {ada, bob}
    for answer in (preview, said):
        assert [error["where"] for error in answer["errors"]] == ["members[1]", "members[3]"]
        assert all(error["message"] and error["remedy"] for error in answer["errors"])
        assert "2 of the members named were not found" in answer["message"]
    run = company.record(said["run_id"])
    assert (run.members, run.errors, run.status) == ((ada, bob), 1, "succeeded_with_errors")
    [entry] = company.errors()
    assert (entry["code"], entry["notification"]) == ("member_not_found", run.id)
    assert "members[1], members[3]" in entry["message"]
    assert "who@" not in str(entry)


def test_an_import_of_nobody_who_is_known_is_refused(company: Company) -> None:
    refused = company.run(None, members=["who@acme.example", "no-such-id"])
    assert refused["status"] == "rejected"
    assert [error["where"] for error in refused["errors"]] == ["members[0]", "members[1]"]
    assert (company.ask("runs")["runs"], company.errors()) == ([], [])


def test_a_preview_says_what_would_be_done_and_does_nothing(company: Company) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales")
    before = company.items()
    said = company.run(preview=True)
    assert said["status"] == "succeeded"
    assert said["counts"] == {"created": 1, "grant": 1}
    assert said["seats"] == {"gong": {"limit": 5, "held": 1, "waiting": 0}}
    (change,) = said["changes"]
    assert change["user"] == ada
    assert change["does"] == "created"
    assert {"field": "assignment", "before": None, "after": "Sales"} in change["changes"]
    assert company.items() == before


def test_days_of_grace_pass_before_someone_unmatched_leaves(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales")
    company.put(keep_active={"grace_days": 2})
    company.run()
    org.update(ada, Department="Kitchen")
    company.run()
    assert company.active() == {ada}
    assert company.roster()[ada]["seats"] == {"gong": {"state": "held"}}
    before = company.items()
    company.run()
    assert company.items() == before
    pass_time(timedelta(days=2, minutes=1))
    assert company.run()["counts"] == {"deactivated": 1}
    assert company.roster()[ada]["inactive_reason"] == "unmatched"


def test_a_manual_assignment_seeds_once_and_an_automatic_one_decides_every_time(company: Company) -> None:
    org = company.salesforce
    manual, automatic = org.create(Department="Support"), org.create(Department="Sales")
    company.run()
    company.put(assignments=[{**SALES, "workspaces": {"EMEA": "Lead"}}, {**SUPPORT, "seats": []}])
    company.run()
    roster = company.roster()
    assert roster[automatic]["workspaces"] == {"EMEA": "Lead"}
    assert roster[manual]["seats"] == {"gong": {"state": "held"}}


def test_values_come_from_fields_of_the_user(company: Company) -> None:
    org = company.salesforce
    company.put(
        assignments=[
            {
                "name": "All",
                "seats": [{"field": "Division", "map": {"G": "gong"}}],
                "workspaces": {"EMEA": {"field": "Title", "map": {"Lead": "Manager", "Rep": "Team member"}}},
                "data_capture": {"import_emails": {"field": "IsActive", "map": {"true": "enabled"}}},
                "engage": {"group": {"field": "Country", "map": {"GB": "UK Field Force"}}},
            }
        ]
    )
    ada = org.create(Division="G", Title="Lead", Country="GB")
    bob = org.create(Division="H", Title="Cook", Country="FR")
    company.run()
    roster = company.roster()
    assert roster[ada]["seats"] == {"gong": {"state": "held"}}
    assert roster[ada]["workspaces"] == {"EMEA": "Manager"}
    assert roster[ada]["data_capture"]["import_emails"]["effective"] == "enabled"
    assert roster[ada]["engage"]["request"] == "UK Field Force"
    assert (roster[bob]["seats"], roster[bob]["workspaces"]) == ({}, {})
    assert roster[bob]["engage"]["request"] is None


def test_values_of_a_multi_select_picklist_and_of_numbers_find_their_keys(company: Company) -> None:
    org = company.salesforce
    for name, kind in (("Licences__c", "MultiselectPicklist"), ("Tier__c", "Number")):
        org.call("POST", "/sandbox/custom-fields", {"name": name, "type": kind})
    ada = org.create(Department="Sales", Licences__c="Gong;Forecast", Tier__c=1)
    licences = {"field": "Licences__c", "map": {"Gong": "gong", "Forecast": "forecast"}}
    tier = {"field": "Tier__c", "map": {"1": "Manager"}}
    said = company.put(
        seats={"gong": {}, "forecast": {}},
        assignments=[{"name": "All", "seats": [licences], "workspaces": {"EMEA": tier}}],
    )
    assert not [each for each in said["warnings"] if ".map" in each["where"]]
    company.run()
    member = company.roster()[ada]
    assert set(member["seats"]) == {"gong", "forecast"}
    assert member["workspaces"] == {"EMEA": "Manager"}
    before = company.items()
    company.run()
    assert company.items() == before
    # What a message brings is written otherwise and means the same.
    assert company.hear({"Id": ada}) == 0
    assert company.items() == before


def test_a_key_that_the_field_never_holds_is_told_when_settings_are_saved(company: Company) -> None:
    capture = {"field": "Import_Emails__c", "map": {"TRUE": "enabled", "Yes": "prevented"}}
    said = company.put(assignments=[{"name": "All", "data_capture": {"import_emails": capture}}])
    [warning] = [each for each in said["warnings"] if each["where"].endswith(".map")]
    assert warning["where"] == "assignments[0].data_capture.import_emails.map"
    assert '"TRUE", "Yes"' in warning["message"]
    assert warning["remedy"] == 'Write "true" or "false".'
