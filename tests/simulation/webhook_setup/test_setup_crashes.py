"""Whatever fails at whichever call of a setup: sent again, it ends as without the fault (U7, W3, T3)."""

from collections import Counter

import pytest

from tests.simulation.harness.faults import Fault, these
from tests.simulation.harness.shares import every_and_offset, of_share
from tests.simulation.harness.sweeping import play_in_pieces, points, prepared, sweep
from tests.simulation.webhook_setup.company import A_CLAIM
from tests.simulation.webhook_setup.scenarios import SETUPS, installed
from tests.simulation.webhook_setup.subject import Setup, SetupScenario, everywhere, telling

# One of so many of the telling points is tried in the gate; `make simulate` tries each, and all the others.
SAMPLED = 29
each_scenario = pytest.mark.parametrize("scenario", SETUPS, ids=lambda scenario: scenario.name)
# With so few looks at the clock an invocation has to leave a slow deployment to the next.
LOOKS = range(2, 6)
DEPLOYING = [scenario for scenario in SETUPS if scenario.deploys]


@each_scenario
def test_a_setup_with_a_fault_ends_as_the_one_without(
    scenario: SetupScenario, setup: Setup, figures: Counter[str]
) -> None:
    offset = 7 * SETUPS.index(scenario)
    figures["fault points of setups"] += sweep(setup, scenario, points(telling, SAMPLED, offset))


@pytest.mark.parametrize("scenario", DEPLOYING, ids=lambda scenario: scenario.name)
def test_what_salesforce_refuses_changes_nothing(scenario: SetupScenario, setup: Setup) -> None:
    setup.refused(scenario)


@pytest.mark.parametrize("scenario", DEPLOYING, ids=lambda scenario: scenario.name)
def test_a_deployment_that_outlasts_invocations_is_made_once(
    scenario: SetupScenario, setup: Setup, figures: Counter[str]
) -> None:
    most = max(play_in_pieces(setup, scenario, LOOKS))
    assert most > 1
    figures["invocations cut short"] += most - 1


def test_one_that_died_keeps_its_place_until_its_claim_is_over(setup: Setup) -> None:
    installed(setup)
    start = setup.moment()
    for call in (5, 15, 25):
        start()
        setup.world.wire.plan = these(Fault(call, "after"))
        assert setup.ask("rotate_token") == {"status": "died"}
        before = setup.registered(), setup.message(), setup.flow()
        said = setup.ask("remove")
        assert said["status"] == "rejected"
        assert "by jane@acme.example since 2026-11-20T08:" in said["message"]
        assert (setup.registered(), setup.message(), setup.flow()) == before
        setup.world.clock.moment += A_CLAIM
        assert setup.ask("remove")["status"] == "succeeded"


def test_a_setup_replays(setup: Setup) -> None:
    start, clean = prepared(setup, SETUPS[0])
    hit = [setup.soak(SETUPS[0], start, clean, seed) for seed in range(4)]
    assert [setup.soak(SETUPS[0], start, clean, seed) for seed in range(4)] == hit
    assert any(hit)


@pytest.mark.long
@each_scenario
def test_every_fault_at_every_call_of_a_setup_ends_as_without(
    scenario: SetupScenario, setup: Setup, figures: Counter[str]
) -> None:
    figures["fault points of setups"] += sweep(setup, scenario, points(everywhere, *every_and_offset()))


@pytest.mark.long
@each_scenario
def test_setups_in_which_anything_fails_again_and_again_end_well(
    scenario: SetupScenario, setup: Setup, figures: Counter[str]
) -> None:
    start, clean = prepared(setup, scenario)
    for seed in of_share(range(200)):
        figures["faults in soaked setups"] += setup.soak(scenario, start, clean, seed)
