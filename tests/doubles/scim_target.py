"""A SCIM target over HTTP as tests use it: clients of it, and its admin, who sees what is really there.

target = ScimTarget(running)
target.quirks(seats=1)                     replaces the quirks
target.client().find("Users", "userName", "ada@acme.example")
target.truth()                             who is active, whatever lists show
"""

from typing import Any

import requests

from muster.adapters.scim.client import Scim
from muster.settings.scim_connection import ScimConnection
from sandbox.scim import RunningSandbox
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import Shelf
from tests.doubles.login_journal import JournalInMemory
from tests.doubles.sandbox_doors import calls, control, misbehave
from tests.doubles.scim_in_process import GROUP, new_user

NAME = "muster/acme/scim/app"


def connection_to(url: str, path: str = "/scim/v2", **changes: Any) -> ScimConnection:
    """Return the section of the settings, as one of the organization acme, called `app`."""
    given = {"host": url.removeprefix("http://"), "path": path, "secret": NAME, "who": "everyone"}
    connection = ScimConnection.model_validate(given | changes)
    connection.belong_to("acme")
    connection.be_called("app")
    return connection


def client_at(url: str, shelf: Shelf, **options: Any) -> Scim:
    """Return a client whose waits take no time; `settings` are keys of its connection."""
    clock = options.pop("clock", None) or MonotonicClock()
    journal = options.pop("journal", None) or JournalInMemory()
    connection = connection_to(url, **options.pop("settings", {}))
    return Scim(connection, shelf.secrets(), journal, clock=clock, sleep=clock.sleep, **options)


class ScimTarget:
    """A running sandbox."""

    def __init__(self, app: RunningSandbox) -> None:
        self.url, self.token = app.url, app.token

    def shelf(self, **secret: str) -> Shelf:
        """Return the secret that opens it, or another one."""
        return Shelf(NAME, **(secret or {"token": self.token}))

    def client(self, profile: str = "generic", **options: Any) -> Scim:
        """Return a client."""
        settings = {"profile": profile, **options.pop("settings", {})}
        return client_at(self.url, options.pop("shelf", None) or self.shelf(), settings=settings, **options)

    def quirks(self, **quirks: object) -> None:
        """Replace the quirks."""
        control(self.url, "POST", "quirks", quirks)

    def fault(self, fault: str, path: str = "/scim/v2", **more: object) -> None:
        """Replace the faults by this one."""
        misbehave(self.url, {"path": path, "fault": fault, **more})

    def calls(self, path: str = "", method: str | None = None) -> int:
        """Return how many calls it received below its base since the last reset."""
        return calls(self.url, f"/scim/v2{path}", method)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Act as the app's own admin, without any quirk."""
        return control(self.url, method, f"admin{path}", body)

    def user(self, user_name: str, **attributes: object) -> str:
        """Make a user past Muster; return the id."""
        return str(self.admin("POST", "/Users", new_user(user_name, **attributes))["id"])

    def group(self, name: str, *members: str) -> str:
        """Make a group past Muster; return the id."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        return str(self.admin("POST", "/Groups", body)["id"])

    def users(self) -> dict[str, Any]:
        """Return every user as the app has it, by userName."""
        return {each["userName"]: each for each in control(self.url, "GET", "directory")["users"]}

    def truth(self) -> dict[str, bool]:
        """Return who is active, by userName."""
        return {name: each.get("active") is not False for name, each in self.users().items()}

    def members(self, name: str) -> list[str]:
        """Return the ids of the members of a group, by its name."""
        (found,) = (
            each for each in control(self.url, "GET", "directory")["groups"] if each["displayName"] == name
        )
        return [str(each["value"]) for each in found.get("members", [])]

    def raw(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call a path with the token, past Muster."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/scim/v2{path}"
        return requests.request(method, url, headers=headers, json=body, timeout=10)
