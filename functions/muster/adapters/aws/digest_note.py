"""The note of the last morning digest: sent once, though schedules start more than once (N2).

EventBridge Scheduler and Lambda invoke at least once. So before a digest is made, its sending is taken in one
item under a condition; whoever comes later finds it sent, or under way. Who dies in between is followed by
the next try, which may then mail a second time: between the mail and the note nothing tells whether it went.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import Unavailable
from muster.reporting.last_digest import UNDER_WAY, LastDigest, begins
from muster.times import timestamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"pk": {"S": "DIGEST#LAST"}, "sk": {"S": "DIGEST"}}
_SYSTEM = "the roster table"


class DigestNote:
    """The note, for one invocation; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table
        self._attempt = secrets.token_hex(8)

    def take(self, scheduled: datetime, now: datetime) -> datetime | None:
        """Take over the sending; returns from when on the digest tells, `None` where it has been sent.

        Raises `Rejected` and `Unavailable` as `last_digest.begins` does.
        """
        last = self._last()
        since = begins(last, scheduled, now)
        if since is not None:
            self._put(last, LastDigest(scheduled, since, now, self._attempt, sent=False))
        return since

    def sent(self) -> None:
        """Note that it has been sent, unless somebody has taken over meanwhile."""
        self._update("SET sent = :yes", {":yes": {"BOOL": True}})

    def not_sent(self) -> None:
        """Note that nobody is sending it, unless somebody has taken over meanwhile."""
        self._update("REMOVE taken_at", {})

    def _put(self, was: LastDigest | None, becomes: LastDigest) -> None:
        item: dict[str, Any] = {
            **_KEY,
            "scheduled": {"S": timestamp(becomes.scheduled)},
            "since": {"S": timestamp(becomes.since)},
            **({"taken_at": {"S": timestamp(becomes.taken_at)}} if becomes.taken_at else {}),
            "attempt": {"S": becomes.attempt},
            "sent": {"BOOL": becomes.sent},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if was:
            condition = {
                "ConditionExpression": "attempt = :attempt AND sent = :sent",
                "ExpressionAttributeValues": {":attempt": {"S": was.attempt}, ":sent": {"BOOL": was.sent}},
            }
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(TableName=self._table, Item=item, **condition)
            return
        # Perhaps only the answer to the first try was lost, and the second met our own note.
        found = self._last()
        if found is None or found.attempt != self._attempt:
            raise Unavailable(UNDER_WAY)

    def _update(self, expression: str, values: dict[str, Any]) -> None:
        # If the condition fails, who has taken over since keeps a note of its own.
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression=expression,
                ConditionExpression="attempt = :mine",
                ExpressionAttributeValues={**values, ":mine": {"S": self._attempt}},
            )

    def _last(self) -> LastDigest | None:
        with translated(_SYSTEM):
            found = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True).get("Item")
        if not found:
            return None
        at = {
            name: datetime.fromisoformat(found[name]["S"])
            for name in ("scheduled", "since", "taken_at")
            if name in found
        }
        return LastDigest(
            at["scheduled"], at["since"], at.get("taken_at"), found["attempt"]["S"], found["sent"]["BOOL"]
        )
