"""A push that could arrive by half only is blocked before its first write, and says what to do (U6)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.errors import Misconfigured
from muster.runs.run import Run, Status
from tests.integration.beginnings import Built, begin
from tests.integration.engage.licences import UPDATES, Licences
from tests.integration.told_metrics import metrics

ME, METADATA = "/api/v26.1/objects/users/me", "/api/v26.1/metadata"
REQUEST, HOST_ID = "engage_group_request__v", "remote_meeting_host_id__v"
AS_IT_HAS_TO_BE: dict[str, Any] = {"language": "en", "objects": {}, "fields": {}, "api_access": True}


@pytest.fixture
def ada(licences: Licences, built: Built) -> str:
    """Return somebody who has asked for a licence."""
    return begin(licences, built, ask)


def ask(licences: Licences) -> str:
    (person,) = licences.people(1)
    licences.imported()
    licences.ask(person)
    return person


def set_up(licences: Licences, **permissions: Any) -> None:
    """Have the integration user as it has to be, but for this."""
    licences.vault.control("PUT", "permissions", AS_IT_HAS_TO_BE | permissions)


def lacks(licences: Licences, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Take a field off the users of Vault CRM."""
    schema = licences.vault.vault.schema
    users = schema["user__sys"]
    kept = tuple(field for field in users.fields if field.name != name)
    monkeypatch.setitem(schema, "user__sys", replace(users, fields=kept))


def blocked(licences: Licences, **event: Any) -> tuple[str, Run]:
    """Push, which has to be blocked with nothing sent and nobody changed; returns why, and the run."""
    before = licences.roster()
    with pytest.raises(Misconfigured) as raised:
        licences.push(**event)
    assert UPDATES not in licences.calls()
    assert licences.processed() == []
    assert licences.roster() == before
    run = licences.runs()[0]
    assert (run.status, run.message) == (Status.FAILED, f"Nobody was changed: {raised.value}")
    return str(raised.value), run


def preflight_calls(licences: Licences) -> int:
    return sum(path.startswith((ME, METADATA)) for _, path in licences.calls())


# ── What blocks ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("permissions", "found", "remedy"),
    [
        ({"language": "de"}, "is de", "Language: English"),
        (
            {"fields": {"user__sys": {REQUEST: False}}},
            f"{REQUEST} may not be edited",
            f"{REQUEST}: tick Edit",
        ),
        (
            {"fields": {"user__sys": {HOST_ID: False}}},
            f"{HOST_ID} may not be edited",
            f"{HOST_ID}: tick Edit",
        ),
        ({"api_access": False}, "INSUFFICIENT_ACCESS", "give the integration user API access"),
    ],
)
def test_what_is_wrong_blocks_and_once_mended_all_is_sent(
    licences: Licences,
    ada: str,
    permissions: dict[str, Any],
    found: str,
    remedy: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(licences, **permissions)
    capsys.readouterr()
    why, run = blocked(licences)
    assert found in why
    assert remedy in why
    assert metrics(capsys.readouterr().out)["PushesFailed"] == 1
    (entry,) = licences.company.errors()
    assert (entry["code"], entry["message"], entry["notification"]) == ("push_failed", why, run.id)
    set_up(licences)
    assert licences.push()["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")
    assert licences.processed() == [(ada, "UK", "success__v")]


def test_everything_that_is_wrong_is_named(licences: Licences, ada: str) -> None:
    set_up(licences, language="de", fields={"user__sys": {REQUEST: False, HOST_ID: False}})
    why, _ = blocked(licences)
    assert all(check in why for check in ("language:", f"field {REQUEST}:", f"field {HOST_ID}:"))


@pytest.mark.parametrize("name", [HOST_ID, "engage_group__v"])
def test_a_field_that_is_not_there_blocks(
    licences: Licences, ada: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:
        lacks(licences, patch, name)
        why, _ = blocked(licences)
    assert name in why
    assert licences.push()["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")


@pytest.mark.parametrize("at", ["/api/v26.1", ME])
@pytest.mark.parametrize("error", ["INSUFFICIENT_ACCESS", "INVALID_SESSION_ID"])
def test_a_session_that_is_refused_blocks(licences: Licences, ada: str, at: str, error: str) -> None:
    licences.faults({"path": at, "fault": "failure", "error": error, "count": 99})
    why, _ = blocked(licences)
    assert error in why
    licences.faults()
    assert licences.push()["status"] == "succeeded"


def test_a_removal_is_blocked_as_well(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.vault.update(ada, engage_group_request__v="UK")
    licences.vault.settle()
    licences.imported()
    licences.ask(ada, action="remove")
    licences.calls()
    set_up(licences, language="de")
    with pytest.raises(Misconfigured, match="language"):
        licences.push()
    assert UPDATES not in licences.calls()
    assert licences.vault.used() == {"UK": 1}
    set_up(licences)
    licences.push()
    assert licences.vault.used() == {"UK": 0}


# ── What does not ────────────────────────────────────────────────────────────────────────────────


def test_a_feature_that_is_not_pushed_blocks_nothing(licences: Licences, ada: str) -> None:
    connections = licences.company.document["connections"]
    managed = {**connections["vault_crm"], "manage_features": ["engage"]}
    licences.company.put(connections={**connections, "vault_crm": managed})
    set_up(licences, fields={"user__sys": {"engage_connect_group_request__v": False}})
    assert licences.push()["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")


@pytest.mark.parametrize("path", [ME, METADATA])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 404},
        {"fault": "html"},
        {"fault": "truncate"},
        {"fault": "failure", "error": "UNEXPECTED_ERROR"},
    ],
    ids=lambda fault: " ".join(map(str, fault.values())),
)
def test_what_cannot_be_read_blocks_nothing(
    licences: Licences, ada: str, path: str, fault: dict[str, Any]
) -> None:
    licences.faults({"path": path, "count": 99, **fault})
    assert licences.push()["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")


