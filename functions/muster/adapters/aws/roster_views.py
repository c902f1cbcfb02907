"""The roster for queries: pages of members, one member, history, error log. Never writes.

A cursor is opaque to the caller but holds no secret and no full key: only a position in the organization's
own partitions, so it cannot lead into another organization.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.dynamodb_reads import get_many
from muster.adapters.aws.roster_keys import Item
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

    def members(
        self, organization: str, active: bool | None, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """Return up to `limit` members after `cursor`, and the cursor of the next page (`None`: no more)."""
        shard, after = _start(cursor)
        found: list[Member] = []
        while shard < keys.SHARDS:
            partition = keys.member_partition(organization, shard)
            items, after = self._query(partition, "MEMBER#", limit - len(found), after, active=active)
            found += [keys.to_member(item) for item in items]
            if after is None:
                shard += 1
            if len(found) >= limit:
                break
        return found, _cursor(shard, after) if shard < keys.SHARDS else None

    def cursor_after(self, member: str) -> str:
        """Return the cursor of the page that begins after the member of that id."""
        return _cursor(keys.shard_of(member), keys.member_sort_key(member))

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

    def errors(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Return the error log, newest first."""
        return self._newest(keys.error_partition(organization), "", limit, cursor)

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
        active: bool | None = None,
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
        if active is not None:
            request["FilterExpression"] = "active = :active"
            request["ExpressionAttributeValues"][":active"] = {"BOOL": active}
        found: list[Item] = []
        while True:
            if after is not None:
                request["ExclusiveStartKey"] = {"pk": {"S": partition}, "sk": {"S": after}}
            # Limit counts items before the filter, so a page never exceeds the requested size.
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
