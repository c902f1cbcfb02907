"""Putting an outbound message and a flow into Salesforce, and reading back what is there (U7, T6)."""

import traceback
from collections.abc import Iterator

import pytest

from muster.adapters.salesforce.setup_answers import MOST_PROBLEMS, read_deployment, redacted
from muster.errors import Misconfigured, NotFound, NotServed, Rejected, Unavailable
from muster.webhook_setup.metadata import Deployment, InstalledMessage
from sandbox.salesforce import running
from tests.doubles.metadata_packages import (
    FLOW,
    MESSAGE,
    NAME,
    flow,
    manifest,
    outbound_message,
    workflow,
    zipped,
)
from tests.doubles.salesforce_host import setup_client_of
from tests.doubles.salesforce_over_http import Organization
from tests.doubles.sandbox_doors import calls
from tests.integration.adapters.salesforce.setup_examples import (
    DEPLOYMENT,
    REQUESTS,
    TOKEN,
    URL,
    flow_of,
    installed,
    package,
)


@pytest.fixture
def org() -> Iterator[Organization]:
    """An organization of its own: a reset would leave in place what is deployed."""
    with running() as sandbox:
        organization = Organization(sandbox)
        yield organization
        organization.http.close()


def test_the_user_who_is_logged_in_is_told(org: Organization) -> None:
    me = setup_client_of(org).me()
    assert (me.username, me.active) == (org.sandbox.username, True)
    assert org.token()["id"].endswith(f"/{me.id}")


def test_the_fields_of_user_are_described(org: Organization) -> None:
    kinds = {field["name"]: field["type"] for field in setup_client_of(org).described()}
    assert (kinds["Email"], kinds["IsActive"]) == ("email", "boolean")


def test_nothing_is_there_at_first(org: Organization) -> None:
    client = setup_client_of(org)
    assert (client.message(NAME), client.messages(), client.flow(NAME)) == (None, [], None)


def test_what_is_deployed_reads_back(org: Organization) -> None:
    client = setup_client_of(org)
    message = outbound_message(URL, org.sandbox.username, "Id", "Email", "Title", includeSessionId="true")
    deployment = installed(client, package(org, workflow=workflow(message)))
    assert deployment == Deployment(deployment.id, "Succeeded", True, True, ())
    found = client.message(NAME)
    assert found == InstalledMessage(
        id=found.id if found else "",
        name=NAME,
        endpoint_url=URL,
        fields=("Id", "Email", "Title"),
        integration_user=org.sandbox.username,
        api_version="66.0",
        include_session_id=False,  # Salesforce sends session ids no more, whatever is asked for
    )
    shown = client.flow(NAME)
    assert shown is not None
    assert (shown.name, shown.active_version, shown.versions) == (NAME, 1, (1,))
    assert shown.active == shown.latest
    assert shown.latest["start"]["object"] == "User"
    assert (found.id[:3], shown.id[:3]) == ("04k", "300")
    assert TOKEN not in repr(found)
    assert client.messages() == [NAME]


def test_a_new_version_of_a_flow_is_told_from_the_active_one(org: Organization) -> None:
    client = setup_client_of(org)
    installed(client, package(org))
    installed(client, package(org, flow=flow(description="second")))
    installed(client, package(org, flow=flow(description="third", status="Draft")))
    shown = client.flow(NAME)
    assert shown is not None
    assert (shown.active_version, shown.versions) == (2, (1, 2, 3))
    assert shown.active is not None
    assert [each["description"] for each in (shown.active, shown.latest)] == ["second", "third"]


def test_a_check_changes_nothing(org: Organization) -> None:
    client = setup_client_of(org)
    deployment = client.deployment(client.deploy(package(org), check_only=True))
    assert deployment.success
    assert (client.message(NAME), client.flow(NAME)) == (None, None)
    refused = client.deploy(package(org, flow=flow(status="Nonsense")), check_only=True)
    assert not client.deployment(refused).success


