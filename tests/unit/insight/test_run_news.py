"""Which runs are news."""

from dataclasses import replace
from typing import Any

import pytest

from muster.insight.run_news import is_news
from muster.runs.run import Run, Status

RUN = Run(
    id="r1",
    organization="acme",
    mode="incremental",
    started_at="2026-11-20T08:00:00.000Z",
    status=Status.SUCCEEDED,
    by="schedule",
)


@pytest.mark.parametrize(
    ("fields", "news"),
    [
        ({}, False),
        ({"counts": {"unchanged": 3, "stale": 1, "created": 0}}, False),
        ({"kind": "push", "counts": {"looked_at": 2, "under_way": 1}}, False),
        ({"counts": {"created": 1}}, True),
        ({"kind": "push", "counts": {"success": 1}}, True),
        ({"status": Status.SUCCEEDED_WITH_ERRORS, "errors": 1}, True),
        ({"approved_by": "joe"}, True),
        ({"kind": "settings"}, True),
        ({"status": Status.PREVIEWED, "counts": {"created": 12}, "by": "jane"}, False),
        ({"status": Status.PARKED}, True),
        ({"status": Status.FAILED}, True),
        ({"status": Status.RUNNING}, True),
        ({"status": Status.REJECTED, "counts": {"deactivated": 9}}, False),
        ({"status": Status.REJECTED, "rejected_by": "joe"}, True),
    ],
    ids=str,
)
def test_news_is_what_changed_something_failed_waits_or_was_decided(
    fields: dict[str, Any], news: bool
) -> None:
    assert is_news(replace(RUN, **fields)) is news
