"""Workers that meet: nothing is lost, nobody is in twice, nothing goes back (W4, W8, I2, I3)."""

from collections import Counter

import pytest

from tests.simulation.interleaving import RACES, Race, race_seeded, race_stalled
from tests.simulation.world import World

SEEDS = 12
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@each_race
def test_seeded_schedules(race: Race, world: World, figures: Counter[str]) -> None:
    for seed in range(SEEDS):
        race_seeded(world, race, seed)
        figures["seeded schedules"] += 1


@each_race
def test_one_worker_stalled_anywhere_while_the_others_finish(
    race: Race, world: World, figures: Counter[str]
) -> None:
    figures["stalls"] += race_stalled(world, race)


def test_a_seed_is_one_schedule(world: World) -> None:
    schedules = [race_seeded(world, RACES[0], seed) for seed in (*range(5), *range(5))]
    assert schedules[:5] == schedules[5:]
    assert len({tuple(schedule) for schedule in schedules}) > 1


@pytest.mark.long
@each_race
def test_many_seeded_schedules(race: Race, world: World, figures: Counter[str]) -> None:
    for seed in range(SEEDS, 400):
        race_seeded(world, race, seed)
        figures["seeded schedules"] += 1
