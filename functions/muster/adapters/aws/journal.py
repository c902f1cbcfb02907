"""What happened in an organization, by time: changes of members, and the error log. Never writes.

Changes are read from the index `by_recorded`, which holds every history entry of 0.2.0 and later; it lags
behind the table by less than a second as a rule.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.dynamodb_reads import texts
from muster.errors import Misconfigured
from muster.roster import history
from muster.roster.member import Json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What one query reads of a shard, and of the error log.
_FEWEST, _MOST = 25, 1_000

# The highest that fits into a sort key.
_LAST_VERSION = 99_999_999

_INDEX = "by_recorded"
# What DynamoDB says of an index that is not there, or being built.
_NO_INDEX = frozenset({"ResourceNotFoundException", "ValidationException"})
_NOT_YET = (
    f"The roster table has no index {_INDEX} to read changes by. After an upgrade it takes some minutes to be"
    " built: ask again then. A table that was restored from an older backup has to be given it, as in"
    " template.yaml."
)


class Journal:
    """Reads the roster table by time; every method raises `Unavailable` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def changes(self, organization: str, since: str, until: str, expected: int) -> Iterator[Json]:
        """Yield the history entries from `since` on and before `until`, newest first.

        Both are timestamps, or places of entries (`history.place`). Reads as it goes, about `expected`
        entries at first.
        """
        if until < since:
            return
        page = min(max(expected // (keys.SHARDS // 2), _FEWEST), _MOST)
        shards = [self._shard(organization, shard, since, until, page) for shard in range(keys.SHARDS)]
        yield from heapq.merge(*shards, key=_place, reverse=True)

    def oldest_first(self, organization: str, since: str, until: str) -> Iterator[Json]:
        """Yield the history entries after `since` and before `until`, oldest first; both as in `changes`."""
        if until <= since:
            return
        shards = [
            self._shard(organization, shard, since, until, _MOST, backwards=False)
            for shard in range(keys.SHARDS)
        ]
        yield from (entry for entry in heapq.merge(*shards, key=_place) if _place(entry) != since)

    def of_member(self, organization: str, member: str, above: int) -> Iterator[Json]:
        """Yield a member's history entries above a version, oldest first, those of 0.1.0 too."""
        first, last = (keys.history_key(organization, member, each) for each in (above + 1, _LAST_VERSION))
        request = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
            "ExpressionAttributeValues": _between(first["pk"]["S"], first["sk"]["S"], last["sk"]["S"]),
            "ConsistentRead": True,
        }
        yield from self._documents(request)

    def begins(self, organization: str) -> str | None:
        """Return when the first change was recorded that can be read by time; `None`: none was."""
        firsts = (
            entry["at"]
            for shard in range(keys.SHARDS)
            for entry in islice(self._entries(organization, shard, Limit=1), 1)
        )
        return min(firsts, default=None)

    def errors(self, organization: str, since: str, until: str) -> Iterator[Json]:
        """Yield the entries of the error log from `since` to `until`, newest first.

        To the second, and both of these seconds whole: timestamps of two widths are in the log.
        """
        first, last = (each[: len("2026-11-20T08:15:31")] for each in (since, until))
        request = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
            "ExpressionAttributeValues": _between(keys.error_partition(organization), first, f"{last}~"),
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": _MOST,
        }
        yield from self._documents(request)

    def _shard(
        self, organization: str, shard: int, since: str, until: str, page: int, *, backwards: bool = True
    ) -> Iterator[Json]:
        found = self._entries(
            organization,
            shard,
            KeyConditionExpression="pk = :pk AND recorded BETWEEN :since AND :until",
            ExpressionAttributeValues=_between(keys.member_partition(organization, shard), since, until),
            ScanIndexForward=not backwards,
            Limit=page,
        )
        # The bounds of a query are both in it.
        yield from (entry for entry in found if _place(entry) != until)

    def _entries(self, organization: str, shard: int, **request: Any) -> Iterator[Json]:
        """Yield the history entries of a shard that a query of the index finds, oldest first by default."""
        values = {":pk": {"S": keys.member_partition(organization, shard)}}
        whole = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
        try:
            yield from self._documents({"IndexName": _INDEX, **whole, **request})
        except Misconfigured as error:
            if _code_of(error) not in _NO_INDEX:
                raise
            raise Misconfigured(_NOT_YET) from error

    def _documents(self, request: dict[str, Any]) -> Iterator[Json]:
        found = texts(self._client, {"TableName": self._table, **request}, "doc")
        yield from map(orjson.loads, found)


def _place(entry: Json) -> str:
    return history.place(entry["at"], entry["member"], entry["version"])


def _code_of(error: Misconfigured) -> str | None:
    cause = error.__cause__
    return cause.response["Error"]["Code"] if isinstance(cause, ClientError) else None


def _between(partition: str, since: str, until: str) -> dict[str, Any]:
    return {":pk": {"S": partition}, ":since": {"S": since}, ":until": {"S": until}}
