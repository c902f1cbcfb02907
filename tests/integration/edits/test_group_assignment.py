"""GroupAssignmentFunction, on a real table: what admins ask for, what the next push will find (G1, G6)."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import group_assignment
from muster import bootstrap
from muster.crm import engage_features
from muster.crm.engage_features import NO_LICENSES_REMAINING, RETRY_REQUEST, SUCCESS
from muster.errors import Unavailable
from muster.observability import logger
from muster.roster import engage_groups
from muster.roster.decisions import Decision, Outcome
from muster.roster.engage_groups import Due
from muster.roster.engage_state import Engage
from muster.roster.links import Link
from muster.roster.member import Member
from tests.examples import NOW
from tests.integration.company import store, table
from tests.integration.edits.acme import break_second_write, lose_answers, meanwhile, wheres
from tests.integration.pasted import events_for, pasted
from tests.members import vault_state

SETTINGS: dict[str, Any] = {
    "organization": "acme",
    "connections": {
        "vault_crm": {
            "host": "acme-crm.veevavault.com",
            "manage_features": ["engage", "engage_connect"],
        }
    },
    "assignments": [
        {"name": "Sales", "filter": "Department = 'Sales'", "engage": {"group": "UK"}},
        {"name": "Support", "filter": "Department = 'Support'", "update_mode": "manual"},
    ],
}
CRM_IDS = {
    name: f"00500000000000{place}AAA" for place, name in enumerate(("ada", "bob", "cy", "zoe", "dee"), 1)
}
IN_UK = Engage("UK", SUCCESS, "UK")
IN_NONE = Engage(None, None, None)


@dataclass
class Acme:
    """The organization: Ada (automatic, in UK), Bob (manual, in UK), Cy (not in Vault CRM); Zoe has left."""

    context: LambdaContext

    def put(self, **sections: Any) -> None:
        """Store settings with these sections changed."""
        document = {**SETTINGS, **sections}
        store(document)

    def add(self, name: str, *, in_vault: bool = True, **attributes: Any) -> None:
        """Put a member into the roster, as imports of Salesforce and of Vault CRM leave it."""
        crm: dict[str, Any] = {"salesforce": {"id": CRM_IDS[name]}}
        vault: dict[str, Any] = {}
        if in_vault:
            crm["vault_crm"] = {"id": f"100{len(name)}{ord(name[0])}", "username": f"{name}@acme.vault"}
            request = attributes.get("engage", IN_NONE).request
            vault = {"active": True, "engage": request, "engage_connect": None, "digest": "as imported"}
        address = f"{name}@acme.example"
        member = Member(
            id=f"id-{name}",
            organization="acme",
            active=True,
            username=address,
            email=address,
            crm=crm,
            vault=vault_state(**vault),
            version=1,
        )
        link = Link(crm_id=CRM_IDS[name], member=member.id)
        self.write(Decision(outcome=Outcome.CREATED, after=replace(member, **attributes), link=link))

    def change(self, name: str, **attributes: Any) -> None:
        """Change a member as somebody else would."""
        before = self.member(name)
        after = replace(before, **attributes, version=before.version + 1)
        self.write(Decision(outcome=Outcome.UPDATED, before=before, after=after))

    def write(self, decision: Decision) -> None:
        assert not bootstrap.roster_table().write("acme", [decision], NOW.timestamp())

    def ask(self, *requests: Any, **event: Any) -> dict[str, Any]:
        """Invoke the function as Jane; a request is its member's first name, action, feature and group."""
        asked = {"organization": "acme", "by": "jane@acme.example", "requests": [*requests], **event}
        said: dict[str, Any] = json.loads(json.dumps(group_assignment.handler(asked, self.context)))
        return said

    def member(self, name: str) -> Member:
        found = bootstrap.roster_views().member("acme", f"id-{name}")
        assert found
        return found

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return a member's history, newest first."""
        return bootstrap.roster_views().history("acme", f"id-{name}", 100, None)[0]

    def due(self) -> dict[str, Due]:
        """Return what the next push has to look at, by member id."""
        return dict(bootstrap.roster_table().due("acme", NOW.date()))


@pytest.fixture
def acme(aws: SimpleNamespace, context: LambdaContext) -> Acme:
    acme = Acme(context)
    acme.put()
    acme.add("ada", assignment="Sales", update_mode="automatic", engage=IN_UK)
    acme.add("bob", assignment="Support", update_mode="manual", engage=IN_UK)
    acme.add("cy", assignment="Support", update_mode="manual", in_vault=False)
    acme.add("zoe", active=False, inactive_reason="inactive_user")
    return acme


def to(name: str, group: str, feature: str = "engage") -> dict[str, Any]:
    return {"member": f"{name}@acme.example", "action": "assign", "feature": feature, "group": group}


def out(name: str, feature: str = "engage") -> dict[str, Any]:
    return {"member": f"{name}@acme.example", "action": "remove", "feature": feature}


