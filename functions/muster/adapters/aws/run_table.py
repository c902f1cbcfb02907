"""Runs in the roster table: their records, the lease they hold, and the state that imports keep.

One run per organization works at a time (I7): the holder of the lease. The lease's epoch increases whenever
it is taken and is never deleted, so a run that was frozen, presumed dead and overtaken finds its next write
void. The epoch is the fence, not the time: `until` only says when others may take over.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import Problem, Rejected, Stale, Unavailable
from muster.lease import Lease, LeaseHeld
from muster.runs.import_state import ImportState
from muster.runs.run import Run, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


type _Item = dict[str, Any]

RUN_DAYS = 400
_DAY = 24 * 60 * 60
_SYSTEM = "the roster table"
_TAKES = 3
_CHANGES = 5
_RUN = "RUN#"
_AFTER_EVERY_RUN = "RUN#~"
_RUNS_A_PAGE = 200
_LONGEST_SORT_KEY = 1024

_IS_FREE = "attribute_not_exists(run) OR run = :run OR #until <= :now"
# The epoch stays, because it must keep counting. Without `run` no lease is valid, not even the last one.
_GIVE_BACK = "REMOVE run, #until"
_UNTIL = {"#until": "until"}

# A run that was rejected while its lease was being taken must not be revived.
_OPEN = {f":{status}": {"S": status} for status in Status if not status.ended}
_IS_OPEN = f"attribute_not_exists(#status) OR #status IN ({', '.join(_OPEN)})"
_STATUS = {"#status": "status"}


class RunTable:
    """Reads and writes runs; every method raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use the table of that name."""
        self._client = client
        self._table = table

    # ── The lease ─────────────────────────────────────────────────────────────────────────────────

    def take(self, organization: str, run: str, now: float, seconds: float) -> Lease:
        """Take the organization's lease for `run`, from `now` (epoch seconds) for `seconds`.

        It has to be free, expired, or this run's own; in that case the previous worker of the run is
        fenced off. Raises `LeaseHeld` with the run that has it. Read the run only after taking its lease.
        """
        values = {":run": {"S": run}, ":now": _number(now), ":until": _number(now + seconds)}
        for _ in range(_TAKES):
            with translated(_SYSTEM):
                try:
                    taken = self._client.update_item(
                        TableName=self._table,
                        Key=_lease_key(organization),
                        UpdateExpression="SET run = :run, #until = :until ADD epoch :one",
                        ConditionExpression=_IS_FREE,
                        ExpressionAttributeNames=_UNTIL,
                        ExpressionAttributeValues={**values, ":one": {"N": "1"}},
                        ReturnValues="ALL_NEW",
                    )
                    return Lease(organization, run, int(taken["Attributes"]["epoch"]["N"]), now + seconds)
                # A write that coincides with the holder's transaction is refused as a conflict.
                except (
                    self._client.exceptions.ConditionalCheckFailedException,
                    self._client.exceptions.TransactionConflictException,
                ):
                    holder = self.holder(organization, now)
            if holder is not None and holder != run:
                raise LeaseHeld(holder)
        raise Unavailable(f"the lease of {organization} is changing hands", retry_after=1)

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        """Extend the lease to `seconds` from `now` and return it; raises `Stale` if it was lost."""
        until = now + seconds
        if not self._change(lease, "SET #until = :until", {":until": _number(until)}):
            raise _overtaken(lease)
        return replace(lease, expires_at=until)

    def release(self, lease: Lease) -> None:
        """Release the lease if it is still ours; otherwise do nothing."""
        self._change(lease, _GIVE_BACK)

    def holder(self, organization: str, now: float) -> str | None:
        """Return the run that holds the lease at `now` (epoch seconds)."""
        item = self._get(_lease_key(organization))
        if item is None or "run" not in item or float(item["until"]["N"]) <= now:
            return None
        held_by: str = item["run"]["S"]
        return held_by

    def lease_until(self, organization: str, run: str) -> float | None:
        """Return until when the run has the lease (epoch seconds); `None` if it has not."""
        item = self._get(_lease_key(organization))
        if item is None or item.get("run") != {"S": run}:
            return None
        return float(item["until"]["N"])

    # ── Runs ──────────────────────────────────────────────────────────────────────────────────────

    def add(self, run: Run) -> None:
        """Record a new run that nobody works on; its id is its own, so that a retry writes the same again."""
        with translated(_SYSTEM):
            self._client.put_item(TableName=self._table, Item=_to_item(run))

    def save(self, run: Run, lease: Lease) -> None:
        """Record the progress of a run; raises `Stale` if its lease was lost or someone else ended it.

        After `Stale`, stop and `release` the lease: it may still be ours.
        """
        if not self._transact([self._put(run), fence(self._table, lease)]):
            raise _overtaken(lease)

    def finish(self, run: Run, lease: Lease, state: ImportState | None) -> None:
        """Record where a run stops, store `state` if given, and release the lease: all or nothing.

        Repeating the same call is not an error. Raises `Stale` as `save` does.
        """
        actions = [self._put(run), {"Update": _change_of(self._table, lease, _GIVE_BACK)}]
        if state is not None:
            item = _state_item(run.organization, state)
            actions.append({"Put": {"TableName": self._table, "Item": item}})
        if self._transact(actions):
            return
        # The answer to our first try may have been lost, and the retry then met our own write.
        if self.run(run.organization, run.id) != run:
            raise _overtaken(lease)

    def save_without_lease(self, run: Run, expected: Status) -> None:
        """Save a run that nobody works on; raises `Stale` if its status is no longer `expected`."""
        with translated(_SYSTEM):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_to_item(run),
                    ConditionExpression="#status = :expected",
                    ExpressionAttributeNames=_STATUS,
                    ExpressionAttributeValues={":expected": {"S": expected}},
                )
                return
            except self._client.exceptions.ConditionalCheckFailedException:
                pass
        # The answer to our first try may have been lost, and the retry then met our own write.
        if self.run(run.organization, run.id) != run:
            raise Stale(f"run {run.id} is no longer {expected}")

    def run(self, organization: str, run: str) -> Run | None:
        """Return the run with this id; one strongly consistent read."""
        item = self._get(_run_key(organization, run))
        return _to_run(item) if item else None

    def runs(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
        """Return up to `limit` runs after `cursor`, newest first, and the next cursor (`None`: no more).

        A cursor is a position among the organization's own runs, so it cannot lead into another's. Raises
        `Rejected` for a cursor that was not handed out.
        """
        last = _sort_key_of(cursor) if cursor is not None else None
        # One more than requested, to know whether there are more.
        items = [*islice(self._newest_runs(organization, _RUN, last, limit + 1), limit + 1)]
        following = _cursor_of(items[limit - 1]["sk"]["S"]) if len(items) > limit else None
        return [_to_run(item) for item in items[:limit]], following

    def runs_from(self, organization: str, first: str, before: str | None) -> Iterator[Run]:
        """Yield the runs whose id is `first` or later, and earlier than `before` if given, newest first.

        Ids begin with the moment in UTC at which the run began: `20261120T081532`. Reads as it goes.
        """
        last = None if before is None else f"{_RUN}{before}"
        for item in self._newest_runs(organization, f"{_RUN}{first}", last, _RUNS_A_PAGE):
            yield _to_run(item)

    def _newest_runs(self, organization: str, first: str, before: str | None, page: int) -> Iterator[_Item]:
        """Yield the items of runs between two sort keys, the latter not included, newest first."""
        last = _AFTER_EVERY_RUN if before is None else before
        # Bounds in the wrong order are an error to DynamoDB, and no run to whoever asks.
        if last < first:
            return
        condition, values = "pk = :pk", {":pk": {"S": _runs_partition(organization)}}
        if (first, before) != (_RUN, None):
            condition += " AND sk BETWEEN :first AND :last"
            values |= {":first": {"S": first}, ":last": {"S": last}}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            ConsistentRead=True,
            PaginationConfig={"PageSize": page},
        )
        found = iter(pages)
        while True:
            with translated(_SYSTEM):
                some = next(found, None)
            if some is None:
                return
            # Both bounds of a query are in it.
            yield from (item for item in some["Items"] if item["sk"]["S"] != before)

    # ── The state of imports ──────────────────────────────────────────────────────────────────────

    def state(self, organization: str) -> ImportState:
        """Return the state that imports keep between runs; empty before the first import has completed."""
        item = self._get(state_key(organization))
        return ImportState.from_json(json.loads(item["doc"]["S"])) if item else ImportState()

    def change_state(self, organization: str, change: Callable[[ImportState], ImportState]) -> None:
        """Apply `change` to the state of imports, for callers that do not hold the lease.

        If a run has changed the state in between, it is read, and `change` applied, again.
        """
        for _ in range(_CHANGES):
            item = self._get(state_key(organization))
            before = ImportState.from_json(json.loads(item["doc"]["S"])) if item else ImportState()
            after = change(before)
            # Equal also if the answer to our first try was lost, and this is our own write.
            if after == before or self._replace_state(organization, item, after):
                return
        raise Unavailable(f"the import state of {organization} keeps changing", retry_after=1)

    def _replace_state(self, organization: str, was: _Item | None, becomes: ImportState) -> bool:
        """Replace the item that was read; `False`: it has changed."""
        condition: _Item = {"ConditionExpression": "attribute_not_exists(pk)"}
        if was:
            condition = {
                "ConditionExpression": "doc = :was",
                "ExpressionAttributeValues": {":was": was["doc"]},
            }
        with translated(_SYSTEM):
            try:
                self._client.put_item(
                    TableName=self._table, Item=_state_item(organization, becomes), **condition
                )
            except (
                self._client.exceptions.ConditionalCheckFailedException,
                self._client.exceptions.TransactionConflictException,
            ):
                return False
        return True

    def organizations(self) -> list[str]:
        """Return the organizations with scheduled imports, in alphabetical order."""
        with translated(_SYSTEM):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                FilterExpression="scheduled = :true",
                ExpressionAttributeValues={":pk": {"S": "ORGANIZATIONS"}, ":true": {"BOOL": True}},
                ConsistentRead=True,
            )
            return [item["sk"]["S"] for page in pages for item in page["Items"]]

    # ── Connections ───────────────────────────────────────────────────────────────────────────────

    def health(self, organization: str, connection: str) -> dict[str, Any]:
        """Return the health of a connection, as stored by `save_health`; empty if there is none."""
        item = self._get(_health_key(organization, connection))
        found: dict[str, Any] = json.loads(item["doc"]["S"]) if item else {}
        if item and "last_good" in item:
            found["last_good"] = item["last_good"]["S"]
        return found

    def save_health(self, organization: str, connection: str, health: Mapping[str, Any]) -> None:
        """Store the health of a connection; the last write wins."""
        # Beside the document: whoever goes back to an earlier version could not read that any more.
        document = {name: value for name, value in health.items() if name != "last_good"}
        item = {**_health_key(organization, connection), "doc": _doc(document)}
        if last_good := health.get("last_good"):
            item["last_good"] = {"S": last_good}
        with translated(_SYSTEM):
            self._client.put_item(TableName=self._table, Item=item)

    # ── Calls ─────────────────────────────────────────────────────────────────────────────────────

    def _get(self, key: _Item) -> _Item | None:
        with translated(_SYSTEM):
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _change(self, lease: Lease, update: str, values: Mapping[str, _Item] | None = None) -> bool:
        """Update the lease if it is ours; `False`: it is not."""
        with translated(_SYSTEM):
            try:
                self._client.update_item(**_change_of(self._table, lease, update, values))
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _put(self, run: Run) -> _Item:
        put = {
            "TableName": self._table,
            "Item": _to_item(run),
            "ConditionExpression": _IS_OPEN,
            "ExpressionAttributeNames": _STATUS,
            "ExpressionAttributeValues": _OPEN,
        }
        return {"Put": put}

    def _transact(self, actions: list[Any]) -> bool:
        """Write all or nothing; `False`: a condition did not hold."""
        with translated(_SYSTEM):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except self._client.exceptions.TransactionCanceledException as error:
                codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                # Other codes, such as a conflict with another transaction, say nothing about the conditions.
                if "ConditionalCheckFailed" not in codes:
                    raise
                return False
        return True


def fence(table: str, lease: Lease) -> dict[str, Any]:
    """Return an action that voids its transaction once the lease is no longer held.

    Two transactions with it conflict when they run at the same time: send them one after the other.
    """
    return {"ConditionCheck": _held(table, lease)}


def _held(table: str, lease: Lease, values: Mapping[str, _Item] | None = None) -> _Item:
    """Return the key of the lease's item, with the condition that the lease is still ours."""
    ours = {":run": {"S": lease.run}, ":epoch": {"N": str(lease.epoch)}}
    return {
        "TableName": table,
        "Key": _lease_key(lease.organization),
        "ConditionExpression": "epoch = :epoch AND run = :run",
        "ExpressionAttributeValues": {**ours, **(values or {})},
    }


