"""What alarms and the dashboard are told of imports, as CloudWatch takes it from the log (N2)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from muster.errors import MusterError
from muster.runs import parking
from muster.runs.answer import RunAnswer
from tests.doubles.aws import forget_clients
from tests.integration.company import Company
from tests.integration.told_metrics import GAUGES, Told, counted, metrics, told

# What pushes tell, and imports with Vault CRM connected: `test_licences_of_nobody`, `test_base_licences`.
OF_OTHERS = {
    *("HoursSinceLastPush", "PushOutcomes", "LicencesWaiting", "LicencesOfNobody", "BaseLicencesLeft"),
    *("HoursSinceLastGoodCall", "ConnectionFailures", "MemberAccounts", "AccessEndedSeconds"),
}
QUERY = "/services/data/v66.0/query"
# Beside the gauges, of every import.
COUNTED = {"RunsParked", "RunsSucceeded"}


def values(found: list[Told], metric: str, **of: str) -> list[float]:
    """Return what was told of a metric under just these dimensions."""
    return [each.value for each in found if each.metric == metric and each.of == {"service": "muster", **of}]


def expire_in(company: Company, days: int) -> None:
    """Write into Salesforce's secret when it ends, as an admin does."""
    ends = datetime.now(UTC) + timedelta(days=days)
    secret = json.loads(company.salesforce.secret) | {"expires_on": ends.date().isoformat()}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="muster/acme/salesforce", SecretString=json.dumps(secret)
    )
    # A secret is remembered for five minutes.
    forget_clients()


def test_the_daily_import_tells_every_gauge_there_is(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    expire_in(company, 20)
    company.salesforce.create_many(6, Department=["Sales"])
    capsys.readouterr()
    assert company.run(by="schedule")["counts"]["created"] == 6
    found = told(capsys.readouterr().out)
    shapes = {each.shape for each in found}
    assert shapes - counted() == {each for each in GAUGES if each[0] not in OF_OTHERS}
    assert {name for name, _ in shapes & counted()} == COUNTED
    of_seat = {"organization": "acme", "seat": "gong"}
    assert {
        name: values(found, name, **of_seat)
        for name in ("SeatLimit", "SeatsHeld", "SeatsFree", "SeatsWaiting")
    } == {"SeatLimit": [5], "SeatsHeld": [5], "SeatsFree": [0], "SeatsWaiting": [1]}
    assert values(found, "SeatsRunningOut") == [1]
    assert values(found, "MembersActive", organization="acme") == [6]
    assert values(found, "ImportOutcomes", organization="acme", outcome="created") == [6]
    [hours] = values(found, "HoursSinceLastImport")
    assert hours == pytest.approx(0, abs=0.1)
    assert values(found, "CredentialsExpireInDays", organization="acme", connection="salesforce") == [20]
    assert {each.metric: each.unit for each in found}["RunSeconds"] == "Seconds"


def test_an_import_that_finds_nothing_new_tells_only_what_alarms_need(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    company.salesforce.create_many(2, Department=["Sales"])
    company.run(by="schedule")
    capsys.readouterr()
    assert company.run("incremental", by="schedule")["counts"] == {}
    shapes = {each.shape for each in told(capsys.readouterr().out)} - counted()
    assert shapes == {
        ("HoursSinceLastImport", ("service",)),
        ("HoursSinceLastImport", ("organization", "service")),
        ("SeatsRunningOut", ("service",)),
    }


def test_an_import_by_hand_tells_its_outcome_and_a_preview_nothing(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    company.salesforce.create_many(2, Department=["Sales"])
    capsys.readouterr()
    company.run(preview=True, by="jane")
    assert {each.shape for each in told(capsys.readouterr().out)} <= counted()
    company.run(by="jane")
    names = {each.metric for each in told(capsys.readouterr().out)}
    assert "ImportOutcomes" in names
    assert "HoursSinceLastImport" not in names


def test_the_silence_of_an_organization_whose_imports_fail_is_told_all_the_same(
    company: Company, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    company.salesforce.create_many(2, Department=["Sales"])
    company.run(by="schedule")
    pass_time(timedelta(hours=27))
    company.salesforce.faults({"path": QUERY, "fault": "truncate", "count": 99})
    capsys.readouterr()
    with pytest.raises(MusterError):
        company.run(by="schedule")
    found = told(capsys.readouterr().out)
    assert values(found, "HoursSinceLastImport") == [pytest.approx(27, abs=0.1)]
    assert values(found, "HoursSinceLastImport", organization="acme") == [pytest.approx(27, abs=0.1)]
    assert values(found, "RunsFailed") == [1]


def test_no_gauge_names_a_person(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.salesforce.create_many(3, Department=["Sales"])
    capsys.readouterr()
    company.run(by="schedule")
    said = {text for each in told(capsys.readouterr().out) for text in each.of.values()}
    assert said == {"muster", "acme", "gong", "import", "created"}


def test_a_preview_is_no_completed_import_whatever_its_answer_shows(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would keep `ImportsSilentAlarm` quiet, which is the alarm of last resort."""
    of_plan = parking._of_plan

    def of_plan_with_users_read(*given: Any) -> RunAnswer:
        answer = of_plan(*given)
        return replace(answer, details={**answer.details, "read": 6})

    monkeypatch.setattr(parking, "_of_plan", of_plan_with_users_read)
    company.salesforce.create_many(6, Department=["Sales"])
    capsys.readouterr()
    said = company.run(preview=True)
    assert (said["ended"], said["mode"], said["read"]) == ("previewed", "full", 6)
    assert "RunsSucceeded" not in metrics(capsys.readouterr().out)
    assert company.run()["ended"] == "applied"
    assert metrics(capsys.readouterr().out)["RunsSucceeded"] == 1
