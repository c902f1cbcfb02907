"""What a change of settings does to accounts in apps, which no plan of an import shows (O3, I5). Pure.

Accounts that are open in an app that was taken out, or from which the connection was led to another, stay
open: nobody closes them when people leave. So such a change waits for approval. Whom a narrower `who` leaves
out, the next push closes, under its guard.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from muster.errors import Problem
from muster.presentation.lines import counted
from muster.provisioning.wanted_accounts import wanted
from muster.roster.accounts import is_in_reach
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection


@dataclass(frozen=True, slots=True)
class AppChange:
    """An app as it was in the settings and as it becomes, `None` where it is taken out."""

    was: TargetConnection
    becomes: TargetConnection | None

    @property
    def leaves(self) -> bool:
        """Whether pushes reach the accounts of before no more."""
        return self.becomes is None or self.becomes.leads_to != self.was.leads_to


@dataclass(frozen=True, slots=True)
class AppEffects:
    """How many accounts stay open, and how many are closed, by the apps (`scim.gong`) that are changed."""

    changes: dict[str, AppChange] = field(default_factory=dict)
    left_open: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)

    def held_for(self) -> list[str]:
        """Return why the change waits for approval, in words; empty where it does not for this."""
        return [f"connections.{app} {self._left_open(app)}" for app in self.changes if self.left_open[app]]

    def problems(self) -> list[Problem]:
        """Return what to know about it."""
        found = [
            Problem(f"connections.{app}", self._left_open(app), _CLOSE_FIRST)
            for app in self.changes
            if self.left_open[app]
        ]
        for app in (each for each in self.changes if self.closed[each]):
            count = self.closed[app]
            message = (
                f"leaves out {counted(count, 'person who has', 'people who have')} an open account there: the"
                " next push closes it"
            )
            found.append(Problem(f"connections.{app}.who", message, _LOOK_AT_THE_PUSH))
        return found

    def _left_open(self, app: str) -> str:
        change, count = self.changes[app], self.left_open[app]
        stay = f"{counted(count, 'account stays', 'accounts stay')} open there, and nobody closes"
        stay += f" {'it' if count == 1 else 'them'} when people leave"
        if change.becomes is None:
            return f"is taken out: {stay}"
        return f"leads to another app, {change.becomes.leads_to}; it was {change.was.leads_to}: {stay}"


_CLOSE_FIRST = (
    "To have them closed, save it first with a who that nobody is in, for example a seat that nobody holds,"
    " push, and save this then. Or close them in the app, and say so with MemberSettingsFunction (accounts:"
    " ignore, filter: active)."
)
_LOOK_AT_THE_PUSH = "Look at a preview of that push. The guard has it wait if it would close too many."


def changed(before: Settings, after: Settings) -> dict[str, AppChange]:
    """Return the apps that are changed such that accounts may be left open or closed."""
    becomes = dict(after.connections.targets())
    changes = {app: AppChange(was, becomes.get(app)) for app, was in before.connections.targets()}
    return {
        app: each
        for app, each in changes.items()
        if each.leaves or (each.becomes is not None and each.becomes.who != each.was.who)
    }


def effects(members: Iterable[Member], before: Settings, after: Settings, today: date) -> AppEffects:
    """Return what the change does to accounts, by the roster as it is."""
    found = AppEffects(changed(before, after))
    for member in members:
        for app, change in found.changes.items():
            account = member.accounts.get(app)
            if account is None or not account.is_open or not is_in_reach(account, change.was.leads_to):
                continue
            if change.becomes is None or change.leaves:
                found.left_open[app] += 1
            elif (
                wanted(member, change.was, before, today) is not None
                and wanted(member, change.becomes, after, today) is None
            ):
                found.closed[app] += 1
    return found
