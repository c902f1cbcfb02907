from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox.salesforce import RunningSandbox, running
from tests.doubles.clocks import Clock
from tests.doubles.credentials import public_pem
from tests.doubles.salesforce_over_http import Organization

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOW = int(Clock().now.timestamp())

type Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate_of(key: Key) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "muster")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(days=365))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa_key()


@pytest.fixture(scope="module")
def sandbox(key: rsa.RSAPrivateKey) -> Iterator[RunningSandbox]:
    """An organization whose clock stands still, and that has the key's certificate."""
    with running(clock=Clock()) as sandbox:
        upload(sandbox, certificate_of(key))
        yield sandbox


def upload(sandbox: RunningSandbox, pem: object) -> requests.Response:
    return requests.put(f"{sandbox.url}/sandbox/jwt-key", json={"public_key": pem}, timeout=10)


def claims(sandbox: RunningSandbox, **changes: object) -> dict[str, object]:
    usual = {
        "iss": sandbox.client_id,
        "sub": sandbox.username,
        "aud": "https://login.salesforce.com",
        "exp": NOW + 180,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def ask(sandbox: RunningSandbox, assertion: str) -> requests.Response:
    form = {"grant_type": GRANT_TYPE, "assertion": assertion}
    return requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=10)


def refused(answer: requests.Response) -> tuple[str, str]:
    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    return body["error"], body["error_description"]


def test_a_signed_assertion_opens_a_session(sandbox: RunningSandbox, key: rsa.RSAPrivateKey) -> None:
    answer = ask(sandbox, jwt.encode(claims(sandbox), key, "RS256"))
    assert answer.status_code == 200
    granted = answer.json()
    # No signature and no time of issue, unlike the answer to client credentials.
    assert set(granted) == {"access_token", "scope", "instance_url", "id", "token_type"}
    assert (granted["instance_url"], granted["token_type"]) == (sandbox.url, "Bearer")
    found = requests.get(
        f"{sandbox.url}/services/data/v66.0/limits",
        headers={"Authorization": f"Bearer {granted['access_token']}"},
        timeout=10,
    )
    assert found.status_code == 200
    assert granted["id"] == Organization(sandbox).token()["id"]  # the same user, however logged in


@pytest.mark.parametrize("audience", ["https://login.salesforce.com", "https://test.salesforce.com", "own"])
@pytest.mark.parametrize("life", [1, 180, 300, 60.5])
def test_audiences_and_lives_that_are_good(
    sandbox: RunningSandbox, key: rsa.RSAPrivateKey, audience: str, life: float
) -> None:
    audience = sandbox.url if audience == "own" else audience
    ends = Clock().now.timestamp() + life
    good = claims(sandbox, aud=audience, exp=ends, sub=sandbox.username.upper())
    assert ask(sandbox, jwt.encode(good, key, "RS256")).status_code == 200


EXPIRED = ("invalid_grant", "expired authorization code")
WRONG_AUDIENCE = ("invalid_grant", "audience is invalid")
NOT_APPROVED = ("invalid_grant", "user hasn't approved this consumer")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "someone"}, ("invalid_client_id", "client identifier invalid")),
        ({"iss": None}, ("invalid_client_id", "client identifier invalid")),
        ({"aud": "https://acme.my.salesforce.com"}, WRONG_AUDIENCE),
        ({"aud": "https://login.salesforce.com/"}, WRONG_AUDIENCE),
        ({"aud": ["https://login.salesforce.com"]}, WRONG_AUDIENCE),
        ({"aud": None}, WRONG_AUDIENCE),
        ({"exp": None}, EXPIRED),
        ({"exp": NOW}, EXPIRED),
        ({"exp": NOW - 1}, EXPIRED),
        ({"exp": NOW + 302}, EXPIRED),
        ({"exp": (NOW + 180) * 1000}, EXPIRED),
        ({"exp": str(NOW + 180)}, EXPIRED),
        ({"sub": "somebody@acme.example"}, NOT_APPROVED),
        ({"sub": None}, NOT_APPROVED),
    ],
)
def test_wrong_claims_are_refused_as_salesforce_does(
    sandbox: RunningSandbox, key: rsa.RSAPrivateKey, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assertion = jwt.encode(claims(sandbox, **changes), key, "RS256")
    assert refused(ask(sandbox, assertion)) == expected


def test_an_assertion_that_is_not_signed_with_the_key_is_refused(
    sandbox: RunningSandbox, key: rsa.RSAPrivateKey
) -> None:
    good = claims(sandbox)
    header, payload, signature = jwt.encode(good, key, "RS256").split(".")
    _, other, _ = jwt.encode(claims(sandbox, sub="x"), key, "RS256").split(".")
    for assertion in (
        "",
        "nonsense",
        f"{header}.{payload}",
        f"{header}.{payload}.",
        f"{header}.{other}.{signature}".replace(other, payload[:-1]),
        jwt.encode(good, rsa_key(), "RS256"),
        jwt.encode(good, key, "RS512"),
        jwt.encode(good, key, "PS256"),
        jwt.encode(good, ec.generate_private_key(ec.SECP256R1()), "ES256"),
        jwt.encode(good, "s" * 32, "HS256"),
        jwt.encode(good, None, "none"),  # type: ignore[arg-type]  # no key goes with no signature
    ):
        assert refused(ask(sandbox, assertion)) == ("invalid_grant", "invalid assertion")


def test_no_assertion_is_good_before_a_key_is_uploaded(key: rsa.RSAPrivateKey) -> None:
    with running(clock=Clock()) as sandbox:
        assertion = jwt.encode(claims(sandbox), key, "RS256")
        assert refused(ask(sandbox, assertion)) == ("invalid_grant", "invalid assertion")
        answer = upload(sandbox, public_pem(key))
        assert answer.json() == {"client_id": sandbox.client_id, "username": sandbox.username}
        assert ask(sandbox, assertion).status_code == 200


def test_a_new_key_takes_the_place_of_the_old_one(key: rsa.RSAPrivateKey) -> None:
    with running(clock=Clock()) as sandbox:
        upload(sandbox, public_pem(rsa_key()))
        upload(sandbox, public_pem(key))
        assert ask(sandbox, jwt.encode(claims(sandbox), key, "RS256")).status_code == 200
        upload(sandbox, public_pem(rsa_key()))
        assert refused(ask(sandbox, jwt.encode(claims(sandbox), key, "RS256")))[1] == "invalid assertion"


def test_the_key_and_the_username_outlast_a_restart_and_a_reset(
    tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    data = str(tmp_path / "salesforce.sqlite")
    with running(data=data, clock=Clock()) as first:
        upload(first, public_pem(key))
    with running(data=data, clock=Clock()) as second:
        assert second.username == first.username
        requests.post(f"{second.url}/sandbox/reset", timeout=10)
        assert ask(second, jwt.encode(claims(second), key, "RS256")).status_code == 200


def test_a_wrong_key_is_refused_with_what_is_allowed(sandbox: RunningSandbox, key: rsa.RSAPrivateKey) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    curve = ec.generate_private_key(ec.SECP256R1())
    for pem in (
        None,
        "",
        "nonsense",
        private,
        public_pem(rsa_key(1024)),
        public_pem(curve),
        certificate_of(curve),
    ):
        answer = upload(sandbox, pem)
        assert answer.status_code == 400
        assert "RSA of at least 2048 bits" in answer.json()["error"]
    assert ask(sandbox, jwt.encode(claims(sandbox), key, "RS256")).status_code == 200  # the good one stays
