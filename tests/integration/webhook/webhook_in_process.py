"""The webhook's handler with AWS in moto, for tests that call it and look at what it did there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import outbound_user_webhook
from muster.adapters.aws import change_queue, webhook_registry
from muster.webhook import tokens
from muster.webhook.messages import QueuedMessage
from muster.webhook.tokens import Token, WebhookRegistration
from tests.doubles.outbound_messages import ORGANIZATION_ID, TOKEN, event, message

ACK = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    '<soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{}</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
XML = {"Content-Type": "text/xml; charset=utf-8"}
ACKNOWLEDGED = {"statusCode": 200, "headers": XML, "body": ACK.format("true")}
NOT_ACKNOWLEDGED = {"statusCode": 503, "headers": XML, "body": ACK.format("false")}
GOOD = event(message().encode())

# Who may call in the tests; `acme` is the one that all is well with.
REGISTERED = {
    "acme": WebhookRegistration(ORGANIZATION_ID, (), (Token(tokens.digest(TOKEN)),)),
    "globex": WebhookRegistration(ORGANIZATION_ID, (), (Token(tokens.digest(tokens.issue())),)),
    "expired": WebhookRegistration(
        ORGANIZATION_ID, (), (Token(tokens.digest(TOKEN), "2026-01-01T00:00:00+00:00"),)
    ),
    "tokenless": WebhookRegistration(ORGANIZATION_ID, (), ()),
    "unconnected": WebhookRegistration("", (), (Token(tokens.digest(TOKEN)),)),
    "strict": WebhookRegistration(ORGANIZATION_ID, ("04k000000000002AAA",), (Token(tokens.digest(TOKEN)),)),
}


def _session() -> Any:
    # Where `boto3.client` makes its clients; there is one as soon as the first was made.
    return boto3.DEFAULT_SESSION


@dataclass
class Webhook:
    """The handler with AWS in moto: call it, and see in `calls` what it did there (operation, parameters)."""

    context: LambdaContext
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = outbound_user_webhook.handler(event, self.context)
        return answer

    @property
    def queued(self) -> list[QueuedMessage]:
        """What was put on the queue."""
        return [
            change_queue.decode(params["MessageBody"]) for name, params in self.calls if name == "SendMessage"
        ]

    def record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))

    @contextmanager
    def when(self, event: str, then: Callable[..., Any]) -> Iterator[None]:
        """Have botocore call `then` last at one of its events; in force for clients built from now on."""
        _session().events.register_last(event, then)
        try:
            yield
        finally:
            _session().events.unregister(event, then)


@contextmanager
def webhook_on(aws: SimpleNamespace, context: LambdaContext) -> Iterator[Webhook]:
    """Register the organizations and yield the webhook; clients built meanwhile are listened to."""
    for organization, registration in REGISTERED.items():
        aws.dynamodb.put_item(
            TableName=aws.table, Item=webhook_registry.to_item(organization, registration, 1)
        )
    webhook = Webhook(context)
    _session().events.register("before-parameter-build", webhook.record)
    try:
        yield webhook
    finally:
        _session().events.unregister("before-parameter-build", webhook.record)


class Output:
    """What a function writes to its log stream: lines by the logger, and metrics."""

    def __init__(self, log: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
        self._log, self._capsys = log, capsys

    def text(self) -> str:
        """Return everything since the last call."""
        written = self._log.getvalue() + self._capsys.readouterr().out
        self._log.seek(0)
        self._log.truncate()
        return written

    def read(self) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Return the log lines and the metrics since the last call."""
        written = [json.loads(line) for line in self.text().splitlines()]
        logged = [line for line in written if "_aws" not in line]
        [metrics] = [line for line in written if "_aws" in line]
        names = [metric["Name"] for metric in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        return logged, {name: int(metrics[name][0]) for name in names}
