"""Where Muster may call: the hosts of the settings, and nothing that can be made to look like one (T3)."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from requests.adapters import BaseAdapter
from requests.exceptions import InvalidSchema
from urllib3 import HTTPResponse
from urllib3.util import parse_url

from muster.adapters.aws.secrets import Secrets
from muster.adapters.salesforce.client import Salesforce
from muster.adapters.salesforce.login import SALESFORCE
from muster.adapters.vault.answers import vault_system
from muster.adapters.vault.client import Vault
from muster.crm.pages import is_salesforce_next
from muster.errors import Misconfigured, MusterError, Unavailable
from muster.settings.sections import AlignConnection, SalesforceConnection, VaultCrmConnection

ORGANIZATION = "00D000000000062EAA"
BASE = "https://acme.my.salesforce.com"
LOOPBACK = ("127.0.0.1", "localhost")

# What hosts and tricks with hosts are made of; put together at random it is often nearly right.
WORDS = ["acme", "acme--uat", "sandbox", "my", "salesforce", "com", ".my.salesforce.com", "A", "-", "_", "."]
ELSEWHERE = [
    "evil.example",
    "127.0.0.1",
    "localhost",
    "169.254.169.254",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "::1",
]
SIGNS = [":", ":443", ":8123", ":99999", ":0", "@", "user:pass@", "/", "//", "\\", "?", "#", ";", ",", "*"]
DISGUISES = ["https://", "http://", "%2e", "%00", "%40", "xn--80ak6aa92e", " ", "\t", "\n", "\r\n", "\0"]
FOLDED = ["\uff41", "\u3002", "\u0130", "\u017f", "\u212a"]  # some software takes them for letters of ASCII
PIECES = st.sampled_from([*WORDS, *ELSEWHERE, *SIGNS, *DISGUISES, *FOLDED])
HOSTS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
REAL = st.builds(
    lambda labels: ".".join([*labels, "my.salesforce.com"]), st.lists(LABEL, min_size=1, max_size=3)
)
LOCAL = st.builds("{}:{}".format, st.sampled_from(LOOPBACK), st.integers(1, 65_535))

quickly = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("localhost:1", "http://localhost:1"),
    ],
)
def test_https_everywhere_and_http_on_this_machine_only(host: str, url: str) -> None:
    assert SALESFORCE.base_url(host) == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "my.salesforce.com",
        ".my.salesforce.com",
        "login.salesforce.com",
        "acme.my.salesforce.com.evil.example",
        "evil.example/acme.my.salesforce.com",
        "evil.example#.my.salesforce.com",
        "evil.example\\.my.salesforce.com",
        "user@acme.my.salesforce.com",
        "evil.example:443@acme.my.salesforce.com",
        "acme.my.salesforce.com:8443",
        "acme.my.salesforce.com\n",
        "acme.my.salesforce.com.",
        "ACME.my.salesforce.com",
        "acmemy.salesforce.com",
        "a" * 240 + ".my.salesforce.com",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:\uff18\uff10",
        "127.0.0.2:80",
        "[::1]:80",
        "169.254.169.254",
        "169.254.169.254:80",
        "localhost.evil.example:80",
    ],
)
def test_other_hosts_are_misconfigured(host: str) -> None:
    with pytest.raises(Misconfigured, match=r"connections\.salesforce\.host"):
        SALESFORCE.base_url(host)


@quickly
@given(HOSTS | REAL | LOCAL)
def test_whatever_is_called_is_salesforce_or_this_machine(host: str) -> None:
    try:
        base = SALESFORCE.base_url(host)
    except Misconfigured:
        return
    # The same to whoever reads it: two parsers, and what requests would connect to.
    url = f"{base}/services/data/v66.0/query?q=x"
    sent = requests.Request("GET", url).prepare().url
    assert sent == url
    for read in (urlsplit(url), parse_url(url)):
        assert read.path == "/services/data/v66.0/query"
        if read.scheme == "https":
            assert (read.hostname or "").endswith(".my.salesforce.com")
            assert read.port is None
        else:
            assert (read.scheme, read.hostname in LOOPBACK) == ("http", True)
        assert "@" not in (read.netloc or "")


@quickly
@given(HOSTS | REAL | LOCAL)
def test_the_gate_and_the_settings_agree(host: str) -> None:
    try:
        SalesforceConnection(host=host, organization_id=ORGANIZATION)
    except ValidationError:
        with pytest.raises(Misconfigured):
            SALESFORCE.base_url(host)
    else:
        assert SALESFORCE.base_url(host).partition("://")[2] == host


@pytest.mark.parametrize(
    "path",
    [
        "/services/data/v66.0/query/01gD0000002HU6KIAW-2000",
        "/services/data/v66.0/queryAll/0r8xx3d2FGHCmAsAAO-500",
        "/services/data/v100.0/query/a_b-1",
    ],
)
def test_a_next_page_is_at_a_path_of_the_rest_api(path: str) -> None:
    assert is_salesforce_next(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/services/data/",
        "/services/data/v66.0",
        "/services/data/v66.0/",
        "services/data/v66.0/query/x",
        "//evil.example/services/data/v66.0/query/x",
        "https://evil.example/services/data/v66.0/query/x",
        "https://acme.my.salesforce.com/services/data/v66.0/query/x",
        "@evil.example/services/data/v66.0/query/x",
        ".evil.example/services/data/v66.0/query/x",
        ":8080/services/data/v66.0/query/x",
        "/services/data/../oauth2/token",
        "/services/data/v66.0/../../oauth2/token",
        "/services/data/v66.0/query/%2e%2e/x",
        "/services/data/v66.0/query//x",
        "/services/data/v66.0/query/x?y=1",
        "/services/data/v66.0/query/x#y",
        "/services/data/v66.0/query/x\\y",
        "/services/data/v66.0/query/x\n",
        "/services/data/v66.0/query/x y",
        "/services/data/v66.0/query/\uff58",
        "/services/oauth2/token",
    ],
)
def test_any_other_place_is_no_next_page(path: str) -> None:
    assert not is_salesforce_next(path)


@quickly
@given(
    st.lists(PIECES, max_size=6).map("".join).map("/services/data/v66.0/{}".format)
    | st.from_regex(r"/services/data/v66\.0(/[!-~]{1,12}){1,3}", fullmatch=True)
)
def test_a_next_page_is_on_the_same_host(path: str) -> None:
    if not is_salesforce_next(path):
        return
    url = f"https://acme.my.salesforce.com{path}"
    assert requests.Request("GET", url).prepare().url == url
    assert urlsplit(url).hostname == "acme.my.salesforce.com"
    assert (parse_url(url).path or "").startswith("/services/data/v66.0/")


class Canned(BaseAdapter):
    """Answers every call with one status and its headers, and keeps how it was to be sent."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        super().__init__()
        self.answer = status, headers
        self.calls: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.calls.append((request, {"verify": verify, "proxies": dict(proxies or {}), "timeout": timeout}))
        answer = requests.Response()
        answer.status_code, headers = self.answer
        answer.headers.update(headers)
        answer.raw, answer.request, answer.url = HTTPResponse(io.BytesIO()), request, request.url or ""
        return answer

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "location",
    [
        f"{BASE}/elsewhere",
        "//evil.example",
        "https://evil.example",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/evil",
        "",
    ],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, Misconfigured), (308, Misconfigured), (302, Unavailable), (303, Unavailable), (307, Unavailable)],
)
def test_a_redirect_is_not_followed(status: int, kind: type[MusterError], location: str) -> None:
    with requests.Session() as session:
        session.mount("https://", adapter := Canned(status, Location=location))
        with pytest.raises(kind, match=r"redirect.*connections\.salesforce\.host") as error:
            SALESFORCE.send(session, "POST", f"{BASE}/services/oauth2/token", (1, 1))
    assert len(adapter.calls) == 1
    assert "evil" not in str(error.value)


