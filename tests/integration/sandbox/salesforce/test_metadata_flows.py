"""Versions of a flow, production organizations, removal, and reading back what is deployed."""

import pytest

from tests.doubles.metadata_packages import (
    FLOW,
    MESSAGE,
    NAME,
    Metadata,
    document,
    elements,
    flow,
    manifest,
    problems,
)
from tests.doubles.receiver import Receiver
from tests.doubles.salesforce_over_http import Organization, error_of

URL = "http://127.0.0.1:9/nowhere"
ACCESS = "insufficient access rights on cross-reference id"
DEFINITION = f"SELECT Id, DeveloperName, ActiveVersionId, LatestVersionId FROM FlowDefinition WHERE DeveloperName = '{NAME}'"  # noqa: S608, E501


def deploy_flow(metadata: Metadata, label: str, status: str = "Active") -> None:
    result = metadata.deploy(metadata.package(flow=flow(label=label, status=status)))
    assert result["status"] == "Succeeded", result


def active_version(metadata: Metadata) -> object:
    rows = metadata.tooling("SELECT ActiveVersion.VersionNumber FROM FlowDefinition")
    return rows[0]["ActiveVersion"] and rows[0]["ActiveVersion"]["VersionNumber"]


def test_a_changed_flow_is_a_new_version_and_the_old_one_obsolete(metadata: Metadata) -> None:
    for label in ("First", "Second", "Third"):
        deploy_flow(metadata, label)
    assert metadata.versions() == [(1, "Obsolete"), (2, "Obsolete"), (3, "Active")]
    (definition,) = metadata.tooling(DEFINITION)
    assert definition["ActiveVersionId"] == definition["LatestVersionId"]
    assert active_version(metadata) == 3


def test_an_unchanged_flow_is_no_new_version_whatever_its_status(metadata: Metadata) -> None:
    metadata.install()
    successes = metadata.deploy(metadata.package())["details"]["componentSuccesses"]
    assert [each["changed"] for each in successes[1:]] == [False, False]
    assert metadata.deploy(metadata.package(flow=flow(status="Draft")))["success"] is True
    assert metadata.versions() == [(1, "Active")]


def test_a_changed_draft_leaves_the_active_version_running(metadata: Metadata) -> None:
    metadata.install()
    deploy_flow(metadata, "Other", "Draft")
    assert metadata.versions() == [(1, "Active"), (2, "Draft")]
    (view,) = metadata.org.query("SELECT IsActive, ActiveVersionId, LatestVersionId FROM FlowDefinitionView")[
        "records"
    ]
    assert view["IsActive"] is False  # it is about the latest version
    assert view["ActiveVersionId"] != view["LatestVersionId"]


def test_a_flow_has_fifty_versions_at_most(metadata: Metadata) -> None:
    for number in range(50):
        deploy_flow(metadata, f"Label {number}")
    result = metadata.deploy(metadata.package(flow=flow(label="One more")))
    assert problems(result) == ["Maximum flow versions reached"]


def test_production_lands_flows_inactive(org: Organization, metadata: Metadata) -> None:
    org.control("PUT", "organization", {"production": True})
    metadata.install()
    assert metadata.versions() == [(1, "Draft")]
    (definition,) = metadata.tooling(DEFINITION)
    assert definition["ActiveVersionId"] is None
    org.create()
    assert org.deliveries()["pending"] == 0
    answer = metadata.activate(1)
    assert error_of(answer) == (400, "INVALID_INPUT")
    assert org.control("PUT", f"flows/{NAME}", {"active_version": 1})["active_version"] == 1
    assert metadata.versions() == [(1, "Active")]
    deploy_flow(metadata, "Other")
    assert metadata.versions() == [(1, "Active"), (2, "Draft")]


@pytest.mark.parametrize(
    ("settings", "landed"),
    [({"deploy_flows_as_active": True}, "Active"), ({"activate_flows_by_api": True}, "Draft")],
)
def test_production_can_be_told_to_let_flows_be_active(
    org: Organization, metadata: Metadata, settings: dict[str, bool], landed: str
) -> None:
    org.control("PUT", "organization", {"production": True} | settings)
    metadata.install()
    assert metadata.versions() == [(1, landed)]
    assert metadata.activate(1).status_code == 204
    assert metadata.versions() == [(1, "Active")]


