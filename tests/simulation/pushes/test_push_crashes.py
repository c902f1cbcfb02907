"""Whatever fails at whichever call of a push: in the end all is as without the fault (T3, P2, P5, G8)."""

from collections import Counter

import pytest

from tests.simulation.harness.shares import every_and_offset
from tests.simulation.harness.sweeping import play_in_pieces, points, sweep
from tests.simulation.pushes.scenarios import PUSHES
from tests.simulation.pushes.subject import Pushing, PushScenario, everywhere, in_preflight, telling

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 97
each_scenario = pytest.mark.parametrize("scenario", PUSHES, ids=lambda scenario: scenario.name)
IN_PIECES = [PUSHES[0], *(each for each in PUSHES if each.name == "a parked push is approved")]


@each_scenario
def test_a_push_with_a_fault_ends_as_the_one_without(
    scenario: PushScenario, pushing: Pushing, figures: Counter[str]
) -> None:
    offset = 7 * PUSHES.index(scenario)
    figures["fault points of pushes"] += sweep(pushing, scenario, points(telling, SAMPLED, offset))


def test_a_fault_before_the_first_write_ends_as_without(pushing: Pushing, figures: Counter[str]) -> None:
    broken = sweep(pushing, PUSHES[0], points(in_preflight))
    assert broken == 8
    figures["fault points of pushes"] += broken


def test_a_push_whose_time_is_up_again_and_again_ends_as_the_one_that_had_enough(
    pushing: Pushing, figures: Counter[str]
) -> None:
    [pieces] = play_in_pieces(pushing, PUSHES[0], [1])
    assert pieces > 2
    figures["invocations cut short"] += pieces - 1


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_a_push_ends_as_without(
    scenario: PushScenario, pushing: Pushing, figures: Counter[str]
) -> None:
    figures["fault points of pushes"] += sweep(pushing, scenario, points(everywhere, *every_and_offset()))


@pytest.mark.long
@pytest.mark.parametrize("scenario", IN_PIECES, ids=lambda scenario: scenario.name)
def test_however_long_the_invocations_of_a_push_are_it_ends_the_same(
    scenario: PushScenario, pushing: Pushing, figures: Counter[str]
) -> None:
    for pieces in play_in_pieces(pushing, scenario, range(1, 25)):
        figures["invocations cut short"] += pieces - 1
