"""Setups that meet, and settings saved meanwhile: one at a time, and no message is refused (U7, W3)."""

from collections import Counter

import pytest

from tests.simulation.setup_company import SetupCompany
from tests.simulation.setup_races import RACES, WOKEN, SetupRace, race_seeded, race_stalled
from tests.simulation.world import World

SEEDS = 2
# One of so many of the places where one can be stalled is tried in the gate.
EVERY = 12
# Who saves settings is done long before a setup is: seeds alone seldom have them meet.
BY_HAND = [race for race in RACES if "by hand" in race.name or "settings" in race.name]
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@pytest.fixture
def setup(world: World) -> SetupCompany:
    return SetupCompany(world)


@each_race
def test_seeded_schedules_of_setups(race: SetupRace, setup: SetupCompany, figures: Counter[str]) -> None:
    race.before(setup)
    start = setup.moment()
    for seed in range(SEEDS):
        race_seeded(setup, race, seed, start)
        figures["seeded schedules of setups"] += 1


@pytest.mark.parametrize("race", BY_HAND, ids=lambda race: race.name)
def test_settings_that_are_saved_at_any_moment_of_a_setup(
    race: SetupRace, setup: SetupCompany, figures: Counter[str]
) -> None:
    figures["stalls of setups"] += race_stalled(setup, race, EVERY // 2, offset=BY_HAND.index(race))


@pytest.mark.parametrize("race", WOKEN, ids=lambda race: race.name)
def test_who_was_taken_for_dead_does_no_harm(
    race: SetupRace, setup: SetupCompany, figures: Counter[str]
) -> None:
    figures["stalls of setups"] += race_stalled(setup, race, EVERY, offset=WOKEN.index(race))


def test_a_seed_is_one_schedule_of_setups(setup: SetupCompany) -> None:
    race = RACES[0]
    race.before(setup)
    start = setup.moment()
    schedules = [race_seeded(setup, race, seed, start) for seed in (0, 1, 0)]
    assert schedules[0] == schedules[2] != schedules[1]


@pytest.mark.long
@each_race
def test_many_seeded_schedules_of_setups(race: SetupRace, setup: SetupCompany, figures: Counter[str]) -> None:
    race.before(setup)
    start = setup.moment()
    for seed in range(SEEDS, 100):
        race_seeded(setup, race, seed, start)
        figures["seeded schedules of setups"] += 1


@pytest.mark.long
@pytest.mark.parametrize("race", [*RACES, *WOKEN], ids=lambda race: race.name)
def test_a_setup_or_who_meets_it_stalled_anywhere(
    race: SetupRace, setup: SetupCompany, figures: Counter[str]
) -> None:
    figures["stalls of setups"] += race_stalled(setup, race)
