"""What functions may do, read from template.yaml as SAM transforms it (T4); each check is shown to bite."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Properties,
    Template,
    actions,
    called,
    leading_keys,
    mutated,
    name_of,
    of_type,
    referred,
    resources,
    statements,
    translated,
)

LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
# Reading a stream is limited by its ARN: it knows no partition keys.
READ_A_STREAM = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
]
TAKE_OFF_A_QUEUE = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
# A resource of the template, what is in one, or a part of what the account has of a kind.
NAMED = re.compile(
    r"\$\{\w+\.Arn\}/.+|arn:\$\{AWS::Partition\}:\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:[\w-]+[:/].+"
)
# The pools that an admin names.
USER_POOLS = {"Fn::Split": [",", {"Ref": "UserPoolArns"}]}
READ_USER_POOLS = {"cognito-idp:AdminGetUser", "cognito-idp:ListUsers"}
END_SESSIONS = {
    *READ_USER_POOLS,
    "cognito-idp:AdminDisableUser",
    "cognito-idp:AdminEnableUser",
    "cognito-idp:AdminUserGlobalSignOut",
}
# AWS knows no resources of these: log delivery, which workflows need to write their log; and metrics.
NO_RESOURCES = re.compile(
    r"logs:(\w*LogDeliver(y|ies)|DescribeLogGroups|\w+ResourcePolic(y|ies))"
    r"|cloudwatch:GetMetric(Data|WidgetImage)"
)


def lambdas(template: Template) -> dict[str, Properties]:
    """Return the functions that are deployed."""
    return of_type(template, "AWS::Lambda::Function")


def roles(template: Template) -> dict[str, Properties]:
    """Return the roles, but for the one that API Gateway asks of an account, and names the policy of."""
    found = of_type(template, "AWS::IAM::Role").items()
    return {name: role for name, role in found if name != "ApiGatewayLogRole"}


def each_function_has_a_role_of_its_own(template: Template) -> Iterator[str]:
    made = translated(template)
    taken = {name: referred(function["Role"]) for name, function in lambdas(made).items()}
    shared = [role for role, users in Counter(taken.values()).items() if users > 1]
    for name, role in taken.items():
        if role in shared or role not in roles(made):
            yield f"{name} shares the role {role}"
            continue
        trusted = roles(made)[role]["AssumeRolePolicyDocument"]["Statement"]
        if [each["Principal"] for each in trusted] != [{"Service": "lambda.amazonaws.com"}]:
            yield f"{role} is not for Lambda alone"


def no_policy_is_of_the_account_or_of_aws(template: Template) -> Iterator[str]:
    """AWS's own open whole services: any queue, any log."""
    made = translated(template)
    for name, role in roles(made).items():
        for arn in role.get("ManagedPolicyArns", []):
            if not isinstance(arn, dict) or arn.get("Ref") not in of_type(made, "AWS::IAM::ManagedPolicy"):
                yield f"{name} has {arn}"


def policies_name_what_they_allow(template: Template) -> Iterator[str]:
    made = translated(template)
    for name in roles(made):
        try:
            allowed = [*statements(made, {"Role": {"Ref": name}})]
        except ValueError as error:
            yield f"{name} {error}"
            continue
        for statement in allowed:
            yield from (f"{name} {fault}" for fault in _too_wide(statement))


def _too_wide(statement: Properties) -> Iterator[str]:
    """Yield what a statement leaves open that its kind of action has to be limited in."""
    yield from (f"may do {action}" for action in actions(statement) if "*" in action)
    if statement["Effect"] != "Allow" or "NotAction" in statement or "NotResource" in statement:
        yield "says what is not allowed, not what is"
    kinds = {action.partition(":")[0] for action in actions(statement)}
    for resource in either_of(resources(statement)):
        if resource == USER_POOLS and kinds == {"cognito-idp"}:
            continue
        if resource == "*":
            if not all(NO_RESOURCES.fullmatch(action) for action in actions(statement)):
                yield f"may do {actions(statement)} to anything"
        elif not (resource.keys() & {"Fn::GetAtt", "Ref"} or NAMED.fullmatch(str(resource.get("Fn::Sub")))):
            yield f"may do it to {resource}"
    keys = leading_keys(statement)
    if (
        not {*actions(statement)} <= {*READ_A_STREAM}
        and "dynamodb" in kinds
        and not (keys and all(re.fullmatch(r"[A-Z]+#\*|ORGANIZATIONS", key) for key in keys))
    ):
        yield "may read and write any kind of item"
    if "secretsmanager" in kinds and not all(":secret:muster/" in str(each) for each in resources(statement)):
        yield "may read others' secrets"
    sender = statement.get("Condition", {}).get("StringEquals", {}).get("ses:FromAddress")
    if "ses" in kinds and sender != {"Ref": "MailFrom"}:
        yield "may send mails in any name"