def _change_of(table: str, lease: Lease, update: str, values: Mapping[str, _Item] | None = None) -> _Item:
    change = {"UpdateExpression": update, "ExpressionAttributeNames": _UNTIL}
    return {**_held(table, lease, values), **change}


def _overtaken(lease: Lease) -> Stale:
    return Stale(f"run {lease.run} was overtaken: its lease was lost, or it has ended")


def _lease_key(organization: str) -> _Item:
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": "LEASE"}}


def state_key(organization: str) -> _Item:
    """Return the key of what an organization's imports remember."""
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": "IMPORT"}}


def _health_key(organization: str, connection: str) -> _Item:
    return {"pk": {"S": f"ORG#{organization}"}, "sk": {"S": f"HEALTH#{connection}"}}


def _state_item(organization: str, state: ImportState) -> _Item:
    return {**state_key(organization), "doc": _doc(state.to_json())}


def _runs_partition(organization: str) -> str:
    return f"ORG#{organization}#RUNS"


def _run_key(organization: str, run: str) -> _Item:
    return {"pk": {"S": _runs_partition(organization)}, "sk": {"S": f"{_RUN}{run}"}}


def _to_item(run: Run) -> _Item:
    started = datetime.fromisoformat(run.started_at).timestamp()
    return {
        **_run_key(run.organization, run.id),
        "status": {"S": run.status},
        "doc": _doc(run.to_json()),
        "expires_at": {"N": str(int(started) + RUN_DAYS * _DAY)},
    }


def _to_run(item: _Item) -> Run:
    return Run.from_json(json.loads(item["doc"]["S"]))


def _doc(document: Mapping[str, Any]) -> _Item:
    return {"S": json.dumps(document, ensure_ascii=False, separators=(",", ":"))}


def _number(seconds: float) -> _Item:
    return {"N": str(seconds)}


def _cursor_of(sort_key: str) -> str:
    return base64.urlsafe_b64encode(sort_key.encode()).decode()


def _sort_key_of(cursor: str) -> str:
    try:
        sort_key = base64.urlsafe_b64decode(cursor.encode())
        if sort_key.startswith(_RUN.encode()) and len(sort_key) <= _LONGEST_SORT_KEY:
            return sort_key.decode()
    except ValueError:
        pass
    raise Rejected(
        Problem("cursor", "is not one that was handed out", "Leave it out to start at the beginning.")
    )
