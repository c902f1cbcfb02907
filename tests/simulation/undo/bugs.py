"""Bugs in undos to be caught, each by the hunt it is named with."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from muster.runs import guard
from muster.sources.reading_by_id import Read, read_users
from muster.undo import reversal, reversing
from muster.undo.topics import Standing, Topic
from tests.simulation.harness.bugs import Bugs
from tests.simulation.harness.subject import only
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.company import SALES, SUPPORT, Company
from tests.simulation.imports.scenarios import IMPORTS
from tests.simulation.imports.subject import Importing, ImportRace, ImportScenario
from tests.simulation.undo import oracle
from tests.simulation.undo.scenarios import RACES, UNDOS, closed, staffed, undoes

bugs: Bugs[ImportScenario, ImportRace] = Bugs(Importing.of, UNDOS, RACES)


# ── Hunts ────────────────────────────────────────────────────────────────────────────────────────────


def _member(company: Company, name: str) -> Any:
    crm_id = company.people[name]
    members = company.roster().members.values()
    return next(each for each in members if each.crm["salesforce"]["id"] == crm_id)


def who_left_stays_out(world: World) -> None:
    """Nobody is let in from what is remembered: whoever has left since stays out (A14)."""
    company = Importing.of(world)
    closed(company)
    company.leave("bob")
    undoes(company)
    if _member(company, "bob").active:
        raise Violation("who has left Salesforce was let in")


def edited_since(world: World) -> None:
    """What an admin has changed since the run stays as it is."""
    company = Importing.of(world)
    staffed(company)
    company.put(
        assignments=[SALES, {**SUPPORT, "update_mode": "automatic", "workspaces": {"EMEA": "Member"}}]
    )
    run = company.run_import()["run_id"]
    company.put(assignments=[SALES, SUPPORT])
    company.run_import()
    company.edit({"member": "dave", "workspaces": {"EMEA": "Guest"}})
    company.run_import(None, by="jane", undo=run)
    if _member(company, "dave").workspaces != {"EMEA": "Guest"}:
        raise Violation("what an admin changed since was overwritten")


def _as_before(name: str) -> Callable[[World], None]:
    """Hunt in what bad filters do after a scenario of imports."""

    def hunt(world: World) -> None:
        company, scenario = Importing.of(world), only(name, IMPORTS)
        company.start("scenario", name, lambda: company.prepare(scenario))()
        oracle.undone_once_its_cause_is_mended(company, scenario)

    return hunt


seats_are_limited = _as_before("nothing has changed")
members_were_edited = _as_before("members are edited")


# ── Bugs ─────────────────────────────────────────────────────────────────────────────────────────────


@bugs.bug("what was changed since is put back", edited_since)
def _overtaken_is_open(patch: pytest.MonkeyPatch) -> None:
    standing = Topic.standing

    def blind(self: Topic, *given: Any) -> Standing:
        found = standing(self, *given)
        return Standing.OPEN if found is Standing.OVERTAKEN else found

    patch.setattr(Topic, "standing", blind)


@bugs.bug("users are as they were", who_left_stays_out)
def _from_memory(patch: pytest.MonkeyPatch) -> None:
    def remembered(crm_ids: Iterable[str], *given: Any) -> Read:
        read = read_users(crm_ids, *given)
        changes = {
            crm_id: replace(each, fields={**each.fields, "IsActive": "true"})
            for crm_id, each in read.changes.items()
        }
        return Read(changes, read.refused)

    patch.setattr("muster.undo.gathering.read_users", remembered)


bugs.add(
    "seats go to whoever is first",
    seats_are_limited,
    lambda patch: patch.setattr(reversing, "as_planned", lambda pools, *_: pools),
)
bugs.add(
    "what an assignment gives anew is kept",
    members_were_edited,
    lambda patch: patch.setattr(reversal, "_seeded", lambda *_: []),
)
bugs.add(
    "the guard does not see undos",
    bugs.clean("an undo is parked"),
    lambda patch: patch.setattr(guard, "tripped", lambda *_: []),
)
