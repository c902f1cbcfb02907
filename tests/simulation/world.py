"""Salesforce, API Gateway and SQS around the two functions, as those behave, in one process.

    world.send(user(1), user(2))    one outbound message; Salesforce keeps it until it is acknowledged
    world.work()                    the worker gets what is on the queue, in batches of ten
    world.settle()                  faults are over: everything is delivered again until nothing is left

The functions are the real handlers with the clients `bootstrap` builds for them; the table and the
queue are moto's under `strict_aws`. A `Crash` ends an invocation the way AWS sees it: no answer.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.retries.quota import RetryQuota
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from moto import mock_aws

import organization_settings
import outbound_user_webhook
import user_change_worker
from muster import bootstrap
from tests.conftest import forget_clients
from tests.examples import lambda_context
from tests.simulation import messages, quick_moto
from tests.simulation.faults import Call, Crash, Plan, Wire, nothing
from tests.simulation.messages import Notification
from tests.simulation.strict_aws import Row, StrictAws, copy_of, put_back, rows_of, strict

# As template.yaml has them (test_template compares).
BATCH_SIZE = 10
MOST_RECEIVES = 10

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ROSTER_TABLE_NAME": "roster",
    "WEBHOOK_BASE_URL": "https://api.example.com/v2",
}
ACK = "{http://soap.sforce.com/2005/09/outbound}Ack"
ACME: dict[str, Any] = {
    "organization": "acme",
    "connections": {
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": messages.ORGANIZATION_ID}
    },
}


class Violation(AssertionError):
    """Something happened that must never happen, whatever fails."""


@dataclass(slots=True)
class Delivery:
    """One outbound message in Salesforce's queue."""

    organization: str
    notifications: tuple[str, ...]
    body: bytes


@dataclass(slots=True)
class Queued:
    """One message on the queue, as SQS counts it."""

    id: str
    body: str
    receives: int = 0


@dataclass(slots=True)
class World:
    """Everything outside the functions; see the module's docstring."""

    wire: Wire
    rules: StrictAws
    context: LambdaContext
    tokens: dict[str, str] = field(default_factory=dict)
    # Per organization, the users that Salesforce has told of.
    told: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)
    unacknowledged: list[Delivery] = field(default_factory=list)
    queue: list[Queued] = field(default_factory=list)
    dead_letters: list[Queued] = field(default_factory=list)
    # Messages the worker gave back without having died.
    returned: int = 0
    # Per call, the function that made it.
    callers: list[str] = field(default_factory=list)
    _prepared: dict[str, Any] = field(default_factory=dict)

    # ── Salesforce ───────────────────────────────────────────────────────────────────────────────

    def send(self, *users: Mapping[str, str], organization: str = "acme") -> None:
        """Send one outbound message about these users; it is tried once now, and again by `settle`."""
        self.post(map(messages.about, users), organization)

    def post(
        self, notifications: Iterable[Notification], organization: str = "acme", session: str | None = None
    ) -> None:
        """Send one outbound message of these notifications."""
        notifications = list(notifications)
        told = [each.fields for each in notifications if each.object == "User"]
        self.told.setdefault(organization, []).extend(told)
        ids = tuple(each.id for each in notifications)
        self._deliver(Delivery(organization, ids, messages.body(notifications, session)))

    def _deliver(self, delivery: Delivery) -> None:
        event = messages.api_event(delivery.organization, self.tokens[delivery.organization], delivery.body)
        answer = self.invoke("OutboundUserWebhookFunction", outbound_user_webhook.handler, event)
        if answer is None or not _acknowledges(answer):
            self.unacknowledged.append(delivery)
            return
        self.receive()
        queued = "".join(message.body for message in self.queue)
        if not all(notification in queued for notification in delivery.notifications):
            raise Violation("what is not on the queue was acknowledged")

    # ── SQS and its poller ───────────────────────────────────────────────────────────────────────

    def receive(self) -> None:
        """Take over what the webhook has put on the queue."""
        taken = quick_moto.sqs().queues["changes"]
        for message in taken._messages:
            self.queue.append(Queued(str(message.id), message.body))
        taken._messages.clear()

    def work(self) -> None:
        """Hand every message to the worker once, oldest first; what it does not take stays."""
        self.receive()
        waiting, self.queue = self.queue, []
        for start in range(0, len(waiting), BATCH_SIZE):
            self.work_on(waiting[start : start + BATCH_SIZE])

    def work_on(self, batch: Sequence[Queued]) -> None:
        """Hand one batch to the worker."""
        for message in batch:
            message.receives += 1
        event = {"Records": [record_of(message) for message in batch]}
        answer = self.invoke("UserChangeWorkerFunction", user_change_worker.handler, event)
        left = list(batch) if answer is None else _left_by(answer, batch)
        self.returned += 0 if answer is None else len(left)
        for message in left:
            (self.dead_letters if message.receives >= MOST_RECEIVES else self.queue).append(message)

    def settle(self) -> None:
        """End all faults, then catch up."""
        self.wire.plan = nothing
        self.catch_up()

    def catch_up(self) -> None:
        """Deliver again until Salesforce has its acknowledgements and the queue is empty."""
        self.work()
        while self.unacknowledged or self.queue:
            again, self.unacknowledged = self.unacknowledged, []
            for delivery in again:
                self._deliver(delivery)
            if self.unacknowledged and self.wire.plan is nothing:
                raise Violation("without any fault a message was not acknowledged")
            self.work()

    # ── Lambda ───────────────────────────────────────────────────────────────────────────────────

    def invoke(self, function: str, handler: Any, event: dict[str, Any]) -> Any:
        """Return what the function answers, `None` if it died; any exception of its own is a violation."""
        made = len(self.wire.calls)
        try:
            return json.loads(json.dumps(handler(event, self.context)))
        except Crash:
            return None
        except Exception as error:
            # Powertools' `finally` still runs, and warns of an invocation without metrics.
            if isinstance(error.__context__, Crash):
                return None
            raise Violation(f"{function} raised {type(error).__name__}") from error
        finally:
            self.callers += [function] * (len(self.wire.calls) - made)

    def calls_of(self, function: str) -> list[Call]:
        """Return the calls a function has made."""
        return [
            call for call, caller in zip(self.wire.calls, self.callers, strict=True) if caller == function
        ]

    # ── Starting over ────────────────────────────────────────────────────────────────────────────

    def reset(self, *documents: dict[str, Any], plan: Plan = nothing) -> None:
        """Begin anew: nothing but these organizations' settings, and `plan` for the calls to come."""
        self.wire.plan, self.wire.on_call = nothing, None
        wanted = json.dumps(documents or (ACME,))
        if wanted not in self._prepared:
            put_back(self._prepared["empty"])
            self.tokens = {
                document["organization"]: self.configure(document) for document in json.loads(wanted)
            }
            self._prepared[wanted] = (copy_of("roster"), self.tokens)
        table, self.tokens = self._prepared[wanted]
        put_back(table)
        self.rules.forget_tokens()
        self.receive()
        self.told.clear()
        for memory in (self.unacknowledged, self.queue, self.dead_letters, self.callers, self.wire.calls):
            memory.clear()
        self.returned = 0
        self.wire.plan = plan

    def configure(self, document: dict[str, Any]) -> str:
        """Save an organization's settings the way an admin does; returns the token, empty if it had one."""
        event = {
            "organization": document["organization"],
            "action": "put",
            "by": "jane",
            "settings": document,
        }
        said = self.invoke("OrganizationSettingsFunction", organization_settings.handler, event)
        if said["status"] != "succeeded":
            raise Violation(f"settings were refused: {said}")
        return str(said.get("webhook", {}).get("token", ""))

    def rows(self) -> list[Row]:
        """Return everything in the table."""
        return rows_of("roster")


