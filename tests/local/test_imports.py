"""Imports of a whole company on the deployed stack, driven through its public doors only.

The company is an organization of its own, globex, beside acme on the same stack and over the same
Salesforce; nothing may cross.
"""

import json
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.doubles import outbound_messages
from tests.local.conftest import PATIENCE_S, People, Roster
from tests.local.globex import ADMIN, EVERYONE, LIMITS, Answer, Globex, assignment_of, imported, visitor


@pytest.fixture(scope="module")
def globex(stack: LocalStack, salesforce: SalesforceAdmin) -> Iterator[Globex]:
    """The company after its first import; afterwards, nothing follows or imports it any more."""
    with imported(stack, salesforce) as globex:
        yield globex


@pytest.fixture
def held(globex: Globex, delivery: SalesforceAdmin) -> SalesforceAdmin:
    """Salesforce, whose messages are held back until the test has ended."""
    globex.settle()
    delivery.delivery(hold=True)
    return delivery


# ── Who gets what ────────────────────────────────────────────────────────────────────────────────────


def test_everyone_is_in_by_the_uppermost_assignment_that_matches(globex: Globex) -> None:
    expected = {person: name for person in EVERYONE if (name := assignment_of(person))}
    assert Counter(expected.values()) == {"Contractors": 6, "Field sales": 20, "Support": 11}
    assert globex.first_run["status"] == "succeeded"
    assert globex.first_run["counts"]["created"] == len(expected)
    assert {name: member["assignment"] for name, member in globex.at_first.items()} == {
        person.username: name for person, name in expected.items()
    }
    for person in expected:
        member = globex.at_first[person.username]
        manager = globex.at_first.get(person.manager or "", {"id": None})
        assert (member["name"], member["title"], member["email"], member["manager"]) == (
            f"{person.first_name} {person.last_name}",
            person.title,
            person.username,
            manager["id"],
        )


def test_values_come_from_the_assignment_and_from_salesforce_fields(globex: Globex) -> None:
    for person in EVERYONE:
        if assignment_of(person) == "Field sales":
            member = globex.at_first[person.username]
            assert member["workspaces"] == ({"EMEA": "Manager"} if person.title == "Sales Manager" else {})
            emails = "prevented" if person.country == "DE" else "enabled"
            assert member["data_capture"]["import_emails"]["effective"] == emails
            assert ("forecast" in member["seats"]) == (person.extra_seat == "Forecast")
        elif assignment_of(person) == "Contractors":
            capture = globex.at_first[person.username]["data_capture"]
            assert capture["record_web_conferences"]["effective"] == "prevented"


@pytest.mark.parametrize(("seat", "wanted"), [("gong", 31), ("forecast", 4)])
def test_a_limited_seat_is_held_as_often_as_there_are_and_the_others_stand_in_line(
    globex: Globex, seat: str, wanted: int
) -> None:
    places = {name: member["seats"].get(seat) for name, member in globex.at_first.items()}
    assert sum(place is not None for place in places.values()) == wanted
    waiting = {name: place["place"] for name, place in places.items() if place and place["state"] != "held"}
    assert sorted(waiting.values()) == list(range(1, wanted - LIMITS[seat] + 1))


def test_who_waits_for_a_seat_has_what_needs_it_without_effect(globex: Globex) -> None:
    support = [member for member in globex.at_first.values() if member["assignment"] == "Support"]
    effects = {
        (member["seats"]["gong"]["state"], capture["intended"], capture["effective"])
        for member in support
        if (capture := member["data_capture"]["record_web_conferences"])
    }
    # Field sales comes first and holds all it wants.
    assert effects == {("held", "enabled", "enabled"), ("waiting", "enabled", "disabled")}
    waiting = globex.line("gong")[-1]
    explained = globex.roster.ask("explain", member=waiting["member"])
    assert explained["in"] is True
    assert explained["assignment"] == {"name": "Support", "position": 3, "update_mode": "manual"}
    assert explained["did_not_match"] == ["Contractors", "Field sales", "Visitors"]
    seat = explained["seats"]["gong"]
    assert (seat["state"], seat["place"], seat["of"]) == ("waiting", waiting["place"], waiting["place"])
    assert seat["why"] in explained["data_capture"]["record_web_conferences"]["why"]


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Engineer", "unmatched"),
        ("Demo Account", "name_missing"),
        ("Partner Manager", "email_domain"),
        ("Support Agent", "call_center_missing"),
        ("Account Executive", "inactive_user"),
    ],
)
def test_whoever_is_left_out_can_be_explained(globex: Globex, title: str, reason: str) -> None:
    left_out = [each for each in EVERYONE if each.title == title and not assignment_of(each)]
    # Those in the US match nothing either.
    [explained] = {
        globex.roster.ask("explain", member=person.username)["reason"]
        for person in left_out
        if person.country != "US"
    }
    assert explained == reason


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_import_of_what_has_not_changed_writes_nothing(globex: Globex, mode: str) -> None:
    globex.settle()
    before = globex.rows()
    run = globex.scheduled_run(mode)
    assert (run["status"], run["mode"], run["counts"]) == ("succeeded", mode, {})
    assert globex.rows() == before


