"""The systems that pushes are to, each as the same tests meet it: Acme, people, and what the system shows.

Names stand for people; `join` has them work in sales, and be wanted in the system.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import scheduled_push
from muster.errors import MusterError
from muster.roster import unlinked_holders
from tests.doubles.scim_in_process import patch_of
from tests.doubles.user_pool import UserPool
from tests.integration.company import Company
from tests.integration.engage.licences import UPDATES, Licences
from tests.integration.provisioning.apps import APP, Apps, address

STRANGER = "stranger"


@dataclass
class System:
    """One system; `ids` are the CRM ids of people, by their names."""

    company: Company
    connection: str
    ids: dict[str, str] = field(default_factory=dict)

    # ── What people do ───────────────────────────────────────────────────────────────────────────────

    def join(self, *names: str) -> None:
        """Have people begin, and be imported."""
        raise NotImplementedError

    def leave(self, *names: str) -> None:
        """Have people leave, and be imported."""
        self.change(*names, IsActive=False)

    def come_back(self, *names: str) -> None:
        """Have people come back, and be imported."""
        self.change(*names, IsActive=True)

    def change(self, *names: str, **fields: Any) -> None:
        """Change people in Salesforce, and import that."""
        for name in names:
            self.company.salesforce.update(self.ids[name], **fields)
        self.imported()

    def imported(self) -> None:
        """Import."""
        said = self.company.run("full")
        assert said["status"] in ("succeeded", "succeeded_with_errors"), said

    def join_in_vain(self, name: str) -> None:
        """Have somebody begin whom the system does not let in, or does not know from another."""
        raise NotImplementedError

    # ── What a push does ─────────────────────────────────────────────────────────────────────────────

    def push(self, **event: Any) -> dict[str, Any]:
        """Push; raises what it raises."""
        asked = {"organization": "acme", "by": "jane", "connections": [self.connection], **event}
        said: dict[str, Any] = scheduled_push.handler(asked, self.company.context)
        return said

    def push_until_quiet(self, pushes: int = 4) -> None:
        """Push, whatever becomes of it, until a push finds nothing to do and calls nothing."""
        for _ in range(pushes):
            self.settle()
            self.calls()
            try:
                said = self.push()
            except MusterError:
                continue
            if not said["counts"] and said["status"] == "succeeded" and not self.calls():
                return
        raise AssertionError("it never comes to an end")

    def settle(self) -> None:
        """Let the system do what it does by itself."""

    def told(self) -> list[str]:
        """Return the codes of what the error log tells of the system."""
        return [each["code"] for each in self.company.errors() if each["system"] == self.connection]

    # ── What others do there ─────────────────────────────────────────────────────────────────────────

    def shut_out(self, name: str) -> None:
        """Have an admin of the system take somebody's access away, past Muster."""
        raise NotImplementedError

    def have_it_back(self, name: str) -> None:
        """Have somebody say that access is to be as it was."""
        compared = self.push(compare=True)
        assert compared["status"] == "parked", compared
        self.push(approve=compared["run_id"])

    def move(self, name: str) -> str | None:
        """Have somebody belong to another group; returns its name, `None` where the system has none."""
        raise NotImplementedError

    def group_of(self, name: str) -> list[str]:
        """Return the groups that somebody is in."""
        raise NotImplementedError

    def list_nobody(self) -> bool:
        """Let lists show nobody, or nothing at all; whether anything is decided by a list."""
        raise NotImplementedError

    # ── What the system shows ────────────────────────────────────────────────────────────────────────

    def access(self) -> dict[str, bool]:
        """Return who is let in, strangers too."""
        raise NotImplementedError

    def calls(self) -> list[Any]:
        """Return the calls since this was asked last."""
        raise NotImplementedError

    def writes(self) -> list[Any]:
        """Return those that change something."""
        raise NotImplementedError

    # ── How it fails ─────────────────────────────────────────────────────────────────────────────────

    def lose_answers(self) -> None:
        """Let writes have their effect, and nobody hear of it."""
        raise NotImplementedError

    def throttle(self) -> None:
        """Refuse calls as too many."""
        raise NotImplementedError

    def be_well(self) -> None:
        """Behave."""
        raise NotImplementedError

    def watch(self, before: Callable[[], None]) -> None:
        """Ask before each call; what is raised there is as if the function had died."""
        raise NotImplementedError