def again(name: str, feature: str = "engage") -> dict[str, Any]:
    return {"member": f"{name}@acme.example", "action": "retry", "feature": feature}


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_asked_for_and_is_due_at_the_next_push(acme: Acme) -> None:
    said = acme.ask(to("bob", "US"))
    assert (said["status"], said["message"], said["errors"]) == ("succeeded", "1 change was made.", [])
    assert said["results"] == [
        {
            "where": "requests[0]",
            "member": "id-bob",
            "name": None,
            "feature": "engage",
            "request": "US",
            "status": RETRY_REQUEST,
            "note": "The next push asks Vault CRM for group 'US'.",
        }
    ]
    bob = acme.member("bob")
    assert bob.engage == Engage("US", RETRY_REQUEST, "UK")
    assert bob.origins == {"engage.request": "manual:jane@acme.example"}
    entry = acme.history("bob")[0]
    assert (entry["origin"], entry["run"]) == ("manual:jane@acme.example", said["run"])
    assert said["run"] == f"groups:{acme.context.aws_request_id}"
    assert acme.due() == {"id-bob": Due("", frozenset({"engage"}))}


def test_who_is_not_in_vault_crm_yet_is_asked_for_and_not_due(acme: Acme) -> None:
    said = acme.ask(to("cy", "UK"))
    assert said["results"][0]["status"] is None
    assert "once an import has linked the member" in said["results"][0]["note"]
    assert acme.member("cy").engage == Engage("UK", None, None)
    assert acme.due() == {}


def test_good_requests_go_on_when_others_are_refused(acme: Acme) -> None:
    before = acme.member("ada")
    said = acme.ask(
        to("ada", "US"),
        to("nobody", "US"),
        to("bob", "US", "engage_connect"),
        {**to("bob", "US"), "group": ""},
        "not a request",
        out("bob"),
        to("zoe", "UK"),
        again("cy"),
        out("bob"),
        {**out("bob"), "group": "UK"},
    )
    assert said["status"] == "succeeded_with_errors"
    assert said["message"] == "2 changes were made, 1 was already so, 7 were refused."
    assert [result["where"] for result in said["results"]] == ["requests[2]", "requests[5]", "requests[8]"]
    assert said["results"][2]["note"].startswith("That is so already. The next push clears the request")
    assert wheres(said) == [
        "requests[0].feature",
        "requests[1].member",
        "requests[3].group",
        "requests[4]",
        "requests[6].member",
        "requests[7].action",
        "requests[9].group",
    ]
    assert all(problem["remedy"] for problem in said["errors"])
    assert acme.member("ada") == before
    assert acme.due() == {"id-bob": Due("", frozenset({"engage", "engage_connect"}))}


def test_where_no_request_is_good_the_call_is_rejected(acme: Acme) -> None:
    said = acme.ask(to("nobody", "UK"))
    assert (said["status"], said["message"]) == (
        "rejected",
        "requests[0].member is not in the roster: 'nobody@acme.example'.",
    )
    assert said["results"] == []


def test_the_same_call_again_writes_nothing(acme: Acme) -> None:
    requests = [to("bob", "US"), out("bob", "engage_connect"), again("ada"), to("cy", "UK"), out("zoe")]
    acme.ask(*requests)
    before = table()
    said = acme.ask(*requests, by="ann@acme.example")
    assert said["message"] == "0 changes were made, 5 were already so."
    assert all(result["note"].startswith("That is so already.") for result in said["results"])
    assert table() == before


def test_requests_of_one_member_are_taken_up_in_their_order_and_told_as_it_ends(acme: Acme) -> None:
    said = acme.ask(to("bob", "US"), out("bob"), to("bob", "EU"))
    assert [result["request"] for result in said["results"]] == ["EU", "EU", "EU"]
    assert acme.member("bob").engage.request == "EU"
    assert [entry["changes"][0]["after"] for entry in acme.history("bob")] == ["EU", None, "US"]


def test_another_request_gives_up_the_place_in_line(acme: Acme) -> None:
    bob = acme.member("bob")
    waiting = replace(bob.engage, status=NO_LICENSES_REMAINING, group=None)
    seen = engage_features.Seen("UK", NO_LICENSES_REMAINING)
    acme.change(
        "bob",
        **engage_groups.observed(replace(bob, engage=waiting), "engage", seen, "2026-11-01T08:16:00.000Z"),
    )
    table = bootstrap.roster_table()
    assert [member for member, _ in table.licence_lines("acme")[0]] == ["id-bob"]
    said = acme.ask(to("bob", "UK"))
    assert said["results"][0]["note"].startswith("That is so already. No licence is free")
    acme.ask(again("bob"))
    assert [place.group for _, place in table.licence_lines("acme")[0]] == ["UK"]
    acme.ask(to("bob", "US"))
    assert table.licence_lines("acme")[0] == []


