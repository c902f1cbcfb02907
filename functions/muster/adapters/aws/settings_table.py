"""Settings in DynamoDB: the current version, all versions, and the items that others read.

Those others are the webhook (its registration) and the schedules (which organizations to import, and to
push). A save is one transaction, so a version is in the history, current and in force everywhere, or not at
all. Version items are never overwritten.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muster.adapters.aws import webhook_registry
from muster.adapters.aws.aws_errors import translated
from muster.errors import Stale
from muster.settings.mappings import pushed_to
from muster.settings.versions import StoredSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from muster.settings import Settings
    from muster.webhook.tokens import WebhookRegistration


_SYSTEM = "the settings table"
# So many organizations on the same vault are named.
_MOST_SHARING = 5
_LOST = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class SettingsTable:
    """Reads and saves settings; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    def current(self, organization: str) -> StoredSettings | None:
        """Return the current version; one strongly consistent read."""
        return self._get(organization, "SETTINGS")

    def version(self, organization: str, version: int) -> StoredSettings | None:
        """Return one version, current or not."""
        return self._get(organization, _sort_key(version))

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return up to `limit` versions, newest first, only those older than version `below` if given."""
        # Versions count from 1, so 0 is below all of them; the default is the highest number that fits.
        last = 99_999_999 if below is None else below - 1
        with translated(_SYSTEM):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": f"ORG#{organization}"},
                    ":first": {"S": _sort_key(0)},
                    ":last": {"S": _sort_key(last)},
                },
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": limit, "PageSize": limit},
            )
            return [_from_item(organization, item) for page in pages for item in page["Items"]]

    def organizations(self, limit: int, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """Return up to `limit` organizations by name, and the name to continue after (`None`: no more).

        Of each its name, and whether the schedules import it and push it. One query of one partition.
        """
        with translated(_SYSTEM):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk > :after",
                # A space is before every name.
                ExpressionAttributeValues={":pk": {"S": "ORGANIZATIONS"}, ":after": {"S": after or " "}},
                Limit=limit + 1,
                ConsistentRead=True,
            )
        found: list[dict[str, Any]] = [
            {
                "organization": item["sk"]["S"],
                "scheduled": item["scheduled"]["BOOL"],
                "pushed": item.get("pushed", {}).get("BOOL", False),
            }
            for item in answer["Items"]
        ]
        shown = found[:limit]
        more = len(found) > limit or "LastEvaluatedKey" in answer
        return shown, shown[-1]["organization"] if more and shown else None

    def schedules_follow(self, settings: Settings) -> bool:
        """Whether the schedules agree with these settings (I12)."""
        wanted = _schedule_item(settings)
        found = self._item({name: wanted[name] for name in ("pk", "sk")}) or {}
        return all(found.get(name) == wanted[name] for name in ("scheduled", "pushed"))

    def sharing(self, settings: Settings) -> dict[str, list[str]]:
        """Return by connection a few of the other organizations that have the same vault (G10).

        An organization that was last saved by Muster 0.2.0 or earlier is not among them: its vaults are not
        listed yet.
        """
        mine = _vaults(settings)
        found: dict[str, list[str]] = {name: [] for name in mine}
        if not mine:
            return {}
        with translated(_SYSTEM):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                FilterExpression="attribute_exists(vaults)",
                ExpressionAttributeValues={":pk": {"S": "ORGANIZATIONS"}},
                ConsistentRead=True,
            )
            for item in (item for page in pages for item in page["Items"]):
                for name, host in mine.items():
                    other = item["sk"]["S"] != settings.organization
                    if other and host in item["vaults"]["SS"] and len(found[name]) < _MOST_SHARING:
                        found[name].append(item["sk"]["S"])
        return {name: others for name, others in found.items() if others}

    def save(
        self,
        stored: StoredSettings,
        webhook: tuple[WebhookRegistration | None, WebhookRegistration] | None,
    ) -> None:
        """Make `stored` the current version, replace the registration `(was, becomes)`, update the schedules.

        Raises `Stale` if the version before it is no longer current, or the registration no longer
        `was`; then nothing is written.
        """
        with translated(_SYSTEM):
            try:
                self._client.transact_write_items(TransactItems=self._writes(stored, webhook))
                return
            except self._client.exceptions.TransactionCanceledException as error:
                codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if not codes & _LOST:
                    raise
        # The answer to our first try may have been lost, and the retry then met our own write. Check the
        # version's own item: another version may be current by now.
        written = self.version(stored.organization, stored.version)
        if written is None or written.attempt != stored.attempt:
            raise Stale(f"the settings of {stored.organization} were changed meanwhile")

    def _writes(
        self,
        stored: StoredSettings,
        webhook: tuple[WebhookRegistration | None, WebhookRegistration] | None,
    ) -> list[TransactWriteItemTypeDef]:
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _to_item(stored, _sort_key(stored.version)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _to_item(stored, "SETTINGS"),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
        if stored.version > 1:
            writes[1]["Put"]["ConditionExpression"] = "version = :was"
            writes[1]["Put"]["ExpressionAttributeValues"] = {":was": {"N": str(stored.version - 1)}}
        writes.append({"Put": {"TableName": self._table, "Item": _schedule_item(stored.settings)}})
        if webhook:
            writes.append({"Put": webhook_registry.put_of(self._table, stored.organization, *webhook)})
        return writes

    def _get(self, organization: str, sort_key: str) -> StoredSettings | None:
        item = self._item({"pk": {"S": f"ORG#{organization}"}, "sk": {"S": sort_key}})
        return _from_item(organization, item) if item else None

    def _item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with translated(_SYSTEM):
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def _sort_key(version: int) -> str:
    return f"SETTINGS#{version:08}"


def _schedule_item(settings: Settings) -> dict[str, Any]:
    """Return the item that the schedules read of an organization; all are in one partition.

    `vaults` are the hosts of its vaults, for whoever connects one of them as well; a set is never empty.
    """
    vaults = sorted({*_vaults(settings).values()})
    return {
        **({"vaults": {"SS": vaults}} if vaults else {}),
        "pk": {"S": "ORGANIZATIONS"},
        "sk": {"S": settings.organization},
        "scheduled": {"BOOL": settings.scheduled},
        "pushed": {"BOOL": bool(pushed_to(settings))},
    }


def _vaults(settings: Settings) -> dict[str, str]:
    """Return by connection the host of each vault, as hosts are compared."""
    connections = settings.connections
    found = {"vault_crm": connections.vault_crm, "align": connections.align}
    return {name: each.host.casefold() for name, each in found.items() if each}


def _to_item(stored: StoredSettings, sort_key: str) -> dict[str, Any]:
    doc = {
        "settings": stored.document,
        "by": stored.by,
        "at": stored.at,
        "why": stored.why,
        "attempt": stored.attempt,
        "approved_by": stored.approved_by,
        "run": stored.run,
        "request_id": stored.request_id,
        "not_tried": list(stored.not_tried),
    }
    return {
        "pk": {"S": f"ORG#{stored.organization}"},
        "sk": {"S": sort_key},
        "version": {"N": str(stored.version)},
        "doc": {"S": json.dumps(doc, ensure_ascii=False)},
    }


def _from_item(organization: str, item: dict[str, Any]) -> StoredSettings:
    doc = json.loads(item["doc"]["S"])
    return StoredSettings(
        organization=organization,
        version=int(item["version"]["N"]),
        document=doc["settings"],
        by=doc["by"],
        at=doc["at"],
        why=doc["why"],
        attempt=doc["attempt"],
        approved_by=doc.get("approved_by"),
        run=doc.get("run"),
        request_id=doc.get("request_id"),
        not_tried=tuple(doc.get("not_tried", ())),
    )
