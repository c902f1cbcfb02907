"""What the workflows rely on in template.yaml, and it in them; each check is shown to bite."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]  # the emulator's; ships no types

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

# What a workflow takes up of a function's answer.
TAKEN_UP = r"\$states\.result\.Payload\.(status|run_id|connections_left)\b"
# What Lambda itself fails with, and does not the next time (AWS's best practices for Step Functions).
PASSING = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
# Lambda's clocks differ a little, and the end of a run is written after its last look at the time.
SLACK_S = 60
# What Step Functions lets a state hold, and more than an organization's name and outcome take of it.
STATE_BYTES, ORGANIZATION_BYTES = 256 * 1024, 400
# What Step Functions keeps of one execution; an execution that comes to more is ended.
MOST_EVENTS = 25_000
# Those of a state that is entered once: entered and exited, and for a task scheduled, started, ended; each
# further try of it is three more. A distributed map has its run started and ended, whatever it runs.
EVENTS = {"Pass": 2, "Choice": 2, "Wait": 2, "Fail": 2, "Task": 5, "Map": 5}
EVENTS_A_TRY = 3
STATES_ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
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


def maps(definition: Any) -> dict[str, Any]:
    """Return the Map states of a workflow."""
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Map"}


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
        called = machine["Name"]["Fn::Sub"]
        labels = [state["Label"] for state in maps(machine["Definition"]).values()]
        own = [f"{STATES_ARN}:execution:{called}{part}:*" for part in ("", *(f"/{each}" for each in labels))]
        for statement in statements(template, machine):
            if statement["Resource"] == "*":
                if not set(actions(statement)) <= LOG_DELIVERY:
                    yield f"{name} may do {actions(statement)} to anything"
                continue
            for action in actions(statement):
                resource = statement["Resource"]
                match action, resource.get("Fn::Sub") or referred(resource), leading_keys(statement):
                    case ("dynamodb:Query", "RosterTable", ["ORGANIZATIONS"]):
                        pass
                    case ("lambda:InvokeFunction", function, []) if function == f"{name}Function":
                        pass
                    case ("states:StartExecution", arn, []) if arn == f"{STATES_ARN}:stateMachine:{called}":
                        pass
                    case ("states:DescribeExecution" | "states:StopExecution", arn, []) if arn in own:
                        pass
                    case other:
                        yield f"{name} may do {other}"


def workflows_may_run_each_organization(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        may = {
            (action, statement["Resource"].get("Fn::Sub"))
            for statement in statements(template, machine)
            if statement["Resource"] != "*"
            for action in actions(statement)
        }
        called = machine["Name"]["Fn::Sub"]
        wanted = {("states:StartExecution", f"{STATES_ARN}:stateMachine:{called}")}
        for state in maps(machine["Definition"]).values():
            for action in ("states:DescribeExecution", "states:StopExecution"):
                wanted.add((action, f"{STATES_ARN}:execution:{called}/{state['Label']}:*"))
        yield from (f"{name} may not do {each}" for each in sorted(wanted - may))


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
            if not task["Resource"].endswith(":query"):
                continue
            if not 0 < task["Arguments"].get("Limit", 0) * ORGANIZATION_BYTES < STATE_BYTES:
                yield f"{name} reads more at once than a state may hold"
            if "ProjectionExpression" not in task["Arguments"]:
                yield f"{name} reads more of an organization than its name"


def organizations_stop_no_other(template: Template) -> Iterator[str]:
    """Whatever ends one's execution, also what nothing catches, the others go on (I14)."""
    for name, machine in machines(template).items():
        found = maps(machine["Definition"])
        if len(found) != 1:
            yield f"{name} does not run organizations side by side"
        for each in found.values():
            kind = each["ItemProcessor"]["ProcessorConfig"]
            if kind != {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}:
                yield f"{name} runs organizations in one execution, or for five minutes only"
            if each.get("ToleratedFailurePercentage") != 100:
                yield f"{name} gives up on all for one"
            if not 1 <= each.get("MaxConcurrency", 0) <= 10:
                yield f"{name} runs more than a few at a time"


