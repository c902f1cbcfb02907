"""Who may ask what of Muster, by the policies that template.yaml offers (U8); each check is shown to bite."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Properties,
    Template,
    actions,
    called,
    functions,
    mutated,
    name_of,
    of_type,
    referred,
    resources,
    shared_policies,
)

# Found without importing the linter, which takes seconds.
KNOWN_TO_THE_LINTER = Path(
    str(distribution("cfn-lint").locate_file("cfnlint/data/AdditionalSpecs/Policies.json"))
)
ALL, ADMINISTRATORS = {"Administrators", "OnCall", "Readers"}, {"Administrators"}
NOBODY: set[str] = set()
# Whoever adds a function decides about it here.
WHO_MAY_CALL = {
    "OutboundUserWebhookFunction": NOBODY,  # it answers Salesforce, by way of API Gateway
    "UserChangeWorkerFunction": NOBODY,  # the queue calls it, with what the webhook has checked
    "ScheduledImportFunction": ADMINISTRATORS,
    "ScheduledPushFunction": ADMINISTRATORS,
    "MemberSettingsFunction": ADMINISTRATORS,
    "GroupAssignmentFunction": ADMINISTRATORS,
    "OrganizationSettingsFunction": ADMINISTRATORS,
    "WebhookSetupFunction": ADMINISTRATORS,
    "MorningDigestFunction": ADMINISTRATORS,
    "MemberEventsFunction": ADMINISTRATORS,
    "DeprovisioningFunction": NOBODY,  # the table's stream calls it, with what is in the table
    "RosterQueryFunction": ALL,
    "PreflightFunction": ALL,
}
WHO_MAY_START = {"ScheduledImport": ADMINISTRATORS, "ScheduledPush": ADMINISTRATORS}
ALLOWED = {"lambda:InvokeFunction": WHO_MAY_CALL, "states:StartExecution": WHO_MAY_START}

# What there is to look at and to mend, by logical id or ARN. Whoever adds something decides about it here.
LOGS = {"ServiceLogGroup", "AccessLogGroup", "WorkflowLogGroup"}
MACHINES = {"ScheduledImport", "ScheduledPush"}
DEAD_LETTERS = {
    "ChangeDeadLetterQueue",
    "ScheduleDeadLetterQueue",
    "MemberEventsFailureQueue",
    "DeprovisioningFailureQueue",
}
QUEUE = {"ChangeQueue"}
DASHBOARD = {"arn:${AWS::Partition}:cloudwatch::${AWS::AccountId}:dashboard/${Dashboard}"}
ALARMS = {"arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"}
RUNS = MACHINES | {
    f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:{kind}:${{{name}.Name}}*"
    for name in MACHINES
    for kind in ("execution", "mapRun")
}
ANYTHING = {"*"}
SEEN = {
    f"{service}:{action}": where
    for service, named, where in (
        ("cloudwatch", "GetDashboard", DASHBOARD),
        ("cloudwatch", "DescribeAlarms DescribeAlarmHistory", ALARMS),
        ("cloudwatch", "GetMetricData ListMetrics ListDashboards", ANYTHING),
        ("logs", "DescribeLogStreams FilterLogEvents GetLogEvents GetLogGroupFields GetLogRecord", LOGS),
        ("logs", "StartLiveTail StartQuery", LOGS),
        ("logs", "DescribeLogGroups GetQueryResults", ANYTHING),
        ("states", "DescribeStateMachine DescribeStateMachineForExecution DescribeExecution", RUNS),
        ("states", "ListExecutions GetExecutionHistory ListMapRuns DescribeMapRun", RUNS),
        ("states", "ListStateMachines", ANYTHING),
    )
    for action in named.split()
}
# To move dead letters back is to take them from their queue and to send them to where they were.
MENDED = {
    f"sqs:{action}": where
    for named, where in (
        ("ListQueues", ANYTHING),
        ("GetQueueAttributes GetQueueUrl", DEAD_LETTERS | QUEUE),
        ("ListDeadLetterSourceQueues ReceiveMessage DeleteMessage", DEAD_LETTERS),
        ("StartMessageMoveTask ListMessageMoveTasks CancelMessageMoveTask", DEAD_LETTERS),
        ("SendMessage", QUEUE),
    )
    for action in named.split()
}
AROUND: dict[str, dict[str, set[str]]] = {"Administrators": SEEN, "OnCall": SEEN | MENDED, "Readers": {}}
# With another description IAM makes another policy, and the one that people have attached is to be deleted.
DESCRIBED = {
    "Administrators": "Muster's administrators - whatever people ask of it, and imports and pushes of all"
    " organizations.",
    "OnCall": "Muster's on-call - questions, dashboard, alarms, logs, executions and dead letters.",
    "Readers": "Muster's readers - questions about roster and runs, and the checks of connections.",
}
# AWS knows resources for these: for metrics of a kind that Muster's are not, and for results only of late.
STILL_ANYTHING = {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "logs:GetQueryResults"}
# What a managed policy may be long, without white space; and what an ARN takes of it, about.
LONGEST, AN_ARN = 6144, "x" * 110


def policies(template: Template) -> dict[str, list[Properties]]:
    """Return the statements of the managed policies that are for people, by logical id."""
    found, ours = of_type(template, "AWS::IAM::ManagedPolicy").items(), shared_policies(template)
    return {name: each["PolicyDocument"]["Statement"] for name, each in found if name not in ours}


def allowed_by(statements: list[Properties], wanted: str) -> set[str]:
    """Return what statements let somebody do an action to."""
    return {
        name
        for statement in statements
        for name in called(statement)
        if statement["Effect"] == "Allow" and wanted in actions(statement)
    }


def each_function_may_be_called_by_who_should(template: Template) -> Iterator[str]:
    for name in functions(template).keys() ^ WHO_MAY_CALL.keys():
        yield f"nobody has decided who may call {name}, or it is there no more"
    for action, table in ALLOWED.items():
        for policy, statements in policies(template).items():
            may, should = allowed_by(statements, action), {name for name in table if policy in table[name]}
            for name in may - should:
                yield f"{policy} may do {action} to {name}"
            for name in should - may:
                yield f"{policy} may not do {action} to {name}"


def policies_say_what_is_allowed(template: Template) -> Iterator[str]:
    for name, statements in policies(template).items():
        for statement in statements:
            if statement["Effect"] != "Allow" or "NotAction" in statement or "NotResource" in statement:
                yield f"{name} says what is not allowed, not what is"


def each_policy_allows_what_is_around_and_nothing_else(template: Template) -> Iterator[str]:
    """Dashboard, alarms, logs and executions; and for on-call the dead letters."""
    for name, statements in policies(template).items():
        may = {
            (action, where)
            for statement in statements
            for action in {*actions(statement)} - ALLOWED.keys()
            for where in map(_named, resources(statement))
        }
        should = {(action, where) for action, wanted in AROUND.get(name, {}).items() for where in wanted}
        for action, where in sorted(may ^ should):
            yield f"{name} {'may' if (action, where) in may else 'may not'} do {action} to {where}"


def somebody_has_decided_about_everything(template: Template) -> Iterator[str]:
    for kind, decided in {
        "AWS::Logs::LogGroup": LOGS,
        "AWS::Serverless::StateMachine": MACHINES,
        "AWS::SQS::Queue": DEAD_LETTERS | QUEUE,
    }.items():
        for name in of_type(template, kind).keys() ^ decided:
            yield f"nobody has decided who may see {name}, or it is there no more"


def anything_is_allowed_only_where_aws_knows_no_resource(template: Template) -> Iterator[str]:
    """By what the linter of templates knows of AWS's actions (T4)."""
    known = json.loads(KNOWN_TO_THE_LINTER.read_text())
    for name, statements in policies(template).items():
        for statement in statements:
            for action in actions(statement):
                service, _, what = action.partition(":")
                said = known[service]["Actions"].get(what.lower())
                if said is None:
                    yield f"{name} may do {action}, which AWS does not know"
                elif "*" in resources(statement) and "Resources" in said and action not in STILL_ANYTHING:
                    yield f"{name} may do {action} to anything, and AWS knows {said['Resources']}"


