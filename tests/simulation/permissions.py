"""What each function may do, by template.yaml, and what it was seen to do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.simulation.faults import Call

_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one resource; `partitions` are patterns of the partition keys it is limited to."""

    action: str
    resource: str
    partitions: tuple[str, ...] = ("*",)

    def covers(self, use: "Permission") -> bool:
        """Tell whether a use is allowed by this."""
        return (
            self.action == use.action
            and self.resource == use.resource
            and all(any(fnmatchcase(key, pattern) for pattern in self.partitions) for key in use.partitions)
        )


def granted(template: Mapping[str, Any], function: str) -> list[Permission]:
    """Return what the function's own policies allow; raises `ValueError` for a shape it does not know."""
    permissions = []
    for policy in template["Resources"][function]["Properties"]["Policies"]:
        for statement in policy["Statement"]:
            if statement["Effect"] != "Allow":
                raise ValueError(f"{function} has a statement that is no Allow")
            resource, attribute = statement["Resource"]["Fn::GetAtt"]
            if attribute != "Arn":
                raise ValueError(f"{function} names a resource by its {attribute}")
            condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
            partitions = tuple(condition.get("dynamodb:LeadingKeys", ["*"]))
            permissions += [Permission(action, resource, partitions) for action in _list(statement["Action"])]
    return permissions


def used(calls: Iterable[Call]) -> set[Permission]:
    """Return what calls amount to: a transaction is the actions in it."""
    return {permission for call in calls for permission in _uses(call)}


def _uses(call: Call) -> Iterator[Permission]:
    parameters = call.parameters
    if call.service == "sqs":
        resource = {"changes": "ChangeQueue"}[parameters["QueueUrl"].rpartition("/")[2]]
        yield Permission(f"sqs:{call.operation}", resource, ())
        return
    match call.operation:
        case "TransactWriteItems":
            for item in parameters["TransactItems"]:
                for kind, action in item.items():
                    yield _on_table(_ACTIONS[kind], action["TableName"], action.get("Key") or action["Item"])
        case "BatchGetItem":
            for table, wanted in parameters["RequestItems"].items():
                for key in wanted["Keys"]:
                    yield _on_table(call.operation, table, key)
        case "Query":
            yield _on_table(
                "Query", parameters["TableName"], {"pk": parameters["ExpressionAttributeValues"][":pk"]}
            )
        case _:
            key = parameters.get("Key") or parameters["Item"]
            yield _on_table(call.operation, parameters["TableName"], key)


def _on_table(operation: str, table: str, key: Mapping[str, Any]) -> Permission:
    return Permission(f"dynamodb:{operation}", {"roster": "RosterTable"}[table], (key["pk"]["S"],))


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
