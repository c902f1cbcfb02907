"""Deploying an outbound message and a flow: the requests, the states, and that users are really sent."""

import json

import pytest
import requests

from sandbox.salesforce import running
from tests.doubles.clocks import Clock
from tests.doubles.metadata_packages import (
    FLOW,
    FLOW_FILE,
    MESSAGE,
    NAME,
    WORKFLOW_FILE,
    Metadata,
    flow,
    manifest,
    outbound_message,
    workflow,
    zipped,
)
from tests.doubles.receiver import Receiver
from tests.doubles.salesforce_over_http import Organization, error_of, wait_for
from tests.integration.sandbox.salesforce.conftest import QUICK


@pytest.fixture
def metadata(org: Organization, receiver_url: str) -> Metadata:
    return Metadata(org, receiver_url)


def test_a_deployed_flow_sends_the_users_that_its_condition_lets_through(
    org: Organization, metadata: Metadata, receiver: Receiver
) -> None:
    metadata.install()
    user = org.create(Title="Rep")
    (created,) = receiver.messages(1)
    assert created.fields == [{"Id": user, "Title": "Rep"}]
    (row,) = metadata.tooling("SELECT Id FROM WorkflowOutboundMessage")
    assert created.action_id == row["Id"]
    org.update(user, Department="Sales")  # not a field that the condition watches
    org.update(user, Title="Rep")
    org.update(user, Title="Lead")
    changed = receiver.messages(2)[1]
    assert changed.fields == [{"Id": user, "Title": "Lead"}]
    wait_for(lambda: org.deliveries()["delivered"] == 2)
    assert org.deliveries()["pending"] == 0


def test_a_flow_without_a_condition_runs_on_every_save(
    org: Organization, metadata: Metadata, receiver: Receiver
) -> None:
    start = {"filterFormula": None, "recordTriggerType": "Update"}
    assert metadata.deploy(metadata.package(flow=flow(start=start)))["success"] is True
    user = org.create(Title="Rep")
    org.update(user, Title="Rep")
    (message,) = receiver.messages(1)
    assert message.fields == [{"Id": user, "Title": "Rep"}]


def test_an_inactive_flow_sends_nothing(org: Organization, metadata: Metadata) -> None:
    assert metadata.deploy(metadata.package(flow=flow(status="Draft")))["success"] is True
    org.create()
    assert org.deliveries()["pending"] == org.deliveries()["delivered"] == 0
    assert org.control("GET", "outbound-message")[0]["name"] == NAME


def test_the_answers_to_a_deployment_have_the_documented_shape(metadata: Metadata) -> None:
    answer = metadata.post(zipped(metadata.package()))
    assert answer.status_code == 201
    queued = answer.json()
    assert queued["id"].startswith("0Af")
    assert len(queued["id"]) == 18
    assert queued["url"].endswith(f"/services/data/v66.0/metadata/deployRequest/{queued['id']}")
    assert queued["deployOptions"]["testLevel"] is None
    assert (queued["deployResult"]["status"], queued["deployResult"]["done"]) == ("Pending", False)
    result = metadata.check(queued["id"])
    assert {name: result[name] for name in ("id", "status", "done", "success", "checkOnly")} == {
        "id": queued["id"],
        "status": "Succeeded",
        "done": True,
        "success": True,
        "checkOnly": False,
    }
    assert (result["numberComponentsTotal"], result["numberComponentsDeployed"]) == (2, 2)
    assert (result["numberComponentErrors"], result["errorMessage"]) == (0, None)
    successes = result["details"]["componentSuccesses"]
    shown = [(each["componentType"], each["fullName"], each["fileName"]) for each in successes]
    assert shown == [
        ("", "package.xml", "package.xml"),
        (*MESSAGE, WORKFLOW_FILE),
        (*FLOW, FLOW_FILE),
    ]
    assert [each["id"] and each["id"][:3] for each in successes] == [None, "04k", "300"]
    assert all(each["created"] and each["changed"] for each in successes[1:])
    plain = metadata.org.call("GET", f"/metadata/deployRequest/{queued['id'][:15]}").json()
    assert plain["deployResult"]["details"] is None


