"""How an organization that has only an app is told to admins, alarms and the dashboard (Q3, N2)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import morning_digest
import scheduled_push
from muster.errors import MusterError
from tests.integration.company import SALES, SUPPORT
from tests.integration.provisioning.apps import APP, APP_HOST, Apps, address
from tests.integration.told_metrics import GAUGES, Told, counted, told

OF_APPS = {"HoursSinceLastPush", "HoursSinceLastGoodCall", "PushOutcomes", "RunSeconds"}
NAMED = {"organization": "acme", "connection": APP}


def health(apps: Apps) -> dict[str, Any]:
    return apps.company.ask("health", live=False, detail=True)


def whats(apps: Apps) -> list[str]:
    return [each["what"] for each in health(apps)["findings"]]


def values(found: list[Told], metric: str, **of: str) -> list[float]:
    return [each.value for each in found if each.metric == metric and each.of == {"service": "muster", **of}]


def test_what_waits_in_an_app_is_told_and_the_gauges_name_it(
    apps: Apps, capsys: pytest.CaptureFixture[str]
) -> None:
    apps.person("ada")
    apps.person("bob")
    apps.scim.create(address("bob"))
    apps.imported()
    said = health(apps)
    assert said["push"].startswith("It is safe to push now: everybody in app (SCIM)")
    assert "app (SCIM): not pushed yet; the next push looks at everybody." in whats(apps)
    capsys.readouterr()
    apps.push(by="schedule")
    found = told(capsys.readouterr().out)
    shapes = {each for each in GAUGES if each[0] in OF_APPS and each[1] != ("organization", "service")}
    shapes -= {("HoursSinceLastGoodCall", ("connection", "organization", "service"))}
    shapes -= {("PushOutcomes", ("organization", "outcome", "service"))}
    assert {each.shape for each in found} - counted() == shapes
    assert values(found, "PushOutcomes", **NAMED, outcome="made") == [1]
    assert values(found, "HoursSinceLastPush", **NAMED) == [pytest.approx(0, abs=0.1)]

    first, *others = whats(apps)
    assert first == "1 person has an account in app (SCIM) that was there before, and waits to be adopted."
    assert any("the next push looks at nobody." in what for what in others)
    assert not any("open error" in what for what in others)

    # An app that is connected beside it is not pushed by that.
    section = {"host": APP_HOST, "who": "everyone"}
    connections = {
        "salesforce": apps.company.salesforce.connection,
        "scim": {"app": section, "other": {**section, "path": "/other"}},
    }
    apps.company.put(assignments=[SALES, SUPPORT], connections=connections)
    assert "other (SCIM): not pushed yet; the next push looks at everybody." in whats(apps)
    assert any(what.startswith("app (SCIM): last pushed") for what in whats(apps))


def test_the_morning_digest_tells_what_waits_and_which_token_ends(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = datetime.now(UTC).date() + timedelta(days=3)
    secret = json.dumps({"token": apps.scim.app.token, "expires_on": ends.isoformat()})
    boto3.client("secretsmanager").put_secret_value(SecretId="muster/acme/scim/app", SecretString=secret)
    apps.person("bob")
    apps.scim.create(address("bob"))
    apps.imported()
    apps.push()
    monkeypatch.setenv("DASHBOARD_URL", "https://dashboard.example")
    text = "\n".join(
        morning_digest.handler({"action": "preview", "detail": True}, apps.company.context)["text"]
    )
    assert "1 person has an account in app (SCIM) that was there before, and waits to be adopted" in text
    assert "The credentials of app (SCIM) end in 3 days." in text
    assert "Bob" not in text


def test_the_days_snapshot_counts_accounts_by_state(
    apps: Apps, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    apps.person("ada")
    apps.imported()
    apps.push()
    capsys.readouterr()
    pass_time(timedelta(days=1))
    apps.imported()
    assert values(told(capsys.readouterr().out), "MemberAccounts", **NAMED, state="active") == [1]


def test_a_quiet_app_is_called_once_a_day_and_by_nobody_else(
    apps: Apps, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    apps.person("ada")
    apps.imported()
    apps.push(by="schedule")
    apps.calls()
    pass_time(timedelta(hours=23))
    assert apps.push(by="schedule")["counts"] == {}
    assert apps.calls() == []
    pass_time(timedelta(hours=2))
    assert apps.push(by="schedule")["counts"] == {}
    assert len(apps.calls()) == 1
    assert not [what for what in whats(apps) if "No call" in what]

    # It stops working: the pushes, which have nothing to send, succeed, and it is told all the same.
    apps.scim.fault("redirect", status=302, count=999)
    pass_time(timedelta(hours=25))
    capsys.readouterr()
    assert apps.push(by="schedule")["status"] == "succeeded"
    found = told(capsys.readouterr().out)
    assert values(found, "ConnectionFailures", **NAMED) == [1]
    pass_time(timedelta(hours=2))
    apps.push(by="schedule")
    found = told(capsys.readouterr().out)
    assert values(found, "HoursSinceLastGoodCall") == [pytest.approx(27, abs=0.1)]
    assert values(found, "HoursSinceLastGoodCall", **NAMED) == [pytest.approx(27, abs=0.1)]


def test_an_app_that_cannot_be_pushed_is_silent(
    apps: Apps, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    apps.person("ada")
    apps.imported()
    apps.scim.fault("redirect", status=302, count=999)
    pass_time(timedelta(hours=27))
    capsys.readouterr()
    with pytest.raises(MusterError):
        apps.push(by="schedule")
    assert values(told(capsys.readouterr().out), "HoursSinceLastPush", **NAMED) == [
        pytest.approx(27, abs=0.2)
    ]
    assert scheduled_push.VAULT_CRM not in str(health(apps)["findings"])
