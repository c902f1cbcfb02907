"""Logging in to Salesforce: both OAuth flows, once at a time, to the right org only (T3, T21, U5)."""

import logging
import subprocess
import sys
import traceback
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from muster.adapters.salesforce.login import ASSERTION_LIFE_S, Login
from muster.errors import Misconfigured, MusterError, Unavailable
from sandbox.salesforce import RunningSandbox
from tests.conftest import ROOT
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import CANARY, Shelf, private_pem, public_pem
from tests.doubles.salesforce_host import (
    NAME,
    ORGANIZATION,
    TOKEN_PATH,
    SalesforceHost,
    connection_to,
    shelf_of,
)
from tests.doubles.sandbox_doors import calls, control


@pytest.fixture
def endpoint(host: SalesforceHost) -> SalesforceHost:
    """The host, which is told what to answer to a login, too."""
    host.reset(logs_in=False)
    host.grant()
    return host


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2_048)


@pytest.fixture
def credentials(sandbox: RunningSandbox) -> Shelf:
    return shelf_of(sandbox)


@pytest.fixture
def signed_credentials(sandbox: RunningSandbox, key: rsa.RSAPrivateKey) -> Shelf:
    """What logs in with the JWT bearer flow, after the certificate was uploaded."""
    control(sandbox.url, "PUT", "jwt-key", {"public_key": public_pem(key)})
    return Shelf(NAME, client_id=sandbox.client_id, username=sandbox.username, private_key=private_pem(key))


def logins(sandbox: RunningSandbox) -> int:
    return calls(sandbox.url, TOKEN_PATH)


def login_to(
    url: str,
    shelf: Shelf,
    organization_id: str = ORGANIZATION,
    clock: MonotonicClock | None = None,
    **connection: Any,
) -> Login:
    session = requests.Session()
    session.trust_env = False
    section = connection_to(url, organization_id, **connection)
    return Login(section, shelf.secrets(), session, (5, 10), clock or MonotonicClock())


def to_sandbox(sandbox: RunningSandbox, shelf: Shelf, **options: Any) -> Login:
    return login_to(sandbox.url, shelf, sandbox.organization_id, **options)


def to_endpoint(endpoint: SalesforceHost, **options: Any) -> Login:
    return login_to(endpoint.url, Shelf(NAME, client_id="key", client_secret=CANARY), **options)


