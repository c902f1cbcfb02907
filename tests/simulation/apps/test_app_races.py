"""Pushes to an app, imports, the stream and admins that meet: leavers are out, all others in (O4, T3)."""

from collections import Counter

import pytest

from tests.simulation.apps.races import RACES
from tests.simulation.apps.subject import AppRace, Provisioning
from tests.simulation.harness.racing import race_seeded, race_stalled
from tests.simulation.harness.shares import every_and_offset, of_share

SEEDS = 2
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@each_race
def test_seeded_schedules_of_pushes_to_an_app(
    race: AppRace, provisioning: Provisioning, figures: Counter[str]
) -> None:
    figures["seeded schedules of apps"] += len(race_seeded(provisioning, race, range(SEEDS)))


@pytest.mark.long
@each_race
def test_many_seeded_schedules_of_pushes_to_an_app(
    race: AppRace, provisioning: Provisioning, figures: Counter[str]
) -> None:
    schedules = race_seeded(provisioning, race, of_share(range(SEEDS, 100)))
    figures["seeded schedules of apps"] += len(schedules)


@pytest.mark.long
@each_race
def test_a_push_to_an_app_or_who_meets_it_stalled_anywhere(
    race: AppRace, provisioning: Provisioning, figures: Counter[str]
) -> None:
    figures["stalls of apps"] += race_stalled(provisioning, race, *every_and_offset())