def test_a_removal_of_what_is_not_there_succeeds(org: Organization) -> None:
    gone = {"package.xml": manifest(), "destructiveChanges.xml": manifest(FLOW, MESSAGE, version=None)}
    installed(setup_client_of(org), zipped(gone))


def test_the_problems_of_a_deployment_are_told_and_nothing_of_it_stays(org: Organization) -> None:
    client = setup_client_of(org)
    bad = flow(start={"filterFormula": "ISCHANGED({!$Record.Title})"})
    deployment = client.deployment(client.deploy(package(org, flow=bad)))
    assert (deployment.status, deployment.done, deployment.success) == ("Failed", True, False)
    (problem,) = deployment.problems
    assert problem.startswith(f"Flow {NAME}: start (Start) - The formula expression is invalid")
    assert (client.message(NAME), client.flow(NAME)) == (None, None)


def test_a_deployment_that_fails_as_a_whole_says_why(org: Organization) -> None:
    org.control("PUT", "deploys", {"error_message": "UNKNOWN_EXCEPTION: An unexpected error occurred."})
    client = setup_client_of(org)
    deployment = client.deployment(client.deploy(package(org)))
    assert (deployment.success, deployment.problems) == (
        False,
        ("UNKNOWN_EXCEPTION: An unexpected error occurred.",),
    )


def test_a_package_that_is_none_fails(org: Organization) -> None:
    client = setup_client_of(org)
    deployment = client.deployment(client.deploy(b"no zip"))
    assert (deployment.done, deployment.success, len(deployment.problems)) == (True, False, 1)


def test_a_refused_address_is_told_without_its_token(org: Organization) -> None:
    client = setup_client_of(org)
    message = outbound_message(f"ftp://api.example.com/webhook?token={TOKEN}", org.sandbox.username)
    deployment_id = client.deploy(package(org, workflow=workflow(message)))
    told = client.deployment(deployment_id).problems
    assert told[0] == (
        f"WorkflowOutboundMessage User.{NAME}: Invalid endpoint URL: ftp://api.example.com/webhook?token=…"
    )
    # It would be there, and it is the client that takes it out.
    answer = org.call("GET", f"/metadata/deployRequest/{deployment_id}?includeDetails=true")
    assert TOKEN in answer.text
    assert TOKEN not in "".join(told)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"bad '{URL}' there", "bad 'https://api.example.com/webhook?token=…' there"),
        (f'"{URL}&x=1#y"', '"https://api.example.com/webhook?token=…"'),
        (f"go?TOKEN={TOKEN}, or ?token={TOKEN}", "go?TOKEN=… or ?token=…"),
        (f"?next=%3Ftoken%3D{TOKEN} x", "?next=%3Ftoken%3D… x"),
        (f"<a>{URL}</a>", "<a>https://api.example.com/webhook?token=…</a>"),
        (f"token={TOKEN[:5]}\x00{TOKEN[5:]} x", "token=… x"),
        ("two\n  lines\x1b[31m", "two lines[31m"),
        ("x" * 900, "x" * 500),
        (f"{'x' * 490}token={TOKEN}", f"{'x' * 490}token=…"),
        ("no token at all", "no token at all"),
    ],
)
def test_words_are_shown_in_one_line_without_tokens(said: str, shown: str) -> None:
    assert redacted(said) == shown


def test_a_queued_deployment_is_followed_until_it_is_done(org: Organization) -> None:
    org.control("PUT", "deploys", {"pending_polls": 2, "in_progress_polls": 1})
    client = setup_client_of(org)
    deployment_id = client.deploy(package(org))
    stages = [client.deployment(deployment_id) for _ in range(4)]
    assert [each.status for each in stages] == ["Pending", "Pending", "InProgress", "Succeeded"]
    assert [(each.done, each.success) for each in stages] == [*[(False, False)] * 3, (True, True)]


