"""What brought a change, in words."""

from typing import Any

import pytest

from muster.presentation.causes import cause_in_words

RUNS: dict[str, dict[str, Any]] = {
    "r1": {"kind": "import", "mode": "incremental", "by": "schedule", "approved_by": None},
    "r2": {"kind": "import", "mode": "members", "by": "jane@acme.example", "approved_by": None},
    "r3": {"kind": "push", "mode": "push", "by": "schedule", "approved_by": "joe"},
    "r4": {"kind": "settings", "mode": "full", "by": None, "approved_by": None},
}


@pytest.mark.parametrize(
    ("run", "origin", "why", "words"),
    [
        ("webhook:04l1", "crm", None, "by a message of Salesforce"),
        ("run:r1", "crm", None, "by an incremental import"),
        ("run:r2", "crm", None, "by an import of named people begun by jane@acme.example"),
        ("run:r3", "run:r3", None, "by a push, approved by joe"),
        ("run:r4", "crm", None, "by a change of settings"),
        ("run:r9", "crm", None, "by a run"),
        ("run:r3", "align", None, "asked for in Align, taken over by a push, approved by joe"),
        ("run:r1", "assignment:Sales", None, "by a seat that came free, given by an incremental import"),
        (
            "webhook:04l1",
            "assignment:Sales",
            None,
            "by a seat that came free, given by a message of Salesforce",
        ),
        ("edit:a", "manual:jane@acme.example", None, "by jane@acme.example"),
        ("edit:a", "manager:grace", None, "by the manager grace"),
        ("erase:a", "manual:jane", "asked for it", "by jane: asked for it"),
        ("run:r1", "run:r1", "inactive for 400 days", "by an incremental import: inactive for 400 days"),
    ],
)
def test_a_cause_is_said_in_words(run: str, origin: str, why: str | None, words: str) -> None:
    cause = {"run": run, "origin": origin, **({"why": why} if why else {})}
    assert cause_in_words(cause, RUNS) == words
