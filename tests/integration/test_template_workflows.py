"""What the workflows rely on in template.yaml, and it in them; each check is shown to bite."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from muster.runs.running import LEASE_S
from tests.conftest import ROOT
from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Properties,
    Template,
    actions,
    expanded,
    functions,
    leading_keys,
    mutated,
    name_of,
    of_type,
    referred,
    statements,
)

# What Lambda itself fails with, and does not the next time (AWS's best practices for Step Functions).
PASSING = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
# Lambda's clocks differ a little, and the end of a run is written after its last look at the time.
SLACK_S = 60
# What Step Functions lets a state hold, and more than an organization's item takes of it.
STATE_BYTES, ITEM_BYTES = 256 * 1024, 1024
# These know no resources; without them a state machine cannot write its log (AWS's own list).
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}


@pytest.fixture
def with_workflows(source: Template) -> Template:
    """The source, with each state machine's definition beside its properties."""
    whole = copy.deepcopy(source)
    for name in machines(expanded(source)):
        machine = whole["Resources"][name]["Properties"]
        machine["Definition"] = json.loads((ROOT / machine["DefinitionUri"]).read_text())
    return whole


def machines(template: Template) -> dict[str, Properties]:
    """Return the state machines' properties."""
    return of_type(template, "AWS::Serverless::StateMachine")


def tasks(definition: Any) -> Iterator[dict[str, Any]]:
    """Yield all tasks of a workflow, those within a Map included."""
    for state in definition["States"].values():
        if state["Type"] == "Task":
            yield state
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"])


# ── The workflow ─────────────────────────────────────────────────────────────────────────────────


