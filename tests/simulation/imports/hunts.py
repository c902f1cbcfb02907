"""Situations that no sweep of imports meets by itself; each raises `Violation` where it goes wrong."""

import json
from collections.abc import Callable
from functools import partial

from muster.roster import seats
from tests.simulation.harness import quick_moto, replays
from tests.simulation.harness.subject import demand, only
from tests.simulation.harness.sweeping import points, sweep
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports import results
from tests.simulation.imports.company import Company
from tests.simulation.imports.scenarios import (
    IMPORTS,
    guarded,
    hired,
    moved,
    parked,
    parked_run,
    settled,
)
from tests.simulation.imports.subject import Importing, of_snapshots


def somebody_is_hidden(world: World) -> None:
    """Whom the integration user cannot see any more has not left."""
    company = Company(world)
    settled(company)
    world.salesforce.call("POST", "/sandbox/users/vanish", {"ids": [company.people["ada"]]})
    before = company.rows_of_roster()
    said = company.run_import()
    world.salesforce.call("POST", "/sandbox/users/reappear", {"ids": [company.people["ada"]]})
    if company.rows_of_roster() != before:
        raise Violation("who could not be seen was changed")
    if said["status"] != "succeeded_with_errors":
        raise Violation("nothing reports that somebody could not be seen")


def approved_too_late(world: World, change: Callable[[Company], None]) -> None:
    """What is approved is what was shown, and nothing that came after."""
    company = Company(world)
    parked(company)
    before = company.rows_of_roster()
    change(company)
    said = company.run_import(None, by="jane", approve=parked_run(company, "import"))
    if company.rows_of_roster() != before:
        raise Violation(f"the source has moved on, and the approval was carried out: {said}")


another_leaves = partial(approved_too_late, change=lambda company: company.leave("carol"))
who_left_returns = partial(approved_too_late, change=lambda company: company.change("ada", IsActive=True))


def resumed_after_a_change(world: World) -> None:
    """What a run read before it was interrupted is older than what a message brought meanwhile.

    The user's own SystemModstamp does not tell, for it is the manager who changes.
    """
    company = Company(world)
    titles = ("Boss", "Chief", "Lead")
    company.begin(assignments=[{"name": title, "filter": f"Manager.Title = '{title}'"} for title in titles])
    company.hire("grace", Title="Boss")
    company.hire("ada", manager="grace")
    company.run_import()
    company.change("grace", Title="Chief")
    company.world.looks = 0
    said = company.run_import()
    while not _has_read_filters(world, said):
        said = company.resume(said["run_id"])
    company.change("grace", Title="Lead")
    company.tell("ada")
    world.work()
    company.world.looks = None
    company.resume(said["run_id"])
    [ada] = [each for each in company.roster().members.values() if each.first_name == "Ada"]
    if ada.assignment != "Lead":
        raise Violation("what was read before overwrote what was read later")


def a_forged_message(world: World) -> None:
    """With read-back, what a message says of a user never reaches the roster: no import has to mend it."""
    company = Company(world)
    settled(company)
    company.tell("ada")
    world.work()
    titles = {each.crm["salesforce"]["id"]: each.title for each in company.roster().members.values()}
    if titles[company.people["ada"]] == "Forged":
        raise Violation("what a message said of a user was believed")


def a_mapped_address(world: World) -> None:
    """A domain is judged by the address that the member would have, whatever the standard field holds."""
    company = Company(world)
    world.salesforce.call("POST", "/sandbox/custom-fields", {"name": "Work_Email__c", "type": "Email"})
    company.begin(
        assignments=[],
        domains={"primary": "acme.example"},
        field_maps={"salesforce": {"email": "Work_Email__c"}},
    )
    company.hire("ada", Email="ada@login.example", Work_Email__c="ada@acme.example")
    company.hire("eve", Work_Email__c="eve@rival.example")
    company.run_import()
    found = {each.first_name for each in company.roster().members.values() if each.active}
    if found != {"Ada"}:
        raise Violation(f"of Ada and Eve, {found} are members")


def _has_read_filters(world: World, said: dict[str, str]) -> bool:
    assert world.rules.archive is not None
    return any(f"{said['run_id']}/1/filters/3" in name for name in world.rules.archive.objects)


def who_waits_has_left(world: World) -> None:
    """Who has left while waiting for a namesake is not let in when that one leaves, whoever notices it."""
    for notices in (_hears_of_ada, lambda company: company.run_import("incremental")):
        company = Company(world)
        company.begin()
        company.hire("ada", Department="Sales")
        company.run_import()
        company.hire("bob", Department="Sales", Email="ada@acme.example")
        company.tell("bob")
        world.work()
        company.run_import()
        company.leave("bob")
        world.clock.advance(minutes=30)
        company.hire("carol", Department="Sales")
        company.run_import()
        company.leave("ada")
        notices(company)
        active = {each.first_name for each in company.roster().members.values() if each.active}
        if active != {"Carol"}:
            raise Violation(f"who has left while waiting is let in: {sorted(filter(None, active))}")
        demand(results.broken(company))


