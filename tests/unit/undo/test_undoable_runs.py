"""What is said of runs that have changed nobody, or of whom nothing can be read."""

import pytest

from muster.runs.kinds import IMPORT, PUSH
from muster.runs.run import Kind, Run
from muster.undo.undoable_runs import changed_nobody

BEGAN = "2026-11-20T08:15:31.000Z"


@pytest.mark.parametrize(
    ("kind", "counts", "begins", "said"),
    [
        (IMPORT.name, {}, None, "changed no member"),
        (IMPORT.name, {}, "2026-11-21T00:00:00.000Z", "changed no member"),
        (IMPORT.name, {"not_provisioned": 2}, "2026-11-19T00:00:00.000Z", "changed no member"),
        (PUSH.name, {}, None, "sent nothing and changed no member"),
        (IMPORT.name, {"created": 2}, None, "is older than the history"),
        (IMPORT.name, {"created": 2}, "2026-11-21T00:00:00.000Z", "is older than the history"),
    ],
)
def test_nothing_to_undo_is_said_apart_from_nothing_to_read(
    kind: Kind, counts: dict[str, int], begins: str | None, said: str
) -> None:
    run = Run(id="1", organization="acme", mode="full", kind=kind, started_at=BEGAN, counts=counts)
    assert changed_nobody(run, begins).message.startswith(said)
