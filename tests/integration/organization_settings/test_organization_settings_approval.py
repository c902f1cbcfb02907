"""What is saved only by approval, who may approve it, and what is said of settings beside their plan (I5)."""

from typing import Any

import boto3
import pytest

import organization_settings
import roster_query
import scheduled_import
from muster import bootstrap
from muster.crm.salesforce_ids import to_18
from muster.runs.run import Status
from tests.integration.organization_settings.settings_examples import (
    DATA,
    LEEDS,
    OTHERS,
    SALES,
    Acme,
    down,
    error_of,
)

JOE = "joe@acme.example"
NARROWED: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}


def approve(acme: Acme, parked: dict[str, Any], by: str = JOE, **event: Any) -> dict[str, Any]:
    return acme.invoke("approve", run_id=parked["run_id"], by=by, **event)


def shown(acme: Acme, parked: dict[str, Any]) -> dict[str, Any]:
    event = {"organization": "acme", "action": "run", "run_id": parked["run_id"]}
    said: dict[str, Any] = roster_query.handler(event, acme.context)
    return said


# ── What waits ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"guard": {"floor": 2}}, "deactivate is allowed more: floor from 1 to 2"),
        ({"guard": {"floor": 1, "percent": 100}}, "percent from 10 to 100"),
        (
            {"auto_provision": {"require_call_center": False, "read_back": False}},
            "auto_provision.read_back is switched off",
        ),
    ],
)
def test_what_loosens_waits_though_it_changes_nobody(
    staffed: Acme, sections: dict[str, Any], reason: str
) -> None:
    said = staffed.put(**sections)
    assert (said["status"], said["saved"], staffed.version()) == ("parked", False, 1)
    assert reason in said["guard"][0]
    assert reason in said["message"]
    assert staffed.run_of(said).status is Status.PARKED
    done = approve(staffed, said)
    assert (done["status"], done["version"], staffed.version()) == ("succeeded", 2, 2)
    assert staffed.run_of(said).status is Status.SUCCEEDED


def test_an_operation_taken_out_of_the_guard_waits(staffed: Acme) -> None:
    tight = {"floor": 1, "operations": {"grant": {"count": 1}}}
    assert staffed.put(guard=tight)["version"] == 2
    said = staffed.put()
    assert said["guard"] == ["guard.operations.grant is taken out: grant is no longer limited"]


def test_what_waits_for_both_says_both(staffed: Acme) -> None:
    said = staffed.put(**NARROWED, guard={"floor": 100})
    assert said["counts"] == {"deactivated": 3, "revoke": 3}
    assert "floor from 1 to 100" in said["guard"][0]
    assert approve(staffed, said)["version"] == 2
    assert staffed.run()["counts"] == {"deactivated": 3}


OTHER_ORG = to_18("00D000000000099")


def test_another_org_waits_though_its_credentials_are_not_there_yet(staffed: Acme) -> None:
    other = {"salesforce": {**staffed.salesforce.connection, "organization_id": OTHER_ORG}}
    said = staffed.put(connections=other)
    assert (said["status"], staffed.version()) == ("parked", 1)
    assert said["message"].startswith("NOT TRIED: ")
    [reason] = said["guard"]
    assert "connections.salesforce.organization_id leads to another Salesforce org" in reason