@pytest.mark.usefixtures("held")
def test_a_preview_writes_nothing_and_the_incremental_import_does_what_it_said(
    globex: Globex, people: People
) -> None:
    leaver = visitor(people)
    assert globex.run(mode="incremental")["counts"] == {"created": 1}
    ada = visitor(people, Title="Countess")
    globex.salesforce.change_user(leaver.id, IsActive=False)

    before = globex.rows()
    preview = globex.run(mode="incremental", preview=True)
    assert (preview["status"], preview["counts"]) == ("succeeded", {"created": 1, "deactivated": 1})
    assert {(change["user"], change["does"]) for change in preview["changes"]} == {
        (ada.id, "created"),
        (leaver.id, "deactivated"),
    }
    assert globex.rows() == before

    run = globex.scheduled_run("incremental")
    assert (run["mode"], run["counts"], run["plan_hash"]) == (
        "incremental",
        preview["counts"],
        preview["plan_hash"],
    )
    assert globex.member(ada.username)["title"] == "Countess"
    gone = globex.member(leaver.username)
    assert (gone["active"], gone["inactive_reason"]) == (False, "inactive_user")


@pytest.mark.usefixtures("held")
def test_named_people_are_imported_now_and_nobody_else_nowhere_else(
    globex: Globex, people: People, roster: Roster
) -> None:
    ada, other = visitor(people), visitor(people)
    said = globex.run(members=[ada.username])
    assert (said["status"], said["counts"]) == ("succeeded", {"created": 1})
    assert globex.roster.people(ada.username, active=True)
    assert globex.roster.people(other.username) == []
    assert roster.people(ada.username) == []


def test_an_import_that_is_started_begins_once_and_goes_on_by_itself(globex: Globex) -> None:
    started = globex.run(mode="full", start=True)
    assert started["status"] == "started"
    again = globex.run(mode="full", start=True)
    # Sent again as long as it is at work, the event names it; by then it may have ended.
    assert again["run_id"] == started["run_id"] or again["status"] == "started"

    def ended() -> Answer | None:
        shown = globex.roster.ask("run", run_id=started["run_id"])
        return None if shown["at_work"] else shown["run"]

    run = wait_until(ended, "the end of the run", seconds=PATIENCE_S)
    assert (run["status"], run["mode"], run["by"]) == ("succeeded", "full", ADMIN)
    wait_until(
        lambda: globex.roster.ask("run", run_id=again["run_id"])["at_work"] is None,
        "the end of the other",
        seconds=PATIENCE_S,
    )


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("word", ["reject", "approve"])
def test_an_import_that_would_deactivate_many_waits_for_a_word(globex: Globex, word: str) -> None:
    support = globex.of("Support")
    globex.change(support, Department="Service Desk")
    parked = globex.scheduled_run("full")
    assert parked["status"] == "parked"
    items = globex.roster.ask("run", run_id=parked["id"])["items"]
    assert {(item["member"], item["does"], item["reason"]) for item in items} == {
        (member["id"], "deactivated", "unmatched") for member in support
    }
    assert globex.scheduled_run("full")["id"] == parked["id"], "the same plan waits already"
    assert globex.of("Support") == support

    if word == "approve":
        wrong = globex.run(approve=parked["id"], plan_hash="0" * 64)
        assert (wrong["status"], wrong["errors"][0]["where"]) == ("rejected", "plan_hash")
        said = globex.run(approve=parked["id"], plan_hash=parked["plan_hash"])
        assert (said["status"], said["counts"]["deactivated"]) == ("succeeded", len(support))
        assert globex.of("Support") == []
        assert globex.line("gong") == []
    else:
        assert globex.run(reject=parked["id"])["status"] == "succeeded"
    assert globex.run(**{word: parked["id"]})["status"] == "rejected", "there is no second word"

    globex.change(support, Department="Support")
    run = globex.scheduled_run("full")
    assert run["counts"].get("reactivated", 0) == (len(support) if word == "approve" else 0)
    after = globex.of("Support")
    assert {member["id"] for member in after} == {member["id"] for member in support}
    assert word == "approve" or after == support
    assert globex.roster.ask("seats")["seats"]["gong"]["held"] == LIMITS["gong"]


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────