def policies_are_no_longer_than_iam_takes(template: Template) -> Iterator[str]:
    for name, statements in policies(template).items():
        written = json.dumps(statements, separators=(",", ":"))
        written = re.sub(r'\{"(?:Ref|Fn::GetAtt|Fn::Sub)":(?:\[[^]]*\]|"[^"]*")\}', AN_ARN, written)
        if len(written) > LONGEST:
            yield f"{name} has {len(written)} characters"


def _named(resource: Any) -> str:
    """Return a resource by its logical id, or as the ARN that is written."""
    if isinstance(resource, str):
        return resource
    return str(resource["Fn::Sub"]) if "Fn::Sub" in resource else referred(resource)


def policies_are_for_the_account_to_attach(template: Template) -> Iterator[str]:
    """They have no name, so that CAPABILITY_IAM is enough and two stacks fit one account."""
    if policies(template).keys() != AROUND.keys():
        yield f"there are other policies: {sorted(policies(template))}"
    for name, policy in of_type(template, "AWS::IAM::ManagedPolicy").items():
        for key in {"ManagedPolicyName", "Users", "Groups", "Roles"} & policy.keys():
            yield f"{name} has {key}"
    for name in policies(template):
        if of_type(template, "AWS::IAM::ManagedPolicy")[name].get("Description") != DESCRIBED.get(name):
            yield f"{name} is another policy than the one that is attached"
        if {"Ref": name} not in [output["Value"] for output in template["Outputs"].values()]:
            yield f"no output says where {name} is"