@pytest.mark.parametrize(
    "location", ["http://[::1", "https://evil.example:x/", "https://\u0130\0/", "\udcff"]
)
def test_a_redirect_to_nowhere_is_unavailable(location: str) -> None:
    with requests.Session() as session:
        session.mount("https://", adapter := Canned(302, Location=location))
        with pytest.raises(Unavailable):
            SALESFORCE.send(session, "GET", f"{BASE}/services/data/v66.0/query", (1, 1))
    assert len(adapter.calls) == 1


@pytest.fixture
def session() -> requests.Session:
    """The session that a client makes for itself; nothing is called."""
    connection = SalesforceConnection(host="acme.my.salesforce.com", organization_id=ORGANIZATION, secret="x")  # noqa: S106
    made: requests.Session = vars(Salesforce(connection, cast(Secrets, None)))["_session"]
    return made


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/data/v66.0/query",
        "http://acme.my.salesforce.com/services/data/v66.0/query",
        "https://acme.my.salesforce.com.evil.example/services/data/",
        "https://acme.my.salesforce.com:8443/services/data/",
        f"{BASE}/secur/frontdoor.jsp",
        "file:///etc/passwd",
    ],
)
def test_a_client_can_call_its_own_org_only(session: requests.Session, url: str) -> None:
    with pytest.raises(InvalidSchema):
        session.get_adapter(url)
    session.get_adapter(f"{BASE}/services/data/v66.0/query")


