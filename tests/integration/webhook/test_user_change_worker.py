"""The worker's handler, as SQS invokes it: the sample event, and messages that have to come back."""

import copy
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
import user_change_worker
from muster import bootstrap
from muster.adapters.aws.webhook_journal import WebhookJournal
from muster.errors import Unavailable
from tests.integration.pasted import pasted

SAMPLE: dict[str, Any] = pasted("user_change_worker")


@pytest.fixture(autouse=True)
def _organization(aws: SimpleNamespace, context: LambdaContext) -> None:
    event = {"organization": "acme", "action": "put", "by": "jane", "settings": {"organization": "acme"}}
    assert organization_settings.handler(event, context)["status"] == "succeeded"


def usernames() -> list[str | None]:
    return [member.username for member in bootstrap.roster_views().everyone("acme", None)]


def with_body(body: str, message_id: str) -> dict[str, Any]:
    return {**SAMPLE["Records"][0], "body": body, "messageId": message_id}


def test_the_sample_event_adds_the_member_it_tells_of(context: LambdaContext) -> None:
    assert user_change_worker.handler(copy.deepcopy(SAMPLE), context) == {"batchItemFailures": []}
    assert usernames() == ["ada@acme.example"]


@pytest.mark.parametrize("body", ["", "canary", '{"v": 2, "organization": "canary"}', '{"v": 1}', "[]"])
def test_a_message_that_cannot_be_read_comes_back_alone_and_is_not_quoted(
    body: str, context: LambdaContext, log: StringIO
) -> None:
    event = {"Records": [with_body(body, "bad"), SAMPLE["Records"][0]]}
    assert user_change_worker.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert usernames() == ["ada@acme.example"]
    [line] = [json.loads(line) for line in log.getvalue().splitlines() if '"ERROR"' in line]
    assert (line["message_id"], line["error"]) == ("bad", "Rejected")
    assert "canary" not in log.getvalue()


def test_a_fault_of_our_own_brings_the_message_back_and_tells_its_kind_only(
    context: LambdaContext, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(bootstrap.roster_table(), "gather", broken)
    answer = user_change_worker.handler(copy.deepcopy(SAMPLE), context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": SAMPLE["Records"][0]["messageId"]}]}
    assert '"error":"KeyError"' in log.getvalue().replace(" ", "")
    assert "canary" not in log.getvalue()


def test_that_messages_arrive_is_remembered_also_of_one_that_comes_back(
    context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bootstrap.webhook_journal().received_at("acme") is None
    monkeypatch.setattr(bootstrap.roster_table(), "gather", lambda *_: 1 / 0)
    assert user_change_worker.handler(copy.deepcopy(SAMPLE), context)["batchItemFailures"]
    received_at = json.loads(SAMPLE["Records"][0]["body"])["received_at"]
    noted = bootstrap.webhook_journal().received_at("acme")
    assert noted is not None
    assert noted[:16] == received_at[:16]


def test_a_receipt_that_cannot_be_remembered_keeps_no_change_waiting(
    context: LambdaContext, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: object) -> None:
        raise Unavailable("the roster table answered ThrottlingException")

    monkeypatch.setattr(bootstrap.webhook_journal(), "note_received", throttled)
    assert user_change_worker.handler(copy.deepcopy(SAMPLE), context) == {"batchItemFailures": []}
    assert usernames() == ["ada@acme.example"]
    assert "receipt not noted" in log.getvalue()


def test_receipts_are_remembered_once_a_minute(aws: SimpleNamespace) -> None:
    journal, at = bootstrap.webhook_journal(), datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
    for seconds, noted in [
        (0, "08:15:00"),
        (59, "08:15:00"),
        (60, "08:16:00"),
        (30, "08:16:00"),
        (121, "08:17:01"),
    ]:
        journal.note_received("acme", at + timedelta(seconds=seconds))
        assert journal.received_at("acme") == f"2026-11-21T{noted}Z"
    # Another execution environment knows nothing of these; an older message changes nothing all the same.
    WebhookJournal(aws.dynamodb, aws.table).note_received("acme", at)
    assert journal.received_at("acme") == "2026-11-21T08:17:01Z"