def test_the_json_part_may_have_any_name(metadata: Metadata) -> None:
    options = json.dumps({"deployOptions": {"singlePackage": True}})
    parts = {
        "entity_content": (None, options, "application/json"),
        "file": ("deploy.zip", zipped(metadata.package()), "application/zip"),
    }
    assert metadata.org.call("POST", "/metadata/deployRequest", files=parts).status_code == 201


def test_a_check_only_deployment_leaves_nothing_behind(metadata: Metadata) -> None:
    result = metadata.deploy(metadata.package(), checkOnly=True)
    assert (result["status"], result["checkOnly"], result["numberComponentsDeployed"]) == (
        "Succeeded",
        True,
        2,
    )
    assert metadata.tooling("SELECT Id FROM WorkflowOutboundMessage") == []
    assert metadata.versions() == []


def test_a_failure_rolls_everything_back(metadata: Metadata) -> None:
    broken = flow(action={"actionName": "User.Another"})
    result = metadata.deploy(metadata.package(flow=broken))
    assert (result["status"], result["numberComponentErrors"]) == ("Failed", 1)
    assert metadata.tooling("SELECT Id FROM WorkflowOutboundMessage") == []


def test_without_a_rollback_the_rest_stays(metadata: Metadata) -> None:
    broken = flow(action={"actionName": "User.Another"})
    result = metadata.deploy(metadata.package(flow=broken), rollbackOnError=False)
    assert (result["status"], result["numberComponentErrors"]) == ("SucceededPartial", 1)
    assert len(metadata.tooling("SELECT Id FROM WorkflowOutboundMessage")) == 1
    assert metadata.versions() == []


def test_a_slow_queue_is_pending_then_in_progress(org: Organization, metadata: Metadata) -> None:
    org.control("PUT", "deploys", {"pending_polls": 2, "in_progress_polls": 1})
    first = metadata.start(metadata.package())
    second = metadata.start(metadata.package())
    states = [metadata.check(first)["status"] for _ in range(3)]
    assert states == ["Pending", "Pending", "InProgress"]
    assert metadata.versions() == []
    assert metadata.check(second)["status"] == "Pending"
    assert metadata.check(first)["status"] == "Succeeded"
    assert metadata.versions() == [(1, "Active")]


def test_a_deployment_takes_time_and_effect_though_nobody_asks(
    org: Organization, metadata: Metadata, clock: Clock, receiver: Receiver
) -> None:
    org.control("PUT", "deploys", {"pending_s": 10, "in_progress_s": 20})
    deploy_id = metadata.start(metadata.package())
    assert metadata.check(deploy_id)["status"] == "Pending"
    clock.set("2026-11-21T12:00:11+00:00")
    assert metadata.check(deploy_id)["status"] == "InProgress"
    clock.set("2026-11-21T12:00:31+00:00")
    user = org.create(Title="Rep")
    (message,) = receiver.messages(1)
    assert message.fields[0]["Id"] == user
    assert metadata.check(deploy_id)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("settings", "checks", "answered"),
    [({"pending_polls": 9}, 0, "Canceled"), ({"in_progress_polls": 9}, 1, "Canceling")],
)
def test_a_deployment_can_be_canceled(
    org: Organization, metadata: Metadata, settings: dict[str, int], checks: int, answered: str
) -> None:
    org.control("PUT", "deploys", settings)
    deploy_id = metadata.start(metadata.package())
    for _ in range(checks):
        assert metadata.check(deploy_id)["status"] == "InProgress"
    place = f"/metadata/deployRequest/{deploy_id}"
    body = {"deployResult": {"status": "Canceling"}}
    answer = org.call("PATCH", place, json=body)
    assert (answer.status_code, answer.json()["deployResult"]["status"]) == (202, answered)
    result = metadata.check(deploy_id)
    assert (result["status"], result["done"], result["success"]) == ("Canceled", True, False)
    assert metadata.versions() == []
    assert error_of(org.call("PATCH", place, json=body)) == (400, "INVALID_ID_FIELD")
    assert error_of(org.call("PATCH", place, json={"status": "Canceling"})) == (400, "JSON_PARSER_ERROR")


