"""Workers that meet: nothing is lost, nobody is in twice, nothing goes back (W4, W8, I2, I3)."""

from collections import Counter

import pytest

from tests.simulation.harness.racing import race_seeded, race_stalled
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.webhook.races import RACES
from tests.simulation.webhook.subject import Receiving, WebhookRace

SEEDS = 4
# One of so many of the places where one can be stalled is tried in the gate; `make simulate` tries each.
STALLED = 3
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)


@each_race
def test_seeded_schedules(race: WebhookRace, receiving: Receiving, figures: Counter[str]) -> None:
    figures["seeded schedules"] += len(race_seeded(receiving, race, range(SEEDS)))


@each_race
def test_one_worker_stalled_anywhere_while_the_others_finish(
    race: WebhookRace, receiving: Receiving, figures: Counter[str]
) -> None:
    figures["stalls"] += race_stalled(receiving, race, STALLED, offset=RACES.index(race) % STALLED)


def test_a_seed_is_one_schedule(receiving: Receiving) -> None:
    schedules = race_seeded(receiving, RACES[0], (*range(5), *range(5)))
    assert schedules[:5] == schedules[5:]
    assert len({tuple(schedule) for schedule in schedules}) > 1


@pytest.mark.long
@each_race
def test_many_seeded_schedules(race: WebhookRace, receiving: Receiving, figures: Counter[str]) -> None:
    figures["seeded schedules"] += len(race_seeded(receiving, race, of_share(range(SEEDS, 400))))


@pytest.mark.long
@each_race
def test_one_worker_stalled_at_any_call_while_the_others_finish(
    race: WebhookRace, receiving: Receiving, figures: Counter[str]
) -> None:
    figures["stalls"] += race_stalled(receiving, race, *every_and_offset())
