"""Whatever fails at whichever call of an undo, and whoever writes beside it: in the end all is well (T3)."""

from collections import Counter

import pytest

from tests.simulation.harness.racing import race_seeded, race_stalled
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.harness.subject import only
from tests.simulation.harness.sweeping import play_in_pieces, points, sweep
from tests.simulation.imports.subject import Importing, ImportRace, ImportScenario, everywhere, telling
from tests.simulation.pushes.subject import Pushing
from tests.simulation.undo.scenarios import RACES, UNDOS, UNDOS_OF_PUSHES

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 37
each_scenario = pytest.mark.parametrize("scenario", UNDOS, ids=lambda scenario: scenario.name)
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@each_scenario
def test_an_undo_with_a_fault_ends_as_the_one_without(
    scenario: ImportScenario, company: Importing, figures: Counter[str]
) -> None:
    offset = UNDOS.index(scenario)
    figures["fault points of undos"] += sweep(company, scenario, points(telling, SAMPLED, offset))


def test_an_undo_whose_time_is_up_again_and_again_ends_as_the_one_that_had_enough(
    company: Importing, figures: Counter[str]
) -> None:
    [pieces] = play_in_pieces(company, only("an import is undone", UNDOS), [1])
    figures["invocations cut short"] += pieces - 1


def test_an_undo_of_a_push_with_a_fault_ends_as_the_one_without(
    pushing: Pushing, figures: Counter[str]
) -> None:
    scenario = only("a push is undone", UNDOS_OF_PUSHES)
    figures["fault points of undos"] += sweep(pushing, scenario, points(telling, SAMPLED))


@each_race
def test_an_undo_and_what_happens_at_once_end_well(race: ImportRace, company: Importing) -> None:
    race_seeded(company, race, range(2))


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_an_undo_ends_as_without(
    scenario: ImportScenario, company: Importing, figures: Counter[str]
) -> None:
    figures["fault points of undos"] += sweep(company, scenario, points(everywhere, *every_and_offset()))


@pytest.mark.long
def test_every_fault_at_every_call_of_an_undo_of_a_push_ends_as_without(
    pushing: Pushing, figures: Counter[str]
) -> None:
    for scenario in UNDOS_OF_PUSHES:
        figures["fault points of undos"] += sweep(pushing, scenario, points(everywhere, *every_and_offset()))


@pytest.mark.long
@each_race
def test_whoever_stalls_beside_an_undo_all_ends_well(race: ImportRace, company: Importing) -> None:
    race_stalled(company, race, *every_and_offset())
    race_seeded(company, race, of_share(range(2, 60)))
