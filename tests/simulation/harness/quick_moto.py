"""The calls made most, straight to moto's backends: five times as quick as through its HTTP layer.

What a call does is still moto's doing; only parsing and writing HTTP falls away. Whatever is not
plain sailing is left to the whole of moto: `answer` says `None`, and nothing has happened yet.
"""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import DynamodbException, TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import SecretsManagerBackend
from moto.ses.models import SESBackend
from moto.sqs.models import SQSBackend

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], str]

MOST_KEYS = 100
_CONDITION = {"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
# How a query is bounded: (key, prefix), or (key, relation, value, value).
_BOUND = re.compile(
    r"pk = :pk(?: AND (?:begins_with\((#?\w+), (:\w+)\)|(#?\w+) (BETWEEN|[<>]=?) (:\w+)(?: AND (:\w+))?))?"
)
_RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# The partitions that the transaction under way may change; `None`: any.
touched: set[DynamoType] | None = None
# What moto goes back to when that is cancelled: the table as it was, copied once, not for each action.
backup: Table | None = None
MOST_MESSAGE_BYTES = 1024 * 1024


def answer(operation: str, body: Json) -> Answer | None:
    """Return what moto answers to a request, `None` where it has to be asked the long way."""
    do = _WAYS.get(operation)
    if do is None:
        return None
    try:
        said = do(body)
    except TransactionCanceledException as cancelled:
        return 400, {}, str(cancelled.description)
    except (DynamodbException, SecretsManagerClientError):
        # What it refuses it has taken back; asked again, it says so in full.
        return None
    return None if said is None else (200, {}, json.dumps(said))


def dynamodb() -> DynamoDBBackend:
    """Return moto's own DynamoDB."""
    backend: DynamoDBBackend = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return backend


def sqs() -> SQSBackend:
    """Return moto's own SQS."""
    backend: SQSBackend = get_backend("sqs")[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return backend


def ses() -> SESBackend:
    """Return moto's own SES, which keeps what was sent."""
    backend: SESBackend = get_backend("ses")[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return backend


def secrets() -> SecretsManagerBackend:
    """Return moto's own Secrets Manager."""
    backend: SecretsManagerBackend = get_backend("secretsmanager")[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return backend


def _get_item(body: Json) -> Json:
    item = dynamodb().get_item(body["TableName"], body["Key"])
    return {"Item": item.to_json()["Attributes"]} if item else {}


def _batch_get_item(body: Json) -> Json | None:
    [(table, wanted)] = body["RequestItems"].items()
    distinct = {json.dumps(key, sort_keys=True) for key in wanted["Keys"]}
    if (
        len(wanted["Keys"]) > MOST_KEYS
        or len(distinct) < len(wanted["Keys"])
        or set(wanted) > {"Keys", "ConsistentRead"}
    ):
        return None
    items = [dynamodb().get_item(table, key) for key in wanted["Keys"]]
    return {
        "Responses": {table: [item.to_json()["Attributes"] for item in items if item]},
        "UnprocessedKeys": {},
    }


def _put_item(body: Json) -> Json | None:
    if set(body) - _CONDITION - {"TableName", "Item"} or not _is_all_used(body) or _has_empty(body["Item"]):
        return None
    dynamodb().put_item(body["TableName"], body["Item"], **_condition(body))
    return {}


def _delete_item(body: Json) -> Json | None:
    if (
        set(body) - _CONDITION - {"TableName", "Key"}
        or not _is_all_used(body)
        or set(body["Key"]) != {"pk", "sk"}
    ):
        return None
    dynamodb().delete_item(body["TableName"], body["Key"], **_condition(body))
    return {}


def _has_empty(item: Json) -> bool:
    """Tell whether anything in an item is empty, which in some places is refused."""
    return any(kind == "NULL" or not value for each in item.values() for kind, value in each.items())


def _is_all_used(body: Json) -> bool:
    """Tell whether a condition says each of its names and values, for what says more is refused."""
    condition = set(re.findall(r"[#:]\w+", body.get("ConditionExpression", "")))
    return condition == {
        *body.get("ExpressionAttributeNames", ()),
        *body.get("ExpressionAttributeValues", ()),
    }


def _condition(body: Json) -> Json:
    return {
        "condition_expression": body.get("ConditionExpression"),
        "expression_attribute_names": body.get("ExpressionAttributeNames"),
        "expression_attribute_values": body.get("ExpressionAttributeValues"),
    }


def _query(body: Json) -> Json | None:
    bound = _BOUND.fullmatch(body["KeyConditionExpression"])
    index, values = body.get("IndexName"), body["ExpressionAttributeValues"]
    names = body.get("ExpressionAttributeNames", {})
    projected = None if index is None else _also_in(body["TableName"], index)
    wanted = [names.get(name, name) for name in body.get("ProjectionExpression", "").split(", ") if name]
    if bound is None or (index is not None and (projected is None or "ConsistentRead" in body)):
        return None
    # In an index is who has its key, and nothing but the keys and what the index says.
    key = "sk" if index is None else index.removeprefix("by_")
    bounded = bound[1] or bound[3]
    if bounded and names.get(bounded, bounded) != key:
        return None
    found = dynamodb().tables[body["TableName"]].items.get(DynamoType(values[":pk"]), {}).values()
    keys = ("pk", "sk") if index is None else ("pk", "sk", key)
    order = keys[:0:-1]
    items = [item for item in found if key in item.attrs or index is None]
    items.sort(
        key=lambda item: [item.attrs[name].value for name in order],
        reverse=not body.get("ScanIndexForward", True),
    )
    if start := body.get("ExclusiveStartKey"):
        places = [{name: item.attrs[name].to_regular_json() for name in keys} for item in items]
        if start not in places:
            return None
        items = items[places.index(start) + 1 :]
    within = [item for item in items if _is_within(item.attrs[key].value, bound, values)]
    page = within[: body.get("Limit")]
    # Whether more is to come is found out by who asks for it.
    ends = len(page) == body.get("Limit") and page[-1] is not items[-1]
    more = {"LastEvaluatedKey": {name: _attributes(page[-1])[name] for name in keys}} if ends else {}
    if "FilterExpression" in body:
        sees = get_filter_expression(body["FilterExpression"], names, values)
        shown = [_attributes(item) for item in page if sees.expr(item)]
    else:
        shown = [_attributes(item) for item in page]
    if projected is not None:
        shown = [_only([*keys, *projected], item) for item in shown]
    if wanted:
        shown = [_only(wanted, item) for item in shown]
    return {"Items": shown, "Count": len(shown), "ScannedCount": len(page), **more}


def _only(names: list[str], item: Json) -> Json:
    return {name: item[name] for name in names if name in item}


def _is_within(text: str, bound: re.Match[str], values: Json) -> bool:
    _, prefix, _, relation, first, last = bound.groups()
    if prefix:
        return text.startswith(values[prefix]["S"])
    if relation == "BETWEEN":
        return bool(values[first]["S"] <= text <= values[last]["S"])
    return relation is None or bool(_RELATIONS[relation](text, values[first]["S"]))


def _also_in(table: str, index: str) -> list[str] | None:
    """Return what is in an index besides its keys; `None`: everything, or there is no such index."""
    for each in dynamodb().tables[table].global_indexes:
        if each.name == index and each.projection["ProjectionType"] != "ALL":
            return list(each.projection.get("NonKeyAttributes", []))
    return None


def _attributes(item: Item) -> Json:
    attributes: Json = item.to_json()["Attributes"]
    return attributes


def _update_item(body: Json) -> Json | None:
    if body.get("ReturnValues", "ALL_NEW") != "ALL_NEW":
        return None
    item = dynamodb().update_item(
        body["TableName"],
        body["Key"],
        update_expression=body["UpdateExpression"],
        expression_attribute_names=body.get("ExpressionAttributeNames", {}),
        expression_attribute_values=body.get("ExpressionAttributeValues", {}),
        condition_expression=body.get("ConditionExpression"),
    )
    return {"Attributes": _attributes(item)} if "ReturnValues" in body else {}


def _transact(body: Json) -> Json | None:
    global touched, backup
    if len(body["TransactItems"]) > MOST_KEYS:
        return None
    actions = [action for item in body["TransactItems"] for action in item.values()]
    touched = {DynamoType(action.get("Key", action.get("Item"))["pk"]) for action in actions}
    try:
        dynamodb().transact_write_items(body["TransactItems"])
    finally:
        touched = backup = None
    return {}


def _send_message(body: Json) -> Json | None:
    if set(body) != {"QueueUrl", "MessageBody"} or len(body["MessageBody"].encode()) > MOST_MESSAGE_BYTES:
        return None
    message = sqs().send_message(body["QueueUrl"].rpartition("/")[2], body["MessageBody"])
    return {"MessageId": message.id, "MD5OfMessageBody": message.body_md5}


def _get_secret_value(body: Json) -> Json:
    value: Json = secrets().get_secret_value(body["SecretId"], "", "")
    return {"SecretString": value["SecretString"], "VersionId": value["VersionId"]}


_WAYS: dict[str, Callable[[Json], Json | None]] = {
    "GetItem": _get_item,
    "BatchGetItem": _batch_get_item,
    "PutItem": _put_item,
    "DeleteItem": _delete_item,
    "UpdateItem": _update_item,
    "Query": _query,
    "TransactWriteItems": _transact,
    "SendMessage": _send_message,
    "GetSecretValue": _get_secret_value,
}
