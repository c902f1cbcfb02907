"""What alarms and the dashboard are told of pushes, as CloudWatch takes it from the log (N2)."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

import scheduled_push
from muster.errors import MusterError
from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import GAUGES, counted, told

OF_PUSHES = {"HoursSinceLastPush", "PushOutcomes", "LicencesWaiting", "RunSeconds"}
DOWN = {"path": "/api/v26.1", "fault": "status", "status": 503, "count": 999}


def test_a_push_that_does_something_tells_every_gauge_there_is(
    licences: Licences, capsys: pytest.CaptureFixture[str]
) -> None:
    people = licences.people(3)
    licences.imported()
    licences.ask(*people)
    capsys.readouterr()
    said = licences.push(by="schedule")
    found = told(capsys.readouterr().out)
    wanted = {each for each in GAUGES if each[0] in OF_PUSHES and "connection" not in each[1]}
    assert {each.shape for each in found} - counted() == {*wanted, ("HoursSinceLastGoodCall", ("service",))}
    outcomes = {each.of["outcome"]: each.value for each in found if each.metric == "PushOutcomes"}
    assert outcomes == {name: count for name, count in said["counts"].items() if count}
    assert (outcomes["success"], outcomes["no_licenses_remaining"]) == (2, 1)
    waiting = {each.of["feature"]: each.value for each in found if each.metric == "LicencesWaiting"}
    assert waiting == {"engage": 1, "engage_connect": 0}


def test_a_push_with_nothing_to_send_tells_only_what_an_alarm_needs(
    licences: Licences, capsys: pytest.CaptureFixture[str]
) -> None:
    licences.people(1)
    licences.imported()
    capsys.readouterr()
    assert licences.push(by="schedule")["status"] == "succeeded"
    shapes = {each.shape for each in told(capsys.readouterr().out)} - counted()
    assert shapes == {
        ("HoursSinceLastPush", ("service",)),
        ("HoursSinceLastPush", ("organization", "service")),
        ("HoursSinceLastGoodCall", ("service",)),
    }


def test_the_silence_of_a_connection_that_is_left_alone_is_told_all_the_same(
    licences: Licences, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    assert licences.push(by="schedule")["status"] == "succeeded"
    licences.ask(ada)
    licences.faults(DOWN)
    for _ in range(3):
        with pytest.raises(MusterError):
            licences.push(by="schedule")
    capsys.readouterr()
    later = SimpleNamespace(now=lambda zone: datetime.now(zone) + timedelta(minutes=20))
    monkeypatch.setattr(scheduled_push, "datetime", later)
    assert licences.push(by="schedule")["status"] == "skipped"
    hours = [each.value for each in told(capsys.readouterr().out) if each.metric == "HoursSinceLastPush"]
    assert hours == [pytest.approx(0.33, abs=0.1)] * 2
