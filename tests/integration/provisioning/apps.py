"""Acme with an app that is provisioned by SCIM beside its Salesforce: what admins do, and what they see."""

from dataclasses import dataclass
from typing import Any

import scheduled_push
from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.scim_in_process import ScimInProcess
from tests.integration.company import SALES, SUPPORT, Company

APP_HOST = "127.0.0.1:8004"
APP = "scim.app"


@dataclass
class Apps:
    """Acme and its app."""

    company: Company
    scim: ScimInProcess
    wire: InProcess

    def connect(self, **keys: Any) -> dict[str, Any]:
        """Save settings with the app connected, in which everybody is unless `keys` say otherwise.

        What waits for approval is approved: that accounts stay open in another app, for one.
        """
        section = {"host": APP_HOST, "who": "everyone", **keys}
        salesforce = self.company.salesforce.connection
        return self.company.put_and_approve(
            seats={"gong": {"limit": 50}},
            assignments=[SALES, SUPPORT],
            connections={"salesforce": salesforce, "scim": {"app": section}},
        )

    def person(self, name: str, department: str = "Sales", **fields: Any) -> str:
        """Create a person in Salesforce, who is imported later; returns the CRM id."""
        given = {"FirstName": name.title(), "LastName": "Lovelace", "Email": address(name)}
        return self.company.salesforce.create(
            Username=f"{name}@acme.example.crm", Department=department, **{**given, **fields}
        )

    def imported(self, mode: str = "full") -> dict[str, Any]:
        """Import, and return the answer."""
        said = self.company.run(mode)
        assert said["status"] in ("succeeded", "succeeded_with_errors"), said
        return said

    def push(self, **event: Any) -> dict[str, Any]:
        """Push to the app; raises what it raises."""
        given = {"organization": "acme", "by": "jane", "connections": [APP], **event}
        asked = {name: value for name, value in given.items() if value is not None}
        said: dict[str, Any] = scheduled_push.handler(asked, self.company.context)
        return said

    def calls(self) -> list[tuple[str, str]]:
        """Return the calls that the app has received since this was asked last."""
        calls = [(method, path) for method, path, *_ in self.wire.calls]
        self.wire.calls.clear()
        return calls

    def account(self, crm_id: str) -> dict[str, Any]:
        """Return what the member's JSON shows of its account."""
        shown: dict[str, Any] = self.company.roster()[crm_id].get("accounts", {}).get(APP, {})
        return shown

    def truth(self) -> dict[str, bool]:
        """Return who is active in the app, by the first part of the name."""
        return {name.partition("@")[0]: active for name, active in self.scim.truth().items()}

    def titles(self) -> dict[str, str | None]:
        """Return everybody's title in the app, by the first part of the name."""
        users = self.scim.control("GET", "directory")["users"]
        return {each["userName"].partition("@")[0]: each.get("title") for each in users}

    def groups(self) -> dict[str, list[str]]:
        """Return the members' names of every group."""
        directory = self.scim.control("GET", "directory")
        names = {each["id"]: each["userName"].partition("@")[0] for each in directory["users"]}
        return {
            each["displayName"]: sorted(
                names.get(one["value"], one["value"]) for one in each.get("members", [])
            )
            for each in directory["groups"]
        }

    def delete_group(self, name: str) -> None:
        """Delete a group by hand, in the app."""
        self.scim.control("DELETE", f"admin/Groups/{self.group_id(name)}", status=204)

    def group_id(self, name: str) -> str:
        """Return a group's id in the app."""
        groups = self.scim.control("GET", "directory")["groups"]
        (group,) = (str(each["id"]) for each in groups if each["displayName"] == name)
        return group


def address(name: str) -> str:
    """Return a person's e-mail address, which is the userName in the app."""
    return f"{name}@acme.example"
