"""Preflight as a whole: which connections it checks, what it answers, and secrets of another shape (U1)."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import preflight
from muster import bootstrap
from tests.conftest import ROOT
from tests.doubles.acme import Acme, named, row_of, rows
from tests.doubles.credentials import CANARY

EVENTS = ROOT / "events"
CONNECTIONS = ["salesforce", "vault_crm", "align"]


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"preflight_{name}.json").read_text())
    return found


def test_an_event_of_each_kind_is_there() -> None:
    assert {path.stem for path in EVENTS.glob("preflight_*")} == {
        "preflight_all",
        "preflight_connections",
        "preflight_candidates",
        "preflight_app",
    }


def test_where_everything_is_right_everything_passes(acme: Acme) -> None:
    said = preflight.handler(event("all"), acme.context)
    assert (said["status"], said["organization"]) == ("succeeded", "acme")
    assert [row["check"] for row in rows(said) if row["result"] != "passed"] == []
    assert list(dict.fromkeys(row["connection"] for row in said["checks"])) == CONNECTIONS
    assert said["message"] == f"{len(said['checks'])} of {len(said['checks'])} checks passed, none failed."
    assert "candidates" not in said


@pytest.mark.parametrize("name", ["connections", "candidates"])
def test_the_events_to_paste_check_what_they_name(acme: Acme, name: str) -> None:
    pasted = event(name)
    said = preflight.handler(pasted, acme.context)
    assert {row["connection"] for row in rows(said)} == set(pasted["connections"])
    assert ("candidates" in said) is (name == "candidates")


def test_a_connection_that_is_not_named_is_not_called(acme: Acme) -> None:
    acme.check("vault_crm")
    assert not acme.calls("salesforce")
    assert not acme.calls("align")


def test_a_connection_that_is_not_in_the_settings_is_not_checked(acme: Acme) -> None:
    acme.put(connections=acme.connections(align=None, salesforce=None))
    assert {row["connection"] for row in rows(acme.check())} == {"vault_crm"}


def test_to_name_one_that_is_not_in_the_settings_is_refused(acme: Acme) -> None:
    acme.put(connections=acme.connections(align=None))
    said = acme.check("vault_crm", "align")
    [error] = said["errors"]
    assert (said["status"], error["where"]) == ("rejected", "connections[1]")
    assert "align, which is not in the settings" in error["message"]
    assert not acme.calls("vault_crm")


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"connections": []}, "connections"),
        ({"connections": ["gong"]}, "connections[0]"),
        ({"connections": "vault_crm"}, "connections"),
        ({"candidates": "yes"}, "candidates"),
        ({"connections": ["vault_crm"], "candidates": True}, "candidates"),
        ({"action": "check"}, "action"),
        ({"organization": "nobody"}, "organization"),
    ],
)
def test_what_cannot_be_meant_is_refused(acme: Acme, event: dict[str, Any], where: str) -> None:
    said = acme.check(**event)
    assert said["status"] == "rejected"
    assert [error["where"] for error in said["errors"]] == [where]
    assert said["errors"][0]["remedy"]


def test_settings_without_a_connection_have_nothing_to_check(acme: Acme) -> None:
    acme.put(connections={})
    said = acme.check()
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "connections")


# ── Secrets ──────────────────────────────────────────────────────────────────────────────────────────

EXPIRY = {"salesforce": "credentials expiry", "vault_crm": "password expiry", "align": "password expiry"}
KEYS = {"salesforce": "client_secret", "vault_crm": "password", "align": "password"}


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "it is empty"),
        (CANARY, "it is not JSON"),
        (f'["{CANARY}"]', "it is a list or a single value"),
        ("42", "it is a list or a single value"),
        (f'{{"password": 1, "username": "{CANARY}"}}', "it has a value that is no text"),
        (f'{{"user": "{CANARY}"}}', "lacks"),
        (f'{{"username": "{CANARY}", "client_id": "{CANARY}", "password": " "}}', "lacks"),
    ],
)
def test_a_secret_of_another_shape_fails_with_its_recipe(
    acme: Acme, connection: str, text: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    acme.write_secret(connection, text)
    said = acme.check(connection)
    row = row_of(said, "secret")
    assert row["result"] == "failed"
    assert says in row["found"]
    assert f'"{KEYS[connection]}": "…"' in row["remedy"]
    assert f"--secret-id muster/acme/{connection} " in row["remedy"]
    # Nothing is tried with it, and nothing is passed off as right.
    assert named(said, "passed") <= {"reachable", "version", "secret"}
    assert row_of(said, "login")["result"] == row_of(said, EXPIRY[connection])["result"] == "could_not_check"
    assert not [path for _, path in acme.calls(connection) if path.endswith(("/auth", "/token"))]
    assert CANARY not in json.dumps(said) + caplog.text


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_secret_that_is_not_there_fails(acme: Acme, connection: str) -> None:
    acme.manager.delete_secret(SecretId=f"muster/acme/{connection}", ForceDeleteWithoutRecovery=True)
    said = acme.check()
    [row] = [row for row in rows(said) if (row["connection"], row["check"]) == (connection, "secret")]
    assert row["result"] == "failed"
    assert "does not exist" in row["found"]
    assert f"create-secret --name muster/acme/{connection}" in row["remedy"]
    # The other connections are checked all the same.
    others = {row["result"] for row in rows(said) if row["connection"] != connection}
    assert others == {"passed"}


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDeniedException", "give it a name under muster/"),
        ("DecryptionFailure", "use the key it is encrypted with"),
        ("ValidationException", "correct the connection's secret in the settings"),
    ],
)
def test_a_secret_that_may_not_be_read_fails_with_what_to_do(
    acme: Acme, connection: str, code: str, says: str
) -> None:
    def refuse(params: dict[str, Any], **_: Any) -> None:
        if params["SecretId"] == f"muster/acme/{connection}":
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")

    client = vars(bootstrap.secrets("acme"))["_client"]
    client.meta.events.register("provide-client-params.secrets-manager.GetSecretValue", refuse)
    said = acme.check()
    amiss = [row for row in rows(said) if row["result"] == "failed"]
    assert [(row["connection"], row["check"]) for row in amiss] == [(connection, "secret")]
    assert f"muster/acme/{connection} " in amiss[0]["found"]
    assert says in amiss[0]["found"]
    assert {row["result"] for row in rows(said) if row["connection"] != connection} == {"passed"}


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_secret_about_to_be_deleted_and_one_of_bytes_fail(acme: Acme, connection: str) -> None:
    manager, name = acme.manager, f"muster/acme/{connection}"
    manager.put_secret_value(SecretId=name, SecretBinary=CANARY.encode())
    said = acme.check(connection)
    assert "it is binary" in row_of(said, "secret")["found"]
    assert CANARY not in json.dumps(said)
    manager.delete_secret(SecretId=name)
    row = row_of(acme.check(connection), "secret")
    assert (row["result"], "scheduled for deletion" in row["found"]) == ("failed", True)


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize(
    ("days", "result", "says"),
    [(31, "passed", "days from now"), (7, "warning", "days from now"), (-7, "warning", "days ago")],
)
def test_the_day_in_a_secret_tells_when_its_credentials_end(
    acme: Acme, connection: str, days: int, result: str, says: str
) -> None:
    day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    secret = json.loads(getattr(acme, connection).secret) | {"expires_on": day}
    acme.write_secret(connection, json.dumps(secret))
    said = acme.check(connection)
    row = row_of(said, EXPIRY[connection])
    assert (said["status"], row["result"]) == ("succeeded", result)
    assert f"expires_on in the secret muster/acme/{connection} " in row["found"]
    assert says in row["found"]
    assert named(said, "warning") == ({EXPIRY[connection]} if result == "warning" else set())


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_day_that_cannot_be_read_fails_and_is_not_told(
    acme: Acme, connection: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = json.loads(getattr(acme, connection).secret) | {"expires_on": CANARY}
    acme.write_secret(connection, json.dumps(secret))
    said = acme.check(connection)
    assert named(said, "failed") == {EXPIRY[connection]}
    assert '"expires_on": "2027-01-31"' in row_of(said, EXPIRY[connection])["remedy"]
    assert CANARY not in json.dumps(said) + caplog.text


def test_a_secret_that_was_mended_is_read_again_at_once(acme: Acme) -> None:
    acme.write_secret("vault_crm", '{"user": "x"}')
    assert row_of(acme.check("vault_crm"), "secret")["result"] == "failed"
    acme.write_secret("vault_crm", acme.vault_crm.secret)
    assert acme.check("vault_crm")["status"] == "succeeded"


def test_what_the_time_does_not_suffice_for_is_told_as_not_asked(acme: Acme) -> None:
    left = iter([300] * 9)
    acme.context.get_remaining_time_in_millis = lambda: next(left, 10) * 1000  # type: ignore[method-assign]
    said = acme.check("vault_crm")
    assert {"secret", "login", "version", "language"} <= named(said, "passed")
    [row] = [row for row in rows(said) if row["check"] == "fields of user__sys"]
    assert row["result"] == "could_not_check"
    assert "time was up" in row["found"]
    assert not named(said, "failed")


def test_nothing_is_written_anywhere(acme: Acme, aws: SimpleNamespace) -> None:
    before = aws.dynamodb.scan(TableName="roster")["Items"]
    acme.check(candidates=True)
    assert aws.dynamodb.scan(TableName="roster")["Items"] == before
    for connection in CONNECTIONS:
        writes = [call for call in acme.calls(connection) if call[0] in ("PUT", "PATCH", "DELETE")]
        assert not writes
