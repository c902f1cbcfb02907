"""The webhook registrations: who may call, one item per organization, in partitions of their own.

They are all that the receiver's role may read of the table (`WEBHOOK#*`). Settings are saved together with
them in one transaction; their JSON shape is written and read only here. Imports nothing beyond the standard
library and botocore's dependencies, because the receiver loads this at every cold start.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import Stale
from muster.webhook.tokens import Token, WebhookRegistration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef


__all__ = ["Token", "WebhookRegistration", "WebhookRegistry", "put_of"]

_SYSTEM = "the webhook registry"


class WebhookRegistry:
    """Reads and replaces registrations; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def find(self, organization: str) -> WebhookRegistration | None:
        """Return the organization's registration; one strongly consistent read."""
        with translated(_SYSTEM):
            answer = self._client.get_item(TableName=self._table, Key=_key(organization), ConsistentRead=True)
        item = answer.get("Item")
        return from_item(item) if item else None

    def replace(
        self, organization: str, was: WebhookRegistration | None, becomes: WebhookRegistration
    ) -> None:
        """Replace `was` by `becomes`; raises `Stale` if the stored one is no longer `was`."""
        with translated(_SYSTEM):
            try:
                self._client.put_item(**put_of(self._table, organization, was, becomes))
                return
            except self._client.exceptions.ConditionalCheckFailedException:
                pass
        # The answer to our first try may have been lost, and the retry then met our own write.
        stored = self.find(organization)
        if stored is None or stored.tokens != becomes.tokens:
            raise Stale(f"the webhook registration of {organization} was changed meanwhile")


def put_of(
    table: str, organization: str, was: WebhookRegistration | None, becomes: WebhookRegistration
) -> PutTypeDef:
    """Return the conditional put that replaces `was` by `becomes`, alone or in a transaction."""
    version = was.version if was else 0
    put: PutTypeDef = {
        "TableName": table,
        "Item": to_item(organization, becomes, version + 1),
        "ConditionExpression": "attribute_not_exists(version)",
    }
    if version:
        put["ConditionExpression"] = "version = :was"
        put["ExpressionAttributeValues"] = {":was": {"N": str(version)}}
    return put


def to_item(organization: str, registration: WebhookRegistration, version: int) -> dict[str, Any]:
    """Return the item of a registration; it holds digests, never tokens."""
    doc = {
        "organization_id": registration.organization_id,
        "action_ids": list(registration.action_ids),
        "tokens": [asdict(token) for token in registration.tokens],
    }
    return {**_key(organization), "version": {"N": str(version)}, "doc": {"S": json.dumps(doc)}}


def from_item(item: dict[str, Any]) -> WebhookRegistration:
    """Return the registration that `to_item` wrote."""
    doc = json.loads(item["doc"]["S"])
    return WebhookRegistration(
        organization_id=doc["organization_id"],
        action_ids=tuple(doc["action_ids"]),
        tokens=tuple(Token(**token) for token in doc["tokens"]),
        version=int(item["version"]["N"]) if "version" in item else 0,
    )


def _key(organization: str) -> dict[str, Any]:
    return {"pk": {"S": f"WEBHOOK#{organization}"}, "sk": {"S": "WEBHOOK"}}
