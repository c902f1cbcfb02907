"""What an admin of the sandbox app sees and does: without token or quirks, by the sandbox's own door."""

from collections.abc import Iterable, Mapping
from typing import Any

import requests

from sandbox.local_stack.stack import LocalStack

TIMEOUT_S = 30
USER = "urn:ietf:params:scim:schemas:core:2.0:User"

type Resource = dict[str, Any]


class AppAdmin:
    """An admin of the stack's app; every call raises requests.HTTPError if it is refused."""

    def __init__(self, stack: LocalStack) -> None:
        """Begin to administer the stack's app."""
        self._url = f"{stack.app}/sandbox"

    def create_user(self, email: str, first_name: str, last_name: str) -> str:
        """Make an account by hand, as was done before the app was provisioned; return its id."""
        body = {
            "schemas": [USER],
            "userName": email,
            "name": {"givenName": first_name, "familyName": last_name},
            "displayName": f"{first_name} {last_name}",
            "emails": [{"value": email, "type": "work", "primary": True}],
            "active": True,
        }
        return str(self._call("POST", "/admin/Users", body)["id"])

    def users(self) -> dict[str, Resource]:
        """Return the accounts as they are, by userName."""
        users: Iterable[Resource] = self._call("GET", "/directory")["users"]
        return {str(user["userName"]): user for user in users}

    def is_active(self, user_name: str) -> bool:
        """Tell whether somebody has an account that is open."""
        return bool(self.users().get(user_name, {}).get("active"))

    def groups(self) -> dict[str, set[str]]:
        """Return the groups by name, each with the userNames of its members."""
        directory = self._call("GET", "/directory")
        names = {user["id"]: str(user["userName"]) for user in directory["users"]}
        return {
            str(group["displayName"]): {names[each["value"]] for each in group.get("members") or ()}
            for group in directory["groups"]
        }

    def calls(self) -> int:
        """Return how many SCIM calls the app has received."""
        counted: Iterable[Mapping[str, Any]] = self._call("GET", "/requests")
        return sum(int(each["count"]) for each in counted)

    def _call(self, method: str, path: str, body: Resource | None = None) -> Any:
        answer = requests.request(method, f"{self._url}{path}", json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()
