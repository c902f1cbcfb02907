"""Whatever fails at whichever call of a push: in the end all is as without the fault (T3, P2, P5, G8)."""

from collections import Counter

import pytest

from tests.simulation.company import Company
from tests.simulation.push_company import PushCompany
from tests.simulation.push_scenarios import PUSHES, PushScenario
from tests.simulation.push_sweeping import (
    everywhere,
    in_preflight,
    prepared,
    run_in_pieces,
    sweep,
    where_it_tells,
)

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 97
each_scenario = pytest.mark.parametrize("scenario", PUSHES, ids=lambda scenario: scenario.name)
IN_PIECES = [PUSHES[0], *(each for each in PUSHES if each.name == "a parked push is approved")]


@each_scenario
def test_a_push_with_a_fault_ends_as_the_one_without(
    scenario: PushScenario, company: Company, figures: Counter[str]
) -> None:
    offset = 7 * PUSHES.index(scenario)
    figures["fault points of pushes"] += sweep(
        PushCompany(company), scenario, where_it_tells(SAMPLED, offset)
    )


def test_a_fault_before_the_first_write_ends_as_without(company: Company, figures: Counter[str]) -> None:
    broken = sweep(PushCompany(company), PUSHES[0], in_preflight)
    assert broken == 8
    figures["fault points of pushes"] += broken


def test_a_push_whose_time_is_up_again_and_again_ends_as_the_one_that_had_enough(
    company: Company, figures: Counter[str]
) -> None:
    pushing = PushCompany(company)
    start, clean = prepared(pushing, PUSHES[0])
    ended, pieces = run_in_pieces(pushing, PUSHES[0], start, looks=1)
    assert list(clean.result.differences(ended.result)) == []
    assert pieces > 2
    figures["invocations cut short"] += pieces - 1


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_a_push_ends_as_without(
    scenario: PushScenario, company: Company, figures: Counter[str]
) -> None:
    figures["fault points of pushes"] += sweep(PushCompany(company), scenario, everywhere)


@pytest.mark.long
@pytest.mark.parametrize("scenario", IN_PIECES, ids=lambda scenario: scenario.name)
def test_however_long_the_invocations_of_a_push_are_it_ends_the_same(
    scenario: PushScenario, company: Company, figures: Counter[str]
) -> None:
    pushing = PushCompany(company)
    start, clean = prepared(pushing, scenario)
    for looks in range(1, 25):
        ended, pieces = run_in_pieces(pushing, scenario, start, looks)
        assert list(clean.result.differences(ended.result)) == []
        figures["invocations cut short"] += pieces - 1