def test_deployments_fail_as_told(org: Organization, metadata: Metadata) -> None:
    org.control("PUT", "deploys", {"problem": "You do not have the proper permissions"})
    failures = metadata.deploy(metadata.package())["details"]["componentFailures"]
    assert [each["problem"] for each in failures] == ["You do not have the proper permissions"] * 2
    org.control("PUT", "deploys", {"problem": "", "error_message": "An unexpected error occurred."})
    result = metadata.deploy(metadata.package())
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "UNKNOWN_EXCEPTION")
    assert result["errorMessage"] == "An unexpected error occurred."
    org.control("PUT", "deploys", {"error_message": ""})
    metadata.install()


def test_results_may_be_text_as_in_the_documentation(org: Organization, metadata: Metadata) -> None:
    org.control("PUT", "deploys", {"text_values": True, "pending_polls": 1})
    result = metadata.check(metadata.start(metadata.package()))
    assert (result["done"], result["success"], result["numberComponentErrors"]) == ("false", "false", "0")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"testLevel": "RunNothing"}, "JSON_PARSER_ERROR"),
        ({"checkOnly": "False"}, "JSON_PARSER_ERROR"),
        ({"dryRun": True}, "JSON_PARSER_ERROR"),
        ({"singlePackage": False}, "INVALID_OPERATION"),
    ],
)
def test_wrong_options_are_refused(metadata: Metadata, options: dict[str, object], code: str) -> None:
    assert error_of(metadata.post(zipped(metadata.package()), **options)) == (400, code)


def test_a_production_organization_refuses_what_it_must_not_do(org: Organization, metadata: Metadata) -> None:
    org.control("PUT", "organization", {"production": True})
    archive = zipped(metadata.package())
    refused = metadata.post(archive, testLevel="NoTestRun")
    assert error_of(refused) == (400, "INVALID_OPERATION")
    assert refused.json()[0]["message"] == "testLevel of NoTestRun cannot be used in production organizations"
    assert error_of(metadata.post(archive, rollbackOnError=False)) == (400, "INVALID_OPERATION")
    assert metadata.post(archive).status_code == 201


@pytest.mark.parametrize(
    "parts",
    [
        {"file": ("deploy.zip", b"PK", "application/zip")},
        {"json": (None, "{", "application/json"), "file": ("deploy.zip", b"PK", "application/zip")},
        {"json": (None, "[]", "application/json"), "file": ("deploy.zip", b"PK", "application/zip")},
        {"json": (None, '{"deployOptions": {"singlePackage": true}}', "application/json")},
    ],
)
def test_a_request_without_its_parts_is_refused(
    metadata: Metadata, parts: dict[str, tuple[str | None, object, str]]
) -> None:
    answer = metadata.org.call("POST", "/metadata/deployRequest", files=parts)
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")


def test_the_metadata_api_needs_a_session_a_permission_and_a_known_deployment(
    org: Organization, metadata: Metadata
) -> None:
    bare = requests.get(f"{org.url}/services/data/v66.0/metadata/deployRequest/0Af0", timeout=10)
    assert error_of(bare) == (401, "INVALID_SESSION_ID")
    for unknown in ("0Af0", "0Af000000000001AAA"):
        assert error_of(org.call("GET", f"/metadata/deployRequest/{unknown}")) == (404, "NOT_FOUND")
    org.control("PUT", "organization", {"modify_metadata": False})
    assert error_of(metadata.post(zipped(metadata.package()))) == (403, "INSUFFICIENT_ACCESS")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("organization", {"production": "yes"}, "production is true or false"),
        ("organization", {"sandbox": True}, "the body is an object with some of production"),
        ("deploys", {"pending_polls": -1}, "pending_polls is a whole number"),
        ("deploys", {"pending_polls": True}, "pending_polls is a whole number"),
        ("deploys", {"pending_s": "1"}, "pending_s is a number"),
        ("deploys", {"problem": None}, "problem is a text"),
        ("flows/Nothing", {"active_version": 1}, "No FlowDefinition named Nothing"),
    ],
)
def test_wrong_settings_are_refused_with_what_is_allowed(
    org: Organization, path: str, body: object, said: str
) -> None:
    assert said in org.control("PUT", path, body, status=400)["error"]


