"""Bugs to be caught: each a fault that is easily made, put into the code for the length of a test.

A hunt is a check of the harness; it raises `Violation`. On the real code no hunt finds anything
(`test_teeth` sees to that), so what it finds in a bug is the bug.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.simulation.harness import racing, sweeping
from tests.simulation.harness.subject import Named, Race, Subject, only
from tests.simulation.harness.sweeping import at, points
from tests.simulation.harness.world import World

type Hunt = Callable[[World], object]
type PutIn = Callable[[pytest.MonkeyPatch], object]


@dataclass(frozen=True, slots=True)
class Bug:
    """How to put it in, and the hunt that is to find it."""

    name: str
    put_in: PutIn
    hunt: Hunt


@dataclass(slots=True)
class Bugs[S: Named, C: Race[Any]]:
    """The bugs of a use case, and the hunts of the harness in its scenarios and races."""

    subject: Callable[[World], Subject[S, Any, C]]
    scenarios: Sequence[S]
    races: Sequence[C]
    all: list[Bug] = field(default_factory=list)
    _hunts: dict[tuple[object, ...], Hunt] = field(default_factory=dict)

    def add(self, name: str, hunt: Hunt, put_in: PutIn) -> None:
        """Add a bug."""
        self.all.append(Bug(name, put_in, hunt))

    def bug(self, name: str, hunt: Hunt) -> Callable[[PutIn], PutIn]:
        """Add the bug that the decorated function puts in."""

        def added(put_in: PutIn) -> PutIn:
            self.add(name, hunt, put_in)
            return put_in

        return added

    # ── Hunts ────────────────────────────────────────────────────────────────────────────────────
    # Equal ones are one, so that it is tried on the real code once.

    def clean(self, name: str) -> Hunt:
        """Hunt in a scenario without any fault."""
        return self._hunt(
            lambda subject: sweeping.prepared(subject, only(name, self.scenarios)), "clean", name
        )

    def whole(self, name: str) -> Hunt:
        """Hunt in a scenario without any fault, and in all that it presupposes."""
        return self._hunt(
            lambda subject: sweeping.prepared(type(subject)(subject.world), only(name, self.scenarios)),
            *("whole", name),
        )

    def sweep(
        self, name: str, *kinds: str, of: str = "", most: int | None = None, resume: bool = False
    ) -> Hunt:
        """Hunt in a scenario with one of the first calls of an operation broken."""
        broken = points(at(of, *kinds), most=most)
        return self._hunt(
            lambda subject: sweeping.sweep(subject, only(name, self.scenarios), broken, resume=resume),
            *("sweep", name, kinds, of, most, resume),
        )

    def pieces(self, name: str, looks: int) -> Hunt:
        """Hunt in a scenario whose invocations are cut short."""
        return self._hunt(
            lambda subject: sweeping.play_in_pieces(subject, only(name, self.scenarios), [looks]),
            *("pieces", name, looks),
        )

    def race(self, name: str, seeds: int) -> Hunt:
        """Hunt in seeded schedules of a race."""
        return self._hunt(
            lambda subject: racing.race_seeded(subject, only(name, self.races), range(seeds)),
            *("race", name, seeds),
        )

    def stalls(
        self, name: str, every: int = 1, victims: tuple[int, ...] | None = None, offset: int = 0
    ) -> Hunt:
        """Hunt in a race, with one of them stalled wherever it can be, but for its first `offset` calls."""
        return self._hunt(
            lambda subject: racing.race_stalled(subject, only(name, self.races), every, offset, victims),
            *("stalls", name, every, victims, offset),
        )

    def _hunt(self, hunt: Callable[[Subject[S, Any, C]], object], *key: object) -> Hunt:
        return self._hunts.setdefault(key, lambda world: hunt(self.subject(world)))
