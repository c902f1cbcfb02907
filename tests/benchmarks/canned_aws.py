"""AWS answered at the wire from memory: the client's own cost counts, a network's does not."""

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, MutableSequence
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders

type Items = dict[tuple[str, str], dict[str, Any]]
type Transaction = list[dict[str, Any]]


class CannedAws:
    """Answers reads from `items`, takes every write and changes nothing; counts the calls by operation."""

    def __init__(self, *clients: BaseClient) -> None:
        self.items: Items = {}
        self.calls: Counter[str] = Counter()
        self._transactions: MutableSequence[Transaction] = deque(maxlen=0)
        for client in clients:
            client.meta.events.register("before-send", self._answer)

    def store(self, item: dict[str, Any]) -> None:
        """Have an item read from now on."""
        self.items[_key(item)] = item

    def transactions_of(self, work: Callable[[], object]) -> list[Transaction]:
        """Do some work and return its transactions, as the client was asked for them."""
        found: list[Transaction] = []
        self._transactions = found
        work()
        self._transactions = deque(maxlen=0)
        return found

    def _answer(self, request: Any, **_: Any) -> Any:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        self.calls[operation] += 1
        content = json.dumps(self._said(operation, json.loads(request.body))).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(content))

    def _said(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "GetItem":
                item = self.items.get(_key(body["Key"]))
                return {"Item": item} if item else {}
            case "BatchGetItem":
                [(table, wanted)] = body["RequestItems"].items()
                found = [self.items[_key(key)] for key in wanted["Keys"] if _key(key) in self.items]
                return {"Responses": {table: found}, "UnprocessedKeys": {}}
            case "TransactWriteItems":
                self._transactions.append(body["TransactItems"])
        return {}


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


class _Raw(BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, **_: Any) -> Any:
        yield self.read()
