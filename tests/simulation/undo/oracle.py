"""What an undo must come to, said without the rules that it goes by (Q2).

An import undone while its cause stands changes nothing that the next import would do again: it leaves each
value as it was before the import or as the import made it, names whoever does not get back what the import
took or gave, and leaves the next import nothing to do.

An import undone once its cause is mended leaves everybody as they were before it.
"""

from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.harness import replays
from tests.simulation.harness.subject import ENDED_WELL, Said, demand
from tests.simulation.harness.world import Violation
from tests.simulation.imports import results
from tests.simulation.imports.results import ImportResult
from tests.simulation.imports.subject import Importing, ImportScenario, nothing_is_left_to_do

NOBODY = "Department = 'Nobody'"
LENIENT = {"floor": 1_000}
# What follows from what is told of.
_CONSEQUENCES = frozenset({"inactive_reason", "enabled", "inbound_enabled", "matched", "origins"})


def undone_while_its_cause_stands(company: Importing, scenario: ImportScenario) -> None:
    """Play a scenario and undo the import that came of it; raises `Violation`."""
    before = results.result(company)
    said = scenario.act(company)
    if said["status"] == "parked":
        said = company.run_import(None, by="john", approve=said["run_id"])
    imported = results.result(company)
    undone = company.run_import(None, by="jane", undo=said["run_id"], detail=True)
    if undone["status"] == "rejected":
        if list(before.differences(imported)):
            raise Violation(f"it changed something, and cannot be undone: {undone}")
        return
    if undone["status"] not in ENDED_WELL:
        raise Violation(f"the undo ended as {undone}")
    demand(_unexplained(company, before, imported, results.result(company), undone))
    demand(results.broken(company))
    _planned_the_same_again(company)
    if said["mode"] != "members":
        nothing_is_left_to_do(company)


def undone_once_its_cause_is_mended(company: Importing, scenario: ImportScenario) -> None:
    """Let filters close everybody, mend them, and undo what they did; raises `Violation`."""
    scenario.act(company)
    company.mend()
    # Settings that wait for a word are not in force.
    company.document = company.saved()[1]
    _approved(company, company.put(guard=LENIENT))
    before, assignments = results.result(company), company.document["assignments"]
    bad = [{**each, "filter": NOBODY} for each in assignments]
    _approved(company, company.put(assignments=bad))
    company.world.clock.advance(minutes=20)
    closing = company.run_import()
    company.put(assignments=assignments)
    company.world.clock.advance(minutes=20)
    undone = company.run_import(None, by="jane", undo=closing["run_id"])
    if undone["status"] not in ENDED_WELL:
        raise Violation(f"the undo ended as {undone}")
    demand(_not_as_before(before, results.result(company)))
    _planned_the_same_again(company)
    # Of leavers whom the filters matched, it is noted that they do again.
    if counts := company.mend()["counts"]:
        raise Violation(f"the next import still found {counts}")
    demand(_not_as_before(before, results.result(company)))
    nothing_is_left_to_do(company)


def _planned_the_same_again(company: Importing) -> None:
    """Raise `Violation` if a plan in the archive comes out another (Q4)."""
    assert company.world.rules.archive
    demand(replays.differing(company.world.rules.archive))


def _not_as_before(before: ImportResult, now: ImportResult) -> Iterator[str]:
    """Yield where members, or the lines in which they wait, are not as they were."""
    of_the_roster = {name: getattr(before, name) for name in ("members", "lines")}
    yield from replace(now, **of_the_roster).differences(now)


def _approved(company: Importing, said: Said) -> None:
    if said["status"] == "parked":
        company.put(approve=said["run_id"])


def _unexplained(
    company: Importing, before: ImportResult, imported: ImportResult, now: ImportResult, undone: Said
) -> Iterator[str]:
    """Yield what is neither as before nor as imported, and what is held back without a word."""
    told = {company.name_of(item["user"]) for item in undone["changes"] if item.get("held")}
    for who, member in now.members.items():
        was, became = before.members.get(who, {}), imported.members[who]
        for name, value in member.items():
            if value not in (was.get(name), became[name]):
                yield f"{who}'s {name} is {value}: before {was.get(name)}, imported {became[name]}"
            if name in _CONSEQUENCES or value == was.get(name) or became[name] == was.get(name):
                continue
            if who not in told:
                yield f"{who}'s {name} is not put back, and nothing is said of it"
