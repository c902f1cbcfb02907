"""Bugs in pushes to apps to be caught, each by the hunt it is named with."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from muster.adapters.aws import roster_writes
from muster.crm import scim_patches
from muster.crm.scim_patches import Operation
from muster.provisioning import (
    bringing_in_line,
    first_contact,
    step_outcomes,
    wanted_accounts,
)
from muster.provisioning.bringing_in_line import Case
from muster.provisioning.differences import Kind
from muster.provisioning.first_contact import Match
from muster.provisioning.grouping import Groups
from muster.provisioning.sending_accounts import AccountSender
from muster.roster.accounts import LINKED, MATCHED, Account
from muster.roster.member import Member
from muster.roster.writing_members import Change
from tests.simulation.apps import results
from tests.simulation.apps.races import RACES
from tests.simulation.apps.scenarios import SCENARIOS, settled
from tests.simulation.apps.subject import AppRace, AppScenario, Provisioning
from tests.simulation.harness.bugs import Bugs
from tests.simulation.harness.faults import GONE, Call, nothing
from tests.simulation.harness.scim_wire import USERS
from tests.simulation.harness.subject import demand
from tests.simulation.harness.world import World
from tests.simulation.pushes.scenarios import well

bugs: Bugs[AppScenario, AppRace] = Bugs(Provisioning.of, SCENARIOS, RACES)


def moves_meanwhile(world: World) -> None:
    """While a push changes somebody's title they move to another department: the next one sees to that."""
    apps = Provisioning.of(world)
    settled(apps)
    apps.note_strangers()
    apps.change("bob", Title="Lead")
    well(apps.run_import())
    moved: list[int] = []

    def plan(call: Call) -> None:
        if not moved and call.operation.startswith(f"PATCH {USERS}"):
            moved.append(call.number)
            apps.change("bob", Department="Support")
            apps.tell("bob")
            world.work()

    world.wire.plan = plan
    well(apps.push())
    world.wire.plan = nothing
    apps.quiet()
    demand(results.untrue(apps))


_met = bugs.clean("a first contact")
_much = bugs.clean("much has happened")


@bugs.bug(
    "who is to be made is not recorded before",
    bugs.sweep("somebody leaves who has just been made", "after", of=f"POST {USERS}", most=2),
)
def _unrecorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bringing_in_line, "_OPENING", frozenset())


@bugs.bug(
    "an answer that was lost is not remembered",
    bugs.sweep("somebody leaves who has just been made", GONE, of=f"POST {USERS}", most=2),
)
def _not_remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(step_outcomes, "intended", lambda account, *_: account)


@bugs.bug(
    "what a look shows to be left is left",
    bugs.sweep("another who", "html", of=f"PATCH {USERS}", most=1),
)
def _left(patch: pytest.MonkeyPatch) -> None:
    real = AccountSender._settling

    def settled(sender: AccountSender, case: Case, at: str) -> Change:
        done = replace(case.account, unsure=True)
        return real(sender, replace(case, account=done), at)

    patch.setattr(AccountSender, "_settling", settled)


@bugs.bug(
    "who was looked at is not due any more",
    bugs.sweep("an account is adopted", "before", of=f"PATCH {USERS}", most=1),
)
def _not_due(patch: pytest.MonkeyPatch) -> None:
    real = AccountSender._change

    def changed(sender: AccountSender, name: str, account: Account) -> Change:
        change = real(sender, name, account)
        return lambda member: replace(change(member), changed_for=member.changed_for)

    patch.setattr(AccountSender, "_change", changed)


@bugs.bug("a closing is not read back", bugs.clean("a write has no effect"))
def _not_read_back(patch: pytest.MonkeyPatch) -> None:
    real = step_outcomes.written

    def written(account: Account, step: Any, wanted: Any, *rest: Any) -> Account:
        after = real(account, step, wanted, *rest)
        return replace(after, active=False) if step.kind is Kind.DEACTIVATE else after

    patch.setattr(step_outcomes, "written", written)


@bugs.bug("a member who has changed meanwhile is due no more", moves_meanwhile)
def _cleared(patch: pytest.MonkeyPatch) -> None:
    def settled(sender: AccountSender, case: Case, at: str) -> Change:
        def change(member: Member) -> Member:
            return replace(member, changed_for=())

        return change

    patch.setattr(AccountSender, "_settling", settled)


@bugs.bug("an account that was there is taken for Muster's own", _met)
def _adopted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(first_contact, "_by_name", lambda account, only, *_: Match(LINKED, only, "created"))


@bugs.bug("what waits to be adopted is written to", _met)
def _written_to(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Account, "is_linked", property(lambda account: account.standing in (LINKED, MATCHED)))


@bugs.bug("a group is given its members, and loses all others", _much)
def _replaced(patch: pytest.MonkeyPatch) -> None:
    real = scim_patches.added

    def added(members: Iterable[str]) -> Operation:
        return {**real(members), "op": "replace"}

    patch.setattr(scim_patches, "added", added)


@bugs.bug("nobody keeps whose an account is", _much)
def _unkept(patch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> Iterator[Any]:
        return iter(())

    patch.setattr(roster_writes, "_account_actions", none)


@bugs.bug("who is in the app no more is not closed", bugs.clean("another who"))
def _everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wanted_accounts, "_is_in_scope", lambda *_: True)


@bugs.bug("a group that is gone is remembered", bugs.clean("a group was deleted by hand"))
def _remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Groups, "_forget", lambda groups, name: groups._ids.pop(name, None))
