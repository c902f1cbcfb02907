"""Whatever the Engage server does, every licence is in the end where it belongs (G7, G11, T3)."""

from collections import Counter
from itertools import product

import pytest

from tests.simulation.harness.shares import of_share
from tests.simulation.pushes.bugs import of_troubles
from tests.simulation.pushes.soaking import TROUBLES, leaver_in_trouble, soak
from tests.simulation.pushes.subject import Pushing

SEEDS = 2
# With the others `test_teeth` hunts, in the same way.
NOT_HUNTED = [trouble for trouble in TROUBLES if trouble not in of_troubles]


@pytest.mark.parametrize("trouble", NOT_HUNTED)
def test_a_leavers_licences_come_home_whatever_the_trouble(
    trouble: str, pushing: Pushing, figures: Counter[str]
) -> None:
    leaver_in_trouble(pushing, trouble, stage=1, rounds=2)
    figures["leavers in trouble"] += 1


def test_after_days_of_trouble_every_licence_is_where_it_belongs_and_a_seed_is_one_story(
    pushing: Pushing, figures: Counter[str]
) -> None:
    soaked = [soak(pushing, seed) for seed in range(SEEDS)]
    figures["faults in soaked pushes"] += sum(each.faults for each in soaked)
    figures["soaked companies with licences"] += SEEDS
    # The first may have been the first of all in this world.
    assert soak(pushing, 0) == soaked[0]
    assert len(set(soaked[-1].happened)) > 3


@pytest.mark.long
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_may_begin_at_every_stage_and_last(
    trouble: str, pushing: Pushing, figures: Counter[str]
) -> None:
    for stage, rounds in of_share(list(product(range(5), (0, 1, 3, 12)))):
        leaver_in_trouble(pushing, trouble, stage, rounds)
        figures["leavers in trouble"] += 1


@pytest.mark.long
def test_after_many_days_of_trouble_every_licence_is_where_it_belongs(
    pushing: Pushing, figures: Counter[str]
) -> None:
    for seed in of_share(range(SEEDS, 100)):
        figures["faults in soaked pushes"] += soak(pushing, seed).faults
        figures["soaked companies with licences"] += 1
