"""What alarms and the dashboard are told, as tables of values (N2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.reporting import run_metrics
from muster.roster.licence_places import Place
from muster.runs.run import Kind, Mode, Run, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ended(kind: Kind = "import", mode: Mode | None = "full", **fields: Any) -> Run:
    return Run(
        **{
            "id": "20261122T110000000-0a1b2c3d",
            "organization": "acme",
            "mode": mode,
            "kind": kind,
            "status": Status.SUCCEEDED,
            "started_at": "2026-11-22T11:00:00.000Z",
            "finished_at": "2026-11-22T11:02:30.500Z",
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("limit", "held", "waiting", "is_running_out"),
    [
        (None, 1_000, 0, False),
        (200, 180, 0, False),  # a tenth is left
        (200, 181, 0, True),
        (200, 200, 0, True),
        (200, 210, 0, True),  # the limit was lowered
        (200, 100, 1, True),  # somebody waits, for whatever reason
        (10, 9, 0, False),
        (10, 10, 0, True),
        (5, 4, 0, False),  # of few seats the last one is a tenth, and more
        (5, 5, 0, True),
        (1, 0, 0, False),
        (1, 1, 0, True),
        (0, 0, 0, False),  # closed
        (0, 0, 1, True),
    ],
)
def test_a_seat_runs_out_before_people_are_left_without(
    limit: int | None, held: int, waiting: int, is_running_out: bool
) -> None:
    use = {"gong": {"limit": limit, "held": held, "waiting": waiting}}
    assert run_metrics.seats_running_out(use).values == {"SeatsRunningOut": int(is_running_out)}


def test_seats_that_run_out_are_counted_and_none_is_told_too() -> None:
    full, free = {"limit": 3, "held": 3, "waiting": 0}, {"limit": 3, "held": 0, "waiting": 0}
    assert run_metrics.seats_running_out({"a": full, "b": free, "c": full}).values == {"SeatsRunningOut": 2}
    assert run_metrics.seats_running_out({}) == run_metrics.Reading({"SeatsRunningOut": 0})


def test_of_each_limited_seat_it_is_told_how_it_is_used() -> None:
    seats: dict[str, dict[str, int | None]] = {
        "gong": {"limit": 5, "held": 3, "waiting": 0},
        "forecast": {"limit": 2, "held": 4, "waiting": 7},
        "basic": {"limit": None, "held": 40, "waiting": 0},
    }
    assert list(run_metrics.seat_use("acme", seats)) == [
        run_metrics.Reading(
            {"SeatLimit": 5, "SeatsHeld": 3, "SeatsFree": 2, "SeatsWaiting": 0},
            {"organization": "acme", "seat": "gong"},
        ),
        run_metrics.Reading(
            {"SeatLimit": 2, "SeatsHeld": 4, "SeatsFree": 0, "SeatsWaiting": 7},
            {"organization": "acme", "seat": "forecast"},
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "metric"), [("import", "HoursSinceLastImport"), ("push", "HoursSinceLastPush")]
)
def test_silence_is_told_for_the_alarm_and_for_the_dashboard(kind: Kind, metric: str) -> None:
    readings = list(run_metrics.silence("acme", kind, NOW - timedelta(hours=26, minutes=3), NOW))
    assert readings == [
        run_metrics.Reading({metric: 26.05}),
        run_metrics.Reading({metric: 26.05}, {"organization": "acme"}),
    ]


def test_a_clock_that_runs_ahead_makes_no_negative_silence() -> None:
    first, _ = run_metrics.silence("acme", "import", NOW + timedelta(minutes=1), NOW)
    assert first.values == {"HoursSinceLastImport": 0.0}


def test_credentials_that_have_ended_are_told_as_days_below_nothing() -> None:
    readings = list(run_metrics.credentials("acme", "vault_crm", -2))
    assert readings == [
        run_metrics.Reading({"CredentialsExpireInDays": -2}),
        run_metrics.Reading(
            {"CredentialsExpireInDays": -2}, {"organization": "acme", "connection": "vault_crm"}
        ),
    ]


@pytest.mark.parametrize(
    ("run", "seconds"),
    [
        (ended(), 150.5),
        (ended("push", None), 150.5),
        # It was parked on Friday, and approved three days later: only the second attempt is work.
        (
            ended(started_at="2026-11-19T09:00:00.000Z", gathered_at="2026-11-22T11:02:00.000Z", attempt=2),
            30.5,
        ),
    ],
)
def test_a_run_took_as_long_as_somebody_worked_on_it(run: Run, seconds: float) -> None:
    assert list(run_metrics.duration(run)) == [
        run_metrics.Reading({"RunSeconds": seconds}, {"kind": run.kind})
    ]


def test_a_run_that_has_not_ended_took_no_time_yet() -> None:
    assert list(run_metrics.duration(ended(finished_at=None))) == []


def test_what_became_of_people_is_told_by_outcome_where_there_is_any() -> None:
    run = ended("push", None, counts={"added": 2, "success": 1, "refused": 0})
    assert [(reading.values, reading.of["outcome"]) for reading in run_metrics.outcomes(run)] == [
        ({"PushOutcomes": 2}, "added"),
        ({"PushOutcomes": 1}, "success"),
    ]
    [reading] = run_metrics.outcomes(ended(counts={"created": 3}))
    assert reading == run_metrics.Reading(
        {"ImportOutcomes": 3}, {"organization": "acme", "outcome": "created"}
    )


def test_a_line_that_nobody_is_in_any_more_is_told_as_empty() -> None:
    waits = [Place("engage", group, "2026-11-20", "2026-11-21") for group in ("UK", "UK", "US")]
    readings = run_metrics.licence_lines("acme", ("engage", "engage_connect"), waits)
    assert [(each.of["feature"], each.values) for each in readings] == [
        ("engage", {"LicencesWaiting": 3}),
        ("engage_connect", {"LicencesWaiting": 0}),
    ]


@pytest.mark.parametrize(
    ("run", "had_work"),
    [
        (ended(), True),
        (ended(mode="incremental"), False),
        (ended(mode="incremental", counts={"updated": 0}), False),
        (ended(mode="incremental", counts={"updated": 1}), True),
        (ended("push", None), False),
        (ended("push", None, counts={"added": 1}), True),
    ],
)
def test_quiet_runs_have_no_news_but_the_daily_one_always_has(run: Run, had_work: bool) -> None:
    assert run_metrics.had_work(run) is had_work
