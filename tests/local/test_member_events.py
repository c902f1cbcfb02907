"""Member events on the deployed stack: from a change in Salesforce to the queue of somebody's rule (O1)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.local_stack.deploying import STACK_NAME
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster

BUS, RULE = f"{STACK_NAME}-members", "people-who-come-and-go"
WANTED = ["MemberCreated", "MemberDeactivated"]


@pytest.fixture
def queue(stack: LocalStack) -> Iterator[str]:
    """Return a queue that a rule hands some of the events of the bus to."""
    sqs, events = stack.client("sqs"), stack.client("events")
    url = str(sqs.create_queue(QueueName=RULE)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": [STACK_NAME], "detail-type": WANTED, "detail": {"organization": ["acme"]}}
    events.put_rule(Name=RULE, EventBusName=BUS, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=RULE, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule=RULE, EventBusName=BUS, Ids=["queue"])
    events.delete_rule(Name=RULE, EventBusName=BUS)
    sqs.delete_queue(QueueUrl=url)


class Received:
    """What a rule has handed to a queue, of one member."""

    def __init__(self, stack: LocalStack, queue: str, member: str) -> None:
        self._sqs, self._queue, self._member = stack.client("sqs"), queue, member
        self.events: list[dict[str, Any]] = []

    def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Return all that has come once so many of a kind are among it."""

        def come() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", ()):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                if event["detail"]["member"] == self._member:
                    self.events.append(event)
            return [each["detail-type"] for each in self.events].count(kind) >= count

        wait_until(come, f"{count} of {kind}", seconds=PATIENCE_S)
        return list(self.events)


def test_changes_of_somebody_come_to_the_queue_of_a_rule_in_order(
    stack: LocalStack, salesforce: SalesforceAdmin, people: People, roster: Roster, queue: str
) -> None:
    person = people.new()
    [member] = roster.once_settled(person.username)
    received = Received(stack, queue, str(member["id"]))
    received.until("MemberCreated")
    salesforce.change_user(person.id, IsActive=False)
    told = received.until("MemberDeactivated")

    assert [each["detail-type"] for each in told] == WANTED
    versions = [each["detail"]["version"] for each in told]
    assert versions == sorted(versions)
    assert {each["source"] for each in told} == {STACK_NAME}
    # Names and addresses are nobody's but the roster's.
    assert person.username not in json.dumps(told)

    ids = {each["detail"]["id"] for each in told}
    said = stack.invoke("MemberEventsFunction", action="resend_events", member=person.username, by="jane")
    assert said["status"] == "succeeded", said
    again = received.until("MemberDeactivated", count=2)
    assert len(again) == 2 * len(told)
    assert {each["detail"]["id"] for each in again} == ids


def test_nothing_was_given_up(stack: LocalStack) -> None:
    found = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resource("MemberEventsFailureQueue"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "0"
