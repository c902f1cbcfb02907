"""A deployed local stack, its Salesforce, and the people of the tests; all through public doors."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.local_stack.building import ROOT
from sandbox.local_stack.launching import Behind
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import ORGANIZATION, LocalStack, folder_of
from sandbox.local_stack.vault_admin import VaultAdmin
from sandbox.local_stack.waiting import wait_until

# Generous: what it bounds takes a second or two, where nothing is broken and the machine is not busy.
PATIENCE_S = 60


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """One stack for all tests, as `make up` starts it, under a name of its own."""
    with named() as name:
        up = run("sandbox.local_stack", "up", name=name)
        assert up.returncode == 0, up.stdout + up.stderr
        stack = LocalStack.read(folder_of(name))
        assert VaultAdmin(stack).requests() == [], "nothing is pushed unless somebody asks for it"
        yield stack


@pytest.fixture(scope="session")
def salesforce(stack: LocalStack) -> SalesforceAdmin:
    return SalesforceAdmin(stack)


@pytest.fixture
def delivery(salesforce: SalesforceAdmin) -> Iterator[SalesforceAdmin]:
    """Salesforce, whose way of delivering a test may change; afterwards it is as before."""
    yield salesforce
    salesforce.delivery(hold=False, snapshot=False, reorder=False, duplicate=0, batch_size=100)


@dataclass(frozen=True)
class Roster:
    """What Muster's own function says about the people of an organization."""

    stack: LocalStack
    organization: str = ORGANIZATION

    def ask(self, action: str, **asked: Any) -> dict[str, Any]:
        """Return the answer to a question."""
        return self.stack.invoke(
            "RosterQueryFunction", organization=self.organization, action=action, **asked
        )

    def people(self, username: str, *, active: bool | str = "any") -> list[dict[str, Any]]:
        """Return the members of that username."""
        filters = {"active": active, "username": username}
        members: list[dict[str, Any]] = self.ask("list", filter=filters)["members"]
        return members

    def once_settled(self, username: str, *, active: bool | str = "any") -> list[dict[str, Any]]:
        """Return the members of that username when all that Salesforce had to send has been applied."""
        wait_until(self.stack.is_settled, "everything delivered and applied", seconds=PATIENCE_S)
        return self.people(username, active=active)

    def history(self, member: str) -> list[dict[str, Any]]:
        """Return a member's history, newest first."""
        entries: list[dict[str, Any]] = self.ask("history", member=member)["history"]
        return entries


@pytest.fixture
def roster(stack: LocalStack) -> Roster:
    return Roster(stack)


@dataclass(frozen=True)
class Person:
    """A user in Salesforce."""

    id: str
    username: str


@dataclass(frozen=True)
class People:
    """Makes users in Salesforce that no other test has."""

    salesforce: SalesforceAdmin

    def new(self, **fields: Any) -> Person:
        """Create a user who takes calls, unless the fields say otherwise."""
        username = f"{uuid4().hex}@acme.example"
        named = {"FirstName": "Ada", "LastName": "Lovelace", "Email": username, "Username": username}
        working = {"IsActive": True, "CallCenterId": self.call_center()}
        return Person(self.salesforce.create_user(**named | working | fields), username)

    def call_center(self) -> str:
        """Return the id of a call center."""
        return str(self.salesforce.query("SELECT Id FROM CallCenter ORDER BY Name LIMIT 1")[0]["Id"])


@pytest.fixture
def people(salesforce: SalesforceAdmin) -> People:
    return People(salesforce)


@pytest.fixture
def name() -> Iterator[str]:
    with named() as name:
        yield name


@contextlib.contextmanager
def named() -> Iterator[str]:
    """Yield the name of a stack that nobody else has; whatever is left of it is ended and removed."""
    name = f"test-{uuid4().hex[:12]}"
    try:
        yield name
    finally:
        run("sandbox.local_stack", "down", name=name)
        shutil.rmtree(folder_of(name), ignore_errors=True)


def run(*module: str, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run what `make up`, `make down` or `make demo` run, with STACK=name."""
    return subprocess.run(  # noqa: S603 - the project's own command
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=os.environ | {"STACK": name} | environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def assert_nothing_is_left_of(behind: Behind) -> None:
    """Check that the processes, those they started, and their folder are gone."""
    wait_until(lambda: not has_processes(behind), "the end of all processes", seconds=10)
    assert not Path(behind.scratch).exists()


def has_processes(behind: Behind) -> bool:
    """Tell whether a process of a stack is there, if only for the system to clear away."""
    for process in behind.processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            return True
    return False
