"""Hosts that cannot be reached or trusted: nothing is sent, and a sentence says what to mend (T2, T3)."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from muster.adapters.http_calls import System, Unreached, session_for
from muster.adapters.salesforce.login import SALESFORCE
from muster.adapters.vault.answers import vault_system
from muster.errors import MusterError, Unavailable
from tests.doubles.credentials import CANARY
from tests.doubles.host import Host
from tests.doubles.vault_host import client_at

SYSTEMS = [SALESFORCE, vault_system("vault_crm"), vault_system("align")]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass
class Signed:
    """A certificate, its key, and what it was signed with."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Both, as a server takes them."""
        return self.certificate.public_bytes(serialization.Encoding.PEM) + self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def sign(name: str, by: Signed | None, begins: datetime = NOW - DAY, ends: datetime = NOW + DAY) -> Signed:
    """Return a certificate for a host name; an authority's own where nobody else signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = by or Signed(None, key)  # type: ignore[arg-type]  # it signs itself
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by is None:
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        usage |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
        signs = x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage)
        builder = builder.add_extension(signs, critical=True)
    return Signed(builder.sign(issuer.key, hashes.SHA256()), key)


class Silent(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def host_with(certificate: Signed, folder: Path) -> Iterator[Host]:
    """Serve https on this machine with a certificate."""
    host = Host()
    host.say({})
    (folder / "server.pem").write_bytes(certificate.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with make_server("127.0.0.1", 0, host, handler_class=Silent) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        host.url = f"https://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Trust:
    """An authority that a session trusts, and its file."""

    folder: Path
    authority: Signed = field(default_factory=lambda: sign("Authority", None))

    def session(self, base: str) -> requests.Session:
        """Return a session as a client has it, but that it trusts this authority and no other."""
        file = self.folder / "authority.pem"
        file.write_bytes(self.authority.certificate.public_bytes(serialization.Encoding.PEM))
        session = session_for({f"{base}/": 0})
        session.verify = str(file)
        return session


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust(tmp_path_factory.mktemp("trust"))


def post(system: System, base: str, session: requests.Session, timeout: tuple[float, float] = (5, 10)) -> Any:
    """Log in somewhere, with a password that nobody may be told."""
    with session:
        return system.send(session, "POST", f"{base}/login?q={CANARY}", timeout, data={"password": CANARY})


def test_a_host_with_a_good_certificate_is_called(trust: Trust) -> None:
    with host_with(sign("localhost", trust.authority), trust.folder) as host:
        assert post(SALESFORCE, host.url, trust.session(host.url)).status_code == 200
    assert len(host.calls) == 1


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.setting)
@pytest.mark.parametrize(
    ("signed", "says", "remedy"),
    [
        pytest.param(
            lambda authority: sign("localhost", authority, NOW - 30 * DAY, NOW - DAY),
            "has expired",
            "whoever runs that host has to renew it",
            id="expired",
        ),
        pytest.param(
            lambda authority: sign("localhost", authority, NOW + DAY, NOW + 2 * DAY),
            "is not valid yet",
            "whoever runs that host has to renew it",
            id="not yet valid",
        ),
        pytest.param(
            lambda authority: sign("other.example", authority),
            "is for another name",
            "correct connections.",
            id="another name",
        ),
        pytest.param(
            lambda _: sign("localhost", None),
            "is not signed by an authority that is trusted",
            "proxy",
            id="self-signed",
        ),
        pytest.param(
            lambda _: sign("localhost", sign("Somebody", None)),
            "is not signed by an authority that is trusted",
            "proxy",
            id="another authority",
        ),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted_is_told_and_nothing_is_sent(
    trust: Trust, system: System, signed: Callable[[Signed], Signed], says: str, remedy: str
) -> None:
    with host_with(signed(trust.authority), trust.folder) as host, pytest.raises(Unreached) as error:
        post(system, host.url, trust.session(host.url))
    said = str(error.value)
    assert said.startswith(
        f"nothing was sent to {system.name}: the certificate of the host in {system.setting}"
    )
    assert says in said
    assert remedy in said
    assert not host.calls
    assert CANARY not in said
    assert error.value.__cause__ is None


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.setting)
def test_a_host_that_takes_no_connection_is_told(system: System) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, and nobody listens
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(Unreached) as error:
            post(system, base, session_for({base: 0}))
    said = str(error.value)
    assert said.startswith(
        f"{system.name} took no connection (ConnectionError); if this goes on, check {system.setting}"
    )
    assert CANARY not in said


def test_a_name_that_is_not_in_dns_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    base = "https://acme.my.salesforce.com"
    with pytest.raises(
        Unreached, match=r"not found in DNS .*; correct connections\.salesforce\.host"
    ) as error:
        post(SALESFORCE, base, session_for({base: 0}))
    assert CANARY not in str(error.value)


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_host_that_never_answers_is_told_and_may_have_done_what_it_was_sent(silent: str) -> None:
    words = r"Align did not answer in time \(ReadTimeout\); if this goes on, check connections\.align\.host"
    with pytest.raises(Unavailable, match=words) as error:
        post(vault_system("align"), silent, session_for({silent: 0}), timeout=(5, 0.05))
    assert not isinstance(error.value, Unreached)


def test_a_host_that_hangs_up_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(
            Unavailable, match=r"Salesforce gave no whole answer \(ConnectionError\)"
        ) as error:
            post(SALESFORCE, base, session_for({base: 0}))
        thread.join()
    assert not isinstance(error.value, Unreached)


def test_a_write_to_a_vault_that_was_never_reached_has_no_unknown_outcome() -> None:
    """What was not sent need not be read back, so it is due again at once (P5)."""
    client = client_at("http://127.0.0.1:1")
    with pytest.raises(MusterError) as error:
        client.update("user__sys", [{"id": "1"}])
    assert isinstance(error.value, Unreached)
