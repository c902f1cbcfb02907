"""What tests of the Vault client share: a host that answers as it is told, and clients."""

import json
from collections.abc import Iterable
from itertools import batched
from typing import Any, cast
from uuid import uuid4

import requests
from werkzeug.wrappers import Request, Response

from muster.adapters.aws.secrets import Secrets
from muster.adapters.http_calls import session_for
from muster.adapters.vault import login
from muster.adapters.vault.answers import vault_system
from muster.adapters.vault.client import Vault
from muster.crm import vql
from muster.crm.pages import Page
from muster.settings.sections import VaultCrmConnection
from sandbox.vault_crm import RunningSandbox

NAME = "muster/acme/vault_crm"
USERNAME = "muster@acme.example"
CANARY = "c4n4ry-0f-4-p4ssw0rd"
AUTH = "/api/v26.1/auth"


class Clock:
    """A clock that a test sets; whoever sleeps on it moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


class Shelf:
    """Stands in for Secrets Manager: one secret, and how often it was read."""

    def __init__(self, username: str = USERNAME, password: str = CANARY, **others: str) -> None:
        self.secret = {"username": username, "password": password} | others
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        assert SecretId == NAME
        self.reads += 1
        return {"SecretString": json.dumps(self.secret)}


class Host:
    """Logs everyone in, unless told otherwise, and answers as it is told, the last answer over and over."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.logins: list[Request] = []
        self.login: Response | None = None
        self.calls: list[Request] = []
        self.answers: list[Response] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        if request.path == AUTH:
            self.logins.append(request)
            answer = self.login or self.session()
        else:
            self.calls.append(request)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(environ, start_response)

    def session(self, **changes: object) -> Response:
        """Return the answer to a login, with changes; None leaves a key out."""
        vaults = [{"id": 2001, "name": "CRM", "url": f"{self.url}/api"}]
        said = {
            "responseStatus": "SUCCESS",
            "sessionId": f"session-{len(self.logins)}",
            "userId": 10001,
            "vaultIds": vaults,
            "vaultId": 2001,
        } | changes
        return Response(json.dumps({key: value for key, value in said.items() if value is not None}))

    def say(self, *bodies: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer so from now on, one after the other; what is neither text nor bytes as JSON."""
        self.answers = [
            Response(body if isinstance(body, str | bytes) else json.dumps(body), status, headers)
            for body in bodies
        ]


def failure(kind: str, message: str = "Words.", status: str = "FAILURE") -> dict[str, object]:
    """Return an envelope with one error."""
    return {"responseStatus": status, "errors": [{"type": kind, "message": message}]}


def result(*ids: str, total: int | None = None, following: str | None = None) -> dict[str, object]:
    """Return a page of a query's answer."""
    total = len(ids) if total is None else total
    details = {"pagesize": 1000, "pageoffset": 0, "size": len(ids), "total": total}
    if following:
        details |= {"next_page": following}  # type: ignore[dict-item]  # the one text among numbers
    return {"responseStatus": "SUCCESS", "responseDetails": details, "data": [{"id": each} for each in ids]}


def connection_to(url: str, **changes: Any) -> VaultCrmConnection:
    """Return the section of the settings."""
    return VaultCrmConnection(**{"host": url.removeprefix("http://"), "secret": NAME} | changes)


def client_at(url: str, shelf: Shelf | None = None, clock: Clock | None = None, **options: Any) -> Vault:
    """Return a client with sessions of its own, whose waits take no time."""
    clock = clock or Clock()
    given: dict[str, Any] = {
        "sessions": login.Sessions(),
        "clock": clock,
        "sleep": clock.sleep,
    } | options
    return Vault(connection_to(url), Secrets(cast(Any, shelf or Shelf())), **given)


def client_of(vault: RunningSandbox, **options: Any) -> Vault:
    """Return a client of a sandbox."""
    return client_at(vault.url, Shelf(vault.username, vault.password), **options)


def login_at(
    url: str,
    shelf: Shelf | None = None,
    sessions: login.Sessions | None = None,
    clock: Clock | None = None,
    **connection: Any,
) -> login.VaultLogin:
    """Return a login on its own."""
    return login.VaultLogin(
        connection_to(url, **connection),
        vault_system("vault_crm"),
        Secrets(cast(Any, shelf or Shelf())),
        session_for({f"{url}/api/": 0}),
        (5, 10),
        sessions or login.Sessions(),
        clock or Clock(),
    )


def control(url: str, method: str, path: str, body: object = None) -> Any:
    """Use the sandbox's own door."""
    answer = requests.request(method, f"{url}/sandbox/{path}", json=body, timeout=10)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def misbehave(vault: RunningSandbox, *faults: dict[str, object]) -> None:
    """Let a sandbox misbehave so; none: behave."""
    control(vault.url, "POST", "faults", list(faults))


def ids_of(pages: Iterable[Page]) -> list[str]:
    """Return the ids of the rows of some pages."""
    return [row["id"] for page in pages for row in page.records]


def calls(url: str, path: str = "/api/", method: str | None = None) -> int:
    """Return how many calls the sandbox received, by the beginning of their path."""
    return sum(
        call["count"]
        for call in control(url, "GET", "requests")
        if call["path"].startswith(path) and method in (None, call["method"])
    )


class Admin:
    """Uses a sandbox's own API past Muster, as an admin of the vault does."""

    def __init__(self, vault: RunningSandbox) -> None:
        self.url = vault.url
        self._http = requests.Session()
        self._http.trust_env = False
        form = {"username": vault.username, "password": vault.password}
        self._http.headers["Authorization"] = self.call("POST", "auth", data=form)["sessionId"]

    def call(self, method: str, path: str, **request: Any) -> Any:
        """Call a path of the API, which answers with success."""
        answer = self._http.request(method, f"{self.url}/api/v26.1/{path}", timeout=10, **request).json()
        assert answer["responseStatus"] == "SUCCESS", answer
        return answer

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query's first page."""
        return list(self.call("POST", "query", data={"q": query})["data"])

    def row(self, user: str, *fields: str) -> dict[str, Any]:
        """Return some fields of a user."""
        (row,) = self.rows(vql.select(fields, "user__sys", vql.equal("id", user)))
        return row

    def create(self, number: int, **fields: str) -> list[str]:
        """Create so many users of the company Acme and return their ids."""
        references = {
            name: self.rows(vql.select(["id"], name, vql.equal(key, value)))[0]["id"]
            for name, key, value in (
                ("language__sys", "admin_key__sys", "en"),
                ("locale__sys", "admin_key__sys", "en_US"),
                ("security_profile__sys", "profile_key__sys", "documentUser"),
            )
        }
        users = [
            {
                "username__sys": f"{uuid4().hex}@acme.example",
                "email__sys": f"rep{index}@acme.example",
                "first_name__sys": "Rep",
                "last_name__sys": f"{index}",
                "company__sys": "Acme",
                "timezone__sys": "europe_london__sys",
            }
            | references
            | fields
            for index in range(number)
        ]
        made: list[str] = []
        for some in batched(users, 500, strict=False):
            made += [
                each["data"]["id"] for each in self.call("POST", "vobjects/user__sys", json=some)["data"]
            ]
        return made

    def close(self) -> None:
        """Hang up."""
        self._http.close()