class Engage(System):
    """Vault CRM: who is in the group All has a licence."""

    def __init__(self, licences: Licences) -> None:
        super().__init__(licences.company, "vault_crm")
        self.licences = licences
        self.users: dict[str, str] = {}
        licences.vault.group("All", 10)
        self.users[STRANGER] = licences.vault.create(
            username__sys="stranger@acme.example", email__sys="stranger@acme.example"
        )
        licences.vault.update(self.users[STRANGER], engage_group_request__v="All")
        licences.vault.settle()

    def join(self, *names: str) -> None:
        for name in names:
            self.users[name] = self.licences.person()
        self.imported()
        people = [self.users[name] for name in names]
        for name, person in zip(names, people, strict=True):
            self.ids[name] = self.licences.member(person)["crm"]["salesforce"]["id"]
        self.licences.ask(*people, group="All")

    def join_in_vain(self, name: str) -> None:
        self.join(name)
        self.licences.ask(self.users[name], group="Nowhere")

    def shut_out(self, name: str) -> None:
        self.licences.vault.log_in()
        self.licences.vault.update(self.users[name], engage_group_request__v=None)
        self.settle()

    def have_it_back(self, name: str) -> None:
        # What Vault CRM shows is taken over: it is asked for anew.
        self.imported()
        self.licences.ask(self.users[name], group="All")
        self.push()

    def move(self, name: str) -> str | None:
        self.licences.vault.group("Others", 10)
        self.licences.ask(self.users[name], group="Others")
        return "Others"

    def group_of(self, name: str) -> list[str]:
        self.settle()
        return [self.licences.vault.user(self.users[name])["engage_group__v"]]

    def list_nobody(self) -> bool:
        self.licences.faults({"path": "/api/v26.1/query", "fault": "empty"})
        return True

    def told(self) -> list[str]:
        # Imports tell of the stranger's licence, and of what was asked for and not sent yet.
        return [code for code in super().told() if code not in (unlinked_holders.CODE, "request_kept")]

    def settle(self) -> None:
        self.licences.vault.settle()

    def access(self) -> dict[str, bool]:
        self.settle()
        rows = {name: self.licences.vault.user(user) for name, user in self.users.items()}
        return {name: row["engage_group__v"] == "All" for name, row in rows.items()}

    def calls(self) -> list[Any]:
        return self.licences.calls()

    def writes(self) -> list[Any]:
        return [call for call in self.calls() if call == UPDATES]

    def lose_answers(self) -> None:
        self.licences.faults({"path": UPDATES[1], "method": "PUT", "fault": "lose_answer"})

    def throttle(self) -> None:
        self.licences.faults({"path": UPDATES[1], "fault": "status", "status": 429})

    def be_well(self) -> None:
        self.licences.faults()
        self.watch(lambda: None)

    def watch(self, before: Callable[[], None]) -> None:
        self.licences.wire.before = lambda _: before()