def histories_are_bounded(template: Template) -> Iterator[str]:
    for name, machine in machines(template).items():
        definition = machine["Definition"]
        if goes_round(definition):
            yield f"{name} goes on in one execution for as long as there are organizations"
        if (events := sum(map(events_of, definition["States"].values()))) > 100:
            yield f"{name} comes to {events} events, whatever it does"
        for each in maps(definition).values():
            processor = each["ItemProcessor"]
            bounds = re.findall(r"(?:tries|turn) < (\d+)", json.dumps(processor))
            # The condition of each way back ends it after so many turns.
            if len(bounds) != len(goes_round(processor)):
                yield f"{name} goes on with an organization for ever"
            turns = 1 + sum(map(int, bounds))
            if (events := turns * sum(map(events_of, processor["States"].values()))) > MOST_EVENTS / 2:
                yield f"{name} comes to {events} events for one organization"


def events_of(state: Any) -> int:
    """Return the most events that a state adds to its execution's history each time it is entered."""
    if state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] != "DISTRIBUTED":
        return MOST_EVENTS
    tries: int = sum(retry.get("MaxAttempts", 3) for retry in state.get("Retry", []))
    return EVENTS[state["Type"]] + tries * EVENTS_A_TRY


def goes_round(definition: Any) -> set[tuple[str, str]]:
    """Return the ways back in a workflow: a state, and one that it came by and goes on with."""
    found: set[tuple[str, str]] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        state = definition["States"][name]
        after = [state.get("Next"), state.get("Default")]
        after += [each["Next"] for each in (*state.get("Choices", []), *state.get("Catch", []))]
        for following in filter(None, after):
            if following in (*way, name):
                found.add((name, following))
            else:
                follow(following, (*way, name))

    follow(definition["StartAt"], ())
    return found


def workflows_carry_what_they_need(template: Template) -> Iterator[str]:
    """Each step is asked in the schedules' name, and only some keys of its answer are taken up (I14)."""
    for name, machine in machines(template).items():
        for each in maps(machine["Definition"]).values():
            states = each["ItemProcessor"]["States"]
            for state in states.values():
                output = json.dumps([state.get("Output"), state.get("Choices")])
                if "$states.result" in re.sub(TAKEN_UP, "", output):
                    yield f"{name} carries more of an answer than it needs"
            begun = states[each["ItemProcessor"]["StartAt"]]["Output"]
            again = [
                choice["Output"]
                for state in ("IsItDone", "IsThereMore")
                for choice in states[state]["Choices"]
                if "Output" in choice
            ]
            # Each connection's push is begun by the first event.
            named = ("'by': 'schedule'}", "'event': $merge([$states.input.first,")
            if named[0] not in begun or any(not any(each in output for each in named) for output in again):
                yield f"{name} asks in nobody's name, and is answered as a person is"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

