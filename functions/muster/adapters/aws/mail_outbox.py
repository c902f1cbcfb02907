"""The outbox of notifications to managers, in the roster table: newcomers, and mails still to be sent.

The transaction that creates a member also writes a newcomer item. It is moved into a mail, or deleted, in
a transaction: nobody is lost, and nobody is in two mails. A mail is deleted after it was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.roster_keys import Item
from muster.imports.manager_mails import NAMED, PendingMail

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# A transaction takes 100 items; the mail is one of them.
_MOVED_AT_ONCE = 90
_FORGOTTEN_AT_ONCE = 100
_SYSTEM = "the roster table"
_TAKEN = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class MailOutbox:
    """Newcomers and pending mails; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def newcomers(self, organization: str) -> dict[str, float]:
        """Return the members whose managers are not notified yet: id → time of creation (epoch seconds)."""
        items = self._items(keys.newcomers_partition(organization))
        return {item["sk"]["S"]: float(item["since"]["N"]) for item in items}

    def has_recorded_team(self, organization: str, manager: str) -> bool:
        """Whether the web conferences of any active direct report of the manager are recorded."""
        with translated(_SYSTEM):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.reports_partition(organization, manager)}},
                ConsistentRead=True,
                Limit=1,
            )
        return bool(answer["Items"])

    def put(self, organization: str, run: str, manager: str, newcomers: Sequence[str], now: float) -> None:
        """Move newcomers into the mail of a run to a manager; it names the first of them.

        They move in batches, one transaction each, into the same mail. If another call has moved or
        deleted one meanwhile, the rest stay newcomers for the next run. `now`: epoch seconds.
        """
        key = keys.outbox_key(organization, run, manager)
        for number, some in enumerate(batched(newcomers, _MOVED_AT_ONCE, strict=False)):
            change = _added(len(some)) if number else _opened(len(some), some[:NAMED], now)
            update = {"TableName": self._table, "Key": key, **change}
            if not self._move(update, [keys.newcomer_key(organization, member) for member in some]):
                return

    def forget(self, organization: str, newcomers: Iterable[str]) -> None:
        """Delete newcomers without notifying anybody of them."""
        for some in batched(newcomers, _FORGOTTEN_AT_ONCE, strict=False):
            deletes: list[Any] = [
                {"Delete": {"TableName": self._table, "Key": keys.newcomer_key(organization, member)}}
                for member in some
            ]
            with translated(_SYSTEM):
                self._client.transact_write_items(TransactItems=deletes)

    def mails(self, organization: str) -> list[PendingMail]:
        """Return the mails still to be sent, those of the oldest run first."""
        return [_to_mail(item) for item in self._items(keys.outbox_partition(organization))]

    def remove(self, organization: str, mail: PendingMail) -> None:
        """Delete a mail, unless someone was added to it since it was read."""
        was_added_to = self._client.exceptions.ConditionalCheckFailedException
        with translated(_SYSTEM), suppress(was_added_to):
            self._client.delete_item(
                TableName=self._table,
                Key=keys.outbox_key(organization, mail.run, mail.manager),
                ConditionExpression="newcomers = :count",
                ExpressionAttributeValues={":count": {"N": str(mail.newcomers)}},
            )

    def _move(self, update: Any, newcomers: Iterable[Item]) -> bool:
        """Write all or nothing; `False`: another call was faster."""
        deletes: list[Any] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": key,
                    "ConditionExpression": "attribute_exists(pk)",
                }
            }
            for key in newcomers
        ]
        with translated(_SYSTEM):
            try:
                self._client.transact_write_items(TransactItems=[{"Update": update}, *deletes])
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if reasons & _TAKEN:
                    return False
                raise
        return True

    def _items(self, partition: str) -> Iterator[Item]:
        with translated(_SYSTEM):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]


def _opened(count: int, named: Sequence[str], now: float) -> Item:
    """Return the update that creates a mail, or adds to the mail of an interrupted run."""
    return {
        "UpdateExpression": "SET since = if_not_exists(since, :now) ADD newcomers :count, named :named",
        "ExpressionAttributeValues": {
            ":now": {"N": str(now)},
            ":count": {"N": str(count)},
            ":named": {"SS": list(named)},
        },
    }


def _added(count: int) -> Item:
    """Return the update that adds to a mail, unless it was sent meanwhile."""
    return {
        "UpdateExpression": "ADD newcomers :count",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":count": {"N": str(count)}},
    }


def _to_mail(item: Item) -> PendingMail:
    run, _, manager = item["sk"]["S"].rpartition("#")
    return PendingMail(
        run=run,
        manager=manager,
        newcomers=int(item["newcomers"]["N"]),
        named=tuple(item["named"]["SS"]),
        since=float(item["since"]["N"]),
    )
