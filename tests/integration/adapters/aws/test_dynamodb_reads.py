"""The quick reading of one text per item says what botocore's own parser says."""

from itertools import batched
from types import SimpleNamespace
from typing import Any

import pytest

from muster import bootstrap
from muster.adapters.aws.dynamodb_reads import texts
from muster.errors import Misconfigured

STATES = [f"005{number:012d}AAA|öä\u2028\\\"'{number}|a||m{number}" for number in range(250)]


@pytest.fixture
def request_of_all(aws: SimpleNamespace) -> dict[str, Any]:
    items = [
        {"pk": {"S": "P"}, "sk": {"S": f"{number:04d}"}, "state": {"S": state}, "doc": {"S": "x"}}
        for number, state in enumerate(STATES)
    ]
    items.append({"pk": {"S": "P"}, "sk": {"S": "without"}})
    for some in batched(items, 25, strict=False):
        puts = [{"PutRequest": {"Item": item}} for item in some]
        aws.dynamodb.batch_write_item(RequestItems={"roster": puts})
    return {
        "TableName": "roster",
        "IndexName": "by_state",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "P"}},
    }


@pytest.mark.parametrize("limit", [1_000, 100, 7])
def test_it_reads_what_the_stock_parser_reads(
    aws: SimpleNamespace, request_of_all: dict[str, Any], limit: int
) -> None:
    client = bootstrap._dynamodb()
    stock = aws.dynamodb.query(**request_of_all)["Items"]
    assert list(texts(client, {**request_of_all, "Limit": limit}, "state")) == [
        item["state"]["S"] for item in stock
    ]
    assert len(stock) == len(STATES)


def test_other_queries_of_the_same_client_are_parsed_as_ever(request_of_all: dict[str, Any]) -> None:
    client = bootstrap._dynamodb()
    assert next(texts(client, {**request_of_all, "Limit": 1}, "state")) in STATES
    answer = client.query(**request_of_all)
    assert set(answer["Items"][0]) == {"pk", "sk", "state"}
    assert answer["Count"] == len(STATES)


def test_errors_are_told_as_ever(request_of_all: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        list(texts(bootstrap._dynamodb(), {**request_of_all, "TableName": "none"}, "state"))
