"""Whatever fails at whichever AWS call: after redelivery the roster is what it would be (T3, I1, I9)."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.simulation.harness import invariants
from tests.simulation.harness.faults import KINDS, SWEPT, Call
from tests.simulation.harness.messages import user
from tests.simulation.harness.shares import every_and_offset
from tests.simulation.harness.sweeping import Points, points, prepared, sweep, sweep_pairs
from tests.simulation.webhook.scenarios import BOB_IS, SCENARIOS
from tests.simulation.webhook.subject import Receiving, Scenario

SHORT = [
    "a user is created",
    "a user leaves",
    "two changes of one user in one message",
    "a message comes twice",
]
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def _named(*names: str) -> pytest.MarkDecorator:
    named = [scenario for scenario in SCENARIOS if scenario.name in names]
    return pytest.mark.parametrize("scenario", named, ids=lambda scenario: scenario.name)


# One of so many points is tried in the gate; `make simulate` tries each, with all that can happen there.
SAMPLED = 4


def one_of(every: int, kinds: Sequence[str]) -> Points:
    """Return where to break: one of `every` calls, in each of these ways; of these, the share of this run."""
    return points(lambda call: () if call.number % every else kinds, *every_and_offset())


@each_scenario
def test_a_run_with_one_fault_ends_as_the_run_without(
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    sample = points(lambda _: SWEPT, SAMPLED * scenario.every, SCENARIOS.index(scenario))
    figures["fault points"] += sweep(receiving, scenario, sample)


@_named(*SHORT)
def test_outages_end_as_the_run_without(
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    figures["fault points"] += sweep(receiving, scenario, points(lambda _: ("mute", "down", "busy"), SAMPLED))


@_named(*SHORT)
def test_it_makes_no_difference_that_aws_forgets_the_token_of_a_transaction(
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    """After ten minutes, and in moto always, our own write is met again as a failed condition."""
    receiving.world.rules.remembers = False
    figures["fault points"] += sweep(receiving, scenario, points(lambda _: ("lost", "mute"), SAMPLED - 1))


@_named("a user is created")
def test_two_faults_end_as_the_run_without(
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    figures["pairs of faults"] += sweep_pairs(receiving, scenario, SWEPT, every=2 * SAMPLED)


@_named("two users in one message", "a namesake waits until the member leaves")
def test_keys_that_dynamodb_leaves_unread_are_read(scenario: Scenario, receiving: Receiving) -> None:
    start, clean = prepared(receiving, scenario)
    for seed in range(10):
        start()
        assert receiving.play_with_unread_keys(scenario, seed).result == clean.result


def test_one_user_who_cannot_be_written_does_not_hold_up_the_others_of_the_message(
    receiving: Receiving,
) -> None:
    ada, bob = user(1), user(1, **BOB_IS)

    def adas_partition_is_hot(call: Call) -> str | None:
        return (
            "busy" if call.operation == "TransactWriteItems" and ada["Id"] in str(call.parameters) else None
        )

    world = receiving.world
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
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    every = 10 if scenario.every > 10 else 1
    for remembers in (True, False):
        receiving.world.rules.remembers = remembers
        figures["fault points"] += sweep(receiving, scenario, one_of(every, KINDS))


@pytest.mark.long
@_named(*SHORT, "a field is emptied")
def test_every_two_faults_end_as_the_run_without(
    scenario: Scenario, receiving: Receiving, figures: Counter[str]
) -> None:
    figures["pairs of faults"] += sweep_pairs(receiving, scenario, SWEPT, *every_and_offset())


@pytest.mark.long
@_named(*SHORT)
def test_the_quick_way_into_moto_changes_nothing(scenario: Scenario, receiving: Receiving) -> None:
    receiving.world.rules.quick = False
    sweep(receiving, scenario, one_of(1, KINDS))
