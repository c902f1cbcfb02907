"""The harness finds bugs: each of a list of likely ones, put into the code, is caught."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.simulation.apps.bugs import bugs as of_apps
from tests.simulation.harness.bugs import Bug, Hunt
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.bugs import bugs as of_imports
from tests.simulation.pushes.bugs import bugs as of_pushes
from tests.simulation.undo.bugs import bugs as of_undos
from tests.simulation.webhook.bugs import bugs as of_the_webhook
from tests.simulation.webhook_setup.bugs import bugs as of_setups

ALL = [
    *of_the_webhook.all,
    *of_imports.all,
    *of_pushes.all,
    *of_setups.all,
    *of_undos.all,
    *of_apps.all,
]
# Hunt → the bugs it is to find.
HUNTS: dict[Hunt, list[str]] = {}
for each in ALL:
    HUNTS.setdefault(each.hunt, []).append(each.name)


def _some_in_the_gate(hunts: Iterable[Hunt]) -> Iterator[Any]:
    """Yield every third hunt for the gate, and all others for `make simulate`."""
    for number, hunt in enumerate(hunts):
        yield pytest.param(hunt, id=", ".join(HUNTS[hunt]), marks=[pytest.mark.long] if number % 3 else [])


@pytest.mark.parametrize("hunt", list(_some_in_the_gate(HUNTS)))
def test_in_the_code_as_it_is_no_bug_is_found(hunt: Hunt, world: World) -> None:
    hunt(world)


@pytest.mark.parametrize("bug", ALL, ids=lambda bug: bug.name)
def test_the_bug_is_caught_and_nothing_else_is(
    bug: Bug, world: World, figures: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures[f"of {len(ALL)} seeded bugs caught"] += 0
    _forget_afterwards(world, monkeypatch)
    bug.put_in(monkeypatch)
    with pytest.raises(Violation) as caught:
        bug.hunt(world)
    # Not for a slip in the bug itself.
    assert not [error for error in _causes(caught.value) if isinstance(error, TypeError | NameError)]
    figures[f"of {len(ALL)} seeded bugs caught"] += 1


def _forget_afterwards(world: World, patch: pytest.MonkeyPatch) -> None:
    """Have all played anew with the bug, from where it began without; nobody is to know of it afterwards."""
    for subject in world.subjects.values():
        patch.setattr(subject, "clean", {})
        patch.setattr(subject, "starts", dict(subject.starts))
    patch.setattr(world, "subjects", dict(world.subjects))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