def test_a_deployment_is_cancelled_while_it_waits_and_not_once_it_is_done(org: Organization) -> None:
    org.control("PUT", "deploys", {"pending_polls": 9})
    client = setup_client_of(org)
    deployment_id = client.deploy(package(org))
    client.cancel(deployment_id)
    assert client.deployment(deployment_id) == Deployment(deployment_id, "Canceled", True, False, ())
    with pytest.raises(Rejected, match="already completed"):
        client.cancel(deployment_id)
    assert client.message(NAME) is None


def test_values_that_come_as_texts_are_understood(org: Organization) -> None:
    org.control("PUT", "deploys", {"text_values": True, "pending_polls": 1, "problem": "No."})
    client = setup_client_of(org)
    deployment_id = client.deploy(package(org))
    stages = [client.deployment(deployment_id) for _ in range(2)]
    assert [(each.done, each.success) for each in stages] == [(False, False), (True, False)]
    assert stages[1].problems == (f"WorkflowOutboundMessage User.{NAME}: No.", f"Flow {NAME}: No.")


def state(**changes: object) -> dict[str, object]:
    result = {"id": DEPLOYMENT, "status": "Succeeded", "done": True, "success": True} | changes
    return {"deployResult": {key: value for key, value in result.items() if value is not None}}


@pytest.mark.parametrize(
    ("changes", "done", "success"),
    [
        ({}, True, True),
        ({"done": "true", "success": "true"}, True, True),
        ({"done": "false", "success": "false", "status": "Pending"}, False, False),
        ({"done": None, "success": "true"}, True, True),
        ({"status": "FinalizingDeploy", "done": False}, False, False),
        ({"status": "FinalizingDeploy", "done": None, "success": None}, False, False),
        ({"status": "Renamed", "done": True}, True, True),
        ({"status": "SucceededPartial"}, True, False),
        ({"status": "Failed", "success": False}, True, False),
        ({"status": "Canceled", "success": "false"}, True, False),
        ({"done": 1, "success": 1, "status": "Renamed"}, False, False),
    ],
)
def test_a_deployment_is_done_when_salesforce_says_so(
    changes: dict[str, object], done: bool, success: bool
) -> None:
    found = read_deployment(DEPLOYMENT, state(**changes))
    assert (found.done, found.success) == (done, success)


def test_problems_come_from_everywhere_that_a_deployment_tells_them() -> None:
    failure = {"componentType": "Flow", "fullName": NAME, "problem": f"bad {URL}", "success": "false"}
    tests = {
        "failures": [{"name": "Some", "methodName": "works", "message": "does not"}],
        "codeCoverageWarnings": {"message": "Average test coverage is 10%"},
        "flowCoverageWarnings": [{"message": "Flow coverage is 0%"}],
    }
    details = {"componentFailures": failure, "runTestResult": tests}
    found = read_deployment(DEPLOYMENT, state(status="Failed", errorMessage="Whole.", details=details))
    assert found.problems == (
        "Whole.",
        f"Flow {NAME}: bad https://api.example.com/webhook?token=…",
        "ApexClass Some.works: does not",
        "Average test coverage is 10%",
        "Flow coverage is 0%",
    )
    many = [{"fullName": f"F{number}", "problem": None} for number in range(MOST_PROBLEMS + 1)]
    shown = read_deployment(DEPLOYMENT, state(details={"componentFailures": many})).problems
    assert (len(shown), shown[0]) == (MOST_PROBLEMS, "F0: failed")


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"deployResult": None}, state(id=None), state(status=None), state(id="0Af1")]
)
def test_what_is_no_state_of_a_deployment_is_unavailable(answer: object) -> None:
    with pytest.raises(Unavailable, match="not the state of a deployment"):
        read_deployment(DEPLOYMENT, answer)


def test_the_state_of_another_deployment_is_not_taken_for_it() -> None:
    with pytest.raises(Unavailable):
        read_deployment("0Af000000000002AAB", state())
    assert read_deployment(DEPLOYMENT[:15], state()).id == DEPLOYMENT