def _hears_of_ada(company: Company) -> None:
    company.tell("ada")
    company.world.work()


def a_loop(world: World) -> None:
    """Who report to one another have no managers; whoever reports to one of them has."""
    company = Company(world)
    hired(company)
    company.change("ada", manager="bob")
    company.change("bob", manager="ada")
    company.change("carol", manager="ada")
    said = company.run_import()
    members = {
        company.name_of(each.crm["salesforce"]["id"]): each for each in company.roster().members.values()
    }
    if members["ada"].manager or members["bob"].manager:
        raise Violation("a loop of managers is in the roster")
    if members["carol"].manager != members["ada"].id:
        raise Violation("who reports to somebody in a loop has no manager")
    if said["status"] != "succeeded_with_errors":
        raise Violation("nothing reports the loop")
    demand(results.broken(company))


def answers_to_a_workflow(world: World) -> None:
    """Nobody's name or value is in an answer to a workflow, which keeps it (I14)."""
    company = Company(world)
    guarded(company)
    company.world.looks = 1
    answers = [company.run_import()]
    company.world.looks = None
    while answers[-1]["status"] == "continue":
        answers.append(company.run_import(None, run_id=answers[-1]["run_id"]))
    if [each["status"] for each in answers] != ["continue", "parked"]:
        raise AssertionError("or this shows nothing")
    if any("@" in json.dumps(each) or len(json.dumps(each)) > 1000 for each in answers):
        raise Violation("a workflow was told who, or more than it can hold")


def changed_behind_the_reading(world: World) -> None:
    """Who changes on a page that was read, while the rest is yet to be, is seen by the next import (I13)."""
    company = Company(world)
    company.begin()
    for name in ("ada", "bob", "carol", "dave"):
        company.hire(name, Department="Sales")
    company.run_import()
    company.world.clock.advance(minutes=20)
    company.world.looks = 0
    said = company.run_import()
    company.world.looks = None
    company.change("ada", Title="Lead")
    company.world.clock.advance(minutes=30)
    company.change("dave", Title="Chief")
    company.resume(said["run_id"])
    company.run_import("incremental")
    [ada] = [each for each in company.roster().members.values() if each.first_name == "Ada"]
    if ada.title != "Lead":
        raise Violation("a change was passed over")


def there_to_begin_with(world: World) -> None:
    """Of who is there when an organization begins no manager is told (I13)."""
    hired(company := Company(world))
    company.run_import()
    if quick_moto.ses().sent_messages:
        raise Violation("who was there to begin with was announced")


def a_raised_limit(world: World) -> None:
    """Whoever is given a seat by a run was named by its preview."""
    company = Company(world)
    settled(company)
    company.put(seats={"gong": {"limit": 4}})
    before = _holders(company)
    planned = company.run_import(by="jane", preview=True)
    company.run_import()
    named = {company.name_of(change["user"]) for change in planned["changes"] if change["does"] == "seated"}
    served = _holders(company) - before
    if not served:
        raise Violation("nobody is served from the line though seats are free")
    if served != named:
        raise Violation(f"the preview names {named}, and the import seats {served}")


def who_waits_for_a_leaver(world: World) -> None:
    """Whoever a run lets in because a namesake leaves was named by its preview (A14)."""
    company = Company(world)
    company.begin()
    company.hire("ada", Department="Sales")
    company.run_import()
    company.hire("bob", Department="Support", Email="ada@acme.example")
    company.run_import()
    world.clock.advance(minutes=15)
    company.hire("carol", Department="Sales")
    company.run_import("incremental")
    # Bob was changed longer ago than runs overlap by now: he is not among those who are read.
    world.clock.advance(minutes=15)
    company.leave("ada")
    planned = company.run_import("incremental", by="jane", preview=True)
    before = _active(company)
    company.run_import("incremental")
    let_in = _active(company) - before
    named = {company.name_of(change["user"]) for change in planned["changes"]}
    if not let_in:
        raise Violation("nobody is let in though namesakes have left")
    if not let_in <= named:
        raise Violation(f"the preview names {named}, and the import lets in {let_in}")


def plans_come_out_again(world: World) -> None:
    """What a plan was made from is in the archive, all of it (Q4)."""
    company = Company(world)
    moved(company)
    company.run_import("incremental")
    company.leave("grace")
    company.run_import()
    assert world.rules.archive
    demand(replays.differing(world.rules.archive))


def _active(company: Company) -> set[str | None]:
    return {
        company.name_of(each.crm["salesforce"]["id"])
        for each in company.roster().members.values()
        if each.active
    }


def _holders(company: Company) -> set[str | None]:
    return {
        company.name_of(each.crm["salesforce"]["id"])
        for each in company.roster().members.values()
        if "gong" in seats.held(each.seats)
    }


def a_snapshot_is_interrupted(world: World) -> None:
    """Whatever fails of a snapshot, the import succeeds, and what has a manifest is whole (Q2)."""
    company = Importing.of(world)
    # The list of days, a part, and the manifest, each in some ways.
    if sweep(company, only("a first import", IMPORTS), points(of_snapshots)) < 7:
        raise Violation("an import of everyone has not written a snapshot")
