"""A password that was refused is not sent again, whatever runs, until somebody writes or asks (U5, P6)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

import preflight
import roster_query
from muster.adapters.vault import login
from muster.errors import MusterError, PasswordRefused
from tests.doubles.aws import forget_clients
from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import metrics

NEW = "the new one"
SECRET = "muster/acme/vault_crm"  # noqa: S105 - a name


def new_environment() -> None:
    """Have the next function begin in an execution environment of its own."""
    forget_clients()
    login.OF_THIS_PROCESS._slots.clear()


def change_password(licences: Licences) -> None:
    """Have the integration user's password changed in Vault, which ends its sessions."""
    licences.vault.control("PUT", "vault", {"password": NEW})
    licences.vault.control("POST", "sessions/expire")


def write_secret(licences: Licences, password: str) -> None:
    text = json.dumps({"username": licences.vault.vault.username, "password": password})
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=text)


def scheduled(licences: Licences) -> dict[str, Any] | None:
    """Push as a schedule does, in an environment of its own; `None`: it failed."""
    new_environment()
    try:
        return licences.push(by="schedule")
    except PasswordRefused:
        return None


def codes(licences: Licences) -> list[str]:
    return [each["code"] for each in licences.company.errors() if each["code"].startswith("connection_")]


@pytest.fixture
def asking(licences: Licences) -> Licences:
    """Return Acme with something to push, and a password that is not right any more."""
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    change_password(licences)
    return licences


def test_schedules_send_it_once_in_two_days_and_say_so_once(
    asking: Licences, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert scheduled(asking) is None
    assert metrics(capsys.readouterr().out)["ConnectionsQuarantined"] == 1
    for _ in range(2 * 24 * 60 // 120):
        pass_time(timedelta(minutes=120))
        said = scheduled(asking)
        assert said is not None
        assert said["status"] == "skipped"
        new_environment()
        assert asking.company.run("incremental", by="schedule")["status"] == "succeeded"
    assert asking.vault.vault.wrong_passwords == 1
    assert codes(asking) == ["connection_quarantined"]


def test_schedules_go_on_by_themselves_once_the_secret_is_right(asking: Licences) -> None:
    for _ in range(3):
        scheduled(asking)
    write_secret(asking, NEW)
    said = scheduled(asking)
    assert said is not None
    assert (said["status"], said["counts"]) == ("succeeded", {"added": 1, "success": 1})
    assert codes(asking) == ["connection_recovered", "connection_quarantined"]


def test_whoever_has_a_wrong_password_in_the_secret_too_loses_one_more(asking: Licences) -> None:
    scheduled(asking)
    write_secret(asking, "a typo")
    for _ in range(5):
        scheduled(asking)
    assert asking.vault.vault.wrong_passwords == 2


def test_admins_and_readers_in_any_number_of_environments_send_it_once(asking: Licences) -> None:
    for _ in range(6):
        new_environment()
        with pytest.raises(PasswordRefused, match="retry_login"):
            asking.push()
        new_environment()
        said = preflight.handler(
            {"organization": "acme", "connections": ["vault_crm"]}, asking.company.context
        )
        (row,) = [each for each in said["checks"] if each["check"] == "login"]
        assert row["result"] == "failed"
        assert "retry_login" in row["found"]
    assert asking.vault.vault.wrong_passwords == 1


def test_an_admin_asks_for_one_more_login_of_a_password_that_was_made_right_in_vault(
    asking: Licences,
) -> None:
    scheduled(asking)
    with pytest.raises(PasswordRefused):
        asking.push(retry_login=True)
    assert asking.vault.vault.wrong_passwords == 2
    with pytest.raises(PasswordRefused):
        asking.push()
    assert asking.vault.vault.wrong_passwords == 2
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    asking.vault.control("PUT", "vault", {"password": json.loads(secret)["password"]})
    said = asking.push(retry_login=True)
    assert (said["status"], said["counts"]) == ("succeeded", {"added": 1, "success": 1})
    said_after = scheduled(asking)
    assert said_after is not None
    assert said_after["status"] == "succeeded"


def test_one_more_login_is_for_people_and_not_for_readers(asking: Licences) -> None:
    scheduled(asking)
    said = asking.push(by="schedule", retry_login=True)
    assert said["status"] == "rejected"
    said = preflight.handler({"organization": "acme", "retry_login": True}, asking.company.context)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "retry_login")
    assert asking.vault.vault.wrong_passwords == 1


def test_a_version_that_is_not_served_is_no_matter_of_passwords(licences: Licences) -> None:
    connections = licences.company.document["connections"]
    vault = {**connections["vault_crm"], "api_version": "v19.1"}
    licences.company.put(connections={**connections, "vault_crm": vault})
    said = preflight.handler({"organization": "acme", "connections": ["vault_crm"]}, licences.company.context)
    found = {each["check"]: each for each in said["checks"]}
    assert "password" not in found["login"]["remedy"]
    assert "api_version" in found["login"]["remedy"]
    assert "the newest are" in found["version"]["found"]


def runs(licences: Licences) -> list[dict[str, Any]]:
    event = {"organization": "acme", "action": "runs", "detail": True}
    found: list[dict[str, Any]] = roster_query.handler(event, licences.company.context)["runs"]
    return found


# ── What is not looked at is said ────────────────────────────────────────────────────────────────────


def test_a_push_by_hand_with_nobody_due_says_that_the_vault_cannot_be_used(licences: Licences) -> None:
    licences.person()
    licences.imported()
    change_password(licences)
    licences.imported("incremental")
    for preview in (True, False):
        with pytest.raises(MusterError, match="password"):
            licences.push(preview=preview)
    assert licences.vault.vault.wrong_passwords == 1


def test_an_import_that_leaves_the_vault_out_says_so(asking: Licences) -> None:
    asking.company.run("full")
    said = asking.company.run("incremental", by="schedule")
    assert "vault_crm" not in said
    (run, *_) = roster_query.handler({"organization": "acme", "action": "runs"}, asking.company.context)[
        "runs"
    ]
    assert "Left out: vault_crm is left alone: " in run["message"]


def test_by_hand_a_vault_that_failed_is_tried_at_once_though_nobody_is_due(licences: Licences) -> None:
    licences.person()
    licences.imported()
    licences.faults({"path": "/api/v26.1", "fault": "status", "status": 503, "count": 999})
    for _ in range(3):
        licences.company.run("full")
    (begun,) = [each for each in licences.company.errors() if each["code"] == "connection_quarantined"]
    assert "by hand tries at once" in begun["remedy"]
    with pytest.raises(MusterError):
        licences.push()
    licences.faults()
    assert licences.push()["status"] == "succeeded"
    assert licences.company.errors()[0]["code"] == "connection_recovered"


def test_a_run_that_failed_counts_an_error(asking: Licences) -> None:
    with pytest.raises(MusterError):
        asking.push()
    (failed,) = [run for run in runs(asking) if run["status"] == "failed"]
    assert failed["errors"] == 1