def test_settings_that_would_deactivate_everyone_are_parked_by_name_and_not_saved(globex: Globex) -> None:
    globex.settle()
    before = globex.members()
    broken = [
        {**each, "filter": f"({each['filter']}) AND Country = 'UK'"}
        for each in globex.settings["assignments"]
    ]
    said = globex.put(assignments=broken)
    assert (said["status"], said["saved"]) == ("parked", False)
    assert said["counts"]["deactivated"] == len(before)
    assert {change["name"] for change in said["changes"]} == {member["name"] for member in before.values()}
    assert any(limit.startswith(f"deactivate: {len(before)} of") for limit in said["guard"])

    assert globex.run(reject=said["run_id"])["status"] == "succeeded"
    assert globex.put()["message"].startswith("Nothing to save"), "others are in force"
    assert globex.members() == before


def test_a_filter_that_salesforce_refuses_is_not_saved(globex: Globex) -> None:
    misspelt = [{"name": "Visitors", "filter": "Departmint = 'Visitors'"}]
    said = globex.put(assignments=misspelt)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "assignments[0].filter")
    assert globex.put()["message"].startswith("Nothing to save")


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_a_hint_and_salesforce_is_believed(globex: Globex, people: People) -> None:
    ada = visitor(people)
    globex.settle()
    before = globex.member(ada.username)
    globex.salesforce.delivery(hold=True)
    globex.salesforce.change_user(ada.id, Title="Programmer")
    forged = (
        f"<sf:Id>{ada.id}</sf:Id><sf:IsActive>false</sf:IsActive><sf:Title>Forged</sf:Title>"
        "<sf:Email>mallory@evil.example</sf:Email><sf:SystemModstamp>2099-01-01T00:00:00Z</sf:SystemModstamp>"
    )
    organization_id = globex.settings["connections"]["salesforce"]["organization_id"]
    body = outbound_messages.user(forged).replace(outbound_messages.ORGANIZATION_ID, organization_id)
    answer = requests.post(globex.webhook_url, body, headers={"Content-Type": "text/xml"}, timeout=60)
    assert "<Ack>true</Ack>" in answer.text
    after = wait_until(
        lambda: found if (found := globex.member(ada.username)) != before else None,
        "a change of the member",
        seconds=PATIENCE_S,
    )
    globex.salesforce.delivery(hold=False)
    assert after["title"] == "Programmer"
    for kept in ("active", "email", "name", "assignment", "data_capture"):
        assert after[kept] == before[kept]


@pytest.mark.parametrize("seat", ["gong", "forecast"])
def test_the_seat_of_who_leaves_goes_to_who_is_first_in_line(globex: Globex, seat: str) -> None:
    globex.settle()
    wanted = {"gong", seat}
    leaver = next(
        member
        for member in globex.of("Field sales")
        if {name for name, place in member["seats"].items() if place["state"] == "held"} == wanted
    )
    first, *others = [waiting["member"] for waiting in globex.line(seat)]
    globex.salesforce.change_user(leaver["crm"]["salesforce"]["id"], IsActive=False)
    globex.settle()
    gone = globex.member(leaver["id"])
    assert (gone["active"], gone["seats"]) == (False, {})
    assert globex.member(first)["seats"][seat] == {"state": "held"}
    assert [waiting["member"] for waiting in globex.line(seat)] == others
    assert globex.roster.ask("seats")["seats"][seat]["held"] == LIMITS[seat]


# ── Managers and admins ──────────────────────────────────────────────────────────────────────────────


def test_nobody_was_told_of_those_who_were_there_to_begin_with(globex: Globex) -> None:
    assert globex.first_run["counts"]["created"]
    assert globex.first_mails == []


