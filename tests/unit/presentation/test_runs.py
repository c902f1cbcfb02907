"""Runs, as lines and tables."""

from typing import Any

import pytest

from muster.presentation import runs
from tests.unit.presentation.test_plans import ADA
from tests.unit.presentation.test_sendings import ITEMS, LINES

type Json = dict[str, Any]

RUN: Json = {
    "id": "r1",
    "mode": "full",
    "kind": "import",
    "status": "succeeded",
    "preview": False,
    "by": "schedule",
    "approved_by": None,
    "rejected_by": None,
    "started_at": "2026-11-20T08:15:32Z",
    "counts": {"created": 3},
    "errors": 0,
    "message": "3 people joined.",
}
QUIET = RUN | {"counts": {}, "message": "Nothing to change."}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "2026-11-20 08:15 full import by schedule, r1: 3 people joined"),
        (
            {"mode": "incremental", "preview": True, "by": "jane"},
            "2026-11-20 08:15 preview of an incremental import by jane, r1: 3 people joined",
        ),
        ({"mode": "members"}, "2026-11-20 08:15 named people's import by schedule, r1: 3 people joined"),
        (
            {"kind": "push", "mode": "push", "status": "succeeded_with_errors", "errors": 2},
            "! 2026-11-20 08:15 push by schedule, r1: 3 people joined; 2 errors",
        ),
        (
            {"kind": "settings", "preview": True, "status": "parked", "message": "It waits."},
            "! 2026-11-20 08:15 change of settings by schedule, r1: It waits",
        ),
        ({"status": "running", "message": None}, "2026-11-20 08:15 full import by schedule, r1: running"),
    ],
)
def test_a_run_in_one_line(changes: Json, line: str) -> None:
    assert runs.one_line(RUN | changes) == line


def test_runs_in_a_row_that_changed_nothing_are_one_line() -> None:
    later = QUIET | {"started_at": "2026-11-20T11:00:02Z"}
    push = QUIET | {"kind": "push"}

    assert runs.lines({"runs": [RUN, later, *[QUIET] * 5, RUN, QUIET]}) == [
        runs.one_line(RUN),
        "2026-11-20 11:00 back to 2026-11-20 08:15: 6 imports, nothing to change",
        runs.one_line(RUN),
        runs.one_line(QUIET),
    ]
    assert runs.lines({"runs": [push, push]})[0].endswith("2 pushes, nothing to change")
    assert runs.lines({"runs": [push, QUIET]})[0].endswith("2 runs, nothing to change")


def test_a_run_with_its_plan() -> None:
    answer = {
        "items": [ADA],
        "change": None,
        "note": None,
        "cursor": "1.1.20",
        "left_out": {"unmatched": {"count": 2, "first": [{"name": "Ida"}]}},
    }
    assert list(runs.run_lines(answer))[1:] == [
        "More of the plan comes with the cursor.",
        "Left out, matched by no assignment: Ida and 1 more",
    ]
    assert runs.run_lines(answer | {"items": ITEMS, "cursor": None, "left_out": {}}) == LINES
    assert [len(runs.run_table(answer | {"items": some}).rows) for some in ([ADA], ITEMS)] == [1, 7]


def test_a_change_of_settings_that_waits_says_what_it_changes_and_why_it_waits() -> None:
    changed = [{"where": f"seats.s{n}.limit", "before": 1, "after": 2} for n in range(200)]
    change = {"held_for": ["guard: loosened"], "changed": changed, "changed_in_all": 700}
    shown = runs.run_lines({"items": [], "change": change, "note": "Gone.", "cursor": None, "left_out": {}})

    assert shown[:2] == ["! guard: loosened", "~ seats.s0.limit: 1 → 2"]
    assert shown[-2:] == ["… and 691 more", "Gone."]


def test_the_news_of_runs() -> None:
    statuses = ["parked", "succeeded", "succeeded_with_errors", "succeeded_with_errors"]
    assert runs.news([]) == "No runs"
    assert runs.news([RUN, QUIET]) == "2 runs, none needs anybody"
    assert runs.news([RUN | {"status": each} for each in statuses]) == (
        "4 runs: 1 run waits for approval, 2 runs ended with errors"
    )


def test_runs_as_a_table() -> None:
    (row,) = runs.runs_table({"runs": [RUN | {"approved_by": "joe"}]}).rows
    assert row == ("2026-11-20 08:15", "full import", "succeeded", "schedule", "joe", "0", "r1")