def test_another_org_is_planned_for_everybody(staffed: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    organization = staffed.salesforce.organization
    monkeypatch.setattr(organization, "id", OTHER_ORG)
    # The same people and the same credentials, but of an org with another id.
    monkeypatch.setitem(vars(organization.client), "organization_id", OTHER_ORG)
    bootstrap.salesforce.cache_clear()
    staffed.salesforce.create(Department="Sales")
    said = staffed.put(connections={"salesforce": staffed.salesforce.connection})
    assert (said["status"], said["counts"]) == ("parked", {"created": 1, "grant": 1})
    assert "leads to another Salesforce org" in said["guard"][0]
    assert approve(staffed, said)["version"] == 2


def test_taking_a_connection_out_and_in_again_is_no_way_around(staffed: Acme) -> None:
    there = staffed.salesforce.connection
    assert staffed.put(connections={})["version"] == 2
    assert staffed.put(connections={"salesforce": {**there, "organization_id": "00D000000000099"}})[
        "status"
    ] == ("parked")
    assert staffed.put()["version"] == 3


def test_another_vault_waits(staffed: Acme) -> None:
    connections = {"salesforce": staffed.salesforce.connection, "vault_crm": {"host": "a.veevavault.com"}}
    assert staffed.put(connections=connections)["version"] == 2
    said = staffed.put(connections={**connections, "vault_crm": {"host": "b.veevavault.com"}})
    assert said["status"] == "parked"
    assert said["guard"][0].startswith("connections.vault_crm.host leads to another vault")


def test_groups_that_are_taken_are_revocations(staffed: Acme) -> None:
    group = {"engage": {"group": "UK Field Force"}}
    assert staffed.put(assignments=[{**SALES, **group}, OTHERS])["counts"] == {"updated": 3, "grant": 3}
    staffed.run()
    said = staffed.put(assignments=[SALES, OTHERS])
    assert (said["status"], said["counts"]) == ("parked", {"updated": 3, "revoke": 3})
    # To have another group is not to lose it.
    moved = {"engage": {"group": "US Field Force"}}
    assert staffed.put(assignments=[{**SALES, **moved}, OTHERS])["counts"] == {"updated": 3}


def test_a_preview_of_what_loosens_can_be_approved(staffed: Acme) -> None:
    said = staffed.invoke("preview", settings=staffed.document(guard={"floor": 9}))
    assert said["status"] == "succeeded"
    assert "floor from 1 to 9" in said["guard"][0]
    assert approve(staffed, said)["version"] == 2


def test_what_loosens_waits_even_while_salesforce_is_down(staffed: Acme) -> None:
    staffed.salesforce.faults(down(DATA))
    said = staffed.put(guard={"floor": 9})
    assert (said["status"], said["counts"]) == ("parked", {})
    assert approve(staffed, said)["version"] == 2


def test_what_nothing_was_planned_for_is_planned_when_it_is_approved(staffed: Acme) -> None:
    """What is approved must not do to members what nobody has seen."""
    staffed.salesforce.faults(down(DATA))
    said = staffed.put(guard={"floor": 9}, **NARROWED)
    assert (said["status"], said["counts"]) == ("parked", {})
    staffed.salesforce.faults()
    _, message, remedy = error_of(approve(staffed, said))
    assert "another plan" in message
    assert staffed.version() == 1
    [anew] = [run for run in staffed.runs() if run.id in remedy]
    assert anew.counts == {"deactivated": 3, "revoke": 3}
    assert approve(staffed, {"run_id": anew.id})["version"] == 2


# ── Approving without the document ────────────────────────────────────────────────────────────────


def test_somebody_else_sees_what_waits_and_why_and_approves_it_by_the_run_alone(staffed: Acme) -> None:
    parked = staffed.invoke("put", settings=staffed.document(**NARROWED), why="Only Leeds")
    said = shown(staffed, parked)
    assert said["run"]["why"] == "Only Leeds"
    assert said["change"]["changed"] == [
        {
            "where": "assignments[0].filter",
            "before": "Department = 'Sales'",
            "after": "Department = 'Sales' AND City = 'Leeds'",
        }
    ]
    assert said["change"]["held_for"] == []
    event = said["to_do"][0]["event"]
    done = organization_settings.handler({**event, "by": JOE}, staffed.context)
    assert (done["status"], done["version"], done["saved"]) == ("succeeded", 2, True)
    assert staffed.invoke("get")["settings"] == staffed.document(**NARROWED)
    [saved, _] = staffed.invoke("history")["versions"]
    request = staffed.context.aws_request_id
    assert {name: saved[name] for name in ("by", "approved_by", "why", "run", "request_id")} == {
        "by": "jane@acme.example",
        "approved_by": JOE,
        "why": "Only Leeds",
        "run": parked["run_id"],
        "request_id": request,
    }
    run = staffed.run_of(parked)
    assert (run.by, run.approved_by) == ("jane@acme.example", JOE)
    assert (run.request_id, run.decided_request_id) == (request, request)
    assert shown(staffed, parked)["change"] is None
    assert staffed.run()["counts"] == {"deactivated": 3}


def test_an_approval_that_is_repeated_saves_nothing_twice(staffed: Acme) -> None:
    parked = staffed.put(**NARROWED)
    assert approve(staffed, parked)["version"] == 2
    said = approve(staffed, parked)
    assert (said["status"], said["saved"], said["version"]) == ("succeeded", False, 2)


def test_who_approves_may_say_why_too(staffed: Acme) -> None:
    parked = staffed.invoke("put", settings=staffed.document(**NARROWED), why="Only Leeds")
    approve(staffed, parked, why="As agreed")
    assert staffed.invoke("get")["why"] == "Only Leeds (approved: As agreed)"


def test_only_a_change_of_settings_is_approved_so(staffed: Acme) -> None:
    [imported] = staffed.runs()
    assert "is an import" in error_of(approve(staffed, {"run_id": imported.id}))[1]
    assert "is not a run" in error_of(approve(staffed, {"run_id": "20261120T081532-0a1b2c3d"}))[1]


# ── Two people ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two(staffed: Acme) -> Acme:
    """Return Acme where whoever approves must be somebody else."""
    staffed.put(guard={"floor": 1, "second_person": True})
    return staffed


@pytest.mark.parametrize("by", ["jane@acme.example", "JANE@acme.example", " Jane@Acme.example "])
def test_who_started_it_does_not_approve_it(two: Acme, by: str) -> None:
    guard = {"floor": 1, "second_person": True}
    parked = two.put(**NARROWED, guard=guard)
    where, message, remedy = error_of(approve(two, parked, by=by))
    assert where == "by"
    assert "jane@acme.example" in message
    assert "second_person" in message
    assert "another person" in remedy
    assert (two.version(), two.run_of(parked).status) == (2, Status.PARKED)
    again = two.invoke("put", settings=two.document(**NARROWED, guard=guard), approve=parked["run_id"])
    assert error_of(again)[0] == "by"
    assert approve(two, parked)["version"] == 3


def test_the_rule_is_not_switched_off_by_one_person(two: Acme) -> None:
    parked = two.put()
    assert parked["guard"] == ["guard.second_person is switched off: who starts a run may approve it"]
    assert error_of(approve(two, parked, by="jane@acme.example"))[0] == "by"
    assert approve(two, parked)["version"] == 3


def test_without_the_rule_one_person_may(staffed: Acme) -> None:
    assert approve(staffed, staffed.put(**NARROWED), by="jane@acme.example")["version"] == 2


# ── What could not be tried ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def untried(acme: Acme) -> Acme:
    """Return Acme with first settings that were saved before there was a secret; eight are in Salesforce."""
    for _ in range(4):
        acme.salesforce.create(Department="Sales")
    secrets = boto3.client("secretsmanager")
    name = "muster/acme/salesforce"
    secret = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    said = acme.put(guard={"floor": 2})
    assert said["status"] == "succeeded"
    assert said["message"].startswith("NOT TRIED: auto_provision.fields, assignments[0].filter")
    assert said["message"].index("Version 1 is saved.") > 0
    assert [each["where"] for each in said["not_tried"]] == [
        "auto_provision.fields",
        "assignments[0].filter",
        "assignments[1].filter",
    ]
    assert acme.invoke("get")["not_tried"] == said["not_tried"]
    again = acme.put(guard={"floor": 2})
    assert (again["saved"], again["not_tried"]) == (False, said["not_tried"])
    assert again["message"].startswith("NOT TRIED: ")
    secrets.create_secret(Name=name, SecretString=secret)
    bootstrap.salesforce.cache_clear()
    return acme


def test_the_first_import_of_what_was_not_tried_waits_though_it_only_lets_people_in(untried: Acme) -> None:
    parked = untried.run()
    assert parked["status"] == "parked"
    assert parked["counts"]["created"] == 8
    assert "create: 8 new members, where 2 are allowed" in parked["guard"][0]
    assert untried.active() == 0
    event = {"organization": "acme", "approve": parked["run_id"], "by": JOE}
    assert scheduled_import.handler(event, untried.context)["counts"] == {"created": 8}
    # Whoever looked at it has tried them: others come in as ever.
    for _ in range(3):
        untried.salesforce.create(Department="Sales")
    assert untried.run("incremental")["counts"] == {"created": 3}


def test_what_is_put_again_once_salesforce_can_be_asked_has_been_tried(untried: Acme) -> None:
    said = untried.put(guard={"floor": 2})
    assert (said["saved"], said["version"], said["not_tried"]) == (False, 1, [])
    assert "NOT TRIED" not in said["message"]
    assert untried.invoke("get")["not_tried"] == []
    assert untried.run()["counts"] == {"created": 8}


def test_what_was_tried_lets_everybody_in(acme: Acme) -> None:
    for _ in range(4):
        acme.salesforce.create(Department="Sales")
    assert acme.put(guard={"floor": 2})["not_tried"] == []
    assert acme.run()["counts"] == {"created": 8}


# ── What no plan shows ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", ["preview", "put", "validate"])
def test_what_no_plan_shows_is_said(staffed: Acme, action: str) -> None:
    off = {"require_call_center": False, "enabled": False}
    document = staffed.document(auto_provision=off, seats={"gong": {"limit": 1}})
    said = staffed.invoke(action, settings=document)
    told = {warning["where"]: warning["message"] for warning in said["warnings"]}
    assert "is 1, and 3 hold gong: nobody loses it" in told["seats.gong.limit"]
    assert "dropped" in told["auto_provision.enabled"]
    if action != "validate":
        assert "seats.gong.limit is 1, and 3 hold gong" in said["message"]
        assert "auto_provision.enabled is false" in said["message"]


def test_a_vault_that_another_organization_has_is_a_warning(staffed: Acme) -> None:
    def connections(**vaults: Any) -> dict[str, Any]:
        return {"connections": {"salesforce": staffed.salesforce.connection, **vaults}}

    vault = {"host": "shared.veevavault.com", "secret": "muster/globex/vault_crm"}
    globex = {"organization": "globex", "connections": {"vault_crm": vault}}
    event = {"organization": "globex", "action": "put", "by": JOE, "settings": globex}
    assert organization_settings.handler(event, staffed.context)["version"] == 1
    said = staffed.put(**connections(vault_crm={"host": "shared.veevavault.com"}))
    told = {warning["where"]: warning["message"] for warning in said["warnings"]}
    assert "is the vault of globex too" in told["connections.vault_crm.host"]
    alone = staffed.put(**connections(vault_crm={"host": "own.veevavault.com"}))
    assert "connections.vault_crm.host" not in [warning["where"] for warning in alone["warnings"]]