def test_a_manager_is_told_of_a_new_member_once(globex: Globex, people: People) -> None:
    manager = next(each for each in globex.of("Field sales") if each["title"] == "Sales Manager")
    name = f"Newcomer-{uuid4().hex[:8]}"
    ada = visitor(people, LastName=name, ManagerId=manager["crm"]["salesforce"]["id"])
    globex.settle()
    assert globex.member(ada.username)["manager"] == manager["id"]
    for _ in range(2):
        assert globex.scheduled_run("incremental")["status"] == "succeeded"
    [mail] = [mail for mail in globex.stack.mails() if name in mail.text]
    assert mail.recipients == (manager["email"],)
    assert mail.subject == "1 person has joined your team"


def test_a_manager_switches_data_capture_of_the_own_team_and_runs_leave_it(globex: Globex) -> None:
    globex.settle()
    sales = {member["id"]: member for member in globex.of("Field sales")}
    report = next(member for member in sales.values() if member["manager"] in sales)
    manager = sales[report["manager"]]
    # Whoever leaves in another test may have been the only other manager: any colleague will do.
    stranger = next(each for each in sales.values() if each["id"] not in (manager["id"], report["id"]))
    change = {"member": report["id"], "data_capture": {"record_web_conferences": "disabled"}}

    def edit(by: Answer) -> Answer:
        return globex.invoke("MemberSettingsFunction", changes=[change], by=by["email"], **{"as": "manager"})

    refused = edit(stranger)
    assert (refused["status"], refused["errors"][0]["where"]) == ("rejected", "changes[0].member")
    assert globex.member(report["id"]) == report
    assert edit(manager)["status"] == "succeeded"
    edited = globex.member(report["id"])
    capture = edited["data_capture"]["record_web_conferences"]
    assert (capture["effective"], capture["origin"]) == ("disabled", f"manager:{manager['id']}")
    assert globex.scheduled_run("full")["status"] == "succeeded"
    assert globex.member(report["id"]) == edited


def test_an_admin_is_told_who_governs_what_cannot_be_edited(globex: Globex) -> None:
    [member, *_] = globex.of("Field sales")
    said = globex.invoke("MemberSettingsFunction", changes=[{"member": member["id"], "seats": []}])
    assert said["status"] == "rejected"
    assert "follows Salesforce through assignment 'Field sales'" in said["errors"][0]["message"]
    assert globex.member(member["id"]) == member


# ── Hostile events ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"mode": "everything"},
        {"mode": ["full"]},
        {"mode": "full", "preview": "yes"},
        {"mode": "full", "reject": "20261120T081532-0a1b2c3d"},
        {"mode": "full", "evil": "1"},
        {"mode": "full", "by": "hank\nadmin"},
        {"mode": "full", "organization": "nobody"},
        {"mode": "full", "organization": "../globex"},
        {"mode": "full", "organization": "globex#MEMBER"},
        {"mode": "full", "organization": None},
        {"run_id": "../../acme"},
        {"run_id": "20261120T081532-0a1b2c3d"},
        {"approve": "20261120T081532-0a1b2c3d"},
        {"approve": "x" * 100_000},
        {"members": ["' OR IsActive = true OR Name LIKE '%@"]},
        {"members": ["nobody@nowhere.example"]},
        {"members": [f"{number}@acme.example" for number in range(501)]},
        {"members": {"a": 1}},
    ],
    ids=str,
)
def test_an_event_that_makes_no_sense_is_rejected_with_what_to_do(globex: Globex, event: Answer) -> None:
    globex.settle()
    before = globex.rows()
    said = globex.run(**event)
    assert said["status"] == "rejected"
    assert all(error["where"] and error["message"] and error["remedy"] for error in said["errors"])
    assert globex.rows() == before


@pytest.mark.parametrize("payload", ["[]", "null", '"full"', "7"])
def test_an_event_that_is_no_object_is_rejected(globex: Globex, payload: str) -> None:
    answer = globex.stack.client("lambda").invoke(
        FunctionName=globex.stack.facts["functions"]["ScheduledImportFunction"], Payload=payload
    )
    assert json.loads(answer["Payload"].read())["status"] == "rejected"


def test_another_organizations_run_is_nobodys_to_approve_or_see(globex: Globex, roster: Roster) -> None:
    run = globex.first_run["id"]
    said = globex.stack.invoke("ScheduledImportFunction", reject=run, by="jane@acme.example")
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "reject")
    assert roster.ask("run", run_id=run)["status"] == "rejected"
    assert roster.ask("explain", member=next(iter(globex.at_first.values()))["id"])["status"] == "rejected"