def test_a_push_of_something_takes_two_calls_more_and_one_of_nothing_none(
    licences: Licences, ada: str
) -> None:
    licences.vault.control("PUT", "engage/settle", {"delay_s": 600})
    licences.push()
    assert preflight_calls(licences) == 2
    assert licences.status(ada)[1] == "request_sent"
    # What has come of it is read, and nothing is to be sent: nothing can be sent by half.
    set_up(licences, language="de")
    licences.vault.clock.pass_s(600)
    assert licences.push()["counts"] == {"success": 1}
    assert preflight_calls(licences) == 0
    assert licences.push()["counts"] == {}
    assert licences.calls() == []


# ── Runs that are there ──────────────────────────────────────────────────────────────────────────


def test_a_preview_tells_what_would_block_the_push(licences: Licences, ada: str) -> None:
    said = licences.push(preview=True)
    assert (said["status"], said["blocked_by"]) == ("succeeded", [])
    set_up(licences, language="de")
    said = licences.push(preview=True)
    assert (said["status"], said["counts"]) == ("succeeded", {"added": 1})
    [check] = said["blocked_by"]
    assert (check["check"], check["result"]) == ("language", "failed")
    assert "would be blocked" in said["message"]
    assert f"({check['remedy'].removesuffix('.')})" in said["message"]
    assert licences.runs()[0].status is Status.PREVIEWED
    assert licences.company.errors() == []


def test_what_is_approved_is_checked_anew(licences: Licences, ada: str) -> None:
    licences.company.put(guard={"floor": 0, "count": 0, "percent": 0, "operations": {"grant": {}}})
    parked = licences.push()
    assert parked["status"] == "parked"
    licences.calls()
    set_up(licences, language="de")
    _, run = blocked(licences, approve=parked["run_id"])
    assert run.id == parked["run_id"]
    set_up(licences)
    again = licences.push()
    assert again["plan_hash"] == parked["plan_hash"]
    assert licences.push(approve=again["run_id"])["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")


def test_nobody_is_asked_to_approve_what_would_be_blocked(licences: Licences, ada: str) -> None:
    licences.company.put(guard={"floor": 0, "count": 0, "percent": 0, "operations": {"grant": {}}})
    set_up(licences, language="de")
    blocked(licences)


def test_what_is_gone_on_with_before_it_sends_is_checked(licences: Licences, ada: str) -> None:
    licences.company.have_seconds(10)
    said = licences.push()
    assert said["status"] == "continue"
    licences.company.have_seconds(900)
    licences.calls()
    set_up(licences, language="de")
    _, run = blocked(licences, run_id=said["run_id"])
    assert run.id == said["run_id"]


def test_who_is_blocked_has_a_connection_that_works(licences: Licences, ada: str) -> None:
    """A right that is missing is no failure of the connection: it is not quarantined, imports go on (P6)."""
    set_up(licences, language="de")
    for _ in range(4):
        blocked(licences, by="schedule")
    assert {entry["code"] for entry in licences.company.errors()} == {"push_failed"}
    assert licences.imported("incremental")["status"] == "succeeded"
    set_up(licences)
    assert licences.push(by="schedule")["counts"] == {"added": 1, "success": 1}
