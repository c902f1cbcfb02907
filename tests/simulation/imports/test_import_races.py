"""Imports, workers, settings and edits that meet: no seat is given twice, nothing goes back (I4, I7, T3)."""

from collections import Counter

import pytest

from tests.simulation.harness.racing import race_seeded, race_stalled
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.harness.subject import only
from tests.simulation.harness.world import Violation
from tests.simulation.imports.bugs import seats_without_condition
from tests.simulation.imports.races import OVERTAKEN, RACES, ZOMBIES
from tests.simulation.imports.subject import Importing, ImportRace

SEEDS = 4
CONTROLLED = 40
each_race = pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
each_zombie = pytest.mark.parametrize("race", ZOMBIES, ids=lambda race: race.name)


@each_race
def test_seeded_schedules_of_imports(race: ImportRace, company: Importing, figures: Counter[str]) -> None:
    figures["seeded schedules of imports"] += len(race_seeded(company, race, range(SEEDS)))


def test_seats_given_out_by_what_was_read_are_caught(
    company: Importing, figures: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: as many schedules of a naive grant, to see how many of them show it."""
    race = only("three messages want one seat", RACES)
    race_seeded(company, race, [])
    seats_without_condition(monkeypatch)
    caught = 0
    for seed in range(CONTROLLED):
        try:
            race_seeded(company, race, [seed])
        except Violation:
            caught += 1
    figures[f"of {CONTROLLED} schedules show a naive grant of seats"] += caught
    assert caught > CONTROLLED / 10


@each_zombie
def test_an_import_that_wakes_up_after_another_took_over_changes_nothing(
    race: ImportRace, company: Importing, figures: Counter[str]
) -> None:
    figures["zombies"] += race_stalled(company, race, every=9, victims=[0])


def test_a_seed_is_one_schedule_of_imports(company: Importing) -> None:
    schedules = race_seeded(company, RACES[1], (*range(3), *range(3)))
    assert schedules[:3] == schedules[3:]
    assert len({tuple(schedule) for schedule in schedules}) > 1


@pytest.mark.xfail(
    strict=True,
    reason="a user read as the roster has it already is not recorded as read, so that what was read"
    " before it, and is written after it, wins: somebody who has left becomes active again",
)
@pytest.mark.parametrize("race", OVERTAKEN, ids=lambda race: race.name)
def test_who_reads_first_and_writes_last_does_not_win(race: ImportRace, company: Importing) -> None:
    race_stalled(company, race)


@pytest.mark.long
@each_race
def test_many_seeded_schedules_of_imports(
    race: ImportRace, company: Importing, figures: Counter[str]
) -> None:
    figures["seeded schedules of imports"] += len(race_seeded(company, race, of_share(range(SEEDS, 300))))


@pytest.mark.long
@each_race
def test_one_stalled_anywhere_while_the_others_finish(
    race: ImportRace, company: Importing, figures: Counter[str]
) -> None:
    figures["stalls of imports"] += race_stalled(company, race, *every_and_offset())


@pytest.mark.long
@each_zombie
def test_an_import_that_wakes_up_at_any_call_changes_nothing(
    race: ImportRace, company: Importing, figures: Counter[str]
) -> None:
    figures["zombies"] += race_stalled(company, race, *every_and_offset(), victims=[0])
