"""Acme with a Vault CRM beside its Salesforce, and the functions that give and take Engage licences."""

from dataclasses import dataclass
from typing import Any

import group_assignment
import member_settings
import scheduled_push
from muster import bootstrap
from muster.runs.run import Run
from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.vault_in_process import VaultInProcess
from tests.integration.beginnings import data_of, hold_again
from tests.integration.company import Company

VAULT_HOST = "127.0.0.1:8002"
UPDATES = ("PUT", "/api/v26.1/vobjects/user__sys")


@dataclass
class Licences:
    """Acme and its Vault CRM: what admins do, and what they see."""

    company: Company
    vault: VaultInProcess
    wire: InProcess

    def person(self, **fields: Any) -> str:
        """Create a person in both, who is imported later; returns the id in Vault CRM."""
        crm_id = self.company.salesforce.create(Department="Sales")
        row = self.company.salesforce.call("GET", f"/services/data/v66.0/sobjects/User/{crm_id}")
        return self.vault.create(username__sys=row["Username"], email__sys=row["Email"], **fields)

    def people(self, number: int, **fields: Any) -> list[str]:
        """Create so many people in both."""
        return [self.person(**fields) for _ in range(number)]

    def imported(self, mode: str = "full") -> dict[str, Any]:
        """Import, and return the answer."""
        said = self.company.run(mode)
        assert said["status"] in ("succeeded", "succeeded_with_errors"), said
        return said

    def push(self, **event: Any) -> dict[str, Any]:
        """Invoke the push; raises what it raises."""
        asked = {"organization": "acme", "by": "jane", **event}
        said: dict[str, Any] = scheduled_push.handler(asked, self.company.context)
        return said

    def ask(
        self, *people: str, group: str | None = "UK", action: str = "assign", feature: str = "engage"
    ) -> dict[str, Any]:
        """Ask for groups; the people are ids in Vault CRM."""
        ids = [self.member(person)["id"] for person in people]
        return self.ask_by_reference(*ids, group=group, action=action, feature=feature)

    def ask_by_reference(
        self, *members: str, group: str | None = "UK", action: str = "assign", feature: str = "engage"
    ) -> dict[str, Any]:
        """Ask for groups of members, whatever names them."""
        given = {"group": group} if action == "assign" else {}
        requested = [{"member": each, "action": action, "feature": feature, **given} for each in members]
        event = {"organization": "acme", "by": "jane@acme.example", "requests": requested}
        said: dict[str, Any] = group_assignment.handler(event, self.company.context)
        return said

    def edit(self, person: str, **change: Any) -> dict[str, Any]:
        """Edit a member by hand."""
        event = {
            "organization": "acme",
            "by": "jane",
            "changes": [{"member": self.member(person)["id"], **change}],
        }
        said: dict[str, Any] = member_settings.handler(event, self.company.context)
        assert said["status"] == "succeeded", said
        return said

    def roster(self) -> dict[str, dict[str, Any]]:
        """Return every member by id in Vault CRM."""
        members = self.company.roster().values()
        return {
            member["crm"]["vault_crm"]["id"] or "": member
            for member in members
            if "vault_crm" in member["crm"]
        }

    def member(self, person: str) -> dict[str, Any]:
        """Return the member of a user of Vault CRM."""
        return self.roster()[person]

    def status(self, person: str, feature: str = "engage") -> tuple[str | None, str | None, str | None]:
        """Return request, status and group of a member."""
        mine = self.member(person)[feature]
        return mine["request"], mine["status"], mine["group"]

    def processed(self) -> list[tuple[str, str | None, str]]:
        """Return what the Engage server has processed: user, group, outcome."""
        return [
            (each["user"], each["group"], each["outcome"])
            for each in self.vault.control("GET", "engage/requests")
        ]

    def calls(self) -> list[tuple[str, str]]:
        """Return the calls to Vault CRM since this was asked last, logins left out."""
        found = [call for call in self.wire.calls if not call[1].endswith("/auth")]
        self.wire.calls.clear()
        return found

    def faults(self, *faults: dict[str, Any]) -> None:
        """Misbehave so; none: behave."""
        self.vault.control("POST", "faults", list(faults))

    def runs(self) -> list[Run]:
        """Return the records of pushes, newest first."""
        found, _ = bootstrap.run_table().runs("acme", 100, None)
        return [run for run in found if run.kind == "push"]

    def end_lease(self) -> None:
        """Let the lease of a run that died run out."""
        self.company.end_lease()

    def snapshot(self) -> tuple[Any, bytes]:
        """Return all that there is, to go back to."""
        return self.company.snapshot(), data_of(self.vault.vault.store)

    def go_back_to(self, then: tuple[Any, bytes]) -> None:
        """Make everything what it was, and both systems behave; clocks go on."""
        company, vault = then
        self.company.go_back_to(company)
        renew_vault(self.vault, vault)
        self.calls()


def renew_vault(vault: VaultInProcess, data: bytes) -> None:
    """Let a vault hold that again, without faults."""
    vault.control("POST", "faults", [])
    vault.vault.reset()
    hold_again(vault.vault.store, data)
    vault.log_in()