def test_the_tooling_api_switches_versions(metadata: Metadata, receiver: Receiver, receiver_url: str) -> None:
    metadata.url = receiver_url
    deploy_flow(metadata, "First")
    deploy_flow(metadata, "Second")
    assert metadata.activate(1).status_code == 204
    assert metadata.versions() == [(1, "Active"), (2, "Obsolete")]
    assert metadata.activate(0).status_code == 204
    assert metadata.versions() == [(1, "Obsolete"), (2, "Obsolete")]
    user = metadata.org.create()
    assert metadata.org.deliveries()["pending"] == 0
    assert metadata.activate(2).status_code == 204
    metadata.org.update(user, Title="Rep")
    assert receiver.messages(1)[0].fields[0]["Id"] == user
    assert error_of(metadata.activate(9)) == (400, "INVALID_INPUT")
    assert error_of(metadata.activate(-1)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("number", ["0", None])
def test_a_flow_definition_in_a_package_overrides_the_status(metadata: Metadata, number: str | None) -> None:
    metadata.install()
    definition = document("FlowDefinition", elements({"activeVersionNumber": number}))
    files = metadata.package() | {
        "package.xml": manifest(MESSAGE, FLOW, ("FlowDefinition", NAME)),
        f"flowDefinitions/{NAME}.flowDefinition": definition,
    }
    assert metadata.deploy(files)["status"] == "Succeeded"
    assert metadata.versions() == [(1, "Obsolete")]
    assert active_version(metadata) is None


def test_an_active_flow_is_deleted_only_once_it_is_deactivated(metadata: Metadata) -> None:
    metadata.install()
    assert problems(metadata.delete(FLOW)) == [ACCESS]
    assert problems(metadata.delete(("Flow", f"{NAME}-1"))) == [ACCESS]
    assert metadata.activate(0).status_code == 204
    result = metadata.delete(("Flow", f"{NAME}-1"), MESSAGE)
    assert result["status"] == "Succeeded"
    assert [each["deleted"] for each in result["details"]["componentSuccesses"]] == [False, True, True]
    assert metadata.tooling("SELECT Id FROM FlowDefinition") == []
    assert metadata.tooling("SELECT Id FROM WorkflowOutboundMessage") == []


def test_a_flow_with_several_versions_is_deleted_version_by_version(metadata: Metadata) -> None:
    for label in ("First", "Second", "Third"):
        deploy_flow(metadata, label)
    metadata.activate(0)
    assert problems(metadata.delete(FLOW)) == [ACCESS]
    assert metadata.delete(("Flow", f"{NAME}-3"))["status"] == "Succeeded"
    assert metadata.versions() == [(1, "Obsolete"), (2, "Obsolete")]
    assert metadata.delete(("Flow", f"{NAME}-2"))["status"] == "Succeeded"
    assert metadata.delete(FLOW)["status"] == "Succeeded"
    assert metadata.versions() == []


def test_a_message_that_a_flow_refers_to_stays(metadata: Metadata) -> None:
    metadata.install()
    metadata.activate(0)
    (problem,) = problems(metadata.delete(MESSAGE))
    assert problem.endswith(f"Remove the usage and try again. : Flow - {NAME}-1")
    # Deletions come first, those of destructiveChangesPost.xml last.
    late = {
        "package.xml": manifest(),
        "destructiveChanges.xml": manifest(("Flow", f"{NAME}-1"), version=None),
        "destructiveChangesPost.xml": manifest(MESSAGE, version=None),
    }
    assert metadata.deploy(late)["status"] == "Succeeded"
    assert metadata.tooling("SELECT Id FROM WorkflowOutboundMessage") == []


def test_deleting_what_is_not_there_is_a_warning(metadata: Metadata) -> None:
    result = metadata.delete(FLOW, ignoreWarnings=True)
    assert (result["status"], result["numberComponentErrors"]) == ("Succeeded", 0)
    warning = result["details"]["componentSuccesses"][1]
    assert (warning["problemType"], warning["problem"]) == ("Warning", f"No Flow named: {NAME} found")
    assert (warning["fullName"], warning["success"]) == ("destructiveChanges.xml", True)
    assert problems(metadata.delete(FLOW)) == [f"No Flow named: {NAME} found"]


def test_what_is_deployed_reads_back(metadata: Metadata) -> None:
    metadata.install()
    (message,) = metadata.tooling(
        f"SELECT Id, FullName, ApiVersion, IntegrationUserId, Metadata FROM WorkflowOutboundMessage"  # noqa: S608
        f" WHERE Name = '{NAME}'"
    )
    assert message["attributes"] == {
        "type": "WorkflowOutboundMessage",
        "url": f"/services/data/v66.0/tooling/sobjects/WorkflowOutboundMessage/{message['Id']}",
    }
    assert (message["FullName"], message["ApiVersion"]) == (f"User.{NAME}", 66.0)
    assert message["IntegrationUserId"].startswith("005")
    assert message["Metadata"] == {
        "apiVersion": 66.0,
        "description": "Sends changed users",
        "endpointUrl": URL,
        "fields": ["Id", "Title"],
        "includeSessionId": False,
        "integrationUser": metadata.org.sandbox.username,
        "name": NAME,
        "protected": False,
        "useDeadLetterQueue": False,
    }
    place = f"/tooling/sobjects/WorkflowOutboundMessage/{message['Id']}"
    assert metadata.org.call("GET", place).json()["Metadata"] == message["Metadata"]
    (version,) = metadata.tooling(
        f"SELECT Definition.DeveloperName, Status, Metadata FROM Flow WHERE Definition.DeveloperName = '{NAME}'"  # noqa: S608, E501
    )
    assert version["Definition"]["DeveloperName"] == NAME
    assert (version["Status"], version["Metadata"]["status"]) == ("Active", "Active")
    assert version["Metadata"]["start"]["filterFormula"] == "OR(ISNEW(), ISCHANGED({!$Record.Title}))"
    (definition,) = metadata.tooling("SELECT Metadata FROM FlowDefinition")
    assert definition["Metadata"]["activeVersionNumber"] == 1
    (view,) = metadata.org.query(
        f"SELECT ApiName, Label, IsActive, TriggerType, VersionNumber FROM FlowDefinitionView WHERE ApiName = '{NAME}'"  # noqa: S608, E501
    )["records"]
    del view["attributes"]
    assert view == {
        "ApiName": NAME,
        "Label": "Muster User",
        "IsActive": True,
        "TriggerType": "RecordAfterSave",
        "VersionNumber": 1,
    }


@pytest.mark.parametrize("field", ["Metadata", "FullName"])
def test_metadata_is_read_of_one_record_at_a_time(metadata: Metadata, field: str) -> None:
    deploy_flow(metadata, "First")
    deploy_flow(metadata, "Second")
    query = {"q": f"SELECT {field} FROM Flow"}  # noqa: S608
    answer = metadata.org.call("GET", "/tooling/query", params=query)
    assert error_of(answer) == (400, "MALFORMED_QUERY")
    assert answer.json()[0]["message"].endswith("no more than one row for retrieval. Result size: 2")
    assert len(metadata.tooling(f"SELECT {field} FROM Flow WHERE VersionNumber = 2")) == 1  # noqa: S608
    filtered = {"q": f"SELECT Id FROM Flow WHERE {field} = 'x'"}  # noqa: S608
    refused = metadata.org.call("GET", "/tooling/query", params=filtered)
    assert error_of(refused) == (400, "INVALID_FIELD")


def test_each_api_has_its_own_objects(metadata: Metadata) -> None:
    view = metadata.org.call("GET", "/tooling/query", params={"q": "SELECT ApiName FROM FlowDefinitionView"})
    assert error_of(view) == (400, "INVALID_TYPE")
    definition = metadata.org.call("GET", "/query", params={"q": "SELECT Id FROM FlowDefinition"})
    assert error_of(definition) == (400, "INVALID_TYPE")
    assert error_of(metadata.org.call("GET", "/tooling/query")) == (400, "MALFORMED_QUERY")
    assert error_of(metadata.org.call("GET", "/tooling/sobjects/Flow/301000000000001")) == (404, "NOT_FOUND")
