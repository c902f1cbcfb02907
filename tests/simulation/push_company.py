"""Acme with a Vault CRM: who is there too, what admins ask for, and the pushes that schedules start.

pushing.begin()                    settings saved, both features managed, nobody there yet
pushing.hire("ada")                somebody in Salesforce and in Vault CRM, linked by the next import
pushing.ask("assign", "ada", group="UK")
pushing.push()                     what the schedule starts
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import group_assignment
import scheduled_push
from muster.adapters.vault import login
from muster.errors import MusterError
from muster.runs.running import SCHEDULE
from tests.conftest import forget_clients
from tests.simulation.company import Company, CompanyMoment, Said
from tests.simulation.vault_wire import HOST
from tests.simulation.world import Violation
from tests.vault import VaultInProcess

PUSH = "ScheduledPushFunction"
SALES = {"name": "Sales", "filter": "Department = 'Sales'"}
FEATURES = ("engage", "engage_connect")
ENDED_WELL = ("succeeded", "succeeded_with_errors")
# Longer than a lease holds.
A_WHILE = 20
# What is left of a run that died, what it has brought about, and what that brings about in turn.
MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class PushMoment:
    """A company and its vault at a moment."""

    company: CompanyMoment
    vault: bytes
    users: dict[str, str]


@dataclass(slots=True)
class PushCompany:
    """One company in a world, with its Vault CRM."""

    company: Company
    # First name → id in Vault CRM.
    users: dict[str, str] = field(default_factory=dict)

    @property
    def vault(self) -> VaultInProcess:
        """The vault, as its admin uses it."""
        return self.company.world.vault

    # ── People ───────────────────────────────────────────────────────────────────────────────────

    def begin(self, *features: str, **sections: Any) -> None:
        """Begin anew, with these features managed (all, where none is named) and nobody there."""
        self.company.begin(managers={"notify": False}, seats={}, seat_required={}, assignments=[SALES])
        self.vault.vault.reset()
        self.vault.control("PUT", "paging", {"max_rows": 5})
        self.users.clear()
        self.new_environment()
        connection = {"host": HOST, "manage_features": features or FEATURES}
        connections = {**self.company.document["connections"], "vault_crm": connection}
        said = self.company.put(connections=connections, **sections)
        if said["status"] != "succeeded":
            raise Violation(f"settings were refused: {said}")

    def hire(self, *names: str) -> None:
        """Create people in Salesforce and in Vault CRM."""
        self.vault.log_in()
        for name in names:
            self.company.hire(name, Department="Sales")
            address = f"{name}@acme.example"
            self.users[name] = self.vault.create(username__sys=address, email__sys=address)

    def member(self, name: str) -> str:
        """Return what an admin calls somebody."""
        return self.company.people[name]

    def name_of(self, vault_id: str) -> str:
        """Return whose id in Vault CRM that is."""
        return next((name for name, known in self.users.items() if known == vault_id), vault_id)

    # ── Admins and schedules ─────────────────────────────────────────────────────────────────────

    def ask(self, action: str, *names: str, group: str | None = None, feature: str = "engage") -> Said:
        """Ask for a group, a removal or a retry for each of them."""
        return self.ask_for(*((name, action, group, feature) for name in names))

    def ask_for(self, *asked: tuple[str, str, str | None, str]) -> Said:
        """Ask for several things at once, each as (name, action, group, feature)."""
        requests = [
            {
                "member": self.member(name),
                "action": action,
                "feature": feature,
                **({"group": group} if group else {}),
            }
            for name, action, group, feature in asked
        ]
        event = {"organization": "acme", "by": "jane", "requests": requests}
        return self._invoke("GroupAssignmentFunction", group_assignment.handler, event)

    def push(self, by: str = SCHEDULE, **event: Any) -> Said:
        """Invoke the push."""
        return self._invoke(PUSH, scheduled_push.handler, {"organization": "acme", "by": by, **event})

    def run_import(self, mode: str = "full") -> Said:
        """Invoke the import."""
        said = self.company.run_import(mode)
        if said["status"] == "died":
            self.new_environment()
        return said

    def quiet(self) -> None:
        """Let schedules go on without any fault until neither a push nor an import has anything to do."""
        self.company.world.settle()
        for _ in range(MOST_ROUNDS):
            self.company.world.clock.advance(minutes=A_WHILE)
            done = [self.push_approved(), self.company.mend()]
            if all(said["status"] in ENDED_WELL and not said["counts"] for said in done):
                return
        raise Violation(f"without any fault it does not come to rest: {done}")

    def push_approved(self) -> Said:
        """Push; what is parked an admin lets pass."""
        said = self.push()
        return self.push(by="jane", approve=said["run_id"]) if said["status"] == "parked" else said

    def _invoke(self, function: str, handler: Any, event: Said) -> Said:
        said: Said | None = self.company.world.invoke(function, handler, event, MusterError)
        self.company.world.clock.advance(seconds=1)
        if said is None:
            self.new_environment()
        return {"status": "died"} if said is None else said

    # ── The Engage server ────────────────────────────────────────────────────────────────────────

    def processed(self) -> list[tuple[str, str, str | None, str]]:
        """Return what the Engage server has processed, in order: who, feature, group, outcome."""
        return [
            (self.name_of(each["user"]), each["feature"], each["group"], each["outcome"])
            for each in self.vault.control("GET", "engage/requests")
        ]

    def in_groups(self) -> dict[str, list[str]]:
        """Return who is in which group of the server."""
        return {
            f"{feature} {group['name']}": sorted(map(self.name_of, group["members"]))
            for feature in FEATURES
            for group in self.vault.control("GET", f"engage/{feature}/groups")
        }

    def shown(self, name: str) -> Said:
        """Return what Vault CRM shows of somebody."""
        self.vault.log_in()
        shown: Said = self.vault.user(self.users[name])
        return shown

    # ── Going back ───────────────────────────────────────────────────────────────────────────────

    def moment(self) -> PushMoment:
        """Return everything there is now, to go back to."""
        store = self.vault.vault.store
        return PushMoment(self.company.moment(), store._db.serialize(), dict(self.users))

    def go_back(self, moment: PushMoment) -> None:
        """Make everything what it was at that moment; nobody is logged in."""
        self.company.go_back(moment.company)
        with closing(sqlite3.connect(":memory:")) as copied, self.vault.vault.store._lock:
            copied.deserialize(moment.vault)
            copied.backup(self.vault.vault.store._db)
        self.vault.vault.burst.reset()
        self.vault.vault.queries.reset()
        self.users = dict(moment.users)
        self.new_environment()

    def new_environment(self) -> None:
        """Have the next function begin in an execution environment of its own, logged in nowhere."""
        forget_clients()
        login.OF_THIS_PROCESS._slots.clear()
