"""New members whose managers have not been told yet, and the mails that tell them, in the roster table.

A new member leaves a newcomer item in the transaction that creates it. It moves into a mail, or is
forgotten: nobody is lost on the way, and nobody is in two mails. A mail is deleted after it was sent.
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
    """Every method raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def newcomers(self, organization: str) -> dict[str, float]:
        """Return the members whose managers have not been told: id → when it was created (epoch seconds)."""
        items = self._items(keys.newcomers_partition(organization))
        return {item["sk"]["S"]: float(item["since"]["N"]) for item in items}

    def has_recorded_team(self, organization: str, manager: str) -> bool:
        """Tell whether any active direct report of the manager has its web conferences recorded."""
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
        """Move newcomers into the mail of that run to that manager; it names the first of them.

        They move in transactions of some each, all into one mail. Whom another call has moved or
        forgotten meanwhile ends it: the rest stay newcomers for the next run. `now`: epoch seconds.
        """
        key = keys.outbox_key(organization, run, manager)
        for number, some in enumerate(batched(newcomers, _MOVED_AT_ONCE, strict=False)):
            change = _added(len(some)) if number else _opened(len(some), some[:NAMED], now)
            update = {"TableName": self._table, "Key": key, **change}
            if not self._move(update, [keys.newcomer_key(organization, member) for member in some]):
                return

    def forget(self, organization: str, newcomers: Iterable[str]) -> None:
        """Let newcomers be newcomers no more; nobody is told of them."""
        for some in batched(newcomers, _FORGOTTEN_AT_ONCE, strict=False):
            deletes: list[Any] = [
                {"Delete": {"TableName": self._table, "Key": keys.newcomer_key(organization, member)}}
                for member in some
            ]
            with translated(_SYSTEM):
                self._client.transact_write_items(TransactItems=deletes)

    def mails(self, organization: str) -> list[PendingMail]:
        """Return the mails that have not been sent, those of the oldest run first."""
        return [_to_mail(item) for item in self._items(keys.outbox_partition(organization))]

    def remove(self, organization: str, mail: PendingMail) -> None:
        """Take a mail out, unless someone has been added to it since it was read."""
        was_added_to = self._client.exceptions.ConditionalCheckFailedException
        with translated(_SYSTEM), suppress(was_added_to):
            self._client.delete_item(
                TableName=self._table,
                Key=keys.outbox_key(organization, mail.run, mail.manager),
                ConditionExpression="newcomers = :count",
                ExpressionAttributeValues={":count": {"N": str(mail.newcomers)}},
            )

    def _move(self, update: Any, newcomers: Iterable[Item]) -> bool:
        """Write all or nothing; `False`: someone else has been there."""
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
    """Return the change that makes a mail, or adds to the same mail of a run that was interrupted."""
    return {
        "UpdateExpression": "SET since = if_not_exists(since, :now) ADD newcomers :count, named :named",
        "ExpressionAttributeValues": {
            ":now": {"N": str(now)},
            ":count": {"N": str(count)},
            ":named": {"SS": list(named)},
        },
    }


def _added(count: int) -> Item:
    """Return the change that adds to a mail; to one that was sent meanwhile nothing is added."""
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