RESOURCES = ("Resources",)
MACHINE = (*RESOURCES, "ScheduledImport", "Properties")
ALLOWED = (*RESOURCES, "FindsOrganizationsAndLogs", "Properties", "PolicyDocument", "Statement")
INVOKED = ("Policies", 1, "Statement", 0, "Resource", "Fn::GetAtt", 0)
STATES = (*MACHINE, "Definition", "States")
EACH = (*STATES, "RunEach")
PROCESSOR = (*EACH, "ItemProcessor")
RUN = (*PROCESSOR, "States", "Run")
STARTED = (*MACHINE, "Policies", 1, "Statement", 1)
PUSHING = (*RESOURCES, "ScheduledPush", "Properties")
DONE = (*PROCESSOR, "States", "IsItDone", "Choices")
MORE = (*PROCESSOR, "States", "IsThereMore", "Choices")
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
    (workflows_may_do_little, (*STARTED, "Resource", "Fn::Sub"), f"{STATES_ARN}:stateMachine:*"),
    (workflows_may_do_little, (*STARTED, "Action"), "states:*"),
    (workflows_may_do_little, (*MACHINE, "Name", "Fn::Sub"), "${AWS::StackName}-pushes"),
    (workflows_may_run_each_organization, (*MACHINE, "Policies", 1, "Statement", 1), GONE),
    (workflows_may_run_each_organization, (*MACHINE, "Policies", 1, "Statement", 3), GONE),
    (workflows_may_run_each_organization, (*EACH, "Label"), "Each"),
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
    (pages_fit_a_state, (*STATES, "FindOrganizations", "Arguments", "ProjectionExpression"), GONE),
    (organizations_stop_no_other, (*PROCESSOR, "ProcessorConfig", "Mode"), "INLINE"),
    (organizations_stop_no_other, (*PROCESSOR, "ProcessorConfig", "ExecutionType"), "EXPRESS"),
    (organizations_stop_no_other, (*EACH, "ToleratedFailurePercentage"), GONE),
    (organizations_stop_no_other, (*EACH, "MaxConcurrency"), GONE),
    (histories_are_bounded, (*PROCESSOR, "ProcessorConfig", "Mode"), "INLINE"),
    (histories_are_bounded, (*STATES, "Summary", "Next"), "FindOrganizations"),
    (histories_are_bounded, (*DONE, 0, "Condition"), "{% $states.input.status = 'continue' %}"),
    (histories_are_bounded, (*DONE, 0, "Condition"), "{% $states.input.tries < 960 %}"),
    (histories_are_bounded, (*MORE, 0, "Condition"), "{% $count($states.input.connections_left) > 0 %}"),
    (workflows_carry_what_they_need, (*DONE, 0, "Output"), "{% {'event': {'run_id': '1'}, 'tries': 1} %}"),
    (workflows_carry_what_they_need, (*MORE, 0, "Output"), "{% {'event': {'turn': 1}, 'tries': 1} %}"),
    (workflows_carry_what_they_need, (*RUN, "Output"), "{% {'answer': $states.result.Payload} %}"),
    (workflows_carry_what_they_need, (*RUN, "Output"), "{% $states.result %}"),
    (workflows_carry_what_they_need, (*PROCESSOR, "States", "Begin", "Output"), "{% {'tries': 0} %}"),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, with_workflows: Template) -> None:
    assert list(check(expanded(with_workflows))) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, with_workflows: Template) -> None:
    assert list(check(mutated(with_workflows, path, value))) != []


# ── What it makes of outcomes ────────────────────────────────────────────────────────────────────


# The organizations of a page, what their executions left, what could not be started; and who is not done.
ACME, GLOBEX = {"organization": "acme"}, {"organization": "globex"}
OUTCOMES = [
    (["acme", "globex"], [ACME | {"status": "parked"}, GLOBEX | {"status": "skipped"}], [], []),
    (["acme"], [ACME | {"status": "failed", "error": "Unavailable"}], [], ["acme (Unavailable)"]),
    (["acme"], [ACME | {"status": "continue"}], [], ["acme (continue)"]),
    (["acme", "globex"], [None, GLOBEX | {"status": "succeeded"}], [], ["acme (broke off)"]),
    (["acme"], [{"Status": "FAILED", "Error": "States.DataLimitExceeded"}], [], ["acme (broke off)"]),
    (["acme"], [], [], ["acme (broke off)"]),
    ([], [], ["those after acme"], ["those after acme"]),
    ([], [], [], []),
]


@pytest.mark.parametrize(("organizations", "outcomes", "unstarted", "not_done"), OUTCOMES)
def test_who_is_not_done_is_named_also_without_an_outcome(
    organizations: list[str], outcomes: list[Any], unstarted: list[str], not_done: list[str]
) -> None:
    definition = json.loads((ROOT / "workflows/scheduled_run.asl.json").read_text())
    expression = definition["States"]["Summary"]["Output"].removeprefix("{%").removesuffix("%}")
    given = {"organizations": organizations, "outcomes": outcomes, "unstarted": unstarted}
    said = Jsonata.jsonata(expression).evaluate(None, {"states": {"input": given}})
    assert said["not_done"] == not_done
    assert said["outcomes"] == [each for each in outcomes if each and "organization" in each]
