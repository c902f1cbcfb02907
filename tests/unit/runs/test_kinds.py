"""The kinds of runs: what differs between them is said once, and nobody asks a run for its kind by name."""

import re
from pathlib import Path
from typing import get_args

import pytest

from muster.runs.kinds import IMPORT, KINDS, PUSH, SETTINGS, kind_of
from muster.runs.run import Kind, Run

MUSTER = Path(__file__).parents[3] / "functions" / "muster"
BY_NAME = re.compile(
    rf"""\bkind\s*(==|!=|in|not in)\s*[({{\[]*["']({"|".join(get_args(Kind.__value__))})["']"""
)
RUN = Run(id="r1", organization="acme", mode="full", started_at="2026-11-20T08:00:00.000Z", plan_hash="ab")


def test_every_kind_is_defined() -> None:
    assert tuple(KINDS) == get_args(Kind.__value__)
    assert all(kind.name == name for name, kind in KINDS.items())


def test_no_kind_is_asked_for_by_name() -> None:
    found = [
        f"{path.relative_to(MUSTER)}: {line.strip()}"
        for path in MUSTER.rglob("*.py")
        for line in path.read_text().splitlines()
        if BY_NAME.search(line)
    ]
    assert not found


@pytest.mark.parametrize(
    ("kind", "event", "elsewhere"),
    [
        (
            IMPORT,
            {"organization": "acme", "approve": "r1", "plan_hash": "ab", "by": "jane"},
            "Send the same to ScheduledImportFunction.",
        ),
        (
            PUSH,
            {"organization": "acme", "approve": "r1", "plan_hash": "ab", "by": "jane"},
            "Send the same to ScheduledPushFunction.",
        ),
        (
            SETTINGS,
            {"organization": "acme", "action": "approve", "run_id": "r1", "by": "jane"},
            'OrganizationSettingsFunction saves it: {"organization": "acme", "action": "approve",'
            ' "run_id": "r1", "by": "<you>"}.',
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_how_a_run_is_approved(kind: object, event: dict[str, str], elsewhere: str) -> None:
    (known,) = (each for each in KINDS.values() if each is kind)
    assert known.approval_event(RUN, "jane") == event
    assert known.elsewhere(RUN) == elsewhere


@pytest.mark.parametrize("stored", ["full", "incremental", "members", "push"])
def test_the_mode_of_a_run_is_stored_as_ever(stored: str) -> None:
    kind = "push" if stored == "push" else "import"
    document = {**RUN.to_json(), "kind": kind, "mode": stored}
    run = Run.from_json(document)
    assert (run.to_json()["mode"], run.mode_or_kind) == (stored, stored)
    assert run.mode == (None if stored == "push" else stored)
    assert kind_of(run) is KINDS[run.kind]