def workflows_may_do_little(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        if "Role" in machine:
            yield f"{name} shares a role"
            continue
        for statement in statements(template, machine):
            if statement["Resource"] == "*":
                if not set(actions(statement)) <= LOG_DELIVERY:
                    yield f"{name} may do {actions(statement)} to anything"
                continue
            for action in actions(statement):
                match action, referred(statement["Resource"]), leading_keys(statement):
                    case ("dynamodb:Query", "RosterTable", ["ORGANIZATIONS"]):
                        pass
                    case ("lambda:InvokeFunction", function, []) if function == f"{name}Function":
                        pass
                    case other:
                        yield f"{name} may do {other}"


def workflows_log_no_data(template: Template) -> Iterator[str]:
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, machine in machines(template).items():
        logging = machine.get("Logging", {})
        if (logging.get("Level"), logging.get("IncludeExecutionData")) != ("ERROR", False):
            yield f"{name} logs more than errors"
        for destination in logging.get("Destinations", [{}]):
            group = destination.get("CloudWatchLogsLogGroup", {}).get("LogGroupArn", {"Ref": ""})
            if referred(group) not in groups:
                yield f"{name} logs where nothing says how long"
        if machine.get("Tracing", {}).get("Enabled") is not False:
            yield f"{name} is traced"


def workflows_get_all_they_name(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        named = set(re.findall(r"\$\{(\w+)\}", json.dumps(machine["Definition"])))
        for substitution in named ^ machine["DefinitionSubstitutions"].keys():
            yield f"{name}: {substitution} is not both named and given"


def workflows_run_their_functions(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        given = machine["DefinitionSubstitutions"]
        if referred(given["Function"]) != f"{name}Function":
            yield f"{name} runs {given['Function']}"
        # What settings_table writes of each organization.
        if given["OrganizationsThatAre"] != {"ScheduledImport": "scheduled", "ScheduledPush": "pushed"}[name]:
            yield f"{name} is for organizations that are {given['OrganizationsThatAre']}"


def workflows_wait_for_their_functions(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        for task in tasks(machine["Definition"]):
            if not task["Resource"].endswith(":lambda:invoke"):
                continue
            named = re.sub(r"\W", "", task["Arguments"]["FunctionName"])
            function = referred(machine["DefinitionSubstitutions"][named])
            if task.get("TimeoutSeconds", 0) <= functions(template)[function]["Timeout"]:
                yield f"{name} gives up on {function} while it still works"
            retried = {error for retry in task.get("Retry", []) for error in retry["ErrorEquals"]}
            if retried != PASSING:
                yield f"{name} tries the wrong things again: {retried ^ PASSING}"
            if task.get("Catch", [{}])[-1].get("ErrorEquals") != ["States.ALL"]:
                yield f"{name} lets one organization stop the others"


def leases_outlive_their_functions(template: Template) -> Iterator[str]:
    for name, function in functions(template).items():
        writes = "RUN_ARCHIVE_BUCKET_NAME" in function.get("Environment", {}).get("Variables", {})
        if writes and function["Timeout"] + SLACK_S > LEASE_S:
            yield f"{name} may still write when its lease has gone to another run"


def pages_fit_a_state(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        for task in tasks(machine["Definition"]):
            if task["Resource"].endswith(":query") and not (
                0 < task["Arguments"].get("Limit", 0) * ITEM_BYTES < STATE_BYTES
            ):
                yield f"{name} reads more at once than a state may hold"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

RESOURCES = ("Resources",)
MACHINE = (*RESOURCES, "ScheduledImport", "Properties")
ALLOWED = (*RESOURCES, "FindsOrganizationsAndLogs", "Properties", "PolicyDocument", "Statement")
INVOKED = ("Policies", 1, "Statement", 0, "Resource", "Fn::GetAtt", 0)
STATES = (*MACHINE, "Definition", "States")
RUN = (*STATES, "RunEach", "ItemProcessor", "States", "Run")
PUSHING = (*RESOURCES, "ScheduledPush", "Properties")
PUSH = (*PUSHING, *RUN[len(MACHINE) :])
GIVEN = (*PUSHING, "DefinitionSubstitutions")

MUTANTS: list[Mutant] = [
    (workflows_may_do_little, (*ALLOWED, 0, "Condition"), GONE),
    (workflows_may_do_little, (*ALLOWED, 0, "Action"), ["dynamodb:Query", "dynamodb:Scan"]),
    (workflows_may_do_little, (*ALLOWED, 0, "Resource"), "*"),
    (workflows_may_do_little, (*MACHINE, *INVOKED), "MemberSettingsFunction"),
    (workflows_may_do_little, (*ALLOWED, 1, "Action"), ["logs:*"]),
    (workflows_may_do_little, (*MACHINE, "Role"), "arn:aws:iam::123456789012:role/all"),
    (workflows_may_do_little, (*PUSHING, *INVOKED), "ScheduledImportFunction"),
    (workflows_log_no_data, (*MACHINE, "Logging", "IncludeExecutionData"), True),
    (workflows_log_no_data, (*PUSHING, "Logging"), GONE),
    (workflows_log_no_data, (*MACHINE, "Logging", "Level"), "ALL"),
    (workflows_log_no_data, (*MACHINE, "Logging"), GONE),
    (workflows_log_no_data, (*MACHINE, "Tracing", "Enabled"), True),
    (workflows_get_all_they_name, (*MACHINE, "DefinitionSubstitutions", "RosterTable"), GONE),
    (workflows_get_all_they_name, (*MACHINE, "DefinitionSubstitutions", "Unnamed"), "x"),
    (workflows_run_their_functions, (*GIVEN, "Function", "Fn::GetAtt", 0), "ScheduledImportFunction"),
    (workflows_run_their_functions, (*GIVEN, "OrganizationsThatAre"), "scheduled"),
    (workflows_wait_for_their_functions, (*PUSH, "TimeoutSeconds"), 900),
    (workflows_wait_for_their_functions, (*RUN, "TimeoutSeconds"), 900),
    (workflows_wait_for_their_functions, (*RUN, "TimeoutSeconds"), GONE),
    (workflows_wait_for_their_functions, (*RUN, "Retry", 0, "ErrorEquals"), ["States.TaskFailed"]),
    (workflows_wait_for_their_functions, (*RUN, "Retry"), GONE),
    (workflows_wait_for_their_functions, (*RUN, "Catch"), GONE),
    (
        leases_outlive_their_functions,
        (*RESOURCES, "ScheduledImportFunction", "Properties", "Timeout"),
        LEASE_S - SLACK_S + 1,
    ),
    (
        leases_outlive_their_functions,
        (*RESOURCES, "ScheduledPushFunction", "Properties", "Timeout"),
        LEASE_S - SLACK_S + 1,
    ),
    (pages_fit_a_state, (*STATES, "FindOrganizations", "Arguments", "Limit"), GONE),
    (pages_fit_a_state, (*STATES, "FindOrganizations", "Arguments", "Limit"), 1000),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, with_workflows: Template) -> None:
    assert list(check(expanded(with_workflows))) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, with_workflows: Template) -> None:
    assert list(check(mutated(with_workflows, path, value))) != []
