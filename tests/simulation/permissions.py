"""What each function may do, by template.yaml, and what it was seen to do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.integration.template_reading import actions, resources, statements
from tests.simulation.harness.faults import Call

_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# What Lambda itself does in a function's name; no simulation shows it, and `test_template_roles` checks it.
_OF_LAMBDA = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
# Likewise: it puts calls there that nobody waited for and that failed, and batches of the stream.
_LAMBDA_PUTS = {
    ("sqs:SendMessage", queue) for queue in ("ScheduleDeadLetterQueue", "DeprovisioningFailureQueue")
}
_QUEUES = {
    "changes": "ChangeQueue",
    "changes-given-up": "ChangeDeadLetterQueue",
    "starts-given-up": "ScheduleDeadLetterQueue",
    "events-given-up": "MemberEventsFailureQueue",
}
_CONDITIONS = {"ForAllValues:StringLike", "StringEquals"}


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one resource, which may be a pattern; `partitions` are patterns of partition keys."""

    action: str
    resource: str
    partitions: tuple[str, ...] = ("*",)

    def covers(self, use: "Permission") -> bool:
        """Tell whether a use is allowed by this."""
        return (
            self.action == use.action
            and fnmatchcase(use.resource, self.resource)
            and all(any(fnmatchcase(key, pattern) for pattern in self.partitions) for key in use.partitions)
        )


def granted(template: Mapping[str, Any], function: str) -> list[Permission]:
    """Return what the function's role lets it do itself; raises `ValueError` for a shape it does not know.

    A policy that depends on a condition of the template counts: it is there where it is needed.
    """
    permissions = []
    for statement in statements(dict(template), template["Resources"][function]["Properties"]):
        conditions = statement.get("Condition", {})
        if statement["Effect"] != "Allow" or set(conditions) - _CONDITIONS:
            raise ValueError(f"{function} has a statement that is no Allow, or has another condition")
        keys = conditions.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
        permissions += [
            Permission(action, _resource(resource), tuple(keys))
            for resource in resources(statement)
            for action in actions(statement)
            # Who only counts what waits on a queue does so by its own calls.
            if action not in _OF_LAMBDA or actions(statement) == ["sqs:GetQueueAttributes"]
            # No scenario has a user pool; test_template_roles says who may do what in them.
            if not action.startswith("cognito-idp:")
            if (action, _resource(resource)) not in _LAMBDA_PUTS
        ]
    return permissions


def _resource(resource: Any) -> str:
    """Return a resource by its name in the template, or by what follows the account in its ARN."""
    match resource:
        case {"Fn::If": ["HasOwnEventBus", own, _]}:
            return _resource(own)
        case {"Fn::GetAtt": [str(name), "Arn" | "StreamArn"]} | {"Ref": str(name)}:
            return name
        case {"Fn::Sub": str(text)} if text.startswith("${") and ".Arn}" in text:
            return text.removeprefix("${").replace(".Arn}", "")
        case {"Fn::Sub": str(text)} if text.startswith("arn:${AWS::Partition}:"):
            return text.rpartition("${AWS::AccountId}:")[2]
    raise ValueError(f"a resource of a shape that is not known: {resource}")


def used(calls: Iterable[Call]) -> set[Permission]:
    """Return what calls amount to: a transaction is the actions in it; sandboxes need no permission."""
    return {permission for call in calls for permission in _uses(call)}


def _uses(call: Call) -> Iterator[Permission]:
    parameters = call.parameters
    match call.service:
        case "dynamodb":
            yield from _uses_of_the_table(call)
        case "sqs":
            resource = _QUEUES[parameters["QueueUrl"].rpartition("/")[2]]
            yield Permission(f"sqs:{call.operation}", resource, ())
        case "sns":
            topic = {"informs": "InformTopic"}[parameters["TopicArn"].rpartition(":")[2]]
            yield Permission(f"sns:{call.operation}", topic, ())
        case "events":
            buses = {entry["EventBusName"] for entry in parameters["Entries"]}
            assert buses == {"members"}
            yield Permission(f"events:{call.operation}", "OwnEventBus", ())
        case "s3":
            bucket = {"archive": "RunArchive"}[parameters["Bucket"]]
            if call.operation == "ListObjectsV2":
                yield Permission("s3:ListBucket", bucket, ())
            else:
                yield Permission(f"s3:{call.operation}", f"{bucket}/{parameters['Key']}", ())
        case "secretsmanager":
            yield Permission(f"secretsmanager:{call.operation}", f"secret:{parameters['SecretId']}", ())
        case "stepfunctions":
            machine = parameters["stateMachineArn"].rpartition(":")[2]
            yield Permission(f"states:{call.operation}", f"stateMachine:${{AWS::StackName}}-{machine}", ())
        case "sesv2":
            yield Permission(f"ses:{call.operation}", f"identity/{parameters['FromEmailAddress']}", ())
            # Where the identity has one by default.
            yield Permission(f"ses:{call.operation}", "configuration-set/default", ())
        case "salesforce" | "vault_crm" | "scim_app" | "elsewhere":
            return
        case _:
            raise ValueError(f"nobody knows what {call.service} needs")


def _uses_of_the_table(call: Call) -> Iterator[Permission]:
    parameters = call.parameters
    match call.operation:
        case "TransactWriteItems":
            for item in parameters["TransactItems"]:
                for kind, action in item.items():
                    yield _on_table(_ACTIONS[kind], action["TableName"], action.get("Key") or action["Item"])
        case "BatchGetItem":
            for table, wanted in parameters["RequestItems"].items():
                for key in wanted["Keys"]:
                    yield _on_table(call.operation, table, key)
        case "BatchWriteItem":
            for table, requests in parameters["RequestItems"].items():
                for request in requests:
                    yield _on_table(call.operation, table, request["PutRequest"]["Item"])
        case "Query":
            key = {"pk": parameters["ExpressionAttributeValues"][":pk"]}
            yield _on_table("Query", parameters["TableName"], key, parameters.get("IndexName"))
        case _:
            key = parameters.get("Key") or parameters["Item"]
            yield _on_table(call.operation, parameters["TableName"], key)


def _on_table(operation: str, table: str, key: Mapping[str, Any], index: str | None = None) -> Permission:
    resource = {"roster": "RosterTable"}[table] + (f"/index/{index}" if index else "")
    return Permission(f"dynamodb:{operation}", resource, (key["pk"]["S"],))