def either_of(found: list[Any]) -> Iterator[Any]:
    """Yield resources, both where it depends on a condition which of two it is."""
    for resource in found:
        match resource:
            case {"Fn::If": [_, one, other]}:
                yield from (one, other)
            case _:
                yield resource


def what_lambda_does_for_a_function_is_allowed(template: Template) -> Iterator[str]:
    """Lambda writes each function's log, and reads its queue or stream, in the function's own name."""
    made = translated(template)
    sources = {
        referred(each["FunctionName"]): referred(each["EventSourceArn"])
        for each in of_type(made, "AWS::Lambda::EventSourceMapping").values()
    }
    for name, function in lambdas(made).items():
        wanted = {(action, referred(function["LoggingConfig"]["LogGroup"])) for action in LOG}
        source = sources.get(name)
        if source is not None:
            taken = READ_A_STREAM if source in of_type(made, "AWS::DynamoDB::Table") else TAKE_OFF_A_QUEUE
            wanted |= {(action, source) for action in taken}
        found = {
            (action, where)
            for statement in statements(made, function)
            for where in called(statement)
            for action in actions(statement)
            if action.startswith("logs:")
            or action in READ_A_STREAM
            # Who takes nothing off a queue may still count what waits there, by its own calls.
            or (action in TAKE_OFF_A_QUEUE and (name in sources or action != "sqs:GetQueueAttributes"))
        }
        for action, where in sorted(found ^ wanted):
            yield f"{name} {'need not' if (action, where) in found else 'may not'} do {action} to {where}"


def who_may_do_what_in_user_pools(template: Template) -> Iterator[str]:
    """Pushes and what closes leavers end sessions, checks read; nobody makes or deletes anybody."""
    allowed = {
        "ScheduledPushFunction": END_SESSIONS,
        # Who comes back is for the push.
        "DeprovisioningFunction": END_SESSIONS - {"cognito-idp:AdminEnableUser"},
        "PreflightFunction": READ_USER_POOLS,
        "RosterQueryFunction": READ_USER_POOLS,
    }
    made = translated(template)
    for name, function in lambdas(made).items():
        found = {
            action
            for statement in statements(made, function)
            for action in actions(statement)
            if action.startswith("cognito-idp:")
        }
        if found != allowed.get(name, set()):
            yield f"{name} may do {sorted(found)}"
    for name, role in roles(made).items():
        for policy in role.get("Policies", []):
            condition = policy.get("Fn::If", [""])[0]
            if "cognito-idp:" in str(policy) and condition != "HasUserPools":
                yield f"{name} has the policy whether there are pools or not"
    if (
        template["Conditions"]["HasUserPools"] != {"Fn::Not": [{"Fn::Equals": [{"Ref": "UserPoolArns"}, ""]}]}
        or template["Parameters"]["UserPoolArns"]["Default"]
    ):
        yield "there are pools that nobody has named"


def mails_may_go_by_a_configuration_set(template: Template) -> Iterator[str]:
    """SES checks the identity, and the configuration set that is the identity's default."""
    for name in lambdas(translated(template)):
        for statement in statements(template, template["Resources"][name]["Properties"]):
            if "ses:SendEmail" in actions(statement):
                kinds = {str(each).rpartition(":")[2].partition("/")[0] for each in resources(statement)}
                if kinds != {"identity", "configuration-set"}:
                    yield f"{name} may send with {sorted(kinds)}"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

WORKER = ("Resources", "UserChangeWorkerFunction", "Properties")
ROLE = ("Resources", "UserChangeWorkerFunctionRole", "Properties")
TAKES = (*ROLE, "Policies", 0, "PolicyDocument", "Statement", 0)
IMPORT = ("Resources", "ScheduledImportFunctionRole", "Properties", "Policies")
INDEX = (*IMPORT, 0, "PolicyDocument", "Statement", 0)
MAIL = (*IMPORT, 1, "Fn::If", 1, "PolicyDocument", "Statement", 0)
WRITES, READS, LOGS, DELIVERS = (
    ("Resources", name, "Properties", "PolicyDocument", "Statement", position)
    for name, position in (
        ("WritesRoster", 0),
        ("ReadsSecrets", 0),
        ("WritesLog", 0),
        ("FindsOrganizationsAndLogs", 1),
    )
)
PUTS, STREAM = (
    (
        *("Resources", "MemberEventsFunctionRole", "Properties", "Policies", 1, "Fn::If", 1),
        *("PolicyDocument", "Statement", position),
    )
    for position in (0, 1)
)
POOLS, LOOKS = (
    ("Resources", name, "Properties", "Policies", 1, "Fn::If")
    for name in ("ScheduledPushFunctionRole", "PreflightFunctionRole")
)
ENDS = (*POOLS, 1, "PolicyDocument", "Statement", 0)
OF_AWS = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
AS_IN_EXAMPLES = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "new.handler"}}
SECRETS_OF_ALL = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"

