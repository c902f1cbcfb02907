"""Runs that tests start from, and ways to call the run table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from muster.adapters.aws.run_table import RunTable
from muster.lease import Lease
from muster.runs.import_state import ImportState, SourceState
from muster.runs.run import Phase, Run, Status
from tests.simulation.harness.strict_aws import rows_of

NOW = 1_795_162_532.5
MINUTE = 60.0
JANES, JOES = "20261120T081532Z-jane", "20261120T081533Z-joe"
STATE = ImportState(
    salesforce=SourceState(watermark="2026-11-20T08:15:31.000Z", rows=2, decided_with="digest"),
    full_run=JANES,
)


def run_of(number: str = JANES, **fields: Any) -> Run:
    """Return a run of acme with these fields."""
    known: dict[str, Any] = {"organization": "acme", "mode": "full", "started_at": "2026-11-20T08:15:32Z"}
    return Run(id=number, **{**known, **fields})


RUNNING = run_of(phase=Phase.APPLY, cursor=50, planned=200, counts={"create": 50}, members=("005",))
SUCCEEDED = replace(RUNNING, status=Status.SUCCEEDED, finished_at="2026-11-20T08:20:00Z")
PARKED = replace(RUNNING, status=Status.PARKED, plan_hash="hash", expires_at="2026-11-21T08:15:32Z")
REJECTED = replace(PARKED, status=Status.REJECTED, by="joe@acme.example")


def items(sort_key: str) -> list[dict[str, Any]]:
    """Return the items of the table with that sort key."""
    return [row for row in rows_of("roster") if row["sk"]["S"] == sort_key]


# Every read and every write, by name.
READS: dict[str, Callable[[RunTable], object]] = {
    "run": lambda table: table.run("acme", JANES),
    "runs": lambda table: table.runs("acme", 10, None),
    "runs_from": lambda table: list(table.runs_from("acme", "", None)),
    "holder": lambda table: table.holder("acme", NOW),
    "state": lambda table: table.state("acme"),
    "organizations": lambda table: table.organizations(),
}

type Write = Callable[[RunTable, Lease], Any]

WRITES: dict[str, Write] = {
    "take": lambda table, lease: table.take("acme", JANES, NOW, MINUTE),
    "renew": lambda table, lease: table.renew(lease, NOW + 30, MINUTE),
    "release": lambda table, lease: table.release(lease),
    "save": lambda table, lease: table.save(replace(PARKED, cursor=60), lease),
    "finish": lambda table, lease: table.finish(SUCCEEDED, lease, STATE),
    "save_without_lease": lambda table, lease: table.save_without_lease(REJECTED, Status.PARKED),
}
