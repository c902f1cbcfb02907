"""A sandbox SCIM app without a socket, for tests: plain calls, nothing of the service's own code.

with scim_in_process() as scim:
    ada = scim.create("ada@acme.example")      a user, as through SCIM; the id
    scim.quirks(seats=1)                       replaces the quirks
    scim.patch(ada, ("replace", "active", False))
    scim.truth()                               who is there, whatever lists show
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from werkzeug.test import Client, TestResponse

from sandbox.scim.app import application, fault_switch
from sandbox.scim.protocol import BASE, PATCH, SCIM_JSON
from sandbox.scim.scim_app import ScimApp
from tests.doubles.clocks import Clock, SetClock

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_numbers = itertools.count(1)


@dataclass
class ScimInProcess:
    """Talks to the app as a client with its token and, under /sandbox/, as its admin."""

    app: ScimApp
    clock: SetClock
    http: Client

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, **query: str
    ) -> TestResponse:
        """Call a SCIM path, as in /Users; `query` is the query string."""
        all_headers = {"Authorization": f"Bearer {self.app.token}", "Accept": SCIM_JSON} | (headers or {})
        content_type = None if body is None else all_headers.get("Content-Type", SCIM_JSON)
        return self.http.open(
            f"{BASE}{path}",
            method=method,
            headers=all_headers,
            query_string=query or None,
            json=body,
            content_type=content_type,
        )

    def call(self, method: str, path: str, body: object = None, *, status: int = 200, **query: str) -> Any:
        """Call a SCIM path and return its JSON; None where there is no body."""
        answer = self.send(method, path, body, None, **query)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.get_json() if answer.data else None

    def post(self, user_name: str, **attributes: object) -> TestResponse:
        """Create a user whose e-mail is the userName."""
        return self.send("POST", "/Users", new_user(user_name, **attributes))

    def create(self, user_name: str | None = None, **attributes: object) -> str:
        """Create a user; return the id."""
        answer = self.post(user_name or f"user{next(_numbers)}@acme.example", **attributes)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])

    def group(self, name: str, *members: str) -> str:
        """Create a group; return the id."""
        body: dict[str, object] = {"schemas": [GROUP], "displayName": name}
        if members:
            body["members"] = [{"value": each} for each in members]
        return str(self.call("POST", "/Groups", body, status=201)["id"])

    def patch(
        self, of: str, *operations: tuple[Any, ...], endpoint: str = "Users", **more: object
    ) -> TestResponse:
        """Patch a user or group; an operation is op, path (None for none) and, if any, value."""
        return self.send("PATCH", f"/{endpoint}/{quote(of)}", patch_of(*operations) | more)

    def add(self, group: str, *members: str) -> TestResponse:
        """Add members to a group."""
        value = [{"value": each} for each in members]
        return self.patch(group, ("add", "members", value), endpoint="Groups")

    def user(self, user: str, *, status: int = 200) -> Any:
        """Read a user."""
        return self.call("GET", f"/Users/{quote(user)}", status=status)

    def members(self, group: str) -> list[str]:
        """Return the ids of a group's members as they are."""
        (found,) = (each for each in self.control("GET", "directory")["groups"] if each["id"] == group)
        return [str(each["value"]) for each in found.get("members", [])]

    def listed(self, filter_: str | None = None, endpoint: str = "Users") -> list[str]:
        """Return the names in a list."""
        query = {} if filter_ is None else {"filter": filter_}
        rows = self.call("GET", f"/{endpoint}", None, status=200, **query)["Resources"]
        return sorted(str(row.get("userName") or row["displayName"]) for row in rows)

    def truth(self) -> dict[str, bool]:
        """Return every user as the app has them: whether active, by userName."""
        users = self.control("GET", "directory")["users"]
        return {each["userName"]: each.get("active") is not False for each in users}

    def quirks(self, **quirks: object) -> None:
        """Replace the quirks."""
        self.control("POST", "quirks", quirks)

    def fault(self, fault: str, path: str = BASE, **more: object) -> None:
        """Replace the faults by this one."""
        self.control("POST", "faults", [{"path": path, "fault": fault, **more}])

    def control(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """Call a path under /sandbox/ and return its JSON."""
        answer = self.http.open(f"/sandbox/{path}", method=method, json=body)
        assert answer.status_code == status, answer.text
        return answer.get_json()


def new_user(user_name: str, **attributes: object) -> dict[str, object]:
    """Return a user as it can be created; `attributes` go over valid values."""
    return {
        "schemas": [USER],
        "userName": user_name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": user_name, "type": "work", "primary": True}],
        "active": True,
        **attributes,
    }


def patch_of(*operations: tuple[Any, ...]) -> dict[str, object]:
    """Return the body of a PATCH; an operation is op, path (None for none) and, if any, value."""
    made = [dict(zip(("op", "path", "value"), each, strict=False)) for each in operations]
    for each in made:
        if each["path"] is None:
            del each["path"]
    return {"schemas": [PATCH], "Operations": made}


@contextmanager
def scim_in_process(
    data: str = ":memory:", quirks: object = None, clock: SetClock | None = None
) -> Iterator[ScimInProcess]:
    """Open an app of its own; unless a clock is given, one that stands still."""
    clock = clock or Clock()
    app = ScimApp(data=data, quirks=quirks, clock=clock)
    try:
        yield ScimInProcess(app, clock, Client(application(app, fault_switch(app))))
    finally:
        app.close()
