"""Worlds that are built once in a module; each test begins with a copy."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext
from moto.dynamodb.models.table import Table

from sandbox.salesforce.store import Store as SalesforceStore
from sandbox.vault_crm.store import Store as VaultStore
from tests.doubles.salesforce_in_process import InProcess, SalesforceInProcess
from tests.simulation.harness.strict_aws import StrictAws, copy_of, put_back

type Connected = tuple[SalesforceInProcess, StrictAws, LambdaContext]
type Built = dict[Callable[..., object], tuple[Any, Any]]


class World[S](Protocol):
    """What can be made what it was."""

    def snapshot(self) -> S:
        """Return all that there is."""

    def go_back_to(self, then: S) -> None:
        """Make everything what it was."""


def begin[W: World[Any], T](world: W, built: Built, build: Callable[[W], T]) -> T:
    """Have a world be as `build` leaves it, which only the first test has to wait for; returns its answer."""
    if build not in built:
        answer = build(world)
        built[build] = world.snapshot(), answer
    snapshot, answered = built[build]
    world.go_back_to(snapshot)
    return answered  # type: ignore[no-any-return]  # what this very function answered


def data_of(store: SalesforceStore | VaultStore) -> bytes:
    """Return all that a sandbox holds."""
    with store.transaction() as database:
        return database.serialize()


def hold_again(store: SalesforceStore | VaultStore, data: bytes) -> None:
    """Let a sandbox hold that again."""
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(data)
        copy.backup(store._db)


def renew(salesforce: SalesforceInProcess, data: bytes) -> None:
    """Let an organization hold that again, without faults, and with nobody watching its calls."""
    salesforce.switch.reset()
    salesforce.organization.reset()
    hold_again(salesforce.organization.store, data)
    salesforce.wire = InProcess(salesforce.wire.application)


@dataclass(frozen=True)
class Snapshot:
    """All that a company in AWS and Salesforce consisted of at a moment."""

    table: Table
    archive: dict[str, bytes]
    salesforce: bytes


@dataclass
class Acme:
    """An organization with a Salesforce of its own, and AWS."""

    salesforce: SalesforceInProcess
    rules: StrictAws
    context: LambdaContext

    def snapshot(self) -> Any:
        """Return all that there is, to go back to."""
        assert self.rules.archive
        salesforce = data_of(self.salesforce.organization.store)
        return Snapshot(copy_of("roster"), dict(self.rules.archive.objects), salesforce)

    def go_back_to(self, then: Any) -> None:
        """Make everything what it was, and Salesforce behave; clocks go on."""
        assert self.rules.archive
        put_back(then.table)
        self.rules.archive.objects = dict(then.archive)
        renew(self.salesforce, then.salesforce)


@dataclass
class InTime[W: World[Any]]:
    """A world in which time passes while it is built, and has passed for whoever goes back to it."""

    world: W
    pass_time: Callable[[timedelta], None]
    passed: timedelta = timedelta()

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.passed += timedelta(**time)
        self.pass_time(timedelta(**time))

    def snapshot(self) -> tuple[Any, timedelta]:
        """Return all that there is, and how much time has passed."""
        return self.world.snapshot(), self.passed

    def go_back_to(self, then: tuple[Any, timedelta]) -> None:
        """Make everything what it was, as late as it was."""
        everything, passed = then
        self.pass_time(passed - self.passed)
        self.world.go_back_to(everything)


class Roster:
    """The roster table alone."""

    def snapshot(self) -> Table:
        """Return all that is in it."""
        return copy_of("roster")

    def go_back_to(self, then: Table) -> None:
        """Make it what it was."""
        put_back(then)