def lets_in(sandbox: RunningSandbox, token: str) -> bool:
    answer = requests.get(
        f"{sandbox.url}/services/data/v66.0/sobjects/User/describe",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    return answer.status_code == 200


def test_client_credentials_open_a_session(sandbox: RunningSandbox, credentials: Shelf) -> None:
    assert lets_in(sandbox, to_sandbox(sandbox, credentials).token())


def test_a_signed_assertion_opens_a_session(sandbox: RunningSandbox, signed_credentials: Shelf) -> None:
    assert lets_in(sandbox, to_sandbox(sandbox, signed_credentials, login="jwt_bearer").token())


def test_a_key_that_lost_its_line_breaks_signs_all_the_same(
    sandbox: RunningSandbox, signed_credentials: Shelf
) -> None:
    # Secrets Manager's console takes them out of what is pasted into it.
    signed_credentials.secret["private_key"] = signed_credentials.secret["private_key"].replace("\n", " ")
    assert lets_in(sandbox, to_sandbox(sandbox, signed_credentials, login="jwt_bearer").token())


def test_the_organization_may_be_given_with_15_characters(
    sandbox: RunningSandbox, credentials: Shelf
) -> None:
    login = login_to(sandbox.url, credentials, sandbox.organization_id[:15])
    assert lets_in(sandbox, login.token())


def test_a_token_is_kept_for_half_an_hour(sandbox: RunningSandbox, credentials: Shelf) -> None:
    clock = MonotonicClock()
    login = to_sandbox(sandbox, credentials, clock=clock)
    first = login.token()
    clock.now += 1_800
    assert (login.token(), logins(sandbox)) == (first, 1)
    clock.now += 1
    assert login.token() != first
    assert logins(sandbox) == 2


def test_a_forgotten_token_is_replaced(sandbox: RunningSandbox, credentials: Shelf) -> None:
    login = to_sandbox(sandbox, credentials)
    first = login.token()
    control(sandbox.url, "POST", "sessions/expire")
    login.forget()
    assert login.token() != first
    assert lets_in(sandbox, login.token())


def test_an_assertion_says_what_salesforce_asks_for(endpoint: SalesforceHost, key: rsa.RSAPrivateKey) -> None:
    shelf = Shelf(NAME, client_id="key", username="ada@acme.example", private_key=private_pem(key))
    login_to(endpoint.url, shelf, login="jwt_bearer").token()
    shelf.secret["audience"] = "https://test.salesforce.com"
    login_to(endpoint.url, shelf, login="jwt_bearer").token()
    forms = [call.form.to_dict() for call in endpoint.calls]
    assert [set(form) for form in forms] == [{"grant_type", "assertion"}] * 2
    assert forms[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(forms[0]["assertion"])["alg"] == "RS256"
    first, second = (
        # Checks the signature, and that it has not expired: milliseconds would be far in the future.
        jwt.decode(form["assertion"], key.public_key(), ["RS256"], audience=audience)
        for form, audience in zip(
            forms, ("https://login.salesforce.com", "https://test.salesforce.com"), strict=True
        )
    )
    assert (first["iss"], first["sub"]) == ("key", "ada@acme.example")
    assert second["exp"] - first["exp"] < ASSERTION_LIFE_S


@pytest.mark.parametrize(
    ("changes", "code", "remedy"),
    [
        ({"client_id": "wrong"}, "invalid_client_id", "consumer key"),
        ({"audience": "https://evil.example"}, "invalid_grant", "https://test.salesforce.com"),
        ({"username": "someone@acme.example"}, "invalid_grant", "pre-authorize"),
    ],
)
def test_a_refused_assertion_says_what_to_do(
    sandbox: RunningSandbox, signed_credentials: Shelf, changes: dict[str, str], code: str, remedy: str
) -> None:
    signed_credentials.secret |= changes
    with pytest.raises(Misconfigured, match=f"{NAME} with {code}: .*{remedy}"):
        to_sandbox(sandbox, signed_credentials, login="jwt_bearer").token()


def test_a_key_of_another_certificate_is_refused(sandbox: RunningSandbox, signed_credentials: Shelf) -> None:
    signed_credentials.secret["private_key"] = private_pem(rsa.generate_private_key(65_537, 2_048))
    with pytest.raises(Misconfigured, match="private_key must belong to the certificate"):
        to_sandbox(sandbox, signed_credentials, login="jwt_bearer").token()


@pytest.mark.parametrize("kind", ["text", "broken", "elliptic", "with a password", "secret"])
def test_a_key_that_cannot_sign_is_misconfigured_and_not_told(
    endpoint: SalesforceHost, key: rsa.RSAPrivateKey, kind: str
) -> None:
    private_key = {
        "text": CANARY,
        "broken": private_pem(key)[:400],
        "elliptic": private_pem(ec.generate_private_key(ec.SECP256R1())),
        "with a password": private_pem(key, b"password"),
        "secret": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n",
    }[kind]
    shelf = Shelf(NAME, client_id="key", username="ada@acme.example", private_key=private_key)
    with pytest.raises(Misconfigured, match=f"private_key in the secret {NAME}") as error:
        login_to(endpoint.url, shelf, login="jwt_bearer").token()
    assert not endpoint.calls
    told = "".join(traceback.format_exception(error.value))
    assert not any(line and line in told for line in private_key.splitlines())


@pytest.mark.parametrize(
    ("login", "secret", "missing"),
    [
        ("client_credentials", {}, "client_id, client_secret"),
        ("client_credentials", {"client_id": "key"}, "client_secret"),
        ("client_credentials", {"client_id": "key", "client_secret": " "}, "client_secret"),
        ("jwt_bearer", {"client_id": "key", "client_secret": "x"}, "username, private_key"),
    ],
)
def test_a_secret_that_lacks_something_says_what(
    endpoint: SalesforceHost, login: str, secret: dict[str, str], missing: str
) -> None:
    with pytest.raises(Misconfigured, match=f"secret {NAME} lacks {missing}; write"):
        login_to(endpoint.url, Shelf(NAME, **{"other": "x"} | secret), login=login).token()
    assert not endpoint.calls


def test_without_the_name_of_a_secret_nothing_is_called(endpoint: SalesforceHost) -> None:
    with pytest.raises(Misconfigured, match=r"connections\.salesforce\.secret"):
        to_endpoint(endpoint, secret=None).token()
    assert not endpoint.calls


def test_refused_credentials_that_have_not_changed_are_sent_once(
    sandbox: RunningSandbox, credentials: Shelf
) -> None:
    credentials.secret["client_secret"] = CANARY
    with pytest.raises(Misconfigured, match=f"{NAME} with invalid_client: .*consumer secret"):
        to_sandbox(sandbox, credentials).token()
    assert (logins(sandbox), credentials.reads) == (1, 2)


def test_changed_credentials_are_tried_at_once(sandbox: RunningSandbox, credentials: Shelf) -> None:
    right = dict(credentials.secret)
    clock = MonotonicClock()
    credentials.secret |= {"client_secret": "old"}
    login = to_sandbox(sandbox, credentials, clock=clock)
    with pytest.raises(Misconfigured):
        login.token()
    credentials.secret = right
    assert lets_in(sandbox, login.token())
    assert logins(sandbox) == 3


def test_credentials_that_changed_and_are_refused_again_are_given_up(
    sandbox: RunningSandbox, credentials: Shelf
) -> None:
    credentials.secret |= {"client_secret": "old"}
    secrets = credentials.secrets()
    secrets.get(NAME)
    credentials.secret |= {"client_secret": "new and wrong"}
    connection = connection_to(sandbox.url, sandbox.organization_id)
    with requests.Session() as session, pytest.raises(Misconfigured):
        Login(connection, secrets, session, (5, 10)).token()
    assert (logins(sandbox), credentials.reads) == (2, 2)


@pytest.mark.parametrize("fault", ["status", "html", "empty", "truncate", "lose_answer"])
def test_a_login_without_an_answer_is_not_made_again(
    sandbox: RunningSandbox, credentials: Shelf, fault: str
) -> None:
    control(sandbox.url, "POST", "faults", [{"path": TOKEN_PATH, "fault": fault}])
    login = to_sandbox(sandbox, credentials)
    with pytest.raises(Unavailable):
        login.token()
    assert (logins(sandbox), credentials.reads) == (1, 1)
    assert lets_in(sandbox, login.token())


def test_a_host_that_is_down_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"ConnectionError.*connections\.salesforce\.host"):
        login_to("http://127.0.0.1:1", Shelf(NAME, client_id="key", client_secret=CANARY)).token()


@pytest.mark.parametrize(
    ("error", "description", "kind", "said"),
    [
        ("invalid_grant", "no client credentials user enabled", Misconfigured, "user to run as"),
        ("invalid_grant", "request not supported on this domain", Misconfigured, "My Domain host"),
        ("invalid_grant", "expired authorization code", Misconfigured, "upload a new certificate to the app"),
        ("invalid_grant", "inactive user", Misconfigured, "activate it"),
        ("invalid_grant", "ip restricted or invalid login hours", Misconfigured, "Login IP Ranges"),
        ("invalid_grant", None, Misconfigured, "invalid_grant: check the app"),
        ("invalid_grant", "something new", Misconfigured, "invalid_grant: check the app"),
        ("inactive_user", "inactive user", Misconfigured, "activate it"),
        ("something_new", None, Misconfigured, "something_new: check the app"),
        ("unknown_error", "retry your request", Unavailable, "unknown_error"),
        ("server_error", None, Unavailable, "server_error"),
        (None, None, Unavailable, "400"),
        (["invalid_client"], None, Unavailable, "400"),
        ("<script>", None, Unavailable, "400"),
    ],
)
def test_a_refusal_is_told_by_its_code(
    endpoint: SalesforceHost, error: object, description: str | None, kind: type[MusterError], said: str
) -> None:
    endpoint.say({"error": error, "error_description": description}, status=400)
    with pytest.raises(kind, match=said):
        to_endpoint(endpoint).token()
    assert len(endpoint.calls) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Misconfigured), (403, Unavailable), (429, Unavailable), (502, Unavailable)]
)
def test_a_page_in_place_of_an_answer_is_told_by_its_status(
    endpoint: SalesforceHost, status: int, kind: type[MusterError]
) -> None:
    endpoint.say("<html></html>", status=status)
    with pytest.raises(kind):
        to_endpoint(endpoint).token()


