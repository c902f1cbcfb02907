"""Runs in words: how far they are, and what to do about them (I5, I12)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from muster.insight import run_summaries
from muster.roster.member import Json
from muster.runs.run import Phase, Run, Status
from tests.examples import NOW

RUN = Run(id="r1", organization="acme", mode="full", started_at="2026-11-20T08:00:00.000Z")
LATER, EARLIER = ((NOW + timedelta(minutes=n)).isoformat() for n in (1, -1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "It reads Salesforce"),
        ({"phase": Phase.APPLY, "cursor": 1200, "planned": 3400}, "1,200 of 3,400 applied."),
        ({"phase": Phase.NOTIFY}, "Everything is applied"),
        ({"status": Status.PARKED, "message": "It waits: deactivate."}, "It waits: deactivate."),
        ({"status": Status.PARKED, "expires_at": "2026"}, "It waits for approval until 2026."),
        ({"status": Status.PREVIEWED}, "A preview; nothing was changed."),
        ({"status": Status.SUCCEEDED_WITH_ERRORS}, "It has ended: succeeded with errors."),
    ],
)
def test_a_run_in_words(fields: dict[str, Any], words: str) -> None:
    run = replace(RUN, **fields)
    assert run_summaries.in_words(run).startswith(words)
    assert (run_summaries.progress(run) is not None) == (run.status is Status.RUNNING)


@pytest.mark.parametrize(
    ("fields", "events"),
    [
        (
            {"status": Status.PARKED, "plan_hash": "h", "expires_at": LATER},
            [{"approve": "r1", "plan_hash": "h", "by": "jane"}, {"reject": "r1", "by": "jane"}],
        ),
        (
            {"status": Status.PARKED, "plan_hash": "h", "expires_at": EARLIER},
            [{"mode": "full", "by": "jane"}],
        ),
        (
            {"status": Status.PARKED, "mode": "members", "members": ("005A",), "expires_at": EARLIER},
            [{"members": ["005A"], "by": "jane"}],
        ),
        (
            {"status": Status.PARKED, "kind": "settings", "expires_at": LATER},
            [
                {"action": "approve", "run_id": "r1", "by": "jane"},
                {"reject": "r1", "by": "jane"},
            ],
        ),
        ({"status": Status.RUNNING}, [{"run_id": "r1"}]),
        ({"status": Status.SUCCEEDED_WITH_ERRORS}, [{"action": "errors"}]),
        ({"status": Status.SUCCEEDED}, []),
        (
            {"status": Status.SUCCEEDED, "kind": "push", "counts": {"group_requests": 1}},
            [{"undo": "r1", "by": "jane", "preview": True}],
        ),
        ({"status": Status.SUCCEEDED, "kind": "push", "app": "scim.gong", "counts": {"made": 1}}, []),
        ({"status": Status.FAILED}, []),
    ],
)
def test_what_to_do_about_a_run(fields: dict[str, Any], events: list[Json]) -> None:
    steps = run_summaries.next_steps(replace(RUN, **fields), "jane", NOW)
    assert [step["event"] for step in steps] == [{"organization": "acme", **event} for event in events]


def test_what_has_to_be_signed_has_a_place_for_the_name() -> None:
    parked = replace(RUN, status=Status.PARKED, plan_hash="h", expires_at=LATER)
    steps = run_summaries.next_steps(parked, None, NOW)
    assert [step["event"]["by"] for step in steps] == ["<you>", "<you>"]


@pytest.mark.parametrize(
    ("fields", "planned"),
    [
        ({"plan_hash": None, "status": Status.FAILED}, False),
        # The hash is of the attempt that was approved; this one has not come so far.
        ({"plan_hash": "h", "status": Status.RUNNING, "phase": Phase.GATHER}, False),
        ({"plan_hash": "h", "status": Status.RUNNING, "phase": Phase.APPLY}, True),
        ({"plan_hash": "h", "status": Status.PARKED}, True),
        ({"plan_hash": "h", "status": Status.PREVIEWED}, True),
    ],
)
def test_whether_a_run_has_a_plan(fields: dict[str, Any], planned: bool) -> None:
    assert run_summaries.has_plan(replace(RUN, **fields)) == planned
