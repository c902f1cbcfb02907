"""The webhook set up in Salesforce: what is deployed, repaired and told (U7)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
import webhook_setup
from muster import bootstrap
from muster.webhook import tokens
from muster.webhook.tokens import Token
from tests.doubles.metadata_packages import flow, manifest, outbound_message, workflow
from tests.integration.pasted import events_for, pasted
from tests.integration.webhook_setup.webhook_setup_world import (
    ENDPOINT,
    NAME,
    TOOLING,
    Acme,
    amiss,
    links,
)

# ── Install ──────────────────────────────────────────────────────────────────────────────────────────


def test_before_it_is_installed_status_says_so(acme: Acme) -> None:
    said = acme.ask("status")
    assert (said["status"], said["broken"]) == ("succeeded_with_errors", "flow")
    assert said["message"] == (
        "The chain is broken at: flow, for Salesforce has no flow Muster_acme."
        " Run WebhookSetupFunction with the action refresh."
    )
    assert list(links(said)) == [
        "flow",
        "flow active",
        "outbound message",
        "endpoint",
        "token",
        "fields",
        "integration user",
        "ActionId",
        "auto-provisioning",
        "last message",
    ]
    assert said["setup"] is None
    assert acme.deploys() == 0


@pytest.mark.parametrize("action", ["install", "refresh"])
def test_message_and_flow_are_deployed_and_read_back(acme: Acme, action: str) -> None:
    said = acme.ask(action)
    assert (said["status"], said["changed"]) == ("succeeded", ["outbound message", "flow"]), said
    assert amiss(said) == set()
    assert acme.versions() == [(1, "Active")]
    message = acme.message()
    assert message is not None
    assert message["endpointUrl"].startswith(f"{ENDPOINT}?token=")
    assert message["includeSessionId"] is False
    assert {"Id", "SystemModstamp", "Email", "IsActive", "CallCenterId"} <= set(message["fields"])
    assert acme.accepts(acme.token())
    assert acme.deploys() == 1


@pytest.mark.parametrize("action", ["install", "refresh", "status"])
def test_the_action_id_that_was_read_back_is_proposed_until_the_settings_list_it(
    installed: Acme, action: str
) -> None:
    """Without it any outbound message of the org that has the token may call (W11)."""
    message = installed.message()
    assert message is not None
    said = installed.ask(action)
    assert (said["status"], said["action_id"]) == ("succeeded", message["id"])
    [check] = [each for each in said["checks"] if each["check"] == "ActionId"]
    assert check["result"] == "warning"
    assert check["remedy"].startswith(f'Set action_ids: ["{message["id"]}"] in connections.salesforce')
    assert (
        f"ActionId: any outbound message of the org may call; this one is {message['id']}" in said["message"]
    )

    listed = installed.salesforce.before_the_webhook | {"action_ids": [said["action_id"][:15]]}
    installed.put(connections={"salesforce": listed})
    said = installed.ask(action)
    assert (links(said)["ActionId"], said["action_id"]) == ("passed", message["id"])
    assert "ActionId" not in said["message"]


def test_where_there_is_no_message_there_is_no_action_id(acme: Acme) -> None:
    assert acme.ask("status")["action_id"] is None


def test_no_answer_holds_a_token(acme: Acme) -> None:
    said = [acme.ask(action) for action in ("install", "status", "refresh", "rotate_token")]
    stored = [token.sha256 for token in acme.registration().tokens]
    assert acme.token() not in json.dumps(said)
    assert not [each for each in stored if each in json.dumps(said)]


def test_what_was_given_out_before_is_accepted_for_two_days_more(acme: Acme) -> None:
    said = acme.ask("install")
    assert acme.accepts("first" * 8)
    assert not acme.accepts("first" * 8, datetime.now(UTC) + timedelta(hours=49))
    assert acme.accepts(acme.token(), datetime.now(UTC) + timedelta(days=4000))
    assert said["previous_token_valid_until"] is not None


def test_installed_again_nothing_changes(installed: Acme) -> None:
    token, registration = installed.token(), installed.registration()
    said = installed.ask("install")
    assert (said["status"], said["changed"]) == ("succeeded", [])
    assert said["message"].startswith(
        "There was nothing to change. From Salesforce to Muster every link holds."
    )
    assert (installed.token(), installed.registration()) == (token, registration)
    assert installed.deploys() == 0


def test_check_only_deploys_nothing(acme: Acme) -> None:
    before = acme.registration()
    said = acme.ask("install", check_only=True)
    assert said["status"] == "succeeded"
    assert said["message"] == "Salesforce would take it: outbound message, flow. Nothing was deployed."
    assert (acme.message(), acme.versions(), acme.registration()) == (None, [], before)
    assert acme.ask("status")["setup"] is None


def test_check_only_tells_what_salesforce_would_refuse(acme: Acme) -> None:
    acme.put(auto_provision={"custom_fields": ["Nowhere__c"]})
    said = acme.ask("install", check_only=True)
    assert said["status"] == "rejected"
    assert "Nowhere__c" in said["errors"][0]["message"]


def test_the_flow_watches_what_may_change_a_member(acme: Acme) -> None:
    acme.control("custom-fields", {"name": "Area__c", "type": "Text", "length": 20}, "POST")
    acme.put(
        auto_provision={"custom_fields": ["Area__c"]},
        assignments=[
            {"name": "Sales", "filter": "Profile.Name = 'Sales' AND (Department = 'Title' OR Country = 'GB')"}
        ],
    )
    acme.ask("install")
    [row] = acme.tooling("SELECT Metadata FROM Flow")
    condition = row["Metadata"]["start"]["filterFormula"]
    watched = {"Area__c", "ProfileId", "Department", "Country", "Email", "IsActive", "ManagerId"}
    assert {name for name in watched if f"ISCHANGED({{!$Record.{name}}})" in condition} == watched
    assert "ISCHANGED({!$Record.State})" not in condition
    assert "Name}" not in condition.replace("FirstName}", "").replace("LastName}", "").replace(
        "Username}", ""
    )


def test_with_more_fields_than_a_condition_holds_every_save_sends(acme: Acme) -> None:
    fields = [f"A_field_with_a_long_name_{number:03}__c" for number in range(70)]
    for name in fields:
        acme.control("custom-fields", {"name": name, "type": "Text", "length": 20}, "POST")
    acme.put(auto_provision={"custom_fields": fields})
    said = acme.ask("install")
    assert amiss(said) == set()
    [row] = acme.tooling("SELECT Metadata FROM Flow")
    assert row["Metadata"]["start"]["filterFormula"] is None


# ── Status and refresh ───────────────────────────────────────────────────────────────────────────────


def _without_flow(acme: Acme) -> None:
    flow = acme.tooling("SELECT Id FROM FlowDefinition")[0]["Id"]
    acme.salesforce.call(
        "PATCH", f"{TOOLING}/sobjects/FlowDefinition/{flow}", {"Metadata": {"activeVersionNumber": 0}}
    )


def _by_hand(acme: Acme, *, url: str | None = None, fields: list[str] | None = None) -> None:
    message = acme.message()
    assert message is not None
    changed = outbound_message(
        url or message["endpointUrl"],
        message["integrationUser"],
        *(fields or message["fields"]),
        fullName=NAME,
        name=NAME,
    )
    acme.deploy(
        {
            "package.xml": manifest(("WorkflowOutboundMessage", f"User.{NAME}")),
            "workflows/User.workflow": workflow(changed),
        }
    )


def _rotated_elsewhere(acme: Acme) -> Any:
    was = acme.registration()
    return replace(was, tokens=tokens.rotated(was.tokens, Token("0" * 64), datetime.now(UTC)))


# What happens in Salesforce or in the settings, which links break, and what refresh deploys.
@pytest.mark.parametrize(
    ("happens", "broken", "deployed"),
    [
        pytest.param(
            _without_flow, {"flow active"}, {"version 1 of the flow activated"}, id="the flow is switched off"
        ),
        pytest.param(
            lambda acme: acme.control("outbound-message", {"name": NAME}, "DELETE"),
            {
                "flow",
                "flow active",
                "outbound message",
                "endpoint",
                "token",
                "fields",
                "integration user",
                "ActionId",
            },
            {"outbound message", "flow"},
            id="the message is deleted",
        ),
        pytest.param(
            lambda acme: _by_hand(acme, fields=["Id", "Email"]),
            {"fields"},
            {"outbound message"},
            id="a field is taken out of the message",
        ),
        pytest.param(
            lambda acme: _by_hand(acme, url="https://old.example.com/v2/features/x?token=abc"),
            {"endpoint", "token"},
            {"outbound message"},
            id="the message sends elsewhere",
        ),
        pytest.param(
            lambda acme: _by_hand(acme, url=f"{ENDPOINT}?token={'x' * 43}"),
            {"token"},
            {"outbound message"},
            id="the token in it is not valid",
        ),
        pytest.param(
            lambda acme: bootstrap.webhook_registry().replace(
                "acme",
                acme.registration(),
                _rotated_elsewhere(acme),
            ),
            {"token"},
            {"outbound message"},
            id="the token in it runs out",
        ),
        pytest.param(
            lambda acme: acme.put(auto_provision={"custom_fields": ["Area__c"]}),
            {"flow", "flow active", "fields"},
            {"outbound message", "flow"},
            id="the settings list another field",
        ),
    ],
)
def test_status_names_the_broken_links_and_refresh_mends_them(
    acme: Acme, happens: Callable[[Acme], object], broken: set[str], deployed: set[str]
) -> None:
    acme.control("custom-fields", {"name": "Area__c", "type": "Text", "length": 20}, "POST")
    acme.ask("install")
    happens(acme)
    status = acme.ask("status")
    assert amiss(status) == broken
    assert status["broken"] == next(name for name in links(status) if name in broken)
    acme.deploys()
    said = acme.ask("refresh")
    assert (said["status"], set(said["changed"])) == ("succeeded", deployed), said
    assert amiss(acme.ask("status")) == set()
    assert acme.accepts(acme.token())


def test_a_repair_of_the_message_alone_adds_no_version_of_the_flow(installed: Acme) -> None:
    for fields in (["Id"], ["Id", "Email"], ["Id", "Title"]):
        _by_hand(installed, fields=fields)
        assert installed.ask("refresh")["changed"] == ["outbound message"]
    assert installed.versions() == [(1, "Active")]


def test_a_repair_of_fields_keeps_the_token(installed: Acme) -> None:
    token = installed.token()
    _by_hand(installed, fields=["Id"])
    installed.ask("refresh")
    assert installed.token() == token
    assert len(installed.registration().tokens) == 2  # the first one from the settings runs out


def test_a_draft_that_an_admin_saved_is_no_fault_while_ours_runs(installed: Acme) -> None:
    draft = flow(
        status="Draft", label="Try", action={"actionName": f"User.{NAME}", "nameSegment": f"User.{NAME}"}
    )
    installed.deploy({"package.xml": manifest(("Flow", NAME)), f"flows/{NAME}.flow": draft})
    assert installed.versions() == [(1, "Active"), (2, "Draft")]
    assert amiss(installed.ask("status")) == set()
    assert installed.ask("refresh")["changed"] == []


def test_switches_of_the_settings_are_links_too(installed: Acme) -> None:
    installed.put(auto_provision={"enabled": False})
    said = installed.ask("status")
    assert amiss(said) == {"auto-provisioning"}
    assert "auto_provision.enabled" in said["message"]
    connection = installed.salesforce.before_the_webhook | {"action_ids": ["04k000000000001AAA"]}
    installed.put(connections={"salesforce": connection})
    message = installed.message()
    assert message is not None
    said = installed.ask("status")
    assert amiss(said) == {"ActionId"}
    assert f"Add {message['id']} to connections.salesforce.action_ids" in said["message"]
    installed.put(connections={"salesforce": connection | {"action_ids": [message["id"]]}})
    assert amiss(installed.ask("status")) == set()


def test_the_last_message_is_told_to_the_minute(installed: Acme) -> None:
    said = installed.ask("status")
    assert links(said)["last message"] == "warning"
    assert "View Message Delivery Status" in said["checks"][-1]["remedy"]
    at = datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
    journal = bootstrap.webhook_journal()
    for moment in (at, at - timedelta(hours=1), at + timedelta(seconds=30), at + timedelta(minutes=2)):
        journal.note_received("acme", moment)
    said = installed.ask("status")
    assert (said["status"], said["last_message_at"]) == ("succeeded", "2026-11-21T08:17:00Z")


def test_a_message_of_another_organization_is_told_and_left_alone(installed: Acme) -> None:
    installed.control(
        "outbound-message",
        {
            "name": "Muster_globex",
            "object": "User",
            "url": ENDPOINT.replace("acme", "globex"),
            "fields": ["Id"],
        },
    )
    said = installed.ask("status")
    assert links(said)["other organizations"] == "warning"
    assert "Muster_globex" in said["message"]
    installed.ask("remove")
    assert installed.message("Muster_globex") is not None


@pytest.mark.parametrize("action", ["install", "refresh", "rotate_token", "remove"])
def test_a_message_that_sends_to_another_organization_is_not_taken_over(acme: Acme, action: str) -> None:
    acme.control(
        "outbound-message",
        {
            "name": NAME,
            "object": "User",
            "url": f"{ENDPOINT.replace('acme', 'acme--x')}?token=t",
            "fields": ["Id"],
        },
    )
    before = acme.message()
    said = acme.ask(action)
    assert said["status"] == "rejected"
    assert "belongs to Muster's organization acme--x" in said["message"]
    assert acme.message() == before
    assert acme.deploys() == 0


def test_who_saves_settings_is_told_that_the_sender_lacks_what_they_name(
    acme: Acme, context: LambdaContext
) -> None:
    def put(**sections: Any) -> list[str]:
        settings = {
            "organization": "acme",
            "connections": {"salesforce": acme.salesforce.before_the_webhook},
            **sections,
        }
        event = {"organization": "acme", "action": "put", "by": "jane", "settings": settings}
        said = organization_settings.handler(event, context)
        assert said["saved"], said
        return [each["where"] for each in said["warnings"] if "refresh" in each["remedy"]]

    sales = {"assignments": [{"name": "Sales", "filter": "Department = 'Sales'"}]}
    assert put(**sales) == []
    acme.ask("install")
    assert put(assignments=[{"name": "Sales", "filter": "Department = 'Marketing'"}]) == []
    assert put(assignments=[{"name": "Sales", "filter": "Country = 'GB'"}]) == ["auto_provision"]
    acme.ask("remove")
    assert put(**sales) == []


# ── What is sent ─────────────────────────────────────────────────────────────────────────────────────


def test_an_event_of_each_kind_is_there(acme: Acme) -> None:
    events = {name: pasted(name) for name in events_for("webhook_setup")}
    assert set(events) == {
        f"webhook_setup_{name}"
        for name in ("install", "refresh", "status", "rotate_token", "remove", "check_only")
    }
    for name in ("status", "check_only", "install", "refresh", "rotate_token", "remove"):
        said = webhook_setup.handler(events[f"webhook_setup_{name}"], acme.context)
        assert said["status"] in ("succeeded", "succeeded_with_errors"), said


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({}, "action"),
        ({"action": "instal"}, "action"),
        ({"action": "install"}, "by"),
        ({"action": "install", "by": "jane", "check_only": "yes"}, "check_only"),
        ({"action": "remove", "by": "jane", "url": "https://evil.example"}, "url"),
        ({"action": "status", "organization": "nobody"}, "organization"),
        ([], "event"),
    ],
)
def test_a_wrong_event_is_refused_with_its_place(acme: Acme, event: Any, where: str) -> None:
    sent = {"organization": "acme", **event} if isinstance(event, dict) else event
    said = webhook_setup.handler(sent, acme.context)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", where)
    assert acme.deploys() == 0


def test_without_a_connection_there_is_nothing_to_set_up(acme: Acme) -> None:
    acme.put(connections={})
    said = acme.ask("install")
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "connections.salesforce")
