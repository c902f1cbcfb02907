"""What tests of the Vault client share: a host that answers as it is told, and clients."""

import json
from collections.abc import Iterable
from itertools import batched
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from muster.adapters.aws.login_journal import LoginJournal
from muster.adapters.http_calls import session_for
from muster.adapters.vault import login
from muster.adapters.vault.client import Vault
from muster.crm import vql
from muster.crm.pages import Page
from muster.settings.sections import VaultCrmConnection
from sandbox.vault_crm import RunningSandbox
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import CANARY, Shelf
from tests.doubles.host import Host
from tests.doubles.login_journal import JournalInMemory
from tests.doubles.vault_in_process import new_user

NAME = "muster/acme/vault_crm"
USERNAME = "muster@acme.example"
AUTH = "/api/v26.1/auth"


def credentials(username: str = USERNAME, password: str = CANARY, **others: str) -> Shelf:
    """Return a secret with what logs in, and whatever else it holds."""
    return Shelf(NAME, username=username, password=password, **others)


def token(value: str = f"veeva-vault-{CANARY}") -> Shelf:
    """Return a secret with an access token."""
    return Shelf(NAME, access_token=value)


class VaultHost(Host):
    """A host in a vault's place; it logs everyone in, unless told otherwise."""

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self.login: Response | None = None

    def is_login(self, request: Request) -> bool:
        """Tell whether a request asks for a session."""
        return request.path == AUTH

    def let_in(self) -> Response:
        """Return the answer to a login."""
        return self.login or self.session()

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
    connection = VaultCrmConnection(**{"host": url.removeprefix("http://"), "secret": NAME} | changes)
    # As in settings: a secret is of the organization in its name.
    connection.belong_to((connection.secret or NAME).split("/")[1])
    return connection


def client_at(url: str, shelf: Shelf | None = None, **options: Any) -> Vault:
    """Return a client with sessions of its own, whose waits take no time."""
    clock = options.setdefault("clock", MonotonicClock())
    given = {"sessions": login.Sessions(), "sleep": clock.sleep} | options
    journal = given.pop("journal", None) or JournalInMemory()
    return Vault(connection_to(url), (shelf or credentials()).secrets(), journal, **given)


def client_of(vault: RunningSandbox, **options: Any) -> Vault:
    """Return a client of a sandbox."""
    return client_at(vault.url, shelf_of(vault), **options)


def shelf_of(vault: RunningSandbox) -> Shelf:
    """Return the secret that opens a sandbox."""
    return credentials(vault.username, vault.password)


def login_at(
    url: str,
    shelf: Shelf | None = None,
    sessions: login.Sessions | None = None,
    journal: LoginJournal | None = None,
    **connection: Any,
) -> login.VaultLogin:
    """Return a login on its own."""
    return login.VaultLogin(
        connection_to(url, **connection),
        "vault_crm",
        (shelf or credentials()).secrets(),
        journal or JournalInMemory(),
        session_for({f"{url}/api/": 0}),
        (5, 10),
        sessions or login.Sessions(),
    )


def ids_of(pages: Iterable[Page]) -> list[str]:
    """Return the ids of the rows of some pages."""
    return [row["id"] for page in pages for row in page.records]


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
        users = [
            new_user(email__sys=f"rep{index}@acme.example", first_name__sys="Rep", last_name__sys=f"{index}")
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
