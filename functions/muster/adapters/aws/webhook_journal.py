"""The journal of an organization's webhook: its latest set-up, and when a message last arrived."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import Stale, Unavailable
from muster.times import timestamp
from muster.webhook_setup.setup_record import Setup

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# The time of the last message is kept to the minute; writing it for each message would add nothing.
NOTED_EVERY = timedelta(minutes=1)
_SYSTEM = "the roster table"


class WebhookJournal:
    """Set-ups and receipts; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table
        self._noted: dict[str, datetime] = {}

    def setup(self, organization: str) -> Setup | None:
        """Return the latest set-up; one strongly consistent read."""
        return _read(self._text(organization))

    def replace(self, organization: str, was: Setup | None, becomes: Setup) -> None:
        """Replace a set-up; raises `Stale` if it is no longer `was`."""
        text = _written(was) if was else None
        if self._put(organization, text, becomes):
            return
        stored = self._text(organization)
        if _read(stored) == was and stored != text:
            # The same set-up, serialized by another version of Muster.
            if self._put(organization, stored, becomes):
                return
            stored = self._text(organization)
        if _read(stored) != becomes:
            raise Stale(f"another set-up of the webhook of {organization} is at work")

    def _put(self, organization: str, was: str | None, becomes: Setup) -> bool:
        """Replace the stored text `was`; return whether it was still the stored one."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if was is not None:
            condition = {
                "ConditionExpression": "doc = :was",
                "ExpressionAttributeValues": {":was": {"S": was}},
            }
        item = {**_key(organization, "WEBHOOK_SETUP"), "doc": {"S": _written(becomes)}}
        try:
            with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.put_item(TableName=self._table, Item=item, **condition)
                return True
        except Unavailable:
            # Perhaps only the answer was lost, and what is recorded as done must not be done again.
            if self.setup(organization) != becomes:
                raise
            return True
        # Perhaps the answer to the first try was lost, and the retry met our own write; callers check that.
        return False

    def received_at(self, organization: str) -> str | None:
        """Return when a message last arrived, to the minute: ISO 8601 in UTC."""
        item = self._item(organization, "WEBHOOK_RECEIVED")
        return item["at"]["S"] if item else None

    def note_received(self, organization: str, at: datetime) -> None:
        """Record that a message arrived, unless a message of the same minute or later is recorded."""
        noted = self._noted.get(organization)
        if noted is not None and at < noted + NOTED_EVERY:
            return
        text = timestamp(at, to="seconds")
        # If the condition fails, a later time is stored, or it is our own write whose answer was lost.
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=_key(organization, "WEBHOOK_RECEIVED"),
                UpdateExpression="SET #at = :at",
                ConditionExpression="attribute_not_exists(pk) OR #at < :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": text}},
            )
        self._noted[organization] = at

    def _text(self, organization: str) -> str | None:
        item = self._item(organization, "WEBHOOK_SETUP")
        return item["doc"]["S"] if item else None

    def _item(self, organization: str, sort_key: str) -> dict[str, Any] | None:
        with translated(_SYSTEM):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(organization, sort_key), ConsistentRead=True
            )
        return answer.get("Item")


def _read(text: str | None) -> Setup | None:
    return Setup.from_json(json.loads(text)) if text else None


def _written(setup: Setup) -> str:
    return json.dumps(setup.to_json())


def _key(organization: str, sort_key: str) -> dict[str, Any]:
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": sort_key}}
