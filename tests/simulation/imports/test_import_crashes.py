"""Whatever fails at whichever call of an import: in the end all is as without the fault (T3, I1, I4, I9)."""

from collections import Counter

import pytest

from tests.simulation.harness.faults import Fault, these
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.harness.subject import only
from tests.simulation.harness.sweeping import play_in_pieces, points, sweep
from tests.simulation.imports import results
from tests.simulation.imports.scenarios import IMPORTS, moved
from tests.simulation.imports.soaking import soak
from tests.simulation.imports.subject import Importing, ImportScenario, everywhere, telling

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 37
each_scenario = pytest.mark.parametrize("scenario", IMPORTS, ids=lambda scenario: scenario.name)
ANSWERING_CONTINUE = [
    "a first import",
    "much has changed",
    "much has changed, incrementally",
    "some people are imported",
    "a preview",
    "an import is parked",
    "a parked import is approved",
]


@each_scenario
def test_an_import_with_a_fault_ends_as_the_one_without(
    scenario: ImportScenario, company: Importing, figures: Counter[str]
) -> None:
    offset = IMPORTS.index(scenario)
    figures["fault points of imports"] += sweep(company, scenario, points(telling, SAMPLED, offset))


@pytest.mark.parametrize("looks", [1, 3])
@pytest.mark.parametrize("name", ANSWERING_CONTINUE)
def test_an_import_whose_time_is_up_again_and_again_ends_as_the_one_that_had_enough(
    name: str, looks: int, company: Importing, figures: Counter[str]
) -> None:
    [pieces] = play_in_pieces(company, only(name, IMPORTS), [looks])
    figures["invocations cut short"] += pieces - 1


def test_a_run_that_died_keeps_its_place_until_its_lease_is_over(company: Importing) -> None:
    moved(company)
    start = company.moment()
    for call in (2, 30, 60):
        start()
        company.world.wire.plan = these(Fault(call, "after"))
        assert company.run_import() == {"status": "died"}
        company.world.wire.plan = these()
        before = company.rows_of_roster()
        assert company.run_import()["status"] == "skipped"
        assert company.run_import(by="jane")["status"] == "rejected"
        assert company.rows_of_roster() == before
        company.world.clock.advance(minutes=16)
        assert company.run_import()["status"] == "succeeded"
        assert list(results.untrue(company)) == []


@pytest.mark.parametrize("seeds", [range(start, start + 4) for start in range(0, 12, 4)], ids=str)
def test_days_in_which_anything_fails_end_well(
    seeds: range, company: Importing, figures: Counter[str]
) -> None:
    for seed in seeds:
        figures["faults in soaked imports"] += soak(company, seed).faults
        figures["soaked companies"] += 1


def test_a_day_replays(company: Importing) -> None:
    first = [soak(company, seed) for seed in range(3, 6)]
    assert [soak(company, seed) for seed in range(3, 6)] == first
    assert any(soaked.faults for soaked in first)


def test_leavers_are_out_within_one_import_though_every_message_is_lost(company: Importing) -> None:
    moved(company)
    for name in ("bob", "grace", "frank", "carol"):
        company.leave(name)
        company.world.clock.advance(minutes=15)
        assert company.run_import("incremental")["status"] == "succeeded"
        assert list(results.left_behind(company)) == []


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_an_import_ends_as_without(
    scenario: ImportScenario, company: Importing, figures: Counter[str]
) -> None:
    figures["fault points of imports"] += sweep(company, scenario, points(everywhere, *every_and_offset()))


@pytest.mark.long
@each_scenario
def test_it_makes_no_difference_to_imports_that_aws_forgets_the_token_of_a_transaction(
    scenario: ImportScenario, company: Importing, figures: Counter[str]
) -> None:
    company.world.rules.remembers = False
    figures["fault points of imports"] += sweep(company, scenario, points(telling, *every_and_offset()))


@pytest.mark.long
@pytest.mark.parametrize("name", ANSWERING_CONTINUE)
def test_however_long_the_invocations_of_an_import_are_it_ends_the_same(
    name: str, company: Importing, figures: Counter[str]
) -> None:
    for pieces in play_in_pieces(company, only(name, IMPORTS), range(1, 30)):
        figures["invocations cut short"] += pieces - 1


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(12, 1012, 50)], ids=str)
def test_many_days_in_which_anything_fails_end_well(
    seeds: range, company: Importing, figures: Counter[str]
) -> None:
    for seed in of_share(seeds):
        figures["faults in soaked imports"] += soak(company, seed).faults
        figures["soaked companies"] += 1
