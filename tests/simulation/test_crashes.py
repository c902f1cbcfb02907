"""Whatever fails at whichever AWS call: after redelivery the roster is what it would be (T3, I1, I9)."""

from collections import Counter

import pytest

from tests.simulation import invariants
from tests.simulation.faults import KINDS, SWEPT, Call
from tests.simulation.messages import user
from tests.simulation.scenarios import BOB_IS, SCENARIOS, Scenario
from tests.simulation.sweeping import run, run_with_unread_keys, sweep, sweep_pairs
from tests.simulation.world import World

SHORT = [
    "a user is created",
    "a user leaves",
    "two changes of one user in one message",
    "a message comes twice",
]
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def _named(*names: str) -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.name in names]


@each_scenario
def test_a_run_with_one_fault_ends_as_the_run_without(
    scenario: Scenario, world: World, figures: Counter[str]
) -> None:
    figures["fault points"] += sweep(world, scenario, SWEPT, scenario.every)


@pytest.mark.parametrize("scenario", _named(*SHORT), ids=lambda scenario: scenario.name)
def test_outages_end_as_the_run_without(scenario: Scenario, world: World, figures: Counter[str]) -> None:
    figures["fault points"] += sweep(world, scenario, ("mute", "down", "busy"))


@pytest.mark.parametrize("scenario", _named(*SHORT), ids=lambda scenario: scenario.name)
def test_it_makes_no_difference_that_aws_forgets_the_token_of_a_transaction(
    scenario: Scenario, world: World, figures: Counter[str]
) -> None:
    """After ten minutes, and in moto always, our own write is met again as a failed condition."""
    world.rules.remembers = False
    figures["fault points"] += sweep(world, scenario, ("lost", "mute"))


@pytest.mark.parametrize("scenario", _named("a user is created"), ids=lambda scenario: scenario.name)
def test_two_faults_end_as_the_run_without(scenario: Scenario, world: World, figures: Counter[str]) -> None:
    figures["pairs of faults"] += sweep_pairs(world, scenario)


@pytest.mark.parametrize(
    "scenario",
    _named("two users in one message", "a namesake waits until the member leaves"),
    ids=lambda scenario: scenario.name,
)
def test_keys_that_dynamodb_leaves_unread_are_read(scenario: Scenario, world: World) -> None:
    clean = run(world, scenario)
    for seed in range(10):
        assert run_with_unread_keys(world, scenario, seed).result == clean.result


def test_one_user_who_cannot_be_written_does_not_hold_up_the_others_of_the_message(world: World) -> None:
    ada, bob = user(1), user(1, **BOB_IS)

    def adas_partition_is_hot(call: Call) -> str | None:
        return (
            "busy" if call.operation == "TransactWriteItems" and ada["Id"] in str(call.parameters) else None
        )

    world.reset(plan=adas_partition_is_hot)
    world.send(ada, bob)
    world.work()
    roster = invariants.read(world.rows()).get("acme", invariants.Roster())
    assert list(roster.links) == [bob["Id"]]
    world.settle()
    assert set(invariants.read(world.rows())["acme"].links) == {ada["Id"], bob["Id"]}


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_ends_as_the_run_without(
    scenario: Scenario, world: World, figures: Counter[str]
) -> None:
    every = 10 if scenario.every > 10 else 1
    for remembers in (True, False):
        world.rules.remembers = remembers
        figures["fault points"] += sweep(world, scenario, KINDS, every)


@pytest.mark.long
@pytest.mark.parametrize("scenario", _named(*SHORT, "a field is emptied"), ids=lambda scenario: scenario.name)
def test_every_two_faults_end_as_the_run_without(
    scenario: Scenario, world: World, figures: Counter[str]
) -> None:
    figures["pairs of faults"] += sweep_pairs(world, scenario)


@pytest.mark.long
@pytest.mark.parametrize("scenario", _named(*SHORT), ids=lambda scenario: scenario.name)
def test_the_quick_way_into_moto_changes_nothing(scenario: Scenario, world: World) -> None:
    world.rules.quick = False
    sweep(world, scenario, KINDS)
