"""Calls that fail by chance, from one seed."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.harness.faults import KINDS, Call


@dataclass(slots=True)
class Failing:
    """A plan that breaks calls with some likelihood, no more than `most`, and notes each.

    `answers`: the kinds that a call can break in besides those that break any.
    """

    chance: random.Random
    likelihood: float
    answers: Callable[[Call], Iterable[str]] = lambda _: ()
    most: int | None = None
    # Number, operation, kind.
    noted: list[tuple[int, str, str]] = field(default_factory=list)

    def __call__(self, call: Call) -> str | None:
        if len(self.noted) == self.most or self.chance.random() >= self.likelihood:
            return None
        kind = self.chance.choice((*KINDS, *self.answers(call)))
        self.noted.append((call.number, call.operation, kind))
        return kind
