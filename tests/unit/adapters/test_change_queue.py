"""What the messages between webhook and worker look like, and that nothing is lost on the way."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.adapters.aws.change_queue import MAX_MESSAGE_BYTES, decode, encode
from muster.errors import Rejected, TooLarge
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage

MESSAGE = QueuedMessage(
    organization="acme",
    provider="salesforce",
    received_at=datetime(2026, 11, 20, 8, 15, 32, 120_000, UTC),
    changes=(QueuedChange("04l000000000001AAA", {"Id": "005000000000001AAA", "LastName": "Søn"}),),
    parked=(
        ParkedNotification("04l000000000002AAA", "Account", "001000000000001AAA", "other_object"),
        ParkedNotification("04l000000000003AAA", None, None, "no_fields"),
    ),
)
# A message of version 1 as it may lie on a queue for fourteen days: this text must stay readable.
BODY = (
    '{"v":1,"organization":"acme","provider":"salesforce","received_at":"2026-11-20T08:15:32.120Z",'
    '"changes":[{"notification":"04l000000000001AAA","fields":{"Id":"005000000000001AAA","LastName":"Søn"}}],'
    '"parked":[{"notification":"04l000000000002AAA","object":"Account","record":"001000000000001AAA",'
    '"reason":"other_object"},{"notification":"04l000000000003AAA","object":null,"record":null,'
    '"reason":"no_fields"}]}'
)

PARKED = json.loads(BODY)["parked"][0]


def change(number: int, size: int) -> QueuedChange:
    return QueuedChange(f"04l00000000{number:04}AAA", {"Id": "005000000000001AAA", "LastName": "x" * size})


def body_with(**changed: Any) -> str:
    return json.dumps(json.loads(BODY) | changed)


def test_a_message_is_one_body() -> None:
    assert encode(MESSAGE) == [BODY]


def test_a_body_is_read_back() -> None:
    assert decode(BODY) == MESSAGE


def test_keys_of_a_newer_webhook_are_passed_over() -> None:
    content = json.loads(BODY)
    content["later"] = content["changes"][0]["later"] = content["parked"][0]["later"] = {"a": 1}

    assert decode(json.dumps(content)) == MESSAGE


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"v"',
        "[" * 100_000,
        "{}",
        body_with(v=2),
        body_with(v="1"),
        body_with(v=None),
        body_with(organization=None),
        body_with(provider=1),
        body_with(received_at="yesterday"),
        body_with(received_at="2026-11-20T08:15:32"),
        body_with(received_at=5),
        body_with(changes=None),
        body_with(changes=[None]),
        body_with(changes=[{"notification": "04l000000000001AAA"}]),
        body_with(changes=[{"notification": "04l000000000001AAA", "fields": {"IsActive": True}}]),
        body_with(changes=[{"notification": "04l000000000001AAA", "fields": ["Id"]}]),
        body_with(parked=[PARKED | {"reason": "other"}]),
        body_with(parked=[PARKED | {"object": 1}]),
        body_with(parked=[PARKED | {"notification": None}]),
    ],
)
def test_other_bodies_are_refused_without_quoting_them(body: str) -> None:
    with pytest.raises(Rejected) as refusal:
        decode(body)

    assert "04l" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_body_may_have_256_kib_and_is_split_beyond() -> None:
    two = replace(MESSAGE, changes=(change(1, 10), change(2, 10)), parked=())
    room = MAX_MESSAGE_BYTES - len(encode(two)[0])
    largest = replace(two, changes=(change(1, 10), change(2, 10 + room)))
    beyond = replace(two, changes=(change(1, 10), change(2, 11 + room)))

    assert [len(body) for body in encode(largest)] == [MAX_MESSAGE_BYTES]
    assert [decode(body).changes for body in encode(beyond)] == [beyond.changes[:1], beyond.changes[1:]]


def test_size_counts_bytes_not_characters() -> None:
    wide = QueuedChange("04l000000000001AAA", {"LastName": "😀" * 50_000})

    assert len(encode(replace(MESSAGE, changes=(wide, wide), parked=()))) == 2


def test_a_single_change_that_does_not_fit_is_too_large() -> None:
    with pytest.raises(TooLarge):
        encode(replace(MESSAGE, changes=(change(1, 10), change(2, MAX_MESSAGE_BYTES)), parked=()))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    sizes=st.lists(st.integers(0, 200_000), max_size=12),
    parked=st.integers(0, 100),
)
def test_splitting_loses_and_reorders_nothing(sizes: list[int], parked: int) -> None:
    message = replace(
        MESSAGE,
        changes=tuple(change(number, size) for number, size in enumerate(sizes)),
        parked=MESSAGE.parked[:1] * parked,
    )

    bodies = encode(message)

    parts = [decode(body) for body in bodies]
    assert tuple(one for part in parts for one in part.changes) == message.changes
    assert tuple(one for part in parts for one in part.parked) == message.parked
    assert {replace(part, changes=(), parked=()) for part in parts} == {
        replace(message, changes=(), parked=())
    }
    assert max(len(body.encode()) for body in bodies) <= MAX_MESSAGE_BYTES


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.text(), st.text()))
def test_any_text_survives(fields: dict[str, str]) -> None:
    message = replace(MESSAGE, changes=(QueuedChange("04l000000000001AAA", fields),))

    assert [decode(body) for body in encode(message)] == [message]
