"""The queue between the webhook and the worker, and the format of its messages.

One outbound message becomes one queue message, or a few when it is long. The body is JSON:

    {"v": 1, "organization": "acme", "provider": "salesforce", "received_at": "2026-11-20T08:15:32.120Z",
     "changes": [{"notification": "04l…", "fields": {"Id": "005…", "IsActive": "true"}}],
     "parked": [{"notification": "04l…", "object": "Account", "record": "001…", "reason": "other_object"}]}

A worker may receive messages of an older or newer webhook: unknown keys are ignored, an unknown `v` is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from muster.adapters.aws.aws_errors import translated
from muster.errors import Problem, Rejected, TooLarge
from muster.times import timestamp
from muster.webhook.messages import ParkedNotification, ParkReason, QueuedChange, QueuedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


VERSION = 1
# SQS now takes 1 MiB, but not everywhere yet, and each 64 KiB is charged as a call anyway.
MAX_MESSAGE_BYTES = 256 * 1024


class ChangeQueue:
    """The SQS queue at `url`."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: QueuedMessage) -> None:
        """Put a message on the queue; when this returns, all of it is durable (W2).

        Raises `TooLarge` before anything is sent if a single change does not fit, and `Unavailable` or
        `Misconfigured` if SQS did not take everything. A part may then be on the queue and come again when
        the sender repeats the message; the worker is idempotent.
        """
        for body in encode(message):
            with translated("the change queue"):
                self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def put_back(self, body: str, delay_s: int) -> None:
        """Put a message on the queue again, to be received in `delay_s` seconds (at most 900), tries anew.

        Raises `Unavailable` or `Misconfigured`.
        """
        with translated("the change queue"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_s)


def encode(message: QueuedMessage) -> list[str]:
    """Return the bodies of a message: one, or several if it is longer than 256 KiB in UTF-8.

    Raises `TooLarge` if a single change is longer than that.
    """
    body = json.dumps(
        {
            "v": VERSION,
            "organization": message.organization,
            "provider": message.provider,
            "received_at": timestamp(message.received_at),
            "changes": [
                {"notification": change.notification, "fields": change.fields} for change in message.changes
            ],
            "parked": [asdict(other) for other in message.parked],
        },
        # SQS accepts every character that XML does; escapes would make it up to three times as long.
        ensure_ascii=False,
        separators=(",", ":"),
    )
    if len(body.encode()) <= MAX_MESSAGE_BYTES:
        return [body]
    if len(message.changes) + len(message.parked) == 1:
        raise TooLarge(
            Problem(
                "Notification",
                f"one record alone takes more than {MAX_MESSAGE_BYTES} bytes",
                "Take long text fields out of the outbound message.",
            )
        )
    # One is rounded up and the other down, so that neither half is ever empty.
    changes, parked = (len(message.changes) + 1) // 2, len(message.parked) // 2
    return [
        *encode(replace(message, changes=message.changes[:changes], parked=message.parked[:parked])),
        *encode(replace(message, changes=message.changes[changes:], parked=message.parked[parked:])),
    ]


def decode(body: str) -> QueuedMessage:
    """Return the message in one body of `encode`; raises `Rejected` for any other body."""
    try:
        content = json.loads(body)
        if content["v"] != VERSION:
            raise _unknown(f"is not of version {VERSION}, the one that this release reads")
        return QueuedMessage(
            organization=_text(content["organization"]),
            provider=_text(content["provider"]),
            received_at=_time(content["received_at"]),
            changes=tuple(_change(change) for change in content["changes"]),
            parked=tuple(_parked(other) for other in content["parked"]),
        )
    # These errors may quote the message, so they are not chained.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unknown("is not a message of the webhook") from None


def _change(content: Mapping[str, Any]) -> QueuedChange:
    fields = {_text(name): _text(value) for name, value in content["fields"].items()}
    return QueuedChange(_text(content["notification"]), fields)


def _parked(content: Mapping[str, Any]) -> ParkedNotification:
    reason = content["reason"]
    if reason not in get_args(ParkReason.__value__):
        raise ValueError(reason)
    return ParkedNotification(
        notification=_text(content["notification"]),
        object=None if content["object"] is None else _text(content["object"]),
        record=None if content["record"] is None else _text(content["record"]),
        reason=reason,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


def _unknown(message: str) -> Rejected:
    return Rejected(Problem("queue message", message, "Deploy webhook and worker from the same release."))