def test_only_reads_are_made_again(session: requests.Session) -> None:
    reads = cast(Any, session.get_adapter(f"{BASE}/services/data/v66.0/query")).max_retries
    login = cast(Any, session.get_adapter(f"{BASE}/services/oauth2/token")).max_retries
    assert (reads.total, reads.is_retry("GET", 503), reads.is_retry("POST", 503)) == (2, True, True)
    assert not any(reads.is_retry(method, 503) for method in ("PATCH", "PUT", "DELETE"))
    assert not any(reads.is_retry("GET", status) for status in (200, 400, 401, 403, 404))
    assert login.total == 0


def test_nothing_from_the_environment_changes_a_call(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password netrc-secret\n")
    netrc.chmod(0o600)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://ada:proxy-secret@127.0.0.1:1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("NETRC", str(netrc))
    session.mount(f"{BASE}/services/data/", adapter := Canned())
    SALESFORCE.send(
        session, "GET", f"{BASE}/services/data/v66.0/query", (5, 60), headers={"Authorization": "Bearer x"}
    )
    ((request, how),) = adapter.calls
    assert request.headers["Authorization"] == "Bearer x"
    assert how == {"verify": True, "proxies": {}, "timeout": (5, 60)}


# ── Vaults ──────────────────────────────────────────────────────────────────────────────────────────

VAULT = vault_system("vault_crm")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("acme-crm.veevavault.com", "https://acme-crm.veevavault.com"),
        ("acme.crm.veevavault.com", "https://acme.crm.veevavault.com"),
        ("127.0.0.1:8123", "http://127.0.0.1:8123"),
    ],
)
def test_a_vault_is_called_by_https_and_on_this_machine_by_http(host: str, url: str) -> None:
    assert VAULT.base_url(host) == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "veevavault.com",
        ".veevavault.com",
        "acme.my.salesforce.com",
        "acme-crm.veevavault.com.evil.example",
        "evil.example/acme-crm.veevavault.com",
        "user@acme-crm.veevavault.com",
        "acme-crm.veevavault.com:8443",
        "acme-crm.veevavault.com\n",
        "ACME-crm.veevavault.com",
        "acme-crmveevavault.com",
        "127.0.0.1",
        "169.254.169.254:80",
    ],
)
@pytest.mark.parametrize("name", ["vault_crm", "align"])
def test_other_hosts_of_vaults_are_misconfigured(name: str, host: str) -> None:
    with pytest.raises(Misconfigured, match=rf"connections\.{name}\.host is no Vault host"):
        vault_system(name).base_url(host)


@quickly
@given(
    HOSTS.map(lambda host: host.replace("my.salesforce.com", "veevavault.com"))
    | REAL.map(lambda host: host.replace("my.salesforce.com", "veevavault.com"))
    | LOCAL
)
@pytest.mark.parametrize(("name", "section"), [("vault_crm", VaultCrmConnection), ("align", AlignConnection)])
def test_the_gate_and_the_settings_of_vaults_agree(name: str, section: Any, host: str) -> None:
    try:
        section(host=host)
    except ValidationError:
        with pytest.raises(Misconfigured):
            vault_system(name).base_url(host)
    else:
        assert vault_system(name).base_url(host).partition("://")[2] == host


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/v26.1/query",
        "http://acme-crm.veevavault.com/api/v26.1/query",
        "https://acme-crm.veevavault.com:8443/api/v26.1/query",
        "https://acme-crm.veevavault.com/ui/",
        "https://login.veevavault.com/auth/discovery",
    ],
)
def test_a_client_can_call_its_own_vault_only_and_nothing_repeats_a_call_unasked(url: str) -> None:
    connection = VaultCrmConnection(host="acme-crm.veevavault.com")
    session: requests.Session = vars(Vault(connection, cast(Any, None), cast(Any, None)))["_session"]
    with pytest.raises(InvalidSchema):
        session.get_adapter(url)
    adapter = cast(Any, session.get_adapter("https://acme-crm.veevavault.com/api/v26.1/vobjects/user__sys"))
    assert adapter.max_retries.total == 0
    assert not session.trust_env
