"""Personal data and secrets stay where they belong: not in logs, metrics or exceptions (T2, W3, I11)."""

import json

import pytest

import outbound_user_webhook
from tests.simulation.harness import messages
from tests.simulation.harness.canaries import FIELDS, SESSION, Told, leaked, send_canaries
from tests.simulation.harness.faults import KINDS, Fault, these
from tests.simulation.harness.messages import Notification, user
from tests.simulation.harness.world import ACME, Queued, World

CALLS = 12


def secrets_of(world: World) -> list[str]:
    return [SESSION, "a.example", *world.tokens.values()]


def test_nothing_is_told_of_what_a_message_says(loud_world: World, told: Told) -> None:
    world = loud_world
    world.reset(ACME)
    send_canaries(world)
    world.work()
    told.note_failures()
    text = told.text()
    # It did speak, and of these messages.
    assert '"outcome":"accepted"' in text.replace(" ", "")
    assert "ChangesCreated" in text
    assert "04l000000000082AAA" in text
    assert leaked(text, [*FIELDS.values(), *secrets_of(world), "canary"]) == []


def test_nothing_is_told_when_calls_fail(loud_world: World, told: Told) -> None:
    world = loud_world
    for kind in KINDS:
        for call in range(1, CALLS):
            world.reset(ACME, plan=these(Fault(call, kind)))
            send_canaries(world)
            world.work()
            told.note_failures()
            world.settle()
    text = told.text()
    assert told.exceptions
    assert "not followed" in text
    assert leaked(text, [*FIELDS.values(), *secrets_of(world), "canary"]) == []


@pytest.mark.parametrize(
    "body",
    [
        '{"v": 99, "organization": "canary"}',
        "canary, no JSON",
        '{"v": 1, "organization": "acme", "provider": "salesforce", "received_at": "canary",'
        ' "changes": [], "parked": []}',
        '{"v": 1, "organization": "acme", "provider": "salesforce", "received_at": "2024-05-06T08:15:32Z",'
        ' "changes": [{"notification": "04l000000000001AAA", "fields": {"Id": {"canary": "canary"}}}],'
        ' "parked": []}',
    ],
)
def test_nothing_is_told_of_a_queue_message_that_cannot_be_read(
    body: str, loud_world: World, told: Told
) -> None:
    loud_world.reset(ACME)
    loud_world.work_on([Queued("poison", body)])
    told.note_failures()
    assert loud_world.returned == 1
    assert leaked(told.text(), ["canary"]) == []


@pytest.mark.parametrize(
    "body",
    [
        messages.body([Notification("04l000000000081AAA", user(1, **FIELDS))], SESSION)[:-40],
        b"canary",
        b"<canary>&canary;</canary>",
        b'<!DOCTYPE canary [<!ENTITY canary "canary">]><canary/>',
        '<?xml version="1.0" encoding="UTF-16"?><canary/>'.encode("utf-16"),
        messages.body([Notification("04l000000000081AAA", {**FIELDS, "Id": "canary"})]),
        messages.body([Notification("canary", FIELDS)]),
    ],
)
def test_nothing_is_told_of_a_message_that_is_refused(body: bytes, loud_world: World, told: Told) -> None:
    world = loud_world
    world.reset(ACME)
    event = messages.api_event("acme", world.tokens["acme"], body)
    answer = world.invoke("OutboundUserWebhookFunction", outbound_user_webhook.handler, event)
    assert answer["statusCode"] == 400
    assert leaked(told.text() + answer["body"], ["canary", *secrets_of(world)]) == []


@pytest.mark.parametrize(
    ("organization", "token"),
    [("acme", "canary" * 6), ("canary", "canary" * 6), ("canary/../acme", "x" * 43)],
)
def test_nothing_is_told_of_who_is_refused(
    organization: str, token: str, loud_world: World, told: Told
) -> None:
    world = loud_world
    world.reset(ACME)
    event = messages.api_event(
        organization, token, messages.body([Notification("04l000000000081AAA", user(1))])
    )
    answer = world.invoke("OutboundUserWebhookFunction", outbound_user_webhook.handler, event)
    assert answer["statusCode"] == 404
    assert leaked(told.text() + answer["body"], ["canary", *secrets_of(world)]) == []


def test_token_session_and_addresses_are_neither_queued_nor_stored(loud_world: World) -> None:
    world = loud_world
    world.reset(ACME)
    send_canaries(world)
    world.receive()
    queued = "".join(message.body for message in world.queue)
    world.work()
    stored = json.dumps(world.rows())
    assert FIELDS["Title"] in queued
    assert FIELDS["Title"] in stored
    assert leaked(queued + stored, secrets_of(world)) == []
