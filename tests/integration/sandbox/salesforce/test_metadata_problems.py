"""What a deployment refuses, and in what words."""

from typing import Any

import pytest

from tests.doubles.metadata_packages import (
    FLOW,
    FLOW_FILE,
    MESSAGE,
    NAME,
    NAMESPACE,
    WORKFLOW_FILE,
    Metadata,
    document,
    elements,
    flow,
    manifest,
    outbound_message,
    problems,
    workflow,
)
from tests.doubles.salesforce_over_http import Organization

URL = "http://127.0.0.1:9/nowhere"
ELEMENT = f"Error parsing file: Element {{{NAMESPACE}}}"
IN_MESSAGE = " at this location in type WorkflowOutboundMessage"
START = "start (Start) - The formula expression is invalid: "


def deploy_message(metadata: Metadata, **changes: object) -> list[str]:
    message = outbound_message(URL, metadata.org.sandbox.username, **changes)
    package = {"package.xml": manifest(MESSAGE), WORKFLOW_FILE: workflow(message)}
    return problems(metadata.deploy(package))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fields": ["Id", "Nowhere__c"]}, "In field: fields - no CustomField named User.Nowhere__c found"),
        ({"fields": ["Id", "Name"]}, "In field: fields - no CustomField named User.Name found"),
        ({"endpointUrl": "ftp://x"}, "Invalid endpoint URL: ftp://x"),
        ({"endpointUrl": "https://"}, "Invalid endpoint URL: https://"),
        ({"endpointUrl": None}, "Required field is missing: endpointUrl"),
        (
            {"integrationUser": "nobody@acme.example"},
            "In field: integrationUser - no User named nobody@acme.example found",
        ),
        ({"integrationUser": ""}, "Required field is missing: integrationUser"),
        ({"apiVersion": "99.0"}, 'The field apiVersion can\'t be "99".'),
        ({"apiVersion": "latest"}, "Error parsing file: 'latest' is not a valid value for apiVersion"),
        ({"protected": "no"}, "Error parsing file: 'no' is not a valid value for protected"),
        ({"protected": ["false", "false"]}, f"{ELEMENT}protected is duplicated{IN_MESSAGE}"),
        ({"zzz": "1"}, f"{ELEMENT}zzz invalid{IN_MESSAGE}"),
    ],
)
def test_a_wrong_outbound_message_is_a_component_failure(
    metadata: Metadata, changes: dict[str, object], problem: str
) -> None:
    assert deploy_message(metadata, **changes) == [problem]
    assert metadata.tooling("SELECT Id FROM WorkflowOutboundMessage") == []


def test_an_inactive_user_cannot_be_the_integration_user(org: Organization, metadata: Metadata) -> None:
    org.create(Username="gone@acme.example", IsActive=False)
    (problem,) = deploy_message(metadata, integrationUser="gone@acme.example")
    assert problem == "In field: integrationUser - no User named gone@acme.example found"
    org.create(Username="here@acme.example")
    message = outbound_message(URL, "HERE@acme.example")
    assert metadata.deploy({"package.xml": manifest(MESSAGE), WORKFLOW_FILE: workflow(message)})["success"]


def test_elements_out_of_order_are_refused(metadata: Metadata) -> None:
    message = outbound_message(URL, metadata.org.sandbox.username)
    turned = dict(reversed(message.items()))
    package = {"package.xml": manifest(MESSAGE), WORKFLOW_FILE: workflow(turned)}
    (problem,) = problems(metadata.deploy(package))
    assert problem.endswith("protected invalid at this location in type WorkflowOutboundMessage")


def test_a_message_that_is_there_twice_is_refused(metadata: Metadata) -> None:
    message = outbound_message(URL, metadata.org.sandbox.username)
    package = {"package.xml": manifest(MESSAGE), WORKFLOW_FILE: workflow(message, message)}
    assert problems(metadata.deploy(package)) == [f"Duplicate developer name: User.{NAME}"]


@pytest.mark.parametrize("name", ["Two__underscores", "Ends_", "1st", "Gr\u00fcn"])
def test_names_are_developer_names(metadata: Metadata, name: str) -> None:
    message = outbound_message(URL, metadata.org.sandbox.username, fullName=name)
    package = {
        "package.xml": manifest((MESSAGE[0], f"User.{name}"), ("Flow", name)),
        WORKFLOW_FILE: workflow(message),
        f"flows/{name}.flow": flow(),
    }
    found = problems(metadata.deploy(package))
    assert len(found) == 2
    assert all(each.startswith(f"The name {name} can only contain") for each in found)


@pytest.mark.parametrize("object_name", ["Nothing", "Profile"])
def test_an_unknown_object_is_refused(metadata: Metadata, object_name: str) -> None:
    message = outbound_message(URL, metadata.org.sandbox.username)
    member = (MESSAGE[0], f"{object_name}.{NAME}")
    package = {"package.xml": manifest(member), f"workflows/{object_name}.workflow": workflow(message)}
    problem = f"In field: object - no CustomObject named {object_name} found"
    assert problems(metadata.deploy(package)) == [problem]


