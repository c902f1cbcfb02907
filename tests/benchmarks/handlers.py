"""The webhook against bare parsing, and the worker against bare writing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from defusedxml.ElementTree import fromstring

import outbound_user_webhook
import user_change_worker
from muster import bootstrap
from muster.adapters.aws import change_queue
from muster.webhook.messages import QueuedChange, QueuedMessage
from tests.benchmarks import examples
from tests.benchmarks.canned_aws import CannedAws, Transaction
from tests.benchmarks.paired import Ratio, paired
from tests.examples import lambda_context
from tests.simulation.harness import messages

ROUNDS = 21


def webhook(aws: CannedAws) -> Iterator[Ratio]:
    """Measure the whole handler, its two AWS calls included, over parsing the same body."""
    aws.store(examples.webhook_item())
    body = examples.body()
    event = messages.api_event("acme", examples.TOKEN, body)
    context = lambda_context()
    answer = outbound_user_webhook.handler(event, context)
    if answer["statusCode"] != 200:
        raise RuntimeError(f"the webhook answered {answer['statusCode']}")
    aws.calls.clear()
    outbound_user_webhook.handler(event, context)
    sends = aws.calls["SendMessage"]

    receive = partial(outbound_user_webhook.handler, event, context)
    parse = partial(fromstring, body, forbid_dtd=True)
    size = f"{examples.NOTIFICATIONS} notifications x {examples.FIELDS} fields, {len(body):,} bytes"
    yield Ratio("webhook / bare parsing of the message", paired(receive, parse, ROUNDS, 20), 2.5, size)
    yield Ratio("SQS sends a message", [float(sends)], 1, "counted, not timed")


def worker(aws: CannedAws) -> Iterator[Ratio]:
    """Measure the worker's time for a full message over the bare transactions of its users' creation.

    By what the message says: what Salesforce would be asked is the import's benchmark.
    """
    aws.store(examples.settings_item())
    created = examples.users(1)
    context = lambda_context()
    work = partial(user_change_worker.handler, context=context)
    transactions: Any = aws.transactions_of(partial(work, _event(created)))
    client = bootstrap._dynamodb()

    def write() -> None:
        for transaction in transactions:
            client.transact_write_items(TransactItems=transaction)

    cases = {
        "created": (created, True),
        "updated": (examples.users(2, Title="Lead"), True),
        "unchanged, but newer": (examples.users(2), True),
        "stale": (created, False),
    }
    for name, (users, writes) in cases.items():
        event = _event(users)
        if name == "updated":
            _store_members(aws, transactions)
        aws.calls.clear()
        work(event)
        if bool(aws.calls["TransactWriteItems"]) != writes:
            raise RuntimeError(f"{name}: {aws.calls}")
        note = f"{examples.NOTIFICATIONS} users a message, {aws.calls.total()} calls"
        ratios = paired(partial(work, event), write, ROUNDS // 2, 3)
        yield Ratio(f"worker, users {name} / bare transactions", ratios, None, note)


def _store_members(aws: CannedAws, transactions: list[Transaction]) -> None:
    """Have the members and links read that creating them writes."""
    for transaction in transactions:
        for action in transaction:
            if "Put" in action:
                aws.store(action["Put"]["Item"])


def _event(users: list[dict[str, str]]) -> dict[str, Any]:
    changes = tuple(QueuedChange(f"04l000000000{n:03d}AAA", fields) for n, fields in enumerate(users))
    message = QueuedMessage("acme", "salesforce", datetime(2024, 5, 6, 9, tzinfo=UTC), changes)
    [body] = change_queue.encode(message)
    return {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": body}]}
