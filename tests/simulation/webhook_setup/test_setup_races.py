"""Setups that meet, and settings saved meanwhile: one at a time, and no message is refused (U7, W3)."""

from collections import Counter

import pytest

from tests.simulation.harness.racing import race_seeded, race_stalled
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.webhook_setup.races import RACES, WOKEN
from tests.simulation.webhook_setup.subject import Setup, SetupRace

SEEDS = 2
# One of so many of the places where one can be stalled is tried in the gate.
EVERY = 12
# Who saves settings is done long before a setup is: seeds alone seldom have them meet.
BY_HAND = [race for race in RACES if "by hand" in race.name or "settings" in race.name]
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@each_race
def test_seeded_schedules_of_setups(race: SetupRace, setup: Setup, figures: Counter[str]) -> None:
    figures["seeded schedules of setups"] += len(race_seeded(setup, race, range(SEEDS)))


@pytest.mark.parametrize("race", BY_HAND, ids=lambda race: race.name)
def test_settings_that_are_saved_at_any_moment_of_a_setup(
    race: SetupRace, setup: Setup, figures: Counter[str]
) -> None:
    figures["stalls of setups"] += race_stalled(setup, race, EVERY // 2, offset=BY_HAND.index(race))


@pytest.mark.parametrize("race", WOKEN, ids=lambda race: race.name)
def test_who_was_taken_for_dead_does_no_harm(race: SetupRace, setup: Setup, figures: Counter[str]) -> None:
    figures["stalls of setups"] += race_stalled(setup, race, EVERY, offset=WOKEN.index(race), victims=[0])


def test_a_seed_is_one_schedule_of_setups(setup: Setup) -> None:
    schedules = race_seeded(setup, RACES[0], (0, 1, 0))
    assert schedules[0] == schedules[2] != schedules[1]


@pytest.mark.long
@each_race
def test_many_seeded_schedules_of_setups(race: SetupRace, setup: Setup, figures: Counter[str]) -> None:
    figures["seeded schedules of setups"] += len(race_seeded(setup, race, of_share(range(SEEDS, 100))))


@pytest.mark.long
@pytest.mark.parametrize("race", [*RACES, *WOKEN], ids=lambda race: race.name)
def test_a_setup_or_who_meets_it_stalled_anywhere(
    race: SetupRace, setup: Setup, figures: Counter[str]
) -> None:
    figures["stalls of setups"] += race_stalled(
        setup, race, *every_and_offset(), victims=[0] if race.wakes else None
    )