NO_ACTION = "Send (Action) - We can't find an action with the name and action type that you specified."
TOO_OLD = (
    'Send (Action) - The action type "Outbound Messages" can\'t be used in flows with the process type'
    ' "Autolaunched Flow".'
)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"action": {"actionName": "User.Another"}}, NO_ACTION),
        ({"action": {"actionType": "emailAlert"}}, NO_ACTION),
        (
            {"action": {"flowTransactionModel": "NewTransaction"}},
            'Send (Action) - The flow transaction model "NewTransaction" can\'t be used in this flow.',
        ),
        ({"apiVersion": "52.0"}, TOO_OLD),
        ({"apiVersion": "99.0"}, 'The field apiVersion can\'t be "99".'),
        ({"status": "On"}, "Error parsing file: 'On' is not a valid value for the enum 'FlowVersionStatus'"),
        ({"label": None}, "Required field is missing: label"),
        ({"processType": "Flow"}, "The sandbox runs flows with the process type AutoLaunchedFlow only"),
        (
            {"start": {"object": "Nothing"}},
            "start (Start) - The object type \"Nothing\" can't be found or isn't supported.",
        ),
        (
            {"start": {"connector": {"targetReference": "Gone"}}},
            "start - The connector's target \"Gone\" can't be found in the flow.",
        ),
        (
            {"start": {"recordTriggerType": "Delete"}},
            "The sandbox runs flows after a save only, on Create, Update, CreateAndUpdate",
        ),
        (
            {"start": {"filterFormula": "ISCHANGED({!$Record.Title})"}},
            START + "ISCHANGED is not supported for created records without ISNEW.",
        ),
        (
            {"start": {"filterFormula": "ISNEW() || {!$Record.Shoe} = 1"}},
            START + "Field Shoe does not exist. Check spelling.",
        ),
        ({"start": {"filterFormula": "ISOLD()"}}, START + "Unknown function ISOLD. Check spelling."),
        ({"start": {"filterFormula": "OR(ISNEW()"}}, START + "Syntax error. Missing ')'"),
        ({"decisions": {"name": "Which"}}, f"{ELEMENT}decisions invalid at this location in type Flow"),
    ],
)
def test_a_wrong_flow_is_a_component_failure(
    metadata: Metadata, changes: dict[str, Any], problem: str
) -> None:
    result = metadata.deploy(metadata.package(flow=flow(**changes)))
    (failure,) = result["details"]["componentFailures"]
    assert problems(result) == [problem]
    assert (failure["componentType"], failure["fullName"], failure["fileName"]) == (*FLOW, FLOW_FILE)
    assert (failure["problemType"], failure["success"], failure["created"]) == ("Error", False, False)


NOT_FOUND = f"An object '{NAME}' of type Flow was named in package.xml, but was not found in zipped directory"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"package.xml": None}, [("package.xml", "No package.xml found")]),
        (
            {"package.xml": "<Package"},
            [("package.xml", "Error parsing file: unclosed token: line 1, column 0")],
        ),
        ({"package.xml": manifest(FLOW, MESSAGE, version=None)}, [("package.xml", "No version specified")]),
        ({"package.xml": manifest(MESSAGE)}, [(FLOW_FILE, "Not in package.xml")]),
        ({FLOW_FILE: None}, [("package.xml", NOT_FOUND)]),
        (
            {FLOW_FILE: None, f"{FLOW_FILE}-meta.xml": flow()},
            [("package.xml", NOT_FOUND), (f"{FLOW_FILE}-meta.xml", "Not in package.xml")],
        ),
        (
            {"package.xml": manifest(MESSAGE, FLOW, ("Widget", "W"))},
            [("package.xml", "Unknown type name 'Widget' specified in package.xml")],
        ),
        (
            {FLOW_FILE: document("Workflow", "")},
            [
                (
                    FLOW_FILE,
                    "Error parsing file: Expected element "
                    f"{{{NAMESPACE}}}Flow, found {{{NAMESPACE}}}Workflow",
                )
            ],
        ),
    ],
)
def test_a_wrong_package_is_refused(
    metadata: Metadata, changes: dict[str, str | None], expected: list[tuple[str, str]]
) -> None:
    whole: dict[str, str | None] = {**metadata.package(), **changes}
    result = metadata.deploy({name: text for name, text in whole.items() if text is not None})
    failures = result["details"]["componentFailures"]
    assert [(each["fileName"], each["problem"]) for each in failures] == expected


def test_what_is_no_zip_is_refused(metadata: Metadata) -> None:
    result = metadata.check(metadata.post(b"PK\x03\x04 and no more").json()["id"])
    assert problems(result) == ["The zip file could not be read"]


def test_no_file_is_expanded_or_read(metadata: Metadata) -> None:
    bomb = '<!DOCTYPE Workflow [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
    content = (
        f'{bomb}<Workflow xmlns="{NAMESPACE}">{elements({"outboundMessages": {"name": "&b;"}})}</Workflow>'
    )
    found = problems(metadata.deploy({"package.xml": manifest(MESSAGE), WORKFLOW_FILE: content}))
    assert found[0].startswith("Error parsing file: ")
