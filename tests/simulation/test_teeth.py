"""The harness finds bugs: each of a list of likely ones, put into the code, is caught."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.simulation.import_mutants import IMPORT_MUTANTS
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.push_mutants import PUSH_MUTANTS
from tests.simulation.setup_mutants import SETUP_MUTANTS
from tests.simulation.world import Violation, World

ALL = [*MUTANTS, *IMPORT_MUTANTS, *PUSH_MUTANTS, *SETUP_MUTANTS]


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_the_bug_is_caught_and_nothing_else_is(
    mutant: Mutant, world: World, figures: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures[f"of {len(ALL)} seeded bugs caught"] += 0
    mutant.hunt(world)
    mutant.put_in(monkeypatch)
    with pytest.raises(Violation) as caught:
        mutant.hunt(world)
    # Not for a slip in the mutant itself.
    assert not [error for error in _causes(caught.value) if isinstance(error, TypeError | NameError)]
    figures[f"of {len(ALL)} seeded bugs caught"] += 1


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
