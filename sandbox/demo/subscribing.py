"""An app that is told what changes: a rule on the bus of member events, and a queue (O1)."""

import json
from collections.abc import Iterable
from typing import Any

from muster.presentation.tables import Table, table
from sandbox.local_stack.deploying import STACK_NAME
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until

NAME = "an-app"
PATIENCE_S = 60

type Event = dict[str, Any]


class Subscriber:
    """Receives every member event of the stack from now on."""

    def __init__(self, stack: LocalStack) -> None:
        self._sqs = stack.client("sqs")
        events, bus = stack.client("events"), f"{STACK_NAME}-members"
        self._queue = str(self._sqs.create_queue(QueueName=NAME)["QueueUrl"])
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        target = {"Id": NAME, "Arn": asked["Attributes"]["QueueArn"]}
        pattern = json.dumps({"source": [STACK_NAME], "detail": {"organization": ["acme"]}})
        events.put_rule(Name=NAME, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=NAME, EventBusName=bus, Targets=[target])

    def events_until(self, *kinds: str) -> list[Event]:
        """Return what has come once there is an event of each of these kinds."""
        found: list[Event] = []

        def come() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", ()):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            return set(kinds) <= {each["detail-type"] for each in found}

        wait_until(come, f"the events {', '.join(kinds)}", seconds=PATIENCE_S)
        return found


def events_table(events: Iterable[Event]) -> Table:
    """Return the events as a table, in the order in which they came."""
    rows = [
        [
            event["detail-type"],
            event["detail"]["member"],
            event["detail"]["version"],
            event["detail"].get("seat") or event["detail"].get("feature"),
            event["detail"]["origin"],
        ]
        for event in events
    ]
    return table("Event", "Member", "Version", "Of", "Origin", rows=rows)
