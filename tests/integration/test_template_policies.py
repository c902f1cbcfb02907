"""Who may ask what of Muster, by the policies that template.yaml offers (U8); each check is shown to bite."""

from collections.abc import Iterator
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
    shared_policies,
)

BOTH, ADMINISTRATORS = {"Administrators", "Readers"}, {"Administrators"}
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
    "RosterQueryFunction": BOTH,
    "PreflightFunction": BOTH,
}
WHO_MAY_START = {"ScheduledImport": ADMINISTRATORS, "ScheduledPush": ADMINISTRATORS}
ALLOWED = {"lambda:InvokeFunction": WHO_MAY_CALL, "states:StartExecution": WHO_MAY_START}


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


def policies_allow_nothing_else(template: Template) -> Iterator[str]:
    for name, statements in policies(template).items():
        for statement in statements:
            if statement["Effect"] != "Allow" or "NotAction" in statement or "NotResource" in statement:
                yield f"{name} says what is not allowed, not what is"
            for action in {*actions(statement)} - ALLOWED.keys():
                yield f"{name} may do {action}"


def policies_are_for_the_account_to_attach(template: Template) -> Iterator[str]:
    """They have no name, so that CAPABILITY_IAM is enough and two stacks fit one account."""
    if policies(template).keys() != {"Administrators", "Readers"}:
        yield f"there are other policies: {sorted(policies(template))}"
    for name, policy in of_type(template, "AWS::IAM::ManagedPolicy").items():
        for key in {"ManagedPolicyName", "Users", "Groups", "Roles"} & policy.keys():
            yield f"{name} has {key}"
    for name in policies(template):
        if {"Ref": name} not in [output["Value"] for output in template["Outputs"].values()]:
            yield f"no output says where {name} is"


def what_is_said_once_is_shared(template: Template) -> Iterator[str]:
    """What one role alone may do stands in the role, where it is read."""
    for name, users in shared_policies(template).items():
        if len(users) < 2:
            yield f"{name} is for {users} alone"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

ADMINS, READERS = ("Resources", "Administrators", "Properties"), ("Resources", "Readers", "Properties")
ASK, START = (*ADMINS, "PolicyDocument", "Statement", 0), (*ADMINS, "PolicyDocument", "Statement", 1)
READ = (*READERS, "PolicyDocument", "Statement", 0)
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
    (policies_allow_nothing_else, (*ASK, "Action"), "lambda:*"),
    (policies_allow_nothing_else, (*READ, "Action"), ["lambda:InvokeFunction", "lambda:GetFunction"]),
    (policies_allow_nothing_else, (*START, "Effect"), "Deny"),
    (policies_allow_nothing_else, (*READ, "NotResource"), []),
    (policies_are_for_the_account_to_attach, (*ADMINS, "ManagedPolicyName"), "MusterAdministrators"),
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
