"""Users of Vault CRM who have a group and are linked to nobody, in the roster table (G10)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.roster_writes import deletion
from muster.adapters.aws.run_table import fence
from muster.errors import Stale
from muster.lease import Lease
from muster.roster.unlinked_holders import UnlinkedHolder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_SYSTEM = "the roster table"
# A transaction takes 100 actions; one of them is the fence.
_AT_ONCE = 99


class UnlinkedHolderTable:
    """Reads and records them; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def holders(self, organization: str) -> dict[str, UnlinkedHolder]:
        """Return all that are recorded, by Vault CRM id, in the order of their ids."""
        with translated(_SYSTEM):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": keys.unlinked_holders_partition(organization)}},
                ConsistentRead=True,
            )
            found = [keys.to_unlinked_holder(item) for page in pages for item in page["Items"]]
        return {holder.id: holder for holder in found}

    def record(
        self, organization: str, holders: Sequence[UnlinkedHolder], forget: Sequence[str], lease: Lease
    ) -> None:
        """Record these as they are, and forget those of these ids, under the lease of the run.

        Doing it again changes nothing. Raises `Stale` once another run has taken over.
        """
        actions: list[Any] = [
            {"Put": {"TableName": self._table, "Item": keys.unlinked_holder_item(organization, holder)}}
            for holder in holders
        ]
        actions += [
            deletion(self._table, keys.unlinked_holder_key(organization, vault_id)) for vault_id in forget
        ]
        for some in batched(actions, _AT_ONCE, strict=False):
            with translated(_SYSTEM):
                fenced: list[Any] = [*some, fence(self._table, lease)]
                try:
                    self._client.transact_write_items(TransactItems=fenced)
                except ClientError as error:
                    reasons = [each.get("Code") for each in error.response.get("CancellationReasons", [])]
                    # The fence is the only condition.
                    if "ConditionalCheckFailed" in reasons:
                        raise Stale("another run has taken over") from error
                    raise
