"""Read many items at once: by key, or one text attribute of every item of a query."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

import orjson

from muster.adapters.aws.aws_errors import translated
from muster.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# BatchGetItem takes 100 keys and answers up to 16 MB; it returns the rest as unprocessed.
_KEYS_A_CALL = 100
_CALLS_A_BATCH = 10


def get_many[K](
    client: DynamoDBClient, table: str, wanted: Mapping[K, dict[str, Any]]
) -> dict[K, dict[str, Any]]:
    """Return name → item for each name → key in `wanted` that exists; raises `Unavailable`."""
    names = {(key["pk"]["S"], key["sk"]["S"]): name for name, key in wanted.items()}
    found: dict[K, dict[str, Any]] = {}
    for batch in batched(wanted.values(), _KEYS_A_CALL, strict=False):
        request: Any = {table: {"Keys": list(batch), "ConsistentRead": True}}
        for _ in range(_CALLS_A_BATCH):
            with translated("the roster table"):
                answer = client.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                found[names[item["pk"]["S"], item["sk"]["S"]]] = item
            request = answer.get("UnprocessedKeys")
            if not request:
                break
        else:
            raise Unavailable("the roster table is busy: keys were left unread", retry_after=5)
    return found


class _Texts(threading.local):
    """The attribute that the current thread's query is read for, if any."""

    name: str | None = None


_texts = _Texts()


def texts(client: DynamoDBClient, request: dict[str, Any], name: str) -> Iterator[str]:
    """Yield the text attribute `name` of each item that a query finds; only that attribute is projected.

    botocore tries ten possible types for every attribute of every item, which for a hundred thousand
    items takes longer than the rest of an import. So the answer is parsed here, in botocore's event
    before its own parsing; `tests/integration/test_dynamodb_reads.py` compares the two.
    """
    client.meta.events.register("before-parse.dynamodb.Query", _read_texts, unique_id="muster-texts")
    request = {
        **request,
        "ProjectionExpression": "#text",
        "ExpressionAttributeNames": {"#text": name},
    }
    while True:
        with translated("the roster table"):
            _texts.name = name
            try:
                answer: Any = client.query(**request)
            finally:
                _texts.name = None
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _read_texts(response_dict: Any, customized_response_dict: dict[str, Any], **_: Any) -> None:
    if _texts.name is None or response_dict["status_code"] != 200:
        return
    answer = orjson.loads(response_dict["body"])
    customized_response_dict["Items"] = [item[_texts.name]["S"] for item in answer.pop("Items")]
    # The little that is left is for botocore to parse.
    response_dict["body"] = orjson.dumps(answer)
