"""The webhook's handler, in process, with the table and the queue in moto (W1 to W3)."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from muster.adapters.aws import change_queue, webhook_registry
from muster.webhook import tokens
from muster.webhook.messages import ParkedNotification
from muster.webhook.tokens import Token, WebhookRegistration
from tests.conftest import ROOT
from tests.doubles.outbound_messages import (
    ACTION_ID,
    FIELDS,
    ORGANIZATION_ID,
    SAMPLE,
    TOKEN,
    called,
    event,
    long_message,
    message,
    notification,
    record,
)
from tests.integration.webhook.hostile_calls import forged_calls
from tests.integration.webhook.webhook_in_process import ACKNOWLEDGED, GOOD, XML, Webhook


def register(aws: SimpleNamespace, organization: str, **changed: Any) -> None:
    registration = {
        "organization_id": ORGANIZATION_ID,
        "action_ids": (),
        "tokens": (Token(tokens.digest(TOKEN)),),
    }
    item = webhook_registry.to_item(organization, WebhookRegistration(**registration | changed), 1)
    aws.dynamodb.put_item(TableName=aws.table, Item=item)


# ── What is accepted, and what of it reaches the queue ───────────────────────────────────────────


def test_the_sample_event_is_acknowledged_and_queued(webhook: Webhook, aws: SimpleNamespace) -> None:
    started = datetime.now(UTC)

    answer = webhook(SAMPLE | {"multiValueQueryStringParameters": {"token": [TOKEN]}})

    assert answer == ACKNOWLEDGED
    [received] = aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"]
    queued = change_queue.decode(received["Body"])
    assert (queued.organization, queued.provider, queued.parked) == ("acme", "salesforce", ())
    assert abs(queued.received_at - started) < timedelta(minutes=1)
    assert [change.notification for change in queued.changes] == ["04l000000000001AAA", "04l000000000002AAA"]
    ada, grace = (change.fields for change in queued.changes)
    assert ada["LastName"] == "O'Neil & Søn"
    assert (grace["Id"], grace["IsActive"], grace.get("CallCenterId")) == (
        "005000000000002AAA",
        "false",
        None,
    )


def test_the_sample_event_carries_the_sample_message() -> None:
    body = base64.b64decode(SAMPLE["body"])

    assert body == (ROOT / "events/outbound_user_webhook.xml").read_bytes()


def test_the_sample_events_address_is_the_templates(template: dict[str, Any]) -> None:
    properties = template["Resources"]["OutboundUserWebhookFunction"]["Properties"]
    api = properties["Events"]["OutboundMessage"]["Properties"]

    assert (SAMPLE["resource"], SAMPLE["httpMethod"]) == (api["Path"], api["Method"])
    assert SAMPLE["resource"].format(**SAMPLE["pathParameters"]) == SAMPLE["path"]


def test_what_is_not_about_a_user_is_acknowledged_and_parked(webhook: Webhook) -> None:
    body = (ROOT / "events/outbound_user_webhook_parked.xml").read_bytes()

    assert webhook(event(body)) == ACKNOWLEDGED
    [queued] = webhook.queued
    assert queued.changes == ()
    assert queued.parked == (
        ParkedNotification("04l000000000003AAA", "User", None, "no_fields"),
        ParkedNotification("04l000000000004AAA", "Account", "001000000000001AAA", "other_object"),
    )


@pytest.mark.parametrize(
    ("content", "parked"),
    [
        ("", (None, None, "no_fields")),
        (record("", attributes=""), (None, None, "no_fields")),
        (record(""), ("User", None, "no_fields")),
        # Whose it is, nobody can tell: it may be an account's.
        (
            record("<sf:Id>005000000000001</sf:Id>", attributes=""),
            (None, "005000000000001AAA", "other_object"),
        ),
        (record("<sf:IsActive>true</sf:IsActive>"), ("User", None, "no_fields")),
        (record(FIELDS, attributes=""), (None, "005000000000001AAA", "other_object")),
        (record("", attributes='xsi:type="sf:Account"'), ("Account", None, "other_object")),
        (record(FIELDS, attributes='xsi:type="sf:user"'), ("user", "005000000000001AAA", "other_object")),
        (record(FIELDS, attributes='xsi:type="Account"'), ("Account", "005000000000001AAA", "other_object")),
    ],
)
def test_why_a_notification_is_parked(
    webhook: Webhook, content: str, parked: tuple[str | None, str | None, str]
) -> None:
    body = message(notification(content) + notification(number=2))

    assert webhook(event(body.encode())) == ACKNOWLEDGED
    [queued] = webhook.queued
    assert [change.notification for change in queued.changes] == ["04l000000000002AAA"]
    [other] = queued.parked
    assert (other.object, other.record, other.reason) == parked


@pytest.mark.parametrize(
    "fields",
    [
        "<sf:Id>005000000000001</sf:Id>",
        # Salesforce leaves empty fields out; xsi:nil says the same in another way.
        '<sf:Id>005000000000001</sf:Id><sf:Title xsi:nil="true"/>',
    ],
)
def test_an_id_alone_is_a_hint_that_this_user_changed(webhook: Webhook, fields: str) -> None:
    """W15. Whether it can be followed is up to the worker, which knows whether users are read back."""
    assert webhook(event(message(notification(record(fields))).encode())) == ACKNOWLEDGED
    [queued] = webhook.queued
    assert queued.parked == ()
    assert [change.fields for change in queued.changes] == [{"Id": "005000000000001AAA"}]


def test_the_seeds_own_address_means_salesforce(webhook: Webhook) -> None:
    assert webhook(GOOD | called("acme", TOKEN, "provider")) == ACKNOWLEDGED
    assert webhook.queued[0].provider == "salesforce"


@pytest.mark.parametrize("expected", [ORGANIZATION_ID, ORGANIZATION_ID[:15]])
@pytest.mark.parametrize("sent", [ORGANIZATION_ID, ORGANIZATION_ID[:15]])
def test_ids_are_the_same_with_15_and_18_characters(
    webhook: Webhook, aws: SimpleNamespace, expected: str, sent: str
) -> None:
    register(aws, "acme", organization_id=expected, action_ids=("04k000000000009AAA", ACTION_ID[:15]))

    assert webhook(event(message().replace(ORGANIZATION_ID, sent).encode())) == ACKNOWLEDGED


def test_both_tokens_are_valid_during_rotation(webhook: Webhook, aws: SimpleNamespace) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    new = tokens.issue()
    register(aws, "acme", tokens=(Token(tokens.digest(new)), Token(tokens.digest(TOKEN), ends)))

    assert webhook(GOOD) == webhook(GOOD | called("acme", new)) == ACKNOWLEDGED


def test_a_call_costs_one_consistent_read_of_its_own_registration_and_one_send(webhook: Webhook) -> None:
    webhook(GOOD)

    [(read, key), (send, _)] = webhook.calls
    assert (read, send) == ("GetItem", "SendMessage")
    assert key["Key"]["pk"] == {"S": "WEBHOOK#acme"}
    assert key["ConsistentRead"] is True


# ── What is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "call",
    [
        *(pytest.param(GOOD | changed, id=name) for name, changed in forged_calls().items()),
        pytest.param(
            event(message().replace(ORGANIZATION_ID, "00D000000000063EAA").encode()),
            id="another Salesforce org",
        ),
        pytest.param(GOOD | called("unconnected", TOKEN), id="no Salesforce org in the settings"),
        pytest.param(GOOD | called("strict", TOKEN), id="another outbound message"),
    ],
)
def test_whatever_is_wrong_with_the_sender_the_answer_is_the_same(
    webhook: Webhook, call: dict[str, Any]
) -> None:
    answer = webhook(call)

    assert json.dumps(answer) == json.dumps(webhook(GOOD | {"pathParameters": None}))
    assert answer["statusCode"] == 404
    assert webhook.queued == []
    assert {name for name, _ in webhook.calls} <= {"GetItem"}


@pytest.mark.parametrize("organization", ["ACME", "acme#x", "acme\n", "-acme", "a" * 64, ""])
def test_what_cannot_be_an_organization_is_not_even_looked_up(webhook: Webhook, organization: str) -> None:
    assert webhook(GOOD | called(organization, TOKEN))["statusCode"] == 404
    assert webhook.calls == []


def test_a_token_is_compared_just_as_often_where_there_is_no_organization(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    compare = hmac.compare_digest

    def counted(presented: str, stored: str) -> bool:
        compared.append(presented)
        return compare(presented, stored)

    monkeypatch.setattr("hmac.compare_digest", counted)
    token = "x" * 43

    webhook(GOOD | called("acme", token))
    webhook(GOOD | called("initech", token))

    assert compared == [tokens.digest(token)] * 2


class Watched(str):
    """A text that knows whether anyone asked for its length, which is the first thing to ask of a body."""

    asked = False

    def __len__(self) -> int:
        self.asked = True
        return super().__len__()


def test_a_strangers_body_is_not_looked_at(webhook: Webhook) -> None:
    strangers, senders = Watched(GOOD["body"]), Watched(GOOD["body"])

    webhook(GOOD | called("acme", "x" * 43) | {"body": strangers})
    webhook(GOOD | {"body": senders})

    assert (strangers.asked, senders.asked) == (False, True)


@pytest.mark.parametrize(
    ("call", "status", "text"),
    [
        (event(b"<!DOCTYPE x><x/>"), 400, "body: declares a document type, or cannot be read as XML"),
        (event(b"<x>"), 400, "line 1, column 4: the body is not well-formed XML"),
        (event("%%%", isBase64Encoded=True), 400, "body: is neither Base64 nor text"),
        (event(b"", multiValueHeaders={"content-type": ["a; charset=latin-1"]}), 400, "Content-Type: names"),
        (event(b" " * 1_048_577), 413, "body: is over 1048576 bytes"),
    ],
)  # fmt: skip
def test_a_fault_says_where_and_what_to_do(
    webhook: Webhook, call: dict[str, Any], status: int, text: str
) -> None:
    answer = webhook(call)

    assert (answer["statusCode"], answer["headers"]) == (status, XML)
    fault = ElementTree.fromstring(answer["body"]).findtext(".//faultstring")  # noqa: S314 - our own text
    assert fault is not None
    assert fault.startswith(text)
    assert webhook.queued == []


# ── Long messages ────────────────────────────────────────────────────────────────────────────────


def test_a_long_message_is_queued_in_parts_and_acknowledged_once_all_are_there(webhook: Webhook) -> None:
    assert webhook(long_message(30)) == ACKNOWLEDGED
    assert len(webhook.queued) > 1
    assert [change.notification for part in webhook.queued for change in part.changes] == [
        f"04l00000000{number:04}AAA" for number in range(30)
    ]


def test_a_record_too_long_for_the_queue_is_refused_before_anything_is_sent(webhook: Webhook) -> None:
    fields = "".join(f"<sf:F{number}>{'x' * 30_000}</sf:F{number}>" for number in range(9))
    body = message(notification() + notification(record(FIELDS + fields), 2))

    assert webhook(event(body.encode()))["statusCode"] == 413
    assert webhook.queued == []