def test_a_reset_forgets_deployments_and_settings_and_keeps_what_is_deployed(
    org: Organization, metadata: Metadata
) -> None:
    org.control("PUT", "organization", {"production": True})
    org.control("PUT", "deploys", {"pending_polls": 3})
    waiting = metadata.start(metadata.package())
    org.control("POST", "reset")
    assert org.control("GET", "organization")["production"] is False
    assert org.control("GET", "deploys")["pending_polls"] == 0
    assert org.call("GET", f"/metadata/deployRequest/{waiting}").status_code == 404
    metadata.install()
    org.control("POST", "reset")
    assert metadata.versions() == [(1, "Active")]


def test_the_admins_door_and_a_deployment_install_the_same(
    org: Organization, metadata: Metadata, receiver: Receiver
) -> None:
    action = org.install("http://127.0.0.1:9/nowhere", "LastName")
    (row,) = metadata.tooling(f"SELECT Id, Metadata FROM WorkflowOutboundMessage WHERE Name = '{NAME}'")  # noqa: S608
    assert (row["Id"], row["Metadata"]["fields"]) == (action, ["Id", "LastName"])
    assert metadata.versions() == [(1, "Active")]
    metadata.install()
    assert metadata.versions() == [(1, "Obsolete"), (2, "Active")]
    shown = {
        "name": NAME,
        "action_id": action,
        "object": "User",
        "url": metadata.url,
        "fields": ["Id", "Title"],
    }
    assert org.control("GET", "outbound-message") == [shown]
    user = org.create(Title="Rep")
    (message,) = receiver.messages(1)
    assert (message.action_id, message.fields) == (action, [{"Id": user, "Title": "Rep"}])
    assert org.control("DELETE", "outbound-message", {"name": NAME})["removed"] is True
    assert metadata.versions() == []


def test_a_restart_goes_on_with_what_is_deployed_and_queued(
    tmp_path_factory: pytest.TempPathFactory, receiver: Receiver, receiver_url: str
) -> None:
    data = str(tmp_path_factory.mktemp("metadata") / "salesforce.sqlite")
    with running(data=data, delivery=QUICK) as sandbox:
        org = Organization(sandbox)
        org.control("PUT", "deploys", {"pending_polls": 1})
        org.control("PUT", "organization", {"deploy_flows_as_active": True, "production": True})
        deploy_id = Metadata(org, receiver_url).start(Metadata(org, receiver_url).package())
        org.http.close()
    with running(data=data, delivery=QUICK) as sandbox:
        org = Organization(sandbox)
        metadata = Metadata(org, receiver_url)
        assert [metadata.check(deploy_id)["status"] for _ in range(2)] == ["Pending", "Succeeded"]
        assert metadata.versions() == [(1, "Active")]
        user = org.create(Title="Rep")
        assert receiver.messages(1)[0].fields == [{"Id": user, "Title": "Rep"}]
        org.http.close()


def test_a_message_of_its_own_can_be_deployed_beside_others(org: Organization, metadata: Metadata) -> None:
    other = org.install("http://127.0.0.1:9/other", "Email", name="Other")
    metadata.install()
    message = outbound_message("http://127.0.0.1:9/next", org.sandbox.username, "Email")
    package = {"package.xml": manifest(MESSAGE), WORKFLOW_FILE: workflow(message)}
    before = {each["name"]: each["action_id"] for each in org.control("GET", "outbound-message")}
    successes = metadata.deploy(package)["details"]["componentSuccesses"]
    assert [(each["created"], each["changed"]) for each in successes[1:]] == [(False, True)]
    after = {
        each["name"]: (each["action_id"], each["url"]) for each in org.control("GET", "outbound-message")
    }
    assert after == {
        NAME: (before[NAME], "http://127.0.0.1:9/next"),
        "Other": (other, "http://127.0.0.1:9/other"),
    }