@contextmanager
def opened(template: Mapping[str, Any]) -> Iterator[World]:
    """Start a world, with the template's own table; one serves any number of runs, each after a `reset`."""
    with (
        pytest.MonkeyPatch.context() as patch,
        mock_aws(),
        strict() as rules,
    ):
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        # botocore waits up to seconds before it tries again, and after many failures stops trying:
        # neither is what is tested, and the second would make a run depend on the ones before it.
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(RetryQuota, "acquire", lambda *_: True)
        # Nobody reads a user agent or checks a signature here, and both take a fifth of a call's time.
        patch.setattr(UserAgentString, "to_string", lambda _: "simulation")
        patch.setattr(RequestSigner, "sign", lambda *_, **__: None)
        table = template["Resources"]["RosterTable"]["Properties"]
        boto3.client("dynamodb").create_table(
            TableName="roster",
            **{name: table[name] for name in ("BillingMode", "AttributeDefinitions", "KeySchema")},
        )
        patch.setenv("CHANGE_QUEUE_URL", boto3.client("sqs").create_queue(QueueName="changes")["QueueUrl"])
        forget_clients()
        world = World(Wire(bootstrap._dynamodb(), bootstrap._sqs()), rules, lambda_context())
        world._prepared["empty"] = copy_of("roster")
        yield world
    forget_clients()


def _acknowledges(answer: Mapping[str, Any]) -> bool:
    if answer["statusCode"] not in (200, 503):
        raise Violation(f"a genuine message was answered with {answer['statusCode']}")
    ack = ElementTree.fromstring(answer["body"]).find(f".//{ACK}")  # noqa: S314 - our own answer
    if ack is None:
        raise Violation("the answer to a genuine message holds no Ack")
    if (ack.text == "true") != (answer["statusCode"] == 200):
        raise Violation("status and Ack disagree")
    return ack.text == "true"


def record_of(message: Queued) -> dict[str, Any]:
    """Return a message as Lambda hands it to a function."""
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": "1714983331000"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:changes",
        "awsRegion": "us-east-1",
    }


def _left_by(answer: Any, batch: Sequence[Queued]) -> list[Queued]:
    """Return what comes back, as Lambda reads a partial failure: a name it does not know means everything."""
    failed = [failure.get("itemIdentifier") for failure in (answer or {}).get("batchItemFailures") or ()]
    known = {message.id: message for message in batch}
    if not all(name in known for name in failed):
        return list(batch)
    return [known[name] for name in failed]
