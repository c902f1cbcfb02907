import base64
import hashlib
import hmac

import pytest
import requests

from sandbox.salesforce import RunningSandbox, running
from tests.doubles.clocks import Clock
from tests.doubles.salesforce_over_http import Organization, error_of


def ask(sandbox: RunningSandbox, form: dict[str, str], **options: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=10, **options)  # type: ignore[arg-type]  # options are those of requests


def test_a_token_says_what_salesforce_says(sandbox: RunningSandbox) -> None:
    granted = Organization(sandbox).token()
    assert set(granted) == {
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    }
    assert granted["access_token"].startswith(f"{sandbox.organization_id[:15]}!")
    assert [granted["token_type"], granted["scope"]] == ["Bearer", "api"]
    assert granted["instance_url"] == sandbox.url
    assert granted["id"].startswith(f"{sandbox.url}/id/{sandbox.organization_id}/005")
    assert granted["issued_at"] == "1795262400345"  # 2026-11-21T12:00:00.345Z in milliseconds
    signed = (granted["id"] + granted["issued_at"]).encode()
    digest = hmac.new(sandbox.client_secret.encode(), signed, hashlib.sha256).digest()
    assert base64.b64decode(granted["signature"]) == digest


def test_credentials_may_come_in_the_basic_header(sandbox: RunningSandbox) -> None:
    credentials = (sandbox.client_id, sandbox.client_secret)
    answer = ask(sandbox, {"grant_type": "client_credentials"}, auth=credentials)
    assert answer.status_code == 200
    assert answer.json()["access_token"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"client_id": None}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_secret": "wröng"}, "invalid_client"),
    ],
)
def test_a_refusal_is_an_object_with_400(
    sandbox: RunningSandbox, changes: dict[str, str | None], error: str
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    } | changes
    answer = ask(sandbox, {name: value for name, value in form.items() if value is not None})
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_a_token_must_be_posted_for(sandbox: RunningSandbox) -> None:
    answer = requests.get(f"{sandbox.url}/services/oauth2/token", timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer 00D!made.up", "Basic {token}", "{token}"])
def test_without_a_session_everything_is_refused(org: Organization, header: str | None) -> None:
    headers = {"Authorization": header.format(token=org.token()["access_token"])} if header else {}
    for path in ("/services/data/v66.0/query?q=x", "/services/data/v66.0/sobjects/User/describe"):
        answer = requests.get(org.url + path, headers=headers, timeout=10)
        assert error_of(answer) == (401, "INVALID_SESSION_ID")
        assert answer.json()[0]["message"] == "Session expired or invalid"


@pytest.mark.parametrize("scheme", ["Bearer", "OAuth", "bearer"])
def test_the_session_comes_under_either_name(org: Organization, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {org.token()['access_token']}"}
    answer = requests.get(
        f"{org.url}/services/data/v66.0/sobjects/User/describe", headers=headers, timeout=10
    )
    assert answer.status_code == 200


def test_a_session_ends_after_thirty_minutes(org: Organization, clock: Clock) -> None:
    org.log_in()
    clock.set("2026-11-21T12:29:59+00:00")
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0
    clock.set("2026-11-21T12:30:01+00:00")
    assert error_of(org.call("GET", "/query", params={"q": "SELECT Id FROM User"})) == (
        401,
        "INVALID_SESSION_ID",
    )
    org.log_in()
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0


def test_sessions_end_when_told(org: Organization) -> None:
    org.control("POST", "sessions/expire")
    assert error_of(org.call("GET", "/sobjects/User/describe")) == (401, "INVALID_SESSION_ID")


def test_credentials_are_those_given() -> None:
    key, secret = "key", "s3cret"
    with running(client_id=key, client_secret=secret, organization_id="00Dd0000000gzcr") as sandbox:
        assert (sandbox.client_id, sandbox.client_secret) == (key, secret)
        assert sandbox.organization_id == "00Dd0000000gzcrEAA"
        assert Organization(sandbox).token()["access_token"].startswith("00Dd0000000gzcr!")
