"""Acme with a Vault CRM: who is there too, what admins ask for, and the pushes that schedules start.

pushing.begin()                    settings saved, both features managed, nobody there yet
pushing.hire_all("ada")                somebody in Salesforce and in Vault CRM, linked by the next import
pushing.ask("assign", "ada", group="UK")
pushing.push()                     what the schedule starts
"""

import sqlite3
from contextlib import closing
from typing import Any

import group_assignment
import scheduled_push
from muster.adapters.vault import login
from muster.crm.engage_features import FEATURES
from muster.runs.running import SCHEDULE
from tests.doubles.aws import forget_clients
from tests.doubles.vault_in_process import VaultInProcess
from tests.simulation.harness.subject import DIED, ENDED_WELL, Moment, Said
from tests.simulation.harness.vault_wire import HOST
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.company import Company

PUSH = "ScheduledPushFunction"
SALES = {"name": "Sales", "filter": "Department = 'Sales'"}
# Longer than a lease holds.
A_WHILE = 20
# What is left of a run that died, what it has brought about, and what that brings about in turn.
MOST_ROUNDS = 8


class PushCompany(Company):
    """One company in a world, with its Vault CRM."""

    def __init__(self, world: World) -> None:
        """Take the world; `begin` has to come first."""
        super().__init__(world)
        # First name → id in Vault CRM.
        self.vault_ids: dict[str, str] = {}

    @property
    def vault(self) -> VaultInProcess:
        """The vault, as its admin uses it."""
        return self.world.vault

    # ── People ───────────────────────────────────────────────────────────────────────────────────

    def begin(self, *features: str, **sections: Any) -> None:
        """Begin anew, with these features managed (all, where none is named) and nobody there."""
        super().begin(managers={"notify": False}, seats={}, seat_required={}, assignments=[SALES])
        self.vault.vault.reset()
        self.vault.control("PUT", "paging", {"max_rows": 5})
        self.vault_ids.clear()
        self.new_environment()
        connection = {"host": HOST, "manage_features": features or FEATURES}
        connections = {**self.document["connections"], "vault_crm": connection}
        said = self.put(connections=connections, **sections)
        if said["status"] != "succeeded":
            raise Violation(f"settings were refused: {said}")

    def hire_all(self, *names: str) -> None:
        """Create people in Salesforce and in Vault CRM."""
        self.vault.log_in()
        for name in names:
            self.hire(name, Department="Sales")
            address = f"{name}@acme.example"
            self.vault_ids[name] = self.vault.create(username__sys=address, email__sys=address)

    def member(self, name: str) -> str:
        """Return what an admin calls somebody."""
        return self.people[name]

    def name_in_vault(self, vault_id: str) -> str:
        """Return whose id in Vault CRM that is."""
        return next((name for name, known in self.vault_ids.items() if known == vault_id), vault_id)

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

    def quiet(self) -> None:
        """Let schedules go on without any fault until neither a push nor an import has anything to do."""
        self.world.settle()
        for _ in range(MOST_ROUNDS):
            self.world.clock.advance(minutes=A_WHILE)
            done = [self.push_approved(), self.mend()]
            if all(said["status"] in ENDED_WELL and not said["counts"] for said in done):
                return
        raise Violation(f"without any fault it does not come to rest: {done}")

    def push_approved(self) -> Said:
        """Push; what is parked an admin lets pass."""
        said = self.push()
        return self.push(by="jane", approve=said["run_id"]) if said["status"] == "parked" else said

    def _invoke(self, function: str, handler: Any, event: Said) -> Said:
        said = super()._invoke(function, handler, event)
        if said == DIED:
            self.new_environment()
        return said

    # ── The Engage server ────────────────────────────────────────────────────────────────────────

    def processed(self) -> list[tuple[str, str, str | None, str]]:
        """Return what the Engage server has processed, in order: who, feature, group, outcome."""
        return [
            (self.name_in_vault(each["user"]), each["feature"], each["group"], each["outcome"])
            for each in self.vault.control("GET", "engage/requests")
        ]

    def in_groups(self) -> dict[str, list[str]]:
        """Return who is in which group of the server."""
        return {
            f"{feature} {group['name']}": sorted(map(self.name_in_vault, group["members"]))
            for feature in FEATURES
            for group in self.vault.control("GET", f"engage/{feature}/groups")
        }

    def shown(self, name: str) -> Said:
        """Return what Vault CRM shows of somebody."""
        self.vault.log_in()
        shown: Said = self.vault.user(self.vault_ids[name])
        return shown

    # ── Going back ───────────────────────────────────────────────────────────────────────────────

    def moment(self) -> Moment:
        """Return how to make everything what it is now; nobody is logged in."""
        company, users = super().moment(), dict(self.vault_ids)
        vault = self.vault.vault
        kept = vault.store._db.serialize()
        # The vault remembers its settings beside its database.
        settings = dict(vars(vault.configuration))

        def go_back() -> None:
            company()
            with closing(sqlite3.connect(":memory:")) as copied, vault.store._lock:
                copied.deserialize(kept)
                copied.backup(vault.store._db)
            vars(vault.configuration).update(settings)
            vault.burst.reset()
            vault.queries.reset()
            self.vault_ids = dict(users)
            self.new_environment()

        return go_back

    def new_environment(self) -> None:
        """Have the next function begin in an execution environment of its own, logged in nowhere."""
        forget_clients()
        login.OF_THIS_PROCESS._slots.clear()
