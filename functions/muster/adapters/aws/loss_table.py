"""What messages took from members in the last hour: one item of an organization in the roster table (W12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.dynamodb_reads import get_many
from muster.adapters.aws.run_table import state_key
from muster.webhook.losses import WINDOW, Loss, Recorded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LossTable:
    """Reads and replaces the item; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def losses(self, organization: str) -> Recorded:
        """Return the losses, and how many active members the last import counted; one call.

        The roster itself is not counted, for that would mean to read it.
        """
        wanted = {"imports": state_key(organization), "losses": _key(organization)}
        found = get_many(self._client, self._table, wanted)
        active = orjson.loads(found["imports"]["doc"]["S"])["active"] if "imports" in found else {}
        if "losses" not in found:
            return Recorded(active)
        item = found["losses"]
        losses = tuple(Loss(*each) for each in orjson.loads(item["doc"]["S"]))
        return Recorded(active, losses, int(item["revision"]["N"]))

    def replace(self, organization: str, was: Recorded, losses: Sequence[Loss]) -> bool:
        """Store these losses, at least one; `False`: others have meanwhile, or our own first try has."""
        latest = datetime.fromisoformat(max(loss.at for loss in losses))
        item = {
            **_key(organization),
            "revision": {"N": str(was.revision + 1)},
            "doc": {"S": orjson.dumps([astuple(loss) for loss in losses]).decode()},
            # Nobody looks at it any more by then.
            "expires_at": {"N": str(int((latest + 2 * WINDOW).timestamp()))},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if was.revision:
            condition = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(was.revision)}},
            }
        with translated("the roster table"):
            try:
                self._client.put_item(TableName=self._table, Item=item, **condition)
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True


def _key(organization: str) -> dict[str, Any]:
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": "LOSSES"}}