@pytest.mark.parametrize(
    "body",
    ["", "<html></html>", "[]", "null", "{}", b"\xff\xfe", "[" * 5_000, '{"access_token": "x"'],
)
def test_another_body_is_no_token(endpoint: SalesforceHost, body: str | bytes) -> None:
    endpoint.say(body)
    with pytest.raises(Unavailable, match="no access token"):
        to_endpoint(endpoint).token()


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": f"{CANARY}\r\nX-Injected: 1"},
        {"access_token": f"{CANARY} "},
        {"access_token": "tökén"},
        {"access_token": "x" * 8_001},
        {"instance_url": None},
        {"id": None},
        {"id": "https://login.salesforce.com/id/"},
        {"id": f"/id/{ORGANIZATION}/005000000000001AAA"},
    ],
)
def test_an_answer_of_another_shape_is_no_token(endpoint: SalesforceHost, changes: dict[str, object]) -> None:
    endpoint.grant(**changes)
    with pytest.raises(Unavailable, match="no access token") as error:
        to_endpoint(endpoint).token()
    assert CANARY not in str(error.value)


@pytest.mark.parametrize("owner", ["00D000000000063", "00d000000000062EAA", "00D0000000000620"])
def test_credentials_of_another_org_are_misconfigured(endpoint: SalesforceHost, owner: str) -> None:
    endpoint.grant(id=f"https://login.salesforce.com/id/{owner}/005000000000001AAA")
    with pytest.raises(Misconfigured, match=f"another Salesforce org than .*{ORGANIZATION}"):
        to_endpoint(endpoint).token()


