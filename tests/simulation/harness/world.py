"""Salesforce, API Gateway and SQS around the functions, as those behave, in one process.

    world.send(user(1), user(2))    one outbound message; Salesforce keeps it until it is acknowledged
    world.work()                    the worker gets what is on the queue, message by message
    world.settle()                  faults are over: everything is delivered again until nothing is left

The functions are the real handlers with the clients `bootstrap` builds for them; the table and the
queue are moto's under `strict_aws`. A `Crash` ends an invocation the way AWS sees it: no answer, and
the next one finds a new execution environment. `opening` starts a world.
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
import outbound_user_webhook
import user_change_worker
from muster.errors import MusterError
from sandbox.salesforce.access_objects import ACCESS_OBJECTS
from tests.doubles.aws import forget_clients
from tests.doubles.salesforce_in_process import SalesforceInProcess
from tests.doubles.scim_in_process import ScimInProcess
from tests.doubles.vault_in_process import VaultInProcess
from tests.simulation.harness import messages, quick_moto
from tests.simulation.harness.clock import Clock
from tests.simulation.harness.faults import Call, Crash, Plan, Wire, nothing
from tests.simulation.harness.messages import Notification
from tests.simulation.harness.strict_aws import Row, StrictAws, copy_of, put_back, rows_of

# As template.yaml has them (test_template compares).
BATCH_SIZE = 1
MOST_RECEIVES = 10
# What is left of an invocation at its beginning, in milliseconds.
INVOCATION_MS = 900_000

# What happens in a world changes these tables of Salesforce.
_OF_SALESFORCE = (
    "User",
    *(each.name for each in ACCESS_OBJECTS),
    "WorkflowOutboundMessage",
    "FlowDefinition",
    "Flow",
    "deploy_request",
    "notification",
    "id_counter",
)
ACK = "{http://soap.sforce.com/2005/09/outbound}Ack"
# The messages' own values are used: what these scenarios are about is the order of messages (W4).
ACME: dict[str, Any] = {
    "organization": "acme",
    "auto_provision": {"read_back": False},
    "connections": {
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": messages.ORGANIZATION_ID}
    },
}

GLOBEX: dict[str, Any] = {**ACME, "organization": "globex"}


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
    clock: Clock
    salesforce: SalesforceInProcess
    vault: VaultInProcess
    scim: ScimInProcess
    # How often an invocation may look at what is left of its time before it is up; `None`: it never is.
    looks: int | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    # Per organization, the users that Salesforce has reported.
    reported: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)
    unacknowledged: list[Delivery] = field(default_factory=list)
    queue: list[Queued] = field(default_factory=list)
    dead_letters: list[Queued] = field(default_factory=list)
    # Messages the worker gave back without having died.
    returned: int = 0
    batch_size: int = BATCH_SIZE
    # Per call, the function that made it.
    callers: list[str] = field(default_factory=list)
    # Use case → its subject, which knows what was prepared before.
    subjects: dict[type[Any], Any] = field(default_factory=dict)
    _prepared: dict[str, Callable[[], None]] = field(default_factory=dict)

    # ── Salesforce ───────────────────────────────────────────────────────────────────────────────

    def send(self, *users: Mapping[str, str], organization: str = "acme") -> None:
        """Send one outbound message about these users; it is tried once now, and again by `settle`."""
        self.post(map(messages.about, users), organization)

    def post(
        self, notifications: Iterable[Notification], organization: str = "acme", session: str | None = None
    ) -> None:
        """Send one outbound message of these notifications."""
        notifications = list(notifications)
        reported = [each.fields for each in notifications if each.object == "User"]
        self.reported.setdefault(organization, []).extend(reported)
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

    def salesforce_rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        """Return what Salesforce's own database holds."""
        with self.salesforce.organization.store.transaction() as database:
            return [tuple(row) for row in database.execute(query, values)]

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
        for start in range(0, len(waiting), self.batch_size):
            self.work_on(waiting[start : start + self.batch_size])

    def work_on(self, batch: Sequence[Queued]) -> None:
        """Hand one batch to the worker."""
        for message in batch:
            message.receives += 1
        event = {"Records": [record_of(message) for message in batch]}
        answer = self.invoke("UserChangeWorkerFunction", user_change_worker.handler, event)
        left = list(batch) if answer is None else _left_by(answer, batch)
        for _, error, _ in user_change_worker.processor.exceptions if answer is not None else ():
            if isinstance(error, Exception) and not isinstance(error, MusterError):
                raise Violation(f"the worker failed with {type(error).__name__}") from error
        self.returned += 0 if answer is None else len(left)
        for message in left:
            (self.dead_letters if message.receives >= MOST_RECEIVES else self.queue).append(message)

    def follow_next(self) -> None:
        """Have the worker follow the next message of the queue, if there is one; raises what it raises."""
        self.receive()
        if self.queue:
            user_change_worker.follow_one(SQSRecord(record_of(self.queue.pop(0))))

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

    def invoke(
        self, function: str, handler: Any, event: dict[str, Any], faults: type[Exception] | tuple[()] = ()
    ) -> Any:
        """Return what the function answers, `None` if it died.

        An exception of `faults` it may raise, for whoever started it to see: then the answer has the status
        "raised". Any other is a violation.
        """
        made = len(self.wire.calls)
        looks_left = self.looks

        def time_left() -> int:
            nonlocal looks_left
            if looks_left is None:
                return INVOCATION_MS
            looks_left -= 1
            return INVOCATION_MS if looks_left >= 0 else 1_000

        self.context.get_remaining_time_in_millis = time_left  # type: ignore[method-assign]  # one a call
        try:
            return json.loads(json.dumps(handler(event, self.context)))
        except Crash:
            forget_clients()
            return None
        except Violation:
            raise
        except Exception as error:
            # Powertools' `finally` still runs, and warns of an invocation without metrics.
            if isinstance(error.__context__, Crash):
                forget_clients()
                return None
            if isinstance(error, faults):
                return {"status": "raised", "error": type(error).__name__, "message": str(error)}
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
        wanted = json.dumps(documents or (ACME,))
        if wanted not in self._prepared:
            self.clear()
            self.tokens = {
                document["organization"]: self.configure(document) for document in json.loads(wanted)
            }
            self._prepared[wanted] = self.moment()
        self._prepared[wanted]()
        self.wire.plan = plan

    def clear(self) -> None:
        """Begin anew with nothing at all."""
        self._prepared.setdefault("", self.moment())()

    def moment(self) -> Callable[[], None]:
        """Return how to make everything in AWS and Salesforce what it is now.

        Nothing is under way then, and nothing noted.
        """
        self.receive()
        table, archive, queue = copy_of("roster"), dict(self.objects), list(map(copy.copy, self.queue))
        time, tokens = self.clock.moment, dict(self.tokens)
        reported = {organization: list(users) for organization, users in self.reported.items()}
        salesforce = self._moment_of_salesforce()

        def go_back() -> None:
            put_back(table)
            self.objects.clear()
            self.objects.update(archive)
            salesforce()
            self.clock.moment, self.tokens = time, dict(tokens)
            self.reported = {organization: list(users) for organization, users in reported.items()}
            self.wire.plan, self.wire.on_call, self.looks = nothing, None, None
            self.rules.forget_tokens()
            forget_clients()
            self.receive()
            quick_moto.ses().sent_messages.clear()
            for memory in (self.unacknowledged, self.queue, self.dead_letters, self.callers, self.wire.calls):
                memory.clear()
            self.queue += map(copy.copy, queue)
            self.returned, self.batch_size = 0, BATCH_SIZE

        return go_back

    def _moment_of_salesforce(self) -> Callable[[], None]:
        organization = self.salesforce.organization
        settings, deploys = organization.settings, organization.deploy_settings
        # By name, for fields may be added later.
        with organization.store.transaction() as database:
            kept = {
                table: [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - these
                for table in _OF_SALESFORCE
            }

        def go_back() -> None:
            with organization.store.transaction() as database:
                for table, rows in kept.items():
                    database.execute(f'DELETE FROM "{table}"')  # noqa: S608 - one of these
                    for row in rows:
                        columns, values = (
                            ", ".join(map('"{}"'.format, row)),
                            ", ".join(map(":{}".format, row)),
                        )
                        query = f'INSERT INTO "{table}" ({columns}) VALUES ({values})'  # noqa: S608 - likewise
                        database.execute(query, row)
            if (organization.settings, organization.deploy_settings) != (settings, deploys):
                organization.change_settings(settings.__dict__)
                organization.change_deploy_settings(deploys.__dict__)

        return go_back

    @property
    def objects(self) -> dict[str, bytes]:
        """The objects of the archive by key."""
        assert self.rules.archive is not None
        return self.rules.archive.objects

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
