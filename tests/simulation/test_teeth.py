"""The harness finds bugs: each of a list of likely ones, put into the code, is caught."""

from collections import Counter

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.world import Violation, World


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_bug_is_caught_and_nothing_else_is(
    mutant: Mutant, world: World, figures: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures[f"of {len(MUTANTS)} seeded bugs caught"] += 0
    mutant.hunt(world)
    mutant.put_in(monkeypatch)
    with pytest.raises(Violation):
        mutant.hunt(world)
    figures[f"of {len(MUTANTS)} seeded bugs caught"] += 1