@pytest.mark.parametrize(
    "instance",
    [
        "https://evil.example",
        "https://acme.my.salesforce.com",
        "{url}.evil.example",
        "{url}@evil.example",
        "{url}/services",
        "https://{host}",
    ],
)
def test_an_org_on_another_host_is_misconfigured(endpoint: SalesforceHost, instance: str) -> None:
    host = endpoint.url.removeprefix("http://")
    endpoint.grant(instance_url=instance.format(url=endpoint.url, host=host))
    with pytest.raises(Misconfigured, match=r"connections\.salesforce\.host"):
        to_endpoint(endpoint).token()


def test_a_secret_shows_nowhere(
    endpoint: SalesforceHost, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    login = to_endpoint(endpoint)
    # A host that tells everything back that it was told.
    endpoint.say({"error": f"invalid {CANARY}", "error_description": CANARY}, status=400)
    with pytest.raises(Unavailable) as unreadable:
        login.token()
    endpoint.say({"error": "invalid_client", "error_description": CANARY}, status=400)
    with pytest.raises(Misconfigured) as refused:
        login.token()
    endpoint.grant(access_token=CANARY)
    login.token()
    told = [
        *map(str, traceback.format_exception(unreadable.value)),
        *traceback.format_exception(refused.value),
    ]
    assert endpoint.calls[0].form["client_secret"] == CANARY
    assert CANARY not in "".join(
        [*told, repr(login), repr(vars(login)["_secrets"]), caplog.text, *capfd.readouterr()]
    )


def test_the_client_loads_neither_signing_nor_settings() -> None:
    check = "sys.exit(any(name in sys.modules for name in ('jwt', 'cryptography', 'pydantic')))"
    code = f"import sys, muster.adapters.salesforce; {check}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "functions", check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0
