"""A scenario under every fault at every call: after redelivery it must come to what it comes to without."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.simulation import invariants, oracle
from tests.simulation.faults import SWEPT, Fault, these
from tests.simulation.invariants import Result, Roster
from tests.simulation.scenarios import Scenario
from tests.simulation.world import Violation, World


@dataclass(frozen=True, slots=True)
class End:
    """Where a run ended, and how many calls it took to get there."""

    result: Result
    calls: int


def run(world: World, scenario: Scenario, *faults: Fault) -> End:
    """Play a scenario with these faults and see it through; raises `Violation`."""
    world.reset(*scenario.documents, plan=these(*faults))
    scenario.play(world)
    calls = len(world.wire.calls)
    # What SQS lost sight of, or Salesforce never heard of, comes again.
    world.settle()
    rosters = invariants.read(world.rows())
    for problem in wrong(world, rosters, scenario):
        raise Violation(problem)
    return End(scenario.view(rosters), calls)


def wrong(world: World, rosters: Mapping[str, Roster], scenario: Scenario) -> Iterator[str]:
    """Yield what must not be so in the end, whatever happened on the way."""
    for document in scenario.documents:
        roster = rosters.get(document["organization"], Roster())
        yield from invariants.broken(roster, shared_addresses=scenario.shared_addresses)
        yield from oracle.untrue(world.told.get(document["organization"], ()), roster, document)
    for organization in rosters.keys() - {document["organization"] for document in scenario.documents}:
        yield f"there is something of {organization}, which does not exist"
    codes = {entry["code"] for roster in rosters.values() for entry in roster.errors}
    if codes != set(scenario.errors):
        yield f"the error log holds {sorted(codes)}"
    if sorted(message.body for message in world.dead_letters) != sorted(scenario.dead_letters):
        yield f"{len(world.dead_letters)} dead letters"


def run_with_unread_keys(world: World, scenario: Scenario, seed: int) -> End:
    """Run a scenario while DynamoDB leaves keys unread, as a seed says; raises `Violation`."""
    world.rules.leaves_out = random.Random(seed)  # noqa: S311 - a test's own luck
    try:
        return run(world, scenario)
    finally:
        world.rules.leaves_out = None


def sweep(world: World, scenario: Scenario, kinds: Sequence[str] = SWEPT, every: int = 1) -> int:
    """Break every call, or one of `every`, in each way; returns how many, raises `Violation`."""
    clean = run(world, scenario)
    points = 0
    for call in range(every, clean.calls + 1, every):
        for kind in kinds:
            check(world, scenario, clean, Fault(call, kind))
            points += 1
    return points


def sweep_pairs(world: World, scenario: Scenario, kinds: Sequence[str] = SWEPT) -> int:
    """Break every call in each way, and then every later one, those of the recovery included."""
    clean = run(world, scenario)
    points = 0
    for first in range(1, clean.calls + 1):
        for kind in kinds:
            check(world, scenario, clean, Fault(first, kind))
            for second in range(first + 1, len(world.wire.calls) + 1):
                for other in kinds:
                    check(world, scenario, clean, Fault(first, kind), Fault(second, other))
                    points += 1
    return points


def check(world: World, scenario: Scenario, clean: End, *faults: Fault) -> None:
    """Raise `Violation` unless the scenario with these faults ends like the clean run."""
    try:
        faulted = run(world, scenario, *faults)
        for difference in clean.result.differences(faulted.result):
            raise Violation(difference)
        if world.returned and {fault.kind for fault in faults} <= {"lost"} and not scenario.dead_letters:
            raise Violation("a lost answer, which the client asks for again, failed a message")
    except Violation as violation:
        made = world.wire.calls
        where = ", ".join(
            f"{fault.kind} {made[fault.call - 1].operation} (call {fault.call})" for fault in faults
        )
        raise Violation(f"{scenario.name}; {where}: {violation}") from violation
