"""A stream of the table's history entries as Lambda hands it on, and a bus that takes events or fails."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import member_events
from muster import bootstrap
from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.event_bus import EventBus
from muster.roster.history import FieldChange, HistoryEntry
from tests.doubles.aws import Aws, forget_clients
from tests.doubles.event_bus import Crashed, StrictBus
from tests.integration.company import store

type Json = dict[str, Any]


def recorded(member: str, version: int, *fields: tuple[str, Any, Any], organization: str = "acme") -> Json:
    """Return the item of a history entry, as it is written with its member."""
    entry = HistoryEntry(
        member=member,
        version=version,
        at=f"2026-11-20T08:{version:02d}:00.000Z",
        origin="crm",
        run="webhook:04l000000000001AAA",
        changes=tuple(FieldChange(*each) for each in fields or (("email", "old@x", f"{member}{version}@x"),)),
    )
    return keys.history_item(organization, entry)


@dataclass
class Stream:
    """What Lambda does with a shard of the stream: a batch again and again until all of it is done."""

    bus: StrictBus
    context: LambdaContext
    aws: Aws
    failures: str
    records: list[Json] = field(default_factory=list)
    tries: int = 0

    def write(self, *items: Json, event: str = "INSERT") -> None:
        """Have items written, one after the other."""
        for item in items:
            number = str(100_000 + len(self.records))
            image = {} if event == "REMOVE" else {"NewImage": item}
            key = {name: item[name] for name in ("pk", "sk")}
            self.records.append(
                {"eventName": event, "dynamodb": {"SequenceNumber": number, "Keys": key, **image}}
            )

    def hand_over(self, records: Sequence[Json] | None = None) -> list[Json]:
        """Hand a batch to the function once; return what is left of it to be tried again."""
        batch = [*(self.records if records is None else records)]
        self.tries += 1
        try:
            said = member_events.handler({"Records": batch}, self.context)
        except Crashed:
            # What was cached is gone with the environment.
            forget_clients()
            return batch
        answer = json.loads(json.dumps(said))
        numbers = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        places = [each["dynamodb"]["SequenceNumber"] for each in batch]
        return batch[min(map(places.index, numbers)) :] if numbers else []

    def follow(self, most: int = 50) -> None:
        """Hand the records over until all are done, as Lambda does."""
        left = self.hand_over()
        while left:
            assert self.tries < most
            left = self.hand_over(left)

    def given_up(self) -> list[Json]:
        """Return what is in the queue of failures."""
        answer = self.aws.sqs.receive_message(QueueUrl=self.failures, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def stream(aws: Aws, context: LambdaContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Return the stream of a stack that publishes member events, with settings of Acme."""
    bus = StrictBus()
    queue = aws.sqs.create_queue(QueueName="member-events-failures")["QueueUrl"]
    monkeypatch.setenv("MEMBER_EVENTS_BUS", bus.name)
    monkeypatch.setenv("MEMBER_EVENTS_FAILURE_QUEUE_URL", queue)
    built: Any = boto3.client

    def client(service: str, **how: Any) -> Any:
        return bus if service == "events" else built(service, **how)

    monkeypatch.setattr(boto3, "client", client)
    forget_clients()
    assert isinstance(bootstrap.event_bus(), EventBus)
    store({"organization": "acme"})
    yield Stream(bus, context, aws, queue)
    forget_clients()
