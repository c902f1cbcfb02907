"""Strongly consistent reads of many items at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from muster.adapters.aws_errors import translated
from muster.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# BatchGetItem takes 100 keys and answers 16 MB at most; what is over it gives back as unprocessed.
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
