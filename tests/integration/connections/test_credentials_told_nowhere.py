"""What opens a connection is in no log, metric, answer, exception or table, whatever goes wrong (T2, T21)."""

import json
import logging
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import preflight
import scheduled_import
import scheduled_push
from muster.errors import MusterError
from tests.doubles.acme import Acme

CANARY = "c4n4ry"
CONNECTIONS = ("salesforce", "vault_crm", "align")
EVENTS: tuple[tuple[Callable[..., Any], dict[str, str]], ...] = (
    (preflight.handler, {}),
    (scheduled_import.handler, {"mode": "full", "by": "schedule"}),
    (scheduled_push.handler, {"by": "schedule"}),
)


@pytest.fixture
def acme(acme: Acme) -> Acme:
    """Acme, with credentials that are canaries, and a day of expiry and more in each secret."""
    acme.change_client_secret(f"{CANARY}-client-secret")
    for name in ("vault_crm", "align"):
        getattr(acme, name).vault.change_password(f"{CANARY}-{name}-password")
    for name in CONNECTIONS:
        more = {"expires_on": "2027-01-31", "note": f"{CANARY}-note", f"{CANARY}-key": "x"}
        acme.write_secret(name, json.dumps(json.loads(getattr(acme, name).secret) | more))
    return acme


def invoke_all(acme: Acme) -> str:
    """Invoke each function that logs in somewhere; return all answers, and exceptions with their causes."""
    said = []
    for handler, event in EVENTS:
        try:
            said.append(json.dumps(handler({"organization": "acme", **event}, acme.context)))
        except MusterError as error:
            said.append("".join(traceback.format_exception(error)))
    return "\n".join(said)


def opened(acme: Acme) -> list[str]:
    """Return the tokens and session ids that are open."""
    vaults = (acme.vault_crm.vault, acme.align.vault)
    found = [*vars(acme.salesforce.organization.sessions)["_ends"]]
    for vault in vaults:
        found += vars(vault.sessions)["_open"]
    return found


def refuse(acme: Acme) -> None:
    acme.change_client_secret("another")
    for name in ("vault_crm", "align"):
        getattr(acme, name).vault.change_password("another")
    acme.salesforce.organization.sessions.expire()


def break_the_day(acme: Acme) -> None:
    for name in CONNECTIONS:
        secret = json.loads(getattr(acme, name).secret) | {"expires_on": f"{CANARY}-day"}
        acme.write_secret(name, json.dumps(secret))


def break_the_secrets(acme: Acme) -> None:
    for name in CONNECTIONS:
        acme.write_secret(name, f'{{"password": "{CANARY}", "client_secret": "{CANARY}"')


def lead_elsewhere(acme: Acme) -> None:
    acme.put(connections=acme.connections(salesforce={"organization_id": "00D000000000062EAA"}))
    for name in ("vault_crm", "align"):
        getattr(acme, name).control("PUT", "vault", {"wrong_vault": True})


def answer_with_pages(acme: Acme) -> None:
    """Answer with what is not from the API, and quote what was sent."""

    def quote(request: Any, answer: Any) -> None:
        answer.status_code = 400
        answer._content = json.dumps(
            {"error": f"{request.body}", "responseStatus": f"{request.body}"}
        ).encode()

    for wire in acme.wires.values():
        wire.after = quote


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda acme: None, "expires_on in the secret muster/acme/align "),
        (break_the_day, "cannot be read as a day"),
        (break_the_secrets, "is not a JSON object of texts"),
        (refuse, "USERNAME_OR_PASSWORD_INCORRECT"),
        (lead_elsewhere, "another vault"),
        (answer_with_pages, "answered 400"),
    ],
)
def test_what_opens_a_connection_is_told_nowhere(
    acme: Acme,
    aws: SimpleNamespace,
    wrong: Callable[[Acme], None],
    says: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    said = invoke_all(acme)
    sessions = opened(acme)
    wrong(acme)
    said += invoke_all(acme)
    sessions += opened(acme)
    assert len(sessions) >= len(CONNECTIONS)
    stored = json.dumps(aws.dynamodb.scan(TableName="roster")["Items"])
    told = "\n".join([said, caplog.text, *capfd.readouterr(), stored])
    # It did speak, and of this.
    assert "admin request" in told
    assert says in told
    assert [each for each in (CANARY, *sessions) if each in told] == []
