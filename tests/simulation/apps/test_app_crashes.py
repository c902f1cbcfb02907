"""Whatever fails at whichever call of a push to an app: in the end all is as without it (O2, O3, P5)."""

from collections import Counter

import pytest

from tests.simulation.apps.scenarios import SCENARIOS
from tests.simulation.apps.subject import AppScenario, Provisioning, everywhere, telling
from tests.simulation.harness.shares import every_and_offset
from tests.simulation.harness.sweeping import play_in_pieces, points, sweep

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 97
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
IN_PIECES = [each for each in SCENARIOS if each.name in ("much has happened", "a parked push is approved")]


@each_scenario
def test_a_push_to_an_app_with_a_fault_ends_as_the_one_without(
    scenario: AppScenario, provisioning: Provisioning, figures: Counter[str]
) -> None:
    offset = 11 * SCENARIOS.index(scenario)
    figures["fault points of apps"] += sweep(provisioning, scenario, points(telling, SAMPLED, offset))


def test_a_push_to_an_app_whose_time_is_up_again_and_again_ends_as_the_one_that_had_enough(
    provisioning: Provisioning, figures: Counter[str]
) -> None:
    [pieces] = play_in_pieces(provisioning, IN_PIECES[0], [1])
    assert pieces > 2
    figures["invocations cut short"] += pieces - 1


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_a_push_to_an_app_ends_as_without(
    scenario: AppScenario, provisioning: Provisioning, figures: Counter[str]
) -> None:
    swept = sweep(provisioning, scenario, points(everywhere, *every_and_offset()))
    figures["fault points of apps"] += swept


@pytest.mark.long
@pytest.mark.parametrize("scenario", IN_PIECES, ids=lambda scenario: scenario.name)
def test_however_long_the_invocations_of_a_push_to_an_app_are_it_ends_the_same(
    scenario: AppScenario, provisioning: Provisioning, figures: Counter[str]
) -> None:
    for pieces in play_in_pieces(provisioning, scenario, range(1, 25)):
        figures["invocations cut short"] += pieces - 1
