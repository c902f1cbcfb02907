"""Random messages while every AWS call may fail: once nothing fails any more, all is right (T3)."""

from collections import Counter

import pytest

from tests.simulation.harness.shares import of_share
from tests.simulation.webhook.soaking import soak
from tests.simulation.webhook.subject import Receiving


@pytest.mark.parametrize("seeds", [range(start, start + 10) for start in range(0, 100, 10)], ids=str)
def test_a_seed_converges(seeds: range, receiving: Receiving, figures: Counter[str]) -> None:
    for seed in seeds:
        figures["faults in soaks"] += len(soak(receiving, seed).faults)
        figures["soaks"] += 1


def test_a_seed_replays(receiving: Receiving) -> None:
    first = [soak(receiving, seed) for seed in range(5)]
    assert [soak(receiving, seed) for seed in range(5)] == first
    assert any(soaked.faults for soaked in first)


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(start, start + 100) for start in range(100, 3000, 100)], ids=str)
def test_many_seeds_converge(seeds: range, receiving: Receiving, figures: Counter[str]) -> None:
    for seed in of_share(seeds):
        figures["faults in soaks"] += len(soak(receiving, seed).faults)
        figures["soaks"] += 1
