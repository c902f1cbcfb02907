"""Which notifications were followed, and how many API calls the org of an organization has used (W13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.dynamodb_reads import get_many
from muster.times import timestamp
from muster.webhook.deliveries import REMEMBERED, CallsUsed, Followed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# What BatchWriteItem takes.
_WRITTEN_AT_ONCE = 25
_SYSTEM = "the roster table"

type Item = dict[str, Any]


class DeliveryJournal:
    """Reads and writes what is remembered of messages; raises `Unavailable` or `Misconfigured`.

    Nothing here guards anything: what is lost or overwritten by another worker costs a call to Salesforce.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def read(self, organization: str, records: Sequence[str]) -> tuple[dict[str, Followed], CallsUsed | None]:
        """Return what is remembered of these records, and the calls used as last noted; one batch read."""
        wanted = {record: _followed_key(organization, record) for record in records}
        items = get_many(self._client, self._table, {**wanted, "": _calls_key(organization)})
        calls = items.pop("", None)
        return {record: _followed(record, item) for record, item in items.items()}, _calls(calls)

    def remember(self, organization: str, followed: Iterable[Followed], now: datetime) -> None:
        """Remember this for fourteen days from `now` on."""
        expires_at = str(int((now + REMEMBERED).timestamp()))
        for some in batched(followed, _WRITTEN_AT_ONCE, strict=False):
            puts: list[Any] = [
                {"PutRequest": {"Item": {**_item(organization, each), "expires_at": {"N": expires_at}}}}
                for each in some
            ]
            # What is left unprocessed, because the table is busy, is forgotten: it may be.
            with translated(_SYSTEM):
                self._client.batch_write_item(RequestItems={self._table: puts})

    def note_calls(self, organization: str, calls: CallsUsed) -> None:
        """Note how many calls are used, unless a later count is noted."""
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=_calls_item(organization, calls),
                ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": timestamp(calls.at)}},
            )

    def claim(self, organization: str, calls: CallsUsed, now: datetime) -> bool:
        """Take the turn to count anew after that count; `False` where another worker has it."""
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=_calls_item(organization, CallsUsed(calls.used, calls.limit, now)),
                ConditionExpression="#at = :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": timestamp(calls.at)}},
            )
            return True
        return False


def _followed_key(organization: str, record: str) -> Item:
    return {"pk": {"S": f"ORG#{organization}#FOLLOWED#{record}"}, "sk": {"S": "FOLLOWED"}}


def _item(organization: str, followed: Followed) -> Item:
    item = {
        **_followed_key(organization, followed.record),
        "notifications": {"SS": sorted(followed.notifications)},
    }
    return item | ({"read_at": {"S": followed.read_at}} if followed.read_at else {})


def _followed(record: str, item: Item) -> Followed:
    return Followed(record, frozenset(item["notifications"]["SS"]), item.get("read_at", {}).get("S"))


def _calls_key(organization: str) -> Item:
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": "API_CALLS"}}


def _calls_item(organization: str, calls: CallsUsed) -> Item:
    return {
        **_calls_key(organization),
        "used": {"N": str(calls.used)},
        "limit": {"N": str(calls.limit)},
        "at": {"S": timestamp(calls.at)},
    }


def _calls(item: Item | None) -> CallsUsed | None:
    if item is None:
        return None
    used, limit = int(item["used"]["N"]), int(item["limit"]["N"])
    return CallsUsed(used, limit, datetime.fromisoformat(item["at"]["S"]))
