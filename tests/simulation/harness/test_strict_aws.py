"""The stand-in for AWS is at least as strict as AWS, and its quick way says what moto says."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.signers import RequestSigner

from muster import bootstrap
from muster.errors import Unavailable
from tests.simulation.harness.strict_aws import copy_of, put_back
from tests.simulation.harness.world import World

SIGN = RequestSigner.sign
KEY = {"pk": {"S": "ORG#acme#X"}, "sk": {"S": "X"}}


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.reset()


def put(doc: str, condition: str | None = None, **key: dict[str, str]) -> dict[str, Any]:
    action: dict[str, Any] = {"TableName": "roster", "Item": {**KEY, **key, "doc": {"S": doc}}}
    return {"Put": {**action, "ConditionExpression": condition} if condition else action}


def transact(*items: Any, **options: Any) -> Any:
    return bootstrap._dynamodb().transact_write_items(TransactItems=items, **options)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return raised.value.response["Error"]["Code"]


def test_a_transaction_repeated_with_its_token_is_one_transaction() -> None:
    absent = put("x", "attribute_not_exists(pk)")
    transact(absent, ClientRequestToken="token-1")
    transact(absent, ClientRequestToken="token-1")
    assert refusal(lambda: transact(absent, ClientRequestToken="token-2")) == "TransactionCanceledException"


def test_a_token_is_for_one_content() -> None:
    transact(put("x"), ClientRequestToken="token-1")
    other = refusal(lambda: transact(put("y"), ClientRequestToken="token-1"))
    assert other == "IdempotentParameterMismatchException"


def test_a_token_expires(world: World) -> None:
    absent = put("x", "attribute_not_exists(pk)")
    transact(absent, ClientRequestToken="token-1")
    world.rules.forget_tokens()
    assert refusal(lambda: transact(absent, ClientRequestToken="token-1")) == "TransactionCanceledException"


def test_a_transaction_has_a_hundred_items_and_4_mb_at_most() -> None:
    items = [put("x", sk={"S": str(number)}) for number in range(101)]
    transact(*items[:100])
    assert refusal(lambda: transact(*items)) == "ValidationException"
    large = [put("x" * 399_000, sk={"S": str(number)}) for number in range(11)]
    assert refusal(lambda: transact(*large)) == "ValidationException"


def test_a_transaction_touches_an_item_once_and_no_item_is_over_400_kb() -> None:
    assert refusal(lambda: transact(put("x"), put("y"))) == "ValidationException"
    assert refusal(lambda: transact(put("x" * 410_000))) == "ValidationException"


def test_pages_are_of_one_item() -> None:
    transact(*(put("x", sk={"S": str(number)}) for number in range(3)))
    client = bootstrap._dynamodb()
    answer = client.query(
        TableName="roster", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": KEY["pk"]}
    )
    assert len(answer["Items"]) == 1
    assert "LastEvaluatedKey" in answer


def test_some_keys_are_left_unread_and_can_be_read_then(world: World) -> None:
    transact(*(put("x", sk={"S": str(number)}) for number in range(50)))
    world.rules.leaves_out = random.Random(1)  # noqa: S311 - a test's own luck
    request: Any = {"roster": {"Keys": [{**KEY, "sk": {"S": str(number)}} for number in range(50)]}}
    found, calls = [], 0
    while request:
        answer = bootstrap._dynamodb().batch_get_item(RequestItems=request)
        found += answer["Responses"]["roster"]
        request = answer["UnprocessedKeys"]
        calls += 1
    assert calls > 1
    assert sorted(item["sk"]["S"] for item in found) == sorted(str(number) for number in range(50))


def test_a_copy_of_the_table_is_not_changed_by_what_comes_after(world: World) -> None:
    add = {
        "Update": {
            "TableName": "roster",
            "Key": KEY,
            "UpdateExpression": "ADD members :who",
            "ExpressionAttributeValues": {":who": {"SS": ["ada"]}},
        }
    }
    transact(add)
    kept, rows = copy_of("roster"), copy.deepcopy(world.rows())
    add["Update"]["ExpressionAttributeValues"] = {":who": {"SS": ["bob"]}}
    transact(add)
    assert world.rows() != rows
    put_back(kept)
    assert world.rows() == rows
    # A transaction that is cancelled after it has changed a set leaves the set as it was.
    transact_cancelled = refusal(lambda: transact(add, put("x", "attribute_exists(pk)", sk={"S": "none"})))
    assert transact_cancelled == "TransactionCanceledException"
    assert world.rows() == rows


@pytest.mark.parametrize("seed", range(30))
def test_the_quick_way_says_what_moto_says(seed: int, world: World) -> None:
    """The same random calls, of every shape the functions make, once each way."""
    answers, tables = [], []
    empty = copy_of("roster")
    for quick in (True, False):
        put_back(empty)
        world.rules.quick = quick
        chance = random.Random(seed)  # noqa: S311 - a test's own luck
        answers.append([_answered(_call(chance)) for _ in range(40)])
        tables.append(sorted(map(str, world.rows())))
    assert answers[0] == answers[1]
    assert tables[0] == tables[1]


def test_the_quick_archive_says_what_moto_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Unlike the rest of moto, its S3 looks whether a call is signed.
    monkeypatch.setattr(RequestSigner, "sign", SIGN)
    client = bootstrap.run_archive()
    for quick in (True, False):
        world.rules.quick = quick
        client.put("acme", "run", 1, "users", 1, b'{"a": "\xc3\xa9"}')
        client.put("acme", "run", 1, "users", 2, b"{}")
        client.put("acme", "run", 1, "users", 1, b"[1]")
        client.put("acme", "run", 1, "users/deeper", 1, b"[2]")
        client.put_document("acme", "run", 1, "plan", {"é": 1})
        assert client.count("acme", "run", 1, "users") == 2
        assert client.count("acme", "run", 1, "nothing") == 0
        assert list(client.parts("acme", "run", 1, "users")) == [b"[1]", b"{}"]
        assert client.document("acme", "run", 1, "plan") == {"é": 1}
        with pytest.raises(Unavailable, match="missing"):
            client.part("acme", "run", 1, "users", 3)


def _answered(call: Callable[[], Any]) -> Any:
    try:
        answer = call()
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return error.response["Error"]["Code"], [reason.get("Code") for reason in reasons]
    told_of_the_call = ("ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics")
    return {name: value for name, value in answer.items() if value and name not in told_of_the_call}


def _call(chance: random.Random) -> Callable[[], Any]:
    client = bootstrap._dynamodb()
    key: Any = {**KEY, "sk": {"S": chance.choice("abcd")}}
    match chance.randrange(9):
        case 0:
            return lambda: client.get_item(TableName="roster", Key=key, ConsistentRead=True)
        case 1:
            keys: Any = [
                {**KEY, "sk": {"S": name}} for name in chance.choices("abcd", k=chance.randint(1, 3))
            ]
            return lambda: client.batch_get_item(
                RequestItems={"roster": {"Keys": keys, "ConsistentRead": True}}
            )
        case 2:
            item: Any = {
                **key,
                "revision": {"N": chance.choice("12")},
                **chance.choice([{}, {"doc": {"S": ""}}]),
            }
            on: Any = chance.choice([{}, *_conditions(chance)])
            return lambda: client.put_item(TableName="roster", Item=item, **on)
        case 3:
            return _query(chance)
        case 4:
            update: Any = {
                "UpdateExpression": "SET #state = :state ADD revision :one",
                "ConditionExpression": chance.choice(["attribute_not_exists(#state)", "revision = :one"]),
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":state": {"S": chance.choice("xyz")},
                    ":one": {"N": "1"},
                },
                **chance.choice([{}, {"ReturnValues": "ALL_NEW"}]),
            }
            return lambda: client.update_item(TableName="roster", Key=key, **update)
        case 5:
            on = chance.choice([{}, *_conditions(chance)])
            return lambda: client.delete_item(TableName="roster", Key=key, **on)
        case _:
            actions = [_action(chance) for _ in range(chance.randint(1, 3))]
            return lambda: client.transact_write_items(TransactItems=actions)


def _conditions(chance: random.Random) -> list[dict[str, Any]]:
    revision = {":revision": {"N": chance.choice("12")}}
    return [
        {"ConditionExpression": "attribute_not_exists(pk)"},
        {"ConditionExpression": "revision = :revision", "ExpressionAttributeValues": revision},
        {
            "ConditionExpression": "attribute_not_exists(#revision) OR #revision < :revision",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": revision,
        },
        # This is refused: it names what it does not use.
        {"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeNames": {"#state": "state"}},
    ]


HOW_A_QUERY_IS_BOUNDED: list[tuple[str, dict[str, Any]]] = [
    ("begins_with(sk, :prefix)", {":prefix": {"S": "b"}}),
    ("sk BETWEEN :first AND :last", {":first": {"S": "a"}, ":last": {"S": "b"}}),
    *((f"sk {relation} :than", {":than": {"S": "b"}}) for relation in ("<", "<=", ">", ">=")),
]


def _query(chance: random.Random) -> Callable[[], Any]:
    bounded = {
        "IndexName": "by_state",
        "KeyConditionExpression": "pk = :pk AND #text <= :until",
        "ExpressionAttributeNames": {"#text": "state"},
        "ExpressionAttributeValues": {":pk": KEY["pk"], ":until": {"S": "y"}},
    }
    asked: Any = {
        "TableName": "roster",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": KEY["pk"]},
        **chance.choice([{}, {"IndexName": "by_state"}, bounded, {"ScanIndexForward": False}]),
        **chance.choice([{}, {}, {"Limit": 2}]),
    }
    if "IndexName" not in asked and (how := chance.choice([None, *HOW_A_QUERY_IS_BOUNDED])):
        asked["KeyConditionExpression"] += f" AND {how[0]}"
        asked["ExpressionAttributeValues"] |= how[1]
    if "IndexName" not in asked and chance.random() < 0.5:
        asked["FilterExpression"] = "revision = :one"
        asked["ExpressionAttributeValues"] |= {":one": {"N": "1"}}
    if chance.random() < 0.3:
        asked["ProjectionExpression"] = "sk"

    def all_pages() -> Any:
        pages: list[Any] = [bootstrap._dynamodb().query(**asked)]
        while start := pages[-1].get("LastEvaluatedKey"):
            pages.append(bootstrap._dynamodb().query(**asked, ExclusiveStartKey=start))
        return {"pages": [[page["Items"], page["Count"]] for page in pages]}

    return all_pages


def _action(chance: random.Random) -> Any:
    key = {**KEY, "sk": {"S": chance.choice("abcd")}}
    members = sorted(chance.sample(["ada", "bob", "eve"], k=chance.randint(1, 2)))
    match chance.randrange(5):
        case 0:
            item = {**key, "revision": {"N": str(chance.randint(1, 3))}}
            return {
                "Put": {
                    "TableName": "roster",
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
        case 1:
            was = {":revision": {"N": str(chance.randint(1, 3))}}
            item = {**key, "revision": {"N": "2"}}
            condition = {"ConditionExpression": "revision = :revision", "ExpressionAttributeValues": was}
            return {"Put": {"TableName": "roster", "Item": item, **condition}}
        case 2:
            condition = {
                "ConditionExpression": "members = :v",
                "ExpressionAttributeValues": {":v": {"SS": members}},
            }
            return {"ConditionCheck": {"TableName": "roster", "Key": key, **condition}}
        case 3:
            change = {
                "UpdateExpression": "DELETE members :v",
                "ExpressionAttributeValues": {":v": {"SS": members}},
            }
            return {"Update": {"TableName": "roster", "Key": key, **change}}
        case _:
            change = {
                "UpdateExpression": "ADD members :v DELETE waiting :w",
                "ConditionExpression": chance.choice(["attribute_not_exists(members)", "members = :v"]),
                "ExpressionAttributeValues": {":v": {"SS": members}, ":w": {"SS": ["ada"]}},
            }
            return {"Update": {"TableName": "roster", "Key": key, **change}}