def what_is_said_once_is_shared(template: Template) -> Iterator[str]:
    """What one role alone may do stands in the role, where it is read."""
    for name, users in shared_policies(template).items():
        if len(users) < 2:
            yield f"{name} is for {users} alone"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

ADMINS, READERS, ON_CALL = (
    ("Resources", name, "Properties") for name in ("Administrators", "Readers", "OnCall")
)
ASK, START = (*ADMINS, "PolicyDocument", "Statement", 0), (*ADMINS, "PolicyDocument", "Statement", 1)
READ = (*READERS, "PolicyDocument", "Statement", 0)
LOOK, RING, LOG, RUN, LIST = ((*ADMINS, "PolicyDocument", "Statement", n) for n in range(2, 7))
WATCH, MOVE, BACK = ((*ON_CALL, "PolicyDocument", "Statement", n) for n in (1, 7, 8))
WRITES, PUSHING = ("Resources", "WritesRoster", "Properties"), ("Resources", "ScheduledPush", "Properties")
NEW_POLICY = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": []}}}
NEW_FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "new.handler"}}

MUTANTS: list[Mutant] = [
    (each_function_may_be_called_by_who_should, ("Resources", "NobodyDecidedFunction"), NEW_FUNCTION),
    (each_function_may_be_called_by_who_should, ("Resources", "PreflightFunction"), GONE),
    (each_function_may_be_called_by_who_should, (*ASK, "Resource", 0), GONE),
    (each_function_may_be_called_by_who_should, (*ASK, "Resource"), "*"),
    (each_function_may_be_called_by_who_should, (*ASK, "Effect"), "Deny"),
    (
        each_function_may_be_called_by_who_should,
        (*ASK, "Resource", 0),
        {"Fn::GetAtt": ["UserChangeWorkerFunction", "Arn"]},
    ),
    (
        each_function_may_be_called_by_who_should,
        (*READ, "Resource", 1),
        {"Fn::GetAtt": ["ScheduledImportFunction", "Arn"]},
    ),
    (
        each_function_may_be_called_by_who_should,
        (*READ, "Resource"),
        {"Fn::Sub": "${RosterQueryFunction.Arn}*"},
    ),
    (each_function_may_be_called_by_who_should, (*START, "Resource", 1), GONE),
    (
        each_function_may_be_called_by_who_should,
        (*READ, "Action"),
        ["lambda:InvokeFunction", "states:StartExecution"],
    ),
    (policies_say_what_is_allowed, (*START, "Effect"), "Deny"),
    (policies_say_what_is_allowed, (*READ, "NotResource"), []),
    *(
        (each_policy_allows_what_is_around_and_nothing_else, path, value)
        for path, value in [
            ((*ASK, "Action"), "lambda:*"),
            ((*READ, "Action"), ["lambda:InvokeFunction", "lambda:GetFunction"]),
            ((*READ, "Action"), "cloudwatch:GetDashboard"),
            (LOOK, GONE),
            ((*LOOK, "Resource"), "*"),
            ((*RING, "Action", 0), GONE),
            ((*LOG, "Resource", 0), GONE),
            ((*LOG, "Resource", 0), {"Fn::Sub": "arn:aws:logs:*:*:log-group:*"}),
            ((*LOG, "Action", 0), "logs:DeleteLogStream"),
            ((*RUN, "Resource", 3), GONE),
            ((*RUN, "Action", 0), "states:StopExecution"),
            ((*LIST, "Action", 0), GONE),
            (WATCH, GONE),
            ((*MOVE, "Resource", 0), GONE),
            ((*MOVE, "Resource", 0), {"Fn::GetAtt": ["ChangeQueue", "Arn"]}),
            ((*MOVE, "Action", 0), "sqs:PurgeQueue"),
            ((*BACK, "Action", 2), GONE),
        ]
    ),
    *(
        (somebody_has_decided_about_everything, ("Resources", "Another"), {"Type": kind})
        for kind in ("AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::Serverless::StateMachine")
    ),
    (anything_is_allowed_only_where_aws_knows_no_resource, (*LOG, "Resource", 0), "*"),
    (anything_is_allowed_only_where_aws_knows_no_resource, (*MOVE, "Resource"), "*"),
    (anything_is_allowed_only_where_aws_knows_no_resource, (*LOG, "Action", 0), "logs:DescribeLogLines"),
    (policies_are_no_longer_than_iam_takes, (*ASK, "Resource"), [{"Ref": "Api"}] * 60),
    (policies_are_for_the_account_to_attach, (*ADMINS, "ManagedPolicyName"), "MusterAdministrators"),
    (policies_are_for_the_account_to_attach, (*ADMINS, "Description"), "Muster's administrators"),
    (policies_are_for_the_account_to_attach, (*READERS, "Groups"), ["everyone"]),
    (policies_are_for_the_account_to_attach, ("Outputs", "ReadersPolicy"), GONE),
    (policies_are_for_the_account_to_attach, READERS[:2], GONE),
    (policies_are_for_the_account_to_attach, (*WRITES, "ManagedPolicyName"), "MusterWritesRoster"),
    (policies_are_for_the_account_to_attach, (*WRITES, "Roles"), [{"Ref": "PreflightFunctionRole"}]),
    (policies_are_for_the_account_to_attach, (*PUSHING, "Policies", 0), {"Ref": "Readers"}),
    (policies_are_for_the_account_to_attach, ("Resources", "ReadsMore"), NEW_POLICY),
    (what_is_said_once_is_shared, (*PUSHING, "Policies"), []),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []


def test_the_deployment_may_make_roles_and_policies_without_names() -> None:
    assert 'capabilities = "CAPABILITY_IAM"' in (ROOT / "samconfig.toml").read_text()
