"""What is done once or with less ado comes out as it does where botocore and moto take their time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.doubles.aws import in_moto, table_properties
from tests.simulation.harness.quick_calls import quick_calls

KEY = {"pk": {"S": "ORG#acme#X"}, "sk": {"S": "X"}}
HELD = {**KEY, "count": {"N": "2"}, "names": {"SS": ["ada", "bob"]}, "doc": {"S": "x"}}
NAMES = {"#count": "count"}
VALUES = {":one": {"N": "1"}, ":carol": {"SS": ["carol"]}, ":y": {"S": "y"}}
EXPRESSIONS = [
    "SET doc = :y",
    "SET doc = :y, other = :one REMOVE names",
    "SET other = if_not_exists(doc, :y)",
    "SET other = if_not_exists(nothing, :y) ADD names :carol",
    "SET #count = #count + :one",
    "ADD #count :one, other :one DELETE names :carol",
    "REMOVE doc, nothing",
    # These are refused.
    "SET doc = :unknown",
    "SET #unknown = :y",
    "SET doc = :y, doc = :one",
    "SET pk = :y",
    "ADD doc :one",
    "SET doc = :y SET names = :carol",
    "SET doc =",
]


@pytest.fixture
def after(template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return what an item is after an update, twice in a row, or why that is refused."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def updated(way: AbstractContextManager[object], held: dict[str, Any] | None, **update: Any) -> Any:
        with in_moto(), way:
            dynamodb = boto3.client("dynamodb", region_name="us-east-1")
            dynamodb.create_table(TableName="roster", **table_properties(template))
            if held:
                dynamodb.put_item(TableName="roster", Item=held)
            try:
                for _ in range(2):
                    dynamodb.update_item(TableName="roster", Key=KEY, **update)
            except ClientError as error:
                return error.response["Error"]
            return dynamodb.get_item(TableName="roster", Key=KEY)["Item"]

    return updated


@pytest.mark.parametrize("held", [HELD, None], ids=["there", "new"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_update_comes_out_the_same(
    expression: str, held: dict[str, Any] | None, after: Callable[..., Any]
) -> None:
    update: dict[str, Any] = {"UpdateExpression": expression, "ExpressionAttributeValues": VALUES}
    if "#" in expression:
        update["ExpressionAttributeNames"] = NAMES
    assert after(quick_calls(), held, **update) == after(nullcontext(), held, **update)


ITEMS: list[dict[str, Any]] = [
    {"doc": {"S": ""}, "count": {"N": "2"}, "is": {"BOOL": True}, "none": {"NULL": True}},
    {
        "list": {"L": [{"S": "a"}, {"M": {"b": {"S": "c"}, "d": {"B": b"e"}}}]},
        "names": {"SS": ["ada", "bob"]},
    },
    # These are refused.
    {"doc": {"S": 1}},
    {"doc": {"S": None}},
    {"doc": {"T": "x"}},
    {"doc": {"S": "x", "N": 1}},
    {"list": {"L": [{"S": "a"}, {"S": b"b"}]}},
    {"doc": "x"},
    {"doc": None},
]


@pytest.mark.parametrize("item", ITEMS, ids=str)
def test_what_is_written_is_checked_and_read_back_the_same(
    item: dict[str, Any], template: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def written(way: AbstractContextManager[object]) -> Any:
        with in_moto(), way:
            dynamodb = boto3.client("dynamodb", region_name="us-east-1")
            dynamodb.create_table(TableName="roster", **table_properties(template))
            try:
                dynamodb.put_item(TableName="roster", Item={**KEY, **item})
            except (ClientError, ParamValidationError) as error:
                return str(error)
            return dynamodb.get_item(TableName="roster", Key=KEY)["Item"]

    assert written(quick_calls()) == written(nullcontext())


CONDITIONS = [
    "doc = :v",
    "doc <> :v AND attribute_exists(pk)",
    "NOT #c > :v",
    "doc IN (:v, :w) OR begins_with(doc, :v)",
    "#c BETWEEN :v AND :w",
    "contains(names, :v)",
    "attribute_type(doc, :v) OR size(doc) < :w",
    # These are refused.
    "doc = :unknown",
    "#unknown = :v",
    "((doc = :v))",
    "doc =",
]
VALUES_OF_CONDITIONS: list[dict[str, Any]] = [
    {":v": {"S": "x"}, ":w": {"S": "y"}},
    {":v": {"S": "S"}, ":w": {"N": "2"}},
    {":v": {"N": "1"}, ":w": {"N": "3"}},
    {":v": {"NULL": True}, ":w": {"NULL": True}},
    {":v": {"S": "ada"}},
    {":v": {"S": "x"}, ":w": {"S": "y"}},
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_holds_for_the_same_values(condition: str) -> None:
    item = Item(DynamoType(KEY["pk"]), DynamoType(KEY["sk"]), HELD)

    def held(way: AbstractContextManager[object]) -> list[Any]:
        with way:
            return [_held(condition, values, item) for values in VALUES_OF_CONDITIONS]

    assert held(quick_calls()) == held(nullcontext())


def _held(condition: str, values: dict[str, Any], item: Item) -> Any:
    try:
        return get_filter_expression(condition, {"#c": "count"}, values).expr(item)
    except Exception as error:  # noqa: BLE001 - whatever moto raises
        return type(error), str(error)
