"""Why someone is in the roster or not, asked of a roster that imports filled from a Salesforce (Q1)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from muster import bootstrap
from muster.webhook.applying_changes import apply_message
from muster.webhook.messages import QueuedChange, QueuedMessage
from muster.webhook.ports import Ports
from tests.integration.beginnings import Connected
from tests.integration.company import Company

CALL_CENTER = "04v000000000001AAA"
DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "auto_provision": {"require_call_center": True},
    "domains": {"primary": "acme.example"},
    "seats": {"gong": {"limit": 2}, "forecast": {"requires": ["gong"]}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [
        {"name": "Chiefs", "filter": "Title = 'Chief'"},
        {
            "name": "Sales",
            "filter": "Department = 'Sales'",
            "seats": ["gong", {"field": "Division", "map": {"Forecasters": "forecast"}}],
            "workspaces": {"EMEA": "Team member"},
            "data_capture": {"record_web_conferences": "enabled"},
        },
        {"name": "Everyone in London", "filter": "City = 'London'"},
    ],
}


@pytest.fixture
def acme(connected: Connected) -> Company:
    """Return Acme with three assignments and two seats; nobody works there yet."""
    company = Company(*connected, DOCUMENT)
    said = company.put(connections={"salesforce": company.salesforce.connection})
    assert said["status"] == "succeeded", said
    return company


def seller(company: Company, **fields: Any) -> str:
    return company.salesforce.create(**{"Department": "Sales", "CallCenterId": CALL_CENTER, **fields})


def calls(company: Company) -> int:
    return len(company.salesforce.wire.calls)


def test_a_member_is_explained_from_top_to_bottom_without_asking_salesforce(acme: Company) -> None:
    boss = seller(acme, FirstName="Grace", Title="Chief")
    ada = seller(acme, ManagerId=boss, City="London")
    run = acme.run()["run_id"]
    asked = calls(acme)
    said = acme.ask("explain", member=ada)
    assert calls(acme) == asked
    assert said["status"] == "succeeded"
    assert said["message"] == (
        f"{said['identity']['name']} is active and holds gong."
        " Assignment Sales is the uppermost of those that match."
    )
    assert (said["in"], said["reason"], said["user"]) == (True, None, ada)
    assert said["assignment"] == {"name": "Sales", "position": 2, "update_mode": "automatic"}
    assert (said["also_matched"], said["did_not_match"]) == (["Everyone in London"], ["Chiefs"])
    gong = said["seats"]["gong"]
    assert (gong["state"], gong["origin"], gong["why"]) == ("held", "assignment:Sales", None)
    assert gong["since"] == said["since"]
    assert said["seats"]["forecast"]["state"] == "not_given"
    assert "Division" in said["seats"]["forecast"]["why"]
    assert said["workspaces"] == {"EMEA": {"profile": "Team member", "origin": "assignment:Sales"}}
    assert said["data_capture"]["record_web_conferences"]["effective"] == "enabled"
    assert said["manager"]["id"] == acme.roster()[boss]["id"]
    assert said["manager"]["name"] == acme.roster()[boss]["name"]
    assert said["note"] is said["now"] is said["salesforce"] is said["keep_active"] is None
    (created,) = said["last_changes"]
    assert created["run"] == f"run:{run}"
    assert [each["run_id"] for each in said["runs"]] == [run]
    assert said["since"] == created["at"]


def test_who_waits_for_a_seat_is_told_the_place_and_what_hangs_on_it(acme: Company) -> None:
    people = [seller(acme, Division="Forecasters") for _ in range(5)]
    acme.run()
    places = {}
    for person in people:
        said = acme.ask("explain", member=person)
        seat = said["seats"]["gong"]
        capture = said["data_capture"]["record_web_conferences"]
        if seat["state"] == "waiting":
            places[seat["place"]] = said["member"]
            assert seat["of"] == 3
            assert said["seats"]["forecast"]["requires"] == "gong"
            assert (capture["intended"], capture["effective"]) == ("enabled", "disabled")
            assert f"place {seat['place']} of 3" in capture["why"]
        else:
            assert said["seats"]["forecast"]["state"] == "held"
            assert capture["why"] is None
    line = acme.ask("seats")["seats"]["gong"]["line"]
    assert {each["place"]: each["member"] for each in line} == places
    assert sorted(places) == [1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Department": "Kitchen"}, "unmatched"),
        ({"CallCenterId": None}, "call_center_missing"),
        ({"FirstName": None, "Username": "x@acme.example"}, "name_missing"),
        ({"Email": "ada@elsewhere.example"}, "email_domain"),
        ({"IsActive": False}, "inactive_user"),
    ],
)
def test_who_is_only_in_salesforce_is_evaluated_there_and_then(
    acme: Company, fields: dict[str, Any], reason: str
) -> None:
    seller(acme)
    acme.run()
    before = acme.items()
    first_name = fields.pop("FirstName", "Ada")
    outsider = seller(
        acme, FirstName=first_name or "Ada", **{k: v for k, v in fields.items() if v is not None}
    )
    missing = {name: None for name, value in {"FirstName": first_name, **fields}.items() if value is None}
    if missing:
        acme.salesforce.update(outsider, **missing)
    said = acme.ask("explain", member=outsider)
    assert (said["in"], said["member"], said["user"], said["reason"]) == (False, None, outsider, reason)
    assert said["now"]["would_be"] == "not_provisioned"
    assert said["message"] == f"Not in the roster. {said['why']}"
    assert said["now"]["did_not_match"][0] == "Chiefs"
    assert acme.items() == before


@pytest.mark.parametrize("by", ["id", "username", "email"])
def test_who_would_come_in_is_told_so_and_what_to_paste_brings_them_in(acme: Company, by: str) -> None:
    seller(acme)
    acme.run()
    eve = seller(acme, Username="eve@acme.example", Email="eve.moneypenny@acme.example")
    reference = {"id": eve[:15], "username": "eve@acme.example", "email": "eve.moneypenny@acme.example"}[by]
    said = acme.ask("explain", member=reference)
    assert (said["in"], said["reason"], said["user"]) == (False, None, eve)
    assert said["now"]["would_be"] == "created"
    assert {each["field"]: each["after"] for each in said["now"]["changes"]}["seats.gong.state"] == "held"
    (step,) = said["now"]["to_do"]
    assert step["function"] == "ScheduledImportFunction"
    acme.run(mode=None, **{key: value for key, value in step["event"].items() if key != "organization"})
    assert acme.ask("explain", member=reference)["in"]


def test_who_waits_for_a_namesake_to_leave_is_told_for_whom(acme: Company) -> None:
    ada = seller(acme, Username="ada@acme.example", Email="ada@acme.example")
    acme.run()
    member = acme.roster()[ada]["id"]
    again = seller(acme, Username="ada.again@acme.example", Email="ada@acme.example")
    acme.run()
    for _ in ("asked of Salesforce", "remembered"):
        said = acme.ask("explain", member=again)
        assert said["reason"] == "namesake_active"
        assert member in said["why"]
        assert said["recorded"]["reason"] == "namesake_active"
        acme.salesforce.faults({"path": "/services/data", "fault": "status", "status": 403, "count": 50})


def test_what_was_recorded_is_told_beside_what_salesforce_says_now(acme: Company) -> None:
    person = seller(acme, Department="Kitchen")
    told_of(acme, person)
    acme.salesforce.update(person, Department="Sales")
    said = acme.ask("explain", member=person)
    assert said["recorded"]["reason"] == "unmatched"
    assert said["recorded"]["as_of"]
    assert (said["reason"], said["now"]["would_be"]) == (None, "created")


def told_of(company: Company, crm_id: str) -> None:
    """Let the worker follow an outbound message that names the user."""
    settings = bootstrap.settings_table().current("acme").settings  # type: ignore[union-attr] # they are saved
    connection = settings.connections.salesforce
    assert connection
    change = QueuedChange("04l000000000001AAA", {"Id": crm_id})
    message = QueuedMessage("acme", "salesforce", datetime.now(UTC), (change,))
    apply_message(
        message,
        settings,
        Ports(bootstrap.roster_table(), bootstrap.loss_table(), bootstrap.salesforce(connection)),
        datetime.now(UTC),
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 403},
        {"fault": "html"},
    ],
    ids=["refused", "a page"],
)
def test_without_an_answer_from_salesforce_what_muster_knows_is_told(
    acme: Company, fault: dict[str, Any]
) -> None:
    outsider, ada = seller(acme, Department="Kitchen"), seller(acme)
    told_of(acme, outsider)
    acme.run()
    acme.salesforce.faults({"path": "/services/data", "count": 50, **fault})
    expected = {outsider: (False, "unmatched"), "nobody@acme.example": (False, None), ada: (True, None)}
    for reference, (is_in, reason) in expected.items():
        said = acme.ask("explain", member=reference, live=True)
        assert (said["status"], said["in"], said["reason"]) == ("succeeded", is_in, reason)
        assert said["now"] is None
        assert said["salesforce"].startswith(
            "Salesforce could not be asked, so this is only what Muster has recorded"
        )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nobody@acme.example", "member is nobody in the roster or in Salesforce: {}."),
        ("005000000000999AAA", "member is nobody in the roster or in Salesforce: {}."),
        ("001000000000001AAA", "member is not in the roster: {}."),
        ("a-member-id-of-nobody", "member is not in the roster: {}."),
        ("o'brien\\' OR Id != ''@acme.example", "member is nobody in the roster or in Salesforce: {}."),
    ],
)
def test_who_is_nowhere_is_not_found(acme: Company, reference: str, message: str) -> None:
    seller(acme)
    acme.run()
    said = acme.ask("explain", member=reference)
    assert (said["status"], said["message"]) == ("rejected", message.format(repr(reference)))
    assert said["errors"][0]["remedy"]


def test_without_a_connection_only_what_was_recorded_is_told(acme: Company) -> None:
    ada = seller(acme, Username="ada@acme.example", Email="ada@acme.example")
    acme.run()
    again = seller(acme, Username="ada.again@acme.example", Email="ada@acme.example")
    acme.run()
    del acme.document["connections"]
    acme.put()
    asked = calls(acme)
    said = acme.ask("explain", member=again)
    assert (said["reason"], said["now"]) == ("namesake_active", None)
    assert "no Salesforce connection" in said["salesforce"]
    for reference in ("005000000000999AAA", "nobody@acme.example"):
        assert acme.ask("explain", member=reference)["status"] == "rejected"
    live = acme.ask("explain", member=ada, live=True)
    assert live["in"]
    assert "no Salesforce connection" in live["salesforce"]
    assert calls(acme) == asked


def test_live_tells_what_a_new_evaluation_would_change_and_changes_nothing(acme: Company) -> None:
    ada = seller(acme)
    acme.run()
    said = acme.ask("explain", member=ada, live=True)
    assert (said["now"]["would_be"], said["now"]["changes"]) == ("unchanged", [])
    acme.salesforce.update(ada, Title="Chief")
    before = acme.items()
    said = acme.ask("explain", member=ada, live=True)
    assert said["assignment"]["name"] == "Sales"
    assert said["now"]["assignment"]["name"] == "Chiefs"
    changed = {each["field"] for each in said["now"]["changes"]}
    assert {"title", "assignment", "seats.gong.state", "workspaces.EMEA"} <= changed
    acme.salesforce.update(ada, IsActive=False)
    assert acme.ask("explain", member=ada, live=True)["now"]["would_be"] == "deactivated"
    assert acme.items() == before


def test_settings_that_are_newer_than_the_last_import_are_noted(acme: Company) -> None:
    ada = seller(acme)
    acme.run()
    acme.put(assignments=[{"name": "All", "filter": "Department != 'x'"}, *DOCUMENT["assignments"]])
    said = acme.ask("explain", member=ada)
    assert "settings have changed" in said["note"]
    assert said["assignment"]["position"] == 3
    acme.run()
    said = acme.ask("explain", member=ada)
    assert (said["note"], said["assignment"]["name"]) == (None, "All")


def test_days_of_grace_are_told_with_their_end(acme: Company) -> None:
    acme.put(keep_active={"grace_days": 7})
    ada = seller(acme)
    acme.run()
    acme.salesforce.update(ada, Department="Kitchen")
    acme.run()
    said = acme.ask("explain", member=ada)
    assert (said["in"], said["reason"]) == (True, "unmatched")
    assert (said["also_matched"], len(said["did_not_match"])) == ([], 3)
    assert said["keep_active"]["deactivated_on"][:10] > said["keep_active"]["unmatched_since"][:10]


def test_who_has_left_is_told_why_and_when(acme: Company) -> None:
    ada = seller(acme)
    acme.run()
    acme.salesforce.update(ada, IsActive=False)
    run = acme.run()["run_id"]
    said = acme.ask("explain", member=ada)
    assert (said["in"], said["reason"], said["did_not_match"]) == (False, "inactive_user", None)
    assert (
        said["message"]
        == f"{said['identity']['name']} is not active. The user is deactivated in Salesforce, or is not in"
        " the org that is connected now."
    )
    assert said["since"] == said["last_changes"][0]["at"]
    assert said["runs"][0]["run_id"] == run
    assert "active" in said["runs"][0]["changed"]


def test_why_someone_has_no_manager_is_told(acme: Company) -> None:
    one = seller(acme)
    two = seller(acme, ManagerId=one)
    acme.salesforce.update(one, ManagerId=two)
    kitchen = acme.salesforce.create(Department="Kitchen")
    below = seller(acme, ManagerId=kitchen)
    top = seller(acme)
    acme.run()
    assert f"in a circle, so none of them has one here: {min(one, two)}" in why_no_manager(acme, one)
    assert f"{kitchen}, is not a member." in why_no_manager(acme, below)
    assert why_no_manager(acme, top) == "Salesforce names no manager."
    acme.put(ignore_organizational_structure=True)
    assert "ignore_organizational_structure" in why_no_manager(acme, top)


def why_no_manager(company: Company, member: str) -> str:
    said = company.ask("explain", member=member)["manager"]
    assert said["id"] is None
    return str(said["why"])


def test_nothing_personal_is_logged(
    acme: Company, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    outsider = seller(acme, FirstName="Moneypenny", Department="Kitchen")
    ada = seller(acme, FirstName="Moneypenny")
    acme.run()
    caplog.clear()
    for reference in (outsider, ada, "moneypenny@acme.example"):
        acme.ask("explain", member=reference, live=True)
    assert [vars(record)["action"] for record in caplog.records] == ["explain"] * 3
    told = str([vars(record) for record in caplog.records]) + capsys.readouterr().out
    assert "moneypenny" not in told.casefold()


def test_a_parked_import_shows_its_plan_and_the_event_that_approves_it(acme: Company) -> None:
    people = [seller(acme) for _ in range(7)]
    acme.run()
    for person in people:
        acme.salesforce.update(person, IsActive=False)
    assert acme.run()["status"] == "parked"
    run_id = acme.ask("runs", limit=1)["runs"][0]["id"]
    said = acme.ask("run", run_id=run_id, by="jane@acme.example")
    assert said["run"]["status"] == "parked"
    assert said["message"].startswith("It waits for approval until")
    assert {(item["user"], item["does"], item["reason"]) for item in said["items"]} == {
        (person, "deactivated", "inactive_user") for person in people
    }
    approve, reject = said["to_do"]
    assert (approve["function"], reject["function"]) == ("ScheduledImportFunction", "ScheduledImportFunction")
    assert acme.run(mode=None, **approve["event"])["status"] == "succeeded"
    assert acme.active() == set()
    ended = acme.ask("run", run_id=run_id)
    assert (ended["run"]["approved_by"], ended["progress"]) == ("jane@acme.example", None)
    # What it has done can be undone, by the event that says so.
    (undo,) = ended["to_do"]
    assert undo["event"]["preview"]
    assert acme.run(mode=None, **{**undo["event"], "by": "jane"})["ended"] == "previewed"
    assert acme.ask("run", run_id=run_id, cursor="1.1.0")["status"] == "rejected"
    assert len(ended["items"]) == 7