def test_a_production_org_takes_a_flow_inactive_and_leaves_activating_to_its_admins(
    org: Organization,
) -> None:
    org.control("PUT", "organization", {"production": True})
    client = setup_client_of(org)
    installed(client, package(org))
    shown = flow_of(client)
    assert (shown.active_version, shown.active, shown.versions) == (None, None, (1,))
    with pytest.raises(Rejected, match="can't activate") as refused:
        client.activate(shown.id, 1)
    assert "Deploy processes and flows as active" in refused.value.problems[0].remedy
    org.control("PUT", f"flows/{NAME}", {"active_version": 1})
    assert flow_of(client).active_version == 1
    client.activate(shown.id, 0)  # switching off is allowed
    assert flow_of(client).active_version is None


def test_a_version_is_activated_and_switched_off(org: Organization) -> None:
    client = setup_client_of(org)
    installed(client, package(org))
    installed(client, package(org, flow=flow(description="second")))
    shown = flow_of(client)
    for version, active in ((1, 1), (1, 1), (0, None), (2, 2)):
        client.activate(shown.id, version)
        assert flow_of(client).active_version == active
    with pytest.raises(Rejected, match="no version 7"):
        client.activate(shown.id, 7)


def test_what_the_user_may_not_deploy_is_told_with_the_permission_to_give(org: Organization) -> None:
    org.control("PUT", "organization", {"modify_metadata": False})
    with pytest.raises(Misconfigured) as refused:
        setup_client_of(org).deploy(package(org))
    assert type(refused.value) is Misconfigured
    said = str(refused.value)
    assert "403 INSUFFICIENT_ACCESS" in said
    assert "Modify Metadata Through Metadata API Functions, Customize Application, Manage Flow" in said


def test_a_version_that_is_not_served_is_told(org: Organization) -> None:
    client = setup_client_of(org, api_version="99.0")
    for call in (
        client.me,
        client.described,
        lambda: client.message(NAME),
        lambda: client.flow(NAME),
        lambda: client.deploy(package(org)),
    ):
        with pytest.raises(NotServed, match=r"connections\.salesforce\.api_version"):
            call()


def test_a_deployment_or_flow_that_is_not_there_is_not_found(org: Organization) -> None:
    client = setup_client_of(org)
    for call in (
        lambda: client.deployment(DEPLOYMENT),
        lambda: client.cancel(DEPLOYMENT),
        lambda: client.activate("300000000000001AAA", 0),
    ):
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize("name", ["", "1a", "a'b", "a b", "a-b", "ä", "a\n", "x" * 81, "' OR Name != '"])
def test_only_names_are_asked_for(org: Organization, name: str) -> None:
    client = setup_client_of(org)
    for call in (client.message, client.flow):
        with pytest.raises(Rejected):
            call(name)
    for other in (client.deployment, client.cancel):
        with pytest.raises(Rejected):
            other(f"0Af{name}")
    with pytest.raises(Rejected):
        client.activate(f"300/{name}", 1)
    assert calls(org.url, "/services/data", "GET") == 0


def test_a_name_is_the_whole_name_whatever_its_case(org: Organization) -> None:
    client = setup_client_of(org)
    installed(client, package(org))
    for name in (NAME, NAME.lower()):
        found = client.message(name), client.flow(name)
        assert [each.name for each in found if each] == [NAME, NAME]
    for name in (f"{NAME}2", NAME[:-1]):
        assert (client.message(name), client.flow(name)) == (None, None)


def test_nothing_raised_carries_the_token(org: Organization) -> None:
    client = setup_client_of(org)
    told: list[str] = []
    for fault in ("status", "html", "empty", "truncate", "lose_answer"):
        org.control("POST", "faults", [{"path": REQUESTS, "fault": fault}])
        with pytest.raises(Unavailable) as lost:
            client.deploy(package(org))
        told += traceback.format_exception(lost.value)
    org.control("PUT", "deploys", {"error_message": f"At {URL}"})
    told += client.deployment(client.deploy(package(org))).problems
    assert TOKEN not in "".join(told)
