"""The documented test of auto-provisioning, and what can happen to messages on their way (W1, W4-W8, T3).

Users are read back from Salesforce, as is the default, unless a test says otherwise.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster


def next_second() -> None:
    """Wait until the clock shows another second: Salesforce's stamps are no finer."""
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, "the next second", seconds=5)


@pytest.fixture(params=[True, False], ids=["read back", "as the message says"])
def read_back(stack: LocalStack, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether users are read from Salesforce, or followed by what the messages themselves say."""
    if not request.param:
        settings = stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
        put(stack, settings | {"auto_provision": {"read_back": False}})
    yield request.param
    if not request.param:
        put(stack, settings)


def put(stack: LocalStack, settings: dict[str, Any]) -> None:
    """Save settings; to switch read-back off waits for approval."""
    saved = stack.invoke("OrganizationSettingsFunction", action="put", by="test", settings=settings)
    if saved["status"] == "parked":
        run = saved["run_id"]
        saved = stack.invoke("OrganizationSettingsFunction", action="approve", by="test", run_id=run)
    assert saved["status"] == "succeeded", saved


def test_a_user_is_followed_from_creation_to_deactivation(
    salesforce: SalesforceAdmin, people: People, roster: Roster
) -> None:
    ada = people.new(IsActive=False, CallCenterId=None)
    assert roster.once_settled(ada.username) == []

    # Within one second of Salesforce's clock, perhaps: when a user was read tells what is newer.
    salesforce.change_user(ada.id, IsActive=True, CallCenterId=people.call_center())
    [member] = roster.once_settled(ada.username, active=True)
    assert (member["name"], member["enabled"], member["inbound_enabled"]) == ("Ada Lovelace", True, True)
    assert member["crm"]["salesforce"]["id"] == ada.id

    salesforce.change_user(ada.id, FirstName="Augusta")
    [member] = roster.once_settled(ada.username, active=True)
    assert member["name"] == "Augusta Lovelace"

    salesforce.change_user(ada.id, IsActive=False)
    assert roster.once_settled(ada.username, active=True) == []
    [member] = roster.people(ada.username)
    assert (member["active"], member["inactive_reason"]) == (False, "inactive_user")

    deactivated, renamed, created = roster.history(member["id"])
    assert {"field": "active", "before": True, "after": False} in deactivated["changes"]
    assert {"field": "first_name", "before": "Ada", "after": "Augusta"} in renamed["changes"]
    assert {"field": "active", "before": None, "after": True} in created["changes"]


def test_a_user_taken_out_of_the_call_center_is_no_longer_listed(
    salesforce: SalesforceAdmin, people: People, roster: Roster
) -> None:
    ada = people.new()
    assert roster.once_settled(ada.username, active=True)
    salesforce.change_user(ada.id, CallCenterId=None)
    assert roster.once_settled(ada.username, active=True) == []


@pytest.mark.usefixtures("read_back")
def test_the_most_recent_of_two_changes_in_one_message_counts(
    stack: LocalStack, delivery: SalesforceAdmin, people: People, roster: Roster
) -> None:
    ada = people.new()
    roster.once_settled(ada.username)
    delivery.delivery(hold=True, snapshot=True, reorder=True)
    next_second()
    delivery.change_user(ada.id, Title="Countess")
    next_second()
    delivery.change_user(ada.id, Title="Analyst")
    delivery.delivery(hold=False)
    [member] = roster.once_settled(ada.username)
    assert member["title"] == "Analyst"
    report = requests.get(f"{stack.salesforce}/sandbox/outbound-message/deliveries", timeout=30).json()
    assert len(report["attempts"][-1]["notifications"]) == 2


@pytest.mark.usefixtures("read_back")
def test_messages_that_come_twice_and_in_no_order_lead_to_the_same_roster(
    delivery: SalesforceAdmin, people: People, roster: Roster
) -> None:
    everyone = [people.new() for _ in range(3)]
    roster.once_settled(everyone[0].username)
    delivery.delivery(hold=True, snapshot=True, reorder=True, duplicate=2, batch_size=1)
    for title in ("Countess", "Programmer", "Analyst"):
        next_second()
        for person in everyone:
            delivery.change_user(person.id, Title=title)
    next_second()
    delivery.change_user(everyone[-1].id, IsActive=False)
    delivery.delivery(hold=False)

    for person in everyone:
        [member] = roster.once_settled(person.username)
        assert (member["title"], member["active"]) == ("Analyst", person is not everyone[-1])
        versions = [entry["version"] for entry in roster.history(member["id"])]
        assert versions == list(range(member["version"], 0, -1))
        assert all(entry["changes"] for entry in roster.history(member["id"]))


@pytest.fixture
def impatient_queue(stack: LocalStack) -> Iterator[str]:
    """The URL of the worker's queue, which for once gives failed messages out again after a second, twice."""
    sqs, url = stack.client("sqs"), stack.resource("ChangeQueue")
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": 3}
    impatient = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(policy)}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=impatient)
    yield url
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_a_message_that_cannot_be_applied_ends_up_alone_in_the_dead_letter_queue(
    stack: LocalStack, people: People, roster: Roster, impatient_queue: str
) -> None:
    aws_lambda, sqs = stack.client("lambda"), stack.client("sqs")
    mapping = stack.resource("UserChangeWorkerFunctionChanges")

    # While the worker is switched off, good and bad messages gather to one batch.
    aws_lambda.update_event_source_mapping(UUID=mapping, Enabled=False)
    first = people.new()
    wait_until(lambda: waiting_on(sqs, impatient_queue) == 1, "a good message", seconds=PATIENCE_S)
    sqs.send_message(QueueUrl=impatient_queue, MessageBody="this is no message of the webhook")
    last = people.new()
    wait_until(lambda: waiting_on(sqs, impatient_queue) == 3, "another good message", seconds=PATIENCE_S)
    aws_lambda.update_event_source_mapping(UUID=mapping, Enabled=True)

    wait_until(lambda: roster.people(first.username), "the change before it", seconds=PATIENCE_S)
    wait_until(lambda: roster.people(last.username), "the change after it", seconds=PATIENCE_S)
    dead = stack.resource("ChangeDeadLetterQueue")
    wait_until(lambda: waiting_on(sqs, dead) == 1, "the dead letter", seconds=2 * PATIENCE_S)
    [letter] = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert letter["Body"] == "this is no message of the webhook"
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    assert stack.is_settled()


def waiting_on(sqs: object, url: str) -> int:
    """Return how many messages a queue holds that nobody is working on."""
    count = "ApproximateNumberOfMessages"
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[count])  # type: ignore[attr-defined]
    return int(answer["Attributes"][count])
