"""A target as a roster provisions it: what members are to have, what was recorded, and what is really there.

app.want("ada", title="Rep", groups=["Sales"])     from the next push on
app.leave("ada")
app.push()                                         all that is due, by a client of its own
app.target.truth()
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from muster.crm.scim_attributes import Value
from muster.errors import Problem
from muster.provisioning.bringing_in_line import Case, Provisioning
from muster.provisioning.first_contact import Roster
from muster.provisioning.ports import Ports, Target
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import NO_ACCOUNT, Account
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp
from tests.doubles.scim_target import ScimTarget, connection_to


class Crash(Exception):
    """The function is gone, at this very moment."""


def user(name: str, groups: Sequence[str] = (), **values: Value) -> WantedAccount:
    """Return what a member is to have, by the first name."""
    address = f"{name}@acme.example"
    given: dict[str, Value] = {
        "userName": address,
        "name.givenName": name.title(),
        "name.familyName": "Lovelace",
        "displayName": f"{name.title()} Lovelace",
        "emails.work": address,
    }
    return WantedAccount(given | values, tuple(sorted(groups)))


@dataclass
class Provisioned:
    """One target, and all that a roster would hold of it; names stand for members' ids."""

    target: ScimTarget
    wanted: dict[str, WantedAccount | None] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    now: datetime = datetime(2026, 11, 30, 8, tzinfo=UTC)
    # Called before and after everything that a push does to the world outside; it may raise.
    hooks: list[Callable[[str, str], None]] = field(default_factory=list)

    def want(self, name: str, groups: Sequence[str] = (), **values: Value) -> None:
        """Let a member have this."""
        self.wanted[name] = user(name, groups, **values)

    def leave(self, name: str) -> None:
        """Let a member have nothing."""
        self.wanted[name] = None

    def account(self, name: str) -> Account:
        """Return what is recorded of a member's account, as it would be read from the roster."""
        return Account.from_json(self.accounts.get(name, NO_ACCOUNT).to_json())

    def push(self, later: timedelta = timedelta(minutes=15)) -> int:
        """Push everybody; returns how many calls the target has received. What is told is added to `told`."""
        before = self.calls()
        self.now += later
        ports = Ports(
            target=Watched(self.client(), self),
            groups=dict(self.groups),
            record=self._record,
            record_group=self._record_group,
            tell=lambda who, problem: self._tell(who, problem),
        )
        taken = {each.id: name for name, each in self.accounts.items() if each.is_linked}
        roster = Roster(taken.get, set(self.wanted).__contains__)
        cases = [Case(name, self.account(name), wanted) for name, wanted in self.wanted.items()]
        Provisioning(ports, self.connection(), roster, timestamp(self.now)).carry_out(cases)
        return self.calls() - before

    def connection(self) -> TargetConnection:
        """Return the section of the settings."""
        return connection_to(self.target.url, **self.settings)

    def client(self) -> Target:
        """Return a client of its own for a push."""
        return self.target.client(settings=self.settings)

    def calls(self) -> int:
        """Return how many calls the target has received."""
        return self.target.calls()

    def at(self, when: str, what: str) -> None:
        """Call the hooks."""
        for hook in self.hooks:
            hook(when, what)

    def _record(self, accounts: Mapping[str, Account]) -> None:
        self.at("before", "record")
        self.accounts |= accounts
        self.at("after", "record")

    def _record_group(self, name: str, group: str | None) -> None:
        self.at("before", "record_group")
        if group is None:
            self.groups.pop(name, None)
        else:
            self.groups[name] = group
        self.at("after", "record_group")

    def _tell(self, who: str, problem: Problem) -> None:
        self.told.append((who, problem.message))


class Watched:
    """A client whose every call passes the hooks."""

    def __init__(self, client: Target, app: Provisioned) -> None:
        self._client = client
        self._app = app

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*given: Any, **named: Any) -> Any:
            self._app.at("before", name)
            result = method(*given, **named)
            self._app.at("after", name)
            return result

        return call
