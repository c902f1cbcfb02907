"""A sandbox vault without a socket, for tests: plain calls, nothing of the service's own code.

with vault_in_process() as vault:
    ada = vault.create(first_name__sys="Ada")       a user, as through the REST API
    vault.query("SELECT id FROM user__sys")         the answer to VQL
    vault.control("PUT", "engage/engage/groups/UK", {"licenses": 2})
    vault.settle()                                  time passes until the Engage server is done
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import Client, TestResponse

from sandbox.vault_crm.app import application, fault_switch
from sandbox.vault_crm.setup_records import DOCUMENT_USER, ENGLISH, ENGLISH_US
from sandbox.vault_crm.vault import Vault
from tests.doubles.clocks import Clock, SetClock

API = "/api/v26.1"
_numbers = itertools.count(1)


@dataclass
class VaultInProcess:
    """Talks to the vault as its integration user and, under /sandbox/, as its admin."""

    vault: Vault
    clock: SetClock
    http: Client
    session: str = field(default="", init=False)

    @property
    def secret(self) -> str:
        """What Secrets Manager holds."""
        return json.dumps({"username": self.vault.username, "password": self.vault.password})

    def log_in(self, **form: str) -> Any:
        """Log in, with the right username and password unless others are given; return the answer."""
        credentials = {"username": self.vault.username, "password": self.vault.password}
        answer = self.http.post(f"{API}/auth", data=credentials | form).get_json()
        self.session = answer.get("sessionId", self.session)
        return answer

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Call a path of the API."""
        headers = {"Authorization": self.session} | options.pop("headers", {})
        return self.http.open(f"{API}{path}", method=method, headers=headers, **options)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Call a path of the API and return its body; Vault answers 200, whatever it says."""
        answer = self.send(method, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def query(self, vql: str) -> Any:
        """Return the answer to a query, its first page."""
        return self.call("POST", "/query", data={"q": vql})

    def found(self, where: str, name: str = "last_name__sys") -> list[Any]:
        """Return one field of the users that a condition finds, without those of the vault's own."""
        vql = f"SELECT {name} FROM user__sys WHERE company__sys = 'Acme' AND ({where})"  # noqa: S608  # VQL of tests
        answer = self.query(vql)
        assert answer["responseStatus"] == "SUCCESS", answer
        return [row[name] for row in answer["data"]]

    def write(
        self,
        method: str,
        records: Sequence[Mapping[str, Any]],
        *,
        of: str = "user__sys",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Create (POST) or change (PUT) records; return the answer."""
        return self.call(method, f"/vobjects/{of}", json=records, headers=headers or {})

    def create(self, **fields: Any) -> str:
        """Create an active user; return the id."""
        return self.create_many([fields])[0]

    def create_many(self, users: Sequence[Mapping[str, Any]]) -> list[str]:
        """Create users; return their ids."""
        answer = self.write("POST", [new_user(**each) for each in users])
        return [entry["data"]["id"] for entry in answer["data"]]

    def update(self, user: str, **fields: Any) -> Any:
        """Change a user; return the entry of the answer."""
        return self.write("PUT", [{"id": user, **fields}])["data"][0]

    def user(self, user: str) -> Any:
        """Return a user's Engage fields, status and title."""
        names = (
            "status__v, engage_group_request__v, engage_group_provisioning_status__v, engage_group__v,"
            " remote_meeting_host_id__v, remote_meeting_host_token__v, engage_connect_group_request__v,"
            " engage_connect_group_status__v, engage_connect_group__v, modified_date__v, title__sys"
        )
        (row,) = self.query(f"SELECT {names} FROM user__sys WHERE id = '{user}'")["data"]  # noqa: S608  # VQL of tests
        return row

    def control(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """Call a path under /sandbox/ and return its JSON."""
        answer = self.http.open(f"/sandbox/{path}", method=method, json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def group(self, name: str, licenses: int | None, feature: str = "engage") -> None:
        """Make a group on the Engage server."""
        self.control("PUT", f"engage/{feature}/groups/{name}", {"licenses": licenses})

    def used(self, feature: str = "engage") -> dict[str, int]:
        """Return the licences in use, by group."""
        return {each["name"]: each["used"] for each in self.control("GET", f"engage/{feature}/groups")}

    def settle(self) -> None:
        """Let so much time pass that the Engage server has done what was asked."""
        self.clock.pass_s(1)


def new_user(**fields: Any) -> dict[str, Any]:
    """Return a user as it can be created; `fields` go over valid values."""
    name = f"user{next(_numbers)}@acme.example"
    return {
        "username__sys": name,
        "email__sys": name,
        "first_name__sys": "Ada",
        "last_name__sys": "Lovelace",
        "company__sys": "Acme",
        "language__sys": ENGLISH,
        "locale__sys": ENGLISH_US,
        "timezone__sys": "europe_london__sys",
        "security_profile__sys": DOCUMENT_USER,
        "country_code__v": "GB",
        "user_type__v": "sales__v",
        **fields,
    }


@contextmanager
def vault_in_process(
    kind: str = "crm", data: str = ":memory:", clock: SetClock | None = None
) -> Iterator[VaultInProcess]:
    """Open a vault of its own, logged in; without a clock it has one that stands still."""
    clock = clock or Clock()
    vault = Vault(kind=kind, data=data, clock=clock)
    try:
        found = VaultInProcess(vault, clock, Client(application(vault, fault_switch(vault))))
        found.log_in()
        yield found
    finally:
        vault.close()