class ScimApp(System):
    """An app that is provisioned by SCIM: who is active there is let in."""

    def __init__(self, apps: Apps) -> None:
        super().__init__(apps.company, APP)
        self.apps = apps
        apps.scim.create(address(STRANGER))

    def join(self, *names: str) -> None:
        self.ids |= {name: self.apps.person(name) for name in names}
        self.imported()

    def join_in_vain(self, name: str) -> None:
        # Who is there before, with that address, may be somebody else.
        self.apps.scim.create(address(name), active=False)
        self.join(name)

    def shut_out(self, name: str) -> None:
        (user,) = [
            each["id"]
            for each in self.apps.scim.control("GET", "directory")["users"]
            if each["userName"] == address(name)
        ]
        body = patch_of(("replace", "active", False))
        self.apps.scim.control("PATCH", f"admin/Users/{user}", body, status=204)

    def move(self, name: str) -> str | None:
        self.change(name, Department="Support")
        return "Support"

    def group_of(self, name: str) -> list[str]:
        return [group for group, names in self.apps.groups().items() if name in names]

    def list_nobody(self) -> bool:
        self.apps.scim.quirks(list_lag_s=3_600)
        return True

    def access(self) -> dict[str, bool]:
        return self.apps.truth()

    def calls(self) -> list[Any]:
        return self.apps.calls()

    def writes(self) -> list[Any]:
        return [call for call in self.calls() if call[0] != "GET"]

    def lose_answers(self) -> None:
        faults = [
            {"path": "/scim/v2", "method": method, "fault": "lose_answer"} for method in ("POST", "PATCH")
        ]
        self.apps.scim.control("POST", "faults", faults)

    def throttle(self) -> None:
        self.apps.scim.control("POST", "faults", [{"path": "/scim/v2", "fault": "status", "status": 429}])

    def be_well(self) -> None:
        self.apps.scim.control("POST", "faults", [])
        self.apps.scim.quirks()
        self.watch(lambda: None)

    def watch(self, before: Callable[[], None]) -> None:
        self.apps.wire.before = lambda _: before()


class Pool(System):
    """A user pool: users sign up by themselves, and who may sign in is let in."""

    def __init__(self, company: Company, pool: UserPool) -> None:
        super().__init__(company, "cognito.portal")
        self.pool = pool
        self._sign_up(STRANGER)

    def _sign_up(self, name: str) -> None:
        self.pool.add(name, email=address(name))
        self.pool.sign_in(name)

    def join(self, *names: str) -> None:
        for name in names:
            self._sign_up(name)
            self.ids[name] = self.company.salesforce.create(
                Username=f"{name}@acme.example.crm",
                Department="Sales",
                FirstName=name.title(),
                LastName="Lovelace",
                Email=address(name),
            )
        self.imported()

    def join_in_vain(self, name: str) -> None:
        # Two users have the address: nobody knows which of them it is.
        self.pool.add(f"{name}.second", email=address(name))
        self.pool.disable(f"{name}.second")
        self.join(name)
        self.pool.disable(name)

    def shut_out(self, name: str) -> None:
        self.pool.disable(name)

    def have_it_back(self, name: str) -> None:
        # Whom somebody else has disabled Muster never enables: the pool's admin does.
        self.pool.enable(name)

    def move(self, name: str) -> str | None:
        return None

    def list_nobody(self) -> bool:
        # Each user is asked for.
        return False

    def access(self) -> dict[str, bool]:
        return {name: state in ("signed in", "enabled") for name, state in self.pool.truth().items()}

    def calls(self) -> list[Any]:
        calls = list(self.pool.calls)
        self.pool.calls.clear()
        return calls

    def writes(self) -> list[Any]:
        reads = ("List", "AdminGet", "Describe")
        return [call for call in self.calls() if not call.startswith(reads)]

    def lose_answers(self) -> None:
        writes = ("AdminDisableUser", "AdminUserGlobalSignOut", "AdminEnableUser")
        self.pool.answers = dict.fromkeys(writes, "lost")

    def throttle(self) -> None:
        calls = ("AdminDisableUser", "AdminEnableUser", "AdminGetUser", "ListUsers")
        self.pool.answers = dict.fromkeys(calls, "TooManyRequestsException")

    def be_well(self) -> None:
        self.pool.answers = {}
        self.pool.hooks = []

    def watch(self, before: Callable[[], None]) -> None:
        self.pool.hooks = [lambda when, _: before() if when == "before" else None]