MUTANTS: list[Mutant] = [
    (
        each_function_has_a_role_of_its_own,
        (*WORKER, "Role"),
        {"Fn::GetAtt": ["PreflightFunctionRole", "Arn"]},
    ),
    (
        each_function_has_a_role_of_its_own,
        (*ROLE, "AssumeRolePolicyDocument", "Statement", 0, "Principal"),
        {"AWS": "*"},
    ),
    (no_policy_is_of_the_account_or_of_aws, ("Resources", "SamMakesItsRoleFunction"), AS_IN_EXAMPLES),
    (no_policy_is_of_the_account_or_of_aws, (*ROLE, "ManagedPolicyArns", 0), OF_AWS),
    (no_policy_is_of_the_account_or_of_aws, (*ROLE, "ManagedPolicyArns", 0), {"Ref": "PolicyOfTheAccount"}),
    (policies_name_what_they_allow, (*ROLE, "Policies", 0), {"Ref": "PolicyOfTheAccount"}),
    (policies_name_what_they_allow, (*TAKES, "Resource"), "*"),
    (policies_name_what_they_allow, (*WRITES, "Action"), "dynamodb:*"),
    (policies_name_what_they_allow, (*WRITES, "Resource"), "*"),
    (policies_name_what_they_allow, (*WRITES, "Resource"), {"Fn::Sub": "*"}),
    (policies_name_what_they_allow, (*WRITES, "Effect"), "Deny"),
    (policies_name_what_they_allow, (*READS, "Resource", "Fn::Sub"), "arn:aws:secretsmanager:*:*:secret:*"),
    (policies_name_what_they_allow, (*READS, "Resource", "Fn::Sub"), SECRETS_OF_ALL),
    (policies_name_what_they_allow, (*LOGS, "Resource"), "*"),
    (policies_name_what_they_allow, (*DELIVERS, "Action"), ["logs:ListLogDeliveries", "logs:PutLogEvents"]),
    (policies_name_what_they_allow, (*INDEX, "Condition"), GONE),
    (policies_name_what_they_allow, (*MAIL, "Condition"), GONE),
    (policies_name_what_they_allow, (*MAIL, "Action"), "ses:*"),
    (policies_name_what_they_allow, (*MAIL, "Resource", 1), "*"),
    (mails_may_go_by_a_configuration_set, (*MAIL, "Resource", 1), GONE),
    (policies_name_what_they_allow, (*WRITES, "Condition"), GONE),
    (
        policies_name_what_they_allow,
        (*WRITES, "Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys"),
        ["*"],
    ),
    (what_lambda_does_for_a_function_is_allowed, (*ROLE, "Policies"), []),
    (what_lambda_does_for_a_function_is_allowed, (*ROLE, "ManagedPolicyArns", 0), GONE),
    (
        what_lambda_does_for_a_function_is_allowed,
        (*LOGS, "Resource"),
        {"Fn::GetAtt": ["AccessLogGroup", "Arn"]},
    ),
    (what_lambda_does_for_a_function_is_allowed, (*STREAM, "Action", 1), GONE),
    (what_lambda_does_for_a_function_is_allowed, (*STREAM, "Resource"), "*"),
    (policies_name_what_they_allow, (*STREAM, "Action", 1), "dynamodb:Scan"),
    (policies_name_what_they_allow, (*PUTS, "Resource"), "*"),
    (policies_name_what_they_allow, (*PUTS, "Resource", "Fn::If", 2, "Fn::Sub"), "arn:aws:events:*:*:*/*"),
    (policies_name_what_they_allow, (*ENDS, "Resource"), "*"),
    (policies_name_what_they_allow, (*ENDS, "Resource", "Fn::Split", 1, "Ref"), "MemberEventsBus"),
    (policies_name_what_they_allow, (*ENDS, "Action"), ["cognito-idp:ListUsers", "s3:GetObject"]),
    (who_may_do_what_in_user_pools, (*ENDS, "Action", 4), GONE),
    (who_may_do_what_in_user_pools, (*ENDS, "Action", 0), "cognito-idp:AdminDeleteUser"),
    (
        who_may_do_what_in_user_pools,
        (*LOOKS, 1, "PolicyDocument", "Statement", 0, "Action", 0),
        "cognito-idp:AdminDisableUser",
    ),
    (who_may_do_what_in_user_pools, (*POOLS, 0), "SendsMail"),
    (who_may_do_what_in_user_pools, ("Conditions", "HasUserPools"), {"Fn::Equals": ["a", "a"]}),
    (who_may_do_what_in_user_pools, ("Parameters", "UserPoolArns", "Default"), "*"),
    (what_lambda_does_for_a_function_is_allowed, (*LOGS, "Action"), [*LOG, "logs:CreateLogGroup"]),
    (
        what_lambda_does_for_a_function_is_allowed,
        (*TAKES, "Resource"),
        {"Fn::GetAtt": ["ChangeDeadLetterQueue", "Arn"]},
    ),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
