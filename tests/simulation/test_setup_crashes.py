"""Whatever fails at whichever call of a setup: sent again, it ends as without the fault (U7, W3, T3)."""

from collections import Counter

import pytest

from tests.simulation.faults import Fault, these
from tests.simulation.setup_company import A_CLAIM, SetupCompany
from tests.simulation.setup_scenarios import SETUPS, SetupScenario, installed
from tests.simulation.setup_sweeping import (
    everywhere,
    prepared,
    refused,
    run_in_pieces,
    soak,
    sweep,
    where_it_tells,
)
from tests.simulation.world import World

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 29
each_scenario = pytest.mark.parametrize("scenario", SETUPS, ids=lambda scenario: scenario.name)
# With so few looks at the clock an invocation has to leave a slow deployment to the next.
LOOKS = range(2, 6)
DEPLOYING = [scenario for scenario in SETUPS if scenario.deploys]


@pytest.fixture
def setup(world: World) -> SetupCompany:
    return SetupCompany(world)


@each_scenario
def test_a_setup_with_a_fault_ends_as_the_one_without(
    scenario: SetupScenario, setup: SetupCompany, figures: Counter[str]
) -> None:
    offset = 7 * SETUPS.index(scenario)
    figures["fault points of setups"] += sweep(setup, scenario, where_it_tells(SAMPLED, offset))


@pytest.mark.parametrize("scenario", DEPLOYING, ids=lambda scenario: scenario.name)
def test_what_salesforce_refuses_changes_nothing(scenario: SetupScenario, setup: SetupCompany) -> None:
    refused(setup, scenario)


@pytest.mark.parametrize("scenario", DEPLOYING, ids=lambda scenario: scenario.name)
def test_a_deployment_that_outlasts_invocations_is_made_once(
    scenario: SetupScenario, setup: SetupCompany, figures: Counter[str]
) -> None:
    start, clean = prepared(setup, scenario)
    most = 0
    for looks in LOOKS:
        ended, pieces = run_in_pieces(setup, scenario, start, looks)
        assert list(clean.differences(ended)) == []
        most = max(most, pieces)
    assert most > 1
    figures["invocations cut short"] += most - 1


def test_one_that_died_keeps_its_place_until_its_claim_is_over(setup: SetupCompany) -> None:
    installed(setup)
    start = setup.moment()
    for call in (5, 15, 25):
        setup.go_back(start)
        setup.world.wire.plan = these(Fault(call, "after"))
        assert setup.ask("rotate_token") == {"status": "died"}
        before = setup.registered(), setup.message(), setup.flow()
        said = setup.ask("remove")
        assert said["status"] == "rejected"
        assert "by jane@acme.example since 2026-11-20T08:" in said["message"]
        assert (setup.registered(), setup.message(), setup.flow()) == before
        setup.world.clock.moment += A_CLAIM
        assert setup.ask("remove")["status"] == "succeeded"


def test_a_setup_replays(setup: SetupCompany) -> None:
    start, clean = prepared(setup, SETUPS[0])
    hit = [soak(setup, SETUPS[0], start, clean, seed) for seed in range(4)]
    assert [soak(setup, SETUPS[0], start, clean, seed) for seed in range(4)] == hit
    assert any(hit)


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_a_setup_ends_as_without(
    scenario: SetupScenario, setup: SetupCompany, figures: Counter[str]
) -> None:
    figures["fault points of setups"] += sweep(setup, scenario, everywhere)


@pytest.mark.long
@each_scenario
def test_setups_in_which_anything_fails_again_and_again_end_well(
    scenario: SetupScenario, setup: SetupCompany, figures: Counter[str]
) -> None:
    start, clean = prepared(setup, scenario)
    for seed in range(200):
        figures["faults in soaked setups"] += soak(setup, scenario, start, clean, seed)
