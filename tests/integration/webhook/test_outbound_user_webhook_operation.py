"""How the webhook fails, what it tells and what it keeps to itself, how it starts (W2, T1, T2)."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from muster import bootstrap
from tests.conftest import ROOT
from tests.doubles.outbound_messages import (
    FIELDS,
    HEAD,
    TOKEN,
    called,
    event,
    long_message,
    message,
    notification,
    record,
)
from tests.integration.webhook.webhook_in_process import (
    ACKNOWLEDGED,
    GOOD,
    NOT_ACKNOWLEDGED,
    Output,
    Webhook,
)

FUNCTIONS = ROOT / "functions"


# ── When AWS fails ───────────────────────────────────────────────────────────────────────────────


def fail(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com/")


@pytest.mark.parametrize("operation", ["sqs.SendMessage", "dynamodb.GetItem"])
def test_when_a_service_is_down_salesforce_is_asked_to_try_again(
    webhook: Webhook, output: Output, operation: str
) -> None:
    with webhook.when(f"before-call.{operation}", fail):
        assert webhook(GOOD) == NOT_ACKNOWLEDGED

    [line], metrics = output.read()
    assert (line["level"], line["outcome"]) == ("WARNING", "not_queued")
    assert metrics == {"MessagesNotQueued": 1}


def test_a_message_of_which_a_part_was_not_queued_is_not_acknowledged(webhook: Webhook) -> None:
    def fail_after_one(**_: Any) -> None:
        if len(webhook.queued) > 1:
            fail()

    with webhook.when("before-call.sqs.SendMessage", fail_after_one):
        assert webhook(long_message(30)) == NOT_ACKNOWLEDGED


@pytest.mark.parametrize("missing", ["CHANGE_QUEUE_URL", "ROSTER_TABLE_NAME"])
def test_a_function_deployed_wrongly_says_so_to_its_owner_and_try_again_to_salesforce(
    webhook: Webhook, output: Output, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)

    assert webhook(GOOD) == NOT_ACKNOWLEDGED

    [line], metrics = output.read()
    assert (line["level"], line["outcome"]) == ("ERROR", "not_queued")
    assert missing in line["reason"]
    assert metrics == {"MessagesNotQueued": 1}


def test_a_queue_that_is_gone_is_an_error_for_its_owner(
    webhook: Webhook, aws: SimpleNamespace, output: Output
) -> None:
    aws.sqs.delete_queue(QueueUrl=aws.queue_url)

    assert webhook(GOOD) == NOT_ACKNOWLEDGED
    [line], _ = output.read()
    assert line["level"] == "ERROR"


@pytest.mark.parametrize(("lost", "answer"), [(1, ACKNOWLEDGED), (99, NOT_ACKNOWLEDGED)])
def test_a_message_whose_answer_is_lost_may_be_queued_twice_and_is_never_lost(
    webhook: Webhook, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, lost: int, answer: dict[str, Any]
) -> None:
    sent = 0

    def lose_answer(request: Any, event_name: str, **_: Any) -> None:
        nonlocal sent
        if event_name.endswith("SendMessage"):
            sent += 1
            if sent <= lost:
                raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    # On exactly this event it comes after moto has let the call take effect.
    with webhook.when("before-send", lose_answer):
        assert webhook(GOOD) == answer

    received = aws.sqs.receive_message(QueueUrl=aws.queue_url, MaxNumberOfMessages=10)["Messages"]
    assert len(received) == sent > 1
    assert len({one["Body"] for one in received}) == 1


def test_an_answer_is_given_before_the_function_times_out(webhook: Webhook, template: dict[str, Any]) -> None:
    webhook(GOOD)
    timeout = template["Resources"]["OutboundUserWebhookFunction"]["Properties"]["Timeout"]

    clients: tuple[Any, ...] = (bootstrap._dynamodb(), bootstrap._sqs())
    longest = 0
    for config in (client.meta.config for client in clients):
        attempts = config.retries["total_max_attempts"]
        # The standard mode waits at most 1, 2, 4 … seconds between attempts.
        waits = 2 ** (attempts - 1) - 1
        longest += attempts * (config.connect_timeout + config.read_timeout) + waits
    assert longest < timeout - 1


# ── What is told about a call ────────────────────────────────────────────────────────────────────


TOLD = ("organization", "outcome", "changes", "parked", "where", "reason")


@pytest.mark.parametrize(
    ("call", "told", "metrics"),
    [
        pytest.param(
            GOOD,
            {"organization": "acme", "outcome": "accepted", "changes": 1, "parked": 0},
            ["MessagesAccepted 1", "NotificationsReceived 1"],
            id="accepted",
        ),
        pytest.param(
            event(message(notification() + notification("", 2)).encode()),
            {"organization": "acme", "outcome": "accepted", "changes": 1, "parked": 1},
            ["MessagesAccepted 1", "NotificationsReceived 2"],
            id="parked",
        ),
        pytest.param(
            event(b"<x>"),
            {"organization": "acme", "outcome": "malformed", "where": "line 1, column 4"},
            ["MessagesMalformed 1"],
            id="malformed",
        ),
        pytest.param(
            event(b" " * 1_048_577),
            {"organization": "acme", "outcome": "too_large", "where": "body"},
            ["MessagesMalformed 1"],
            id="too large",
        ),
        pytest.param(
            GOOD | called("acme", TOKEN, "x"),
            {"outcome": "refused", "where": "address"},
            ["SendersRefused 1"],
            id="wrong address",
        ),
        pytest.param(
            GOOD | called("acme", "x" * 43),
            {"outcome": "refused", "where": "token"},
            ["SendersRefused 1"],
            id="wrong token",
        ),
        pytest.param(
            GOOD | called("initech", TOKEN),
            {"outcome": "refused", "where": "token"},
            ["SendersRefused 1"],
            id="unknown organization",
        ),
        pytest.param(
            GOOD | called("unconnected", TOKEN),
            {"organization": "unconnected", "outcome": "refused", "where": "OrganizationId"},
            ["SendersRefused 1"],
            id="another Salesforce org",
        ),
        pytest.param(
            GOOD | called("strict", TOKEN),
            {"organization": "strict", "outcome": "refused", "where": "ActionId"},
            ["SendersRefused 1"],
            id="another outbound message",
        ),
    ],
)
def test_one_line_and_its_metrics_tell_what_became_of_a_call(
    webhook: Webhook, output: Output, call: dict[str, Any], told: dict[str, Any], metrics: list[str]
) -> None:
    # A call before this one must leave nothing behind.
    webhook(GOOD)
    output.text()

    webhook(call)

    [line], counted = output.read()
    assert {name: line[name] for name in TOLD if name in line} == told
    assert line["level"] == "INFO"
    assert [f"{name} {value}" for name, value in counted.items()] == metrics


# ── What is kept secret ──────────────────────────────────────────────────────────────────────────

CANARY = "Canary"
SECRETIVE = {
    "accepted": event(
        message(
            notification(
                record(FIELDS.replace("Lovelace", CANARY) + f"<sf:{CANARY}__c>{CANARY}</sf:{CANARY}__c>")
            ),
            head=HEAD.replace(
                '<SessionId xsi:nil="true"/>', f"<SessionId>{CANARY}Session</SessionId>"
            ).replace("https://a.example/", f"https://{CANARY}.example/"),
        ).encode()
    ),
    "parked": event(message(notification(record(attributes=f'xsi:type="sf:{CANARY}"'))).encode()),
    "entity": event(message().replace("Lovelace", f"&{CANARY};").encode()),
    "element": event(message().replace("sf:LastName", f"sf:{CANARY}.").encode()),
    "structure": event(message().replace("ActionId", CANARY).encode()),
    "prefix": event(message().replace("<sf:LastName", f"<{CANARY}:LastName").encode()),
    "id": event(message().replace("005000000000001AAA", CANARY).encode()),
    "nil": event(message(notification(record(f'{FIELDS}<sf:A xsi:nil="{CANARY}"/>'))).encode()),
    "type": event(message(notification(record(attributes=f'xsi:type="{CANARY} "'))).encode()),
    "encoding": event(message(prolog=f'<?xml version="1.0" encoding="{CANARY}"?>').encode()),
    "version": event(message(prolog=f'<?xml version="{CANARY}"?>').encode()),
    "instruction": event(message(prolog=f"<?{CANARY}?>").encode()),
    "document type": event(message(prolog=f"<!DOCTYPE {CANARY} SYSTEM '{CANARY}'>").encode()),
    "bytes": event(CANARY.encode() + b"\xff"),
    "surrogate": event(CANARY + "\ud800"),
    "Base64": event(f"!{CANARY}", isBase64Encoded=True),
    "charset": GOOD | {"multiValueHeaders": {"Content-Type": [f"text/xml; charset={CANARY}"]}},
    "size": event(CANARY * 200_000),
    "record": event(message(notification(record(f"<sf:A>{CANARY * 10_000}</sf:A>"))).encode()),
    "Salesforce org": event(message().replace("00D000000000062EAA", f"{CANARY}000000000").encode()),
    "token": GOOD | called("acme", CANARY * 6),
    "organization": GOOD | called(CANARY.lower(), TOKEN),
    "organization's shape": GOOD | called(CANARY, TOKEN),
    "provider": GOOD | called("acme", TOKEN, CANARY),
}


@pytest.mark.parametrize("call", SECRETIVE.values(), ids=SECRETIVE)
def test_nothing_of_a_call_is_logged_measured_or_answered(
    webhook: Webhook, output: Output, caplog: pytest.LogCaptureFixture, call: dict[str, Any]
) -> None:
    answer = webhook(call)

    written = output.text() + caplog.text + str([vars(line) for line in caplog.records])
    assert "outbound message" in written
    for told in (written, str(answer)):
        assert CANARY.lower() not in told.lower()
        assert TOKEN not in told


def test_a_session_and_the_addresses_of_a_message_do_not_reach_the_queue(webhook: Webhook) -> None:
    assert webhook(SECRETIVE["accepted"]) == ACKNOWLEDGED

    [(_, _), (_, sent)] = webhook.calls
    assert f'"LastName":"{CANARY}"' in sent["MessageBody"]
    assert "Session" not in str(sent)
    assert ".example" not in str(sent)


# ── How the function starts ──────────────────────────────────────────────────────────────────────

DEPLOYED = {
    "AWS_LAMBDA_FUNCTION_NAME": "webhook",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ROSTER_TABLE_NAME": "roster",
    "CHANGE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/changes",
}


def run(code: str, environment: dict[str, str]) -> str:
    """Return what a new process prints that has only this environment."""
    command = [sys.executable, "-c", code]
    environment = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=FUNCTIONS, env=environment, capture_output=True, check=True)  # noqa: S603 - our own interpreter
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("environment", "built"),
    [
        ({}, "0 0 False"),
        (DEPLOYED, "1 1 True"),
        ({name: DEPLOYED[name] for name in DEPLOYED if name != "CHANGE_QUEUE_URL"}, "1 0 True"),
    ],
    ids=["elsewhere", "in Lambda", "in Lambda, deployed wrongly"],
)
def test_clients_are_built_before_the_first_call_in_lambda_and_not_at_import_elsewhere(
    environment: dict[str, str], built: str
) -> None:
    code = (
        "import sys, outbound_user_webhook; from muster import bootstrap;"
        "builders = (bootstrap.webhook_registry, bootstrap.change_queue);"
        "print(*(builder.cache_info().currsize for builder in builders), 'boto3' in sys.modules)"
    )

    assert run(code, environment).strip() == built


def test_an_event_is_not_logged_even_if_powertools_is_asked_to() -> None:
    code = (
        "import outbound_user_webhook; from aws_lambda_powertools.utilities.typing import LambdaContext;"
        "context = LambdaContext(); context._memory_limit_in_mb = 1024;"
        "context._function_name = context._invoked_function_arn = context._aws_request_id = 'x';"
        "print(outbound_user_webhook.handler({'canary': 1}, context))"
    )

    told = run(code, {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_LOGGER_LOG_EVENT": "true"})

    assert "not_queued" in told
    assert "canary" not in told