@pytest.mark.parametrize(
    "reference", ["id-bob", CRM_IDS["bob"], CRM_IDS["bob"][:15], "BOB@ACME.EXAMPLE", " bob@acme.example "]
)
def test_a_member_is_named_in_any_of_the_usual_ways(acme: Acme, reference: str) -> None:
    said = acme.ask({**out("bob"), "member": reference})
    assert [result["member"] for result in said["results"]] == ["id-bob"]


def test_a_feature_that_is_not_managed_is_refused(acme: Acme) -> None:
    connection = {**SETTINGS["connections"]["vault_crm"], "manage_features": ["engage_connect"]}
    acme.put(connections={"vault_crm": connection})
    said = acme.ask(out("bob"), to("bob", "UK", "engage_connect"))
    assert wheres(said) == ["requests[0].feature"]
    assert "connections.vault_crm.manage_features" in said["errors"][0]["remedy"]
    assert [result["feature"] for result in said["results"]] == ["engage_connect"]


# ── Races and faults ──────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_decided_again_on_what_someone_else_has_written(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(lambda: acme.ask(to("bob", "EU", "engage_connect")), monkeypatch)
    acme.ask(to("bob", "US"))
    bob = acme.member("bob")
    assert (bob.engage.request, bob.engage_connect.request) == ("US", "EU")


def test_who_leaves_at_this_moment_is_refused(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(lambda: acme.change("bob", active=False), monkeypatch)
    said = acme.ask(to("bob", "US"))
    assert [problem["message"] for problem in said["errors"]] == ["is not active"]
    assert acme.member("bob").engage == IN_UK


def test_an_answer_that_is_lost_is_not_taken_for_someone_elses_write(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_answers(monkeypatch)
    said = acme.ask(to("bob", "US"))
    assert said["message"] == "1 change was made."
    assert len(acme.history("bob")) == 1


def test_a_table_that_is_down_is_a_fault_and_the_call_can_be_sent_again(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [to("bob", "US"), to("cy", "US")]
    with monkeypatch.context() as broken:
        break_second_write(broken)
        with pytest.raises(Unavailable):
            acme.ask(*requests)
    assert acme.member("cy").engage.request is None
    assert acme.ask(*requests)["message"] == "1 change was made, 1 was already so."


def test_five_hundred_requests_are_looked_up_in_a_few_reads(acme: Acme) -> None:
    made: Counter[str] = Counter()
    client = bootstrap._dynamodb()
    client.meta.events.register("before-call.dynamodb", lambda model, **_: made.update([model.name]))
    requests = [to(name, "UK", "engage_connect") for name in ("ada", "bob", "cy")]
    said = acme.ask(*requests, *(out("bob", "engage_connect") for _ in range(497)))
    assert said["message"] == "4 changes were made, 496 were already so."
    assert made["TransactWriteItems"] == 4
    assert made["GetItem"] + made["BatchGetItem"] <= 4


# ── The event ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"requests": []}, "requests"),
        ({"requests": [out("bob")] * 501}, "requests"),
        ({"requests": out("bob")}, "requests"),
        ({"by": None}, "by"),
        ({"by": " "}, "by"),
        ({"action": "assign"}, "action"),
        ({"organization": "other"}, "organization"),
        ({"organization": "../acme"}, "organization"),
    ],
)
def test_an_event_that_is_wrong_as_a_whole_changes_nothing(
    acme: Acme, event: dict[str, Any], where: str
) -> None:
    before = table()
    said = acme.ask(out("bob"), **event)
    assert (said["status"], wheres(said)) == ("rejected", [where])
    assert said["errors"][0]["remedy"]
    assert table() == before


def test_another_organization_reaches_no_member(acme: Acme) -> None:
    acme.put(organization="other")
    requests = [{**out("bob"), "member": each} for each in ("id-bob", CRM_IDS["bob"], "bob@acme.example")]
    said = acme.ask(*requests, organization="other")
    assert (said["status"], len(said["errors"])) == ("rejected", 3)
    assert acme.member("bob").engage == IN_UK


def test_neither_people_nor_groups_are_in_the_log(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    log = StringIO()
    for handler in logger.registered_handler, *logger.handlers:
        monkeypatch.setattr(handler, "stream", log)
    acme.ask(to("bob", "Field Force"), to("nobody", "Field Force"), {**out("ada"), "group": "Field Force"})
    assert '"status":"succeeded_with_errors"' in log.getvalue()
    for private in ("bob@", "ada@", "nobody", "jane", "Field Force"):
        assert private not in log.getvalue()


@pytest.mark.parametrize("name", events_for("group_assignment"))
def test_the_events_to_paste_are_understood(name: str, acme: Acme) -> None:
    acme.change("ada", assignment="Support", update_mode="manual")
    event = pasted(name)
    said = group_assignment.handler(event, acme.context)
    assert said["status"] == "succeeded", said["errors"]
    asked = len(event["requests"]) if "requests" in event else event["csv"].count("\n") - 1
    assert len(said["results"]) == asked
