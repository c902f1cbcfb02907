"""What pushes remember of apps, in the roster table: one item each (O2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.run_table import fence
from muster.errors import Stale
from muster.provisioning.app_state import AppState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from muster.lease import Lease

_SYSTEM = "the roster table"


class AppTable:
    """Reads and writes it; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def state(self, organization: str, app: str) -> AppState:
        """Return what is remembered of an app, by the name of its connection."""
        with translated(_SYSTEM):
            answer = self._client.get_item(
                TableName=self._table, Key=keys.app_key(organization, app), ConsistentRead=True
            )
        item = answer.get("Item")
        return AppState.from_json(keys.document_of(item)) if item else AppState()

    def save(self, app: str, state: AppState, lease: Lease) -> None:
        """Remember this of an app, under the lease of the run; raises `Stale` once another has taken over."""
        item = {
            **keys.app_key(lease.organization, app),
            "doc": {"S": orjson.dumps(state.to_json(), default=dict).decode()},
        }
        actions: list[Any] = [{"Put": {"TableName": self._table, "Item": item}}, fence(self._table, lease)]
        with translated(_SYSTEM):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = [each.get("Code") for each in error.response.get("CancellationReasons", [])]
                # The fence is the only condition.
                if "ConditionalCheckFailed" in reasons:
                    raise Stale("another run has taken over") from error
                raise
