"""The roster for queries: pages of members, one member, history, error log. Never writes.

A cursor is opaque to the caller but holds no secret and no full key: only a position in the organization's
own partitions, so it cannot lead into another organization.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.dynamodb_reads import get_many, texts
from muster.adapters.aws.roster_keys import Item
from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
from muster.errors import Problem, Rejected
from muster.roster.links import Link
from muster.roster.member import Json, Member

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class RosterViews:
    """Reads of the roster table for RosterQueryFunction."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def everyone(self, organization: str, active: bool | None) -> Iterator[Member]:
        """Yield all members, the active ones or the others (`None`: both), in no order.

        They have no revision, so that nobody writes them. A hundred thousand are some 300 queries.
        """
        for shard in range(keys.SHARDS):
            request: dict[str, Any] = {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
                "ExpressionAttributeValues": {
                    ":pk": {"S": keys.member_partition(organization, shard)},
                    ":prefix": {"S": "MEMBER#"},
                },
                "ConsistentRead": True,
            }
            if active is not None:
                request["FilterExpression"] = "active = :active"
                request["ExpressionAttributeValues"][":active"] = {"BOOL": active}
            yield from map(keys.member_of, texts(self._client, request, "doc"))

    def member(self, organization: str, member: str) -> Member | None:
        """Return the member with this id."""
        item = self._get(keys.member_key(organization, member))
        return keys.to_member(item) if item else None

    def link(self, organization: str, crm_id: str) -> Link | None:
        """Return the link of a Salesforce user."""
        item = self._get(keys.link_key(organization, crm_id))
        return keys.to_link(item) if item else None

    def matching(self, organization: str, match_keys: tuple[str, ...]) -> list[str]:
        """Return the ids of the members that carry any of these match keys, most specific key first."""
        wanted = {key: keys.match_key(organization, key) for key in match_keys}
        items = get_many(self._client, self._table, wanted)
        return [
            name for key in match_keys if key in items for name in items[key].get("members", {}).get("SS", ())
        ]

    def history(
        self, organization: str, member: str, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """Return a member's history, newest first."""
        partition = keys.member_key(organization, member)["pk"]["S"]
        return self._newest(partition, keys.history_prefix(member), limit, cursor)

    def nobodys(self, organization: str) -> frozenset[str]:
        """Return the ids of the users of Vault CRM who have a licence and are linked to nobody."""
        return frozenset(UnlinkedHolderTable(self._client, self._table).holders(organization))

    def error_log(self, organization: str) -> Iterator[Json]:
        """Yield the entries of the error log, newest first."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": keys.error_partition(organization)}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
        }
        yield from map(orjson.loads, texts(self._client, request, "doc"))

    def _newest(
        self, partition: str, prefix: str, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        _, after = _start(cursor)
        items, after = self._query(partition, prefix, limit, after, newest_first=True)
        return [keys.document_of(item) for item in items], _cursor(0, after) if after else None

    def _get(self, key: Item) -> Item | None:
        with translated("the roster table"):
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _query(
        self,
        partition: str,
        prefix: str,
        limit: int,
        after: str | None,
        *,
        newest_first: bool = False,
    ) -> tuple[list[Item], str | None]:
        """Return up to `limit` items of a partition, and the sort key to go on after (`None`: no more)."""
        if after is not None and not after.startswith(prefix):
            raise _bad_cursor()
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        found: list[Item] = []
        while True:
            if after is not None:
                request["ExclusiveStartKey"] = {"pk": {"S": partition}, "sk": {"S": after}}
            with translated("the roster table"):
                answer = self._client.query(**request, Limit=limit - len(found))
            found += answer["Items"]
            after = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S")
            if after is None or len(found) >= limit:
                return found, after


def _cursor(shard: int, after: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([shard, after]).encode()).decode()


def _start(cursor: str | None) -> tuple[int, str | None]:
    if cursor is None:
        return 0, None
    try:
        shard, after = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError) as error:
        raise _bad_cursor() from error
    if not (isinstance(shard, int) and 0 <= shard < keys.SHARDS and isinstance(after, str | None)):
        raise _bad_cursor()
    if after is not None and not 0 < len(after) <= 1024:
        raise _bad_cursor()
    return shard, after


def _bad_cursor() -> Rejected:
    return Rejected(
        Problem("cursor", "is not one that was handed out", "Leave it out to start at the beginning.")
    )
