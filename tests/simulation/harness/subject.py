"""What the harness asks of a use case: how it is prepared, played and looked at.

A `Subject` is a company in a world. A scenario is prepared without faults, then played under them, in one
invocation or in many, seen through until all is quiet, and what it came to compared with a run without.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from tests.simulation.harness.faults import Call, Fault, Plan, nothing, these
from tests.simulation.harness.world import Violation, World

# What a function answered; one that died answers the status "died".
type Said = dict[str, Any]
# Makes everything what it was when it was taken.
type Moment = Callable[[], None]

DIED: Said = {"status": "died"}
ENDED_WELL = ("succeeded", "succeeded_with_errors")
# What a function may answer because others were at work; and who comes too late gets an exception.
FAIR = frozenset({*ENDED_WELL, "skipped", "rejected"})
LATE = FAIR | {"parked", "raised"}


class Named(Protocol):
    """A scenario or a race."""

    @property
    def name(self) -> str: ...


class Result(Protocol):
    """What a run came to, luck left out."""

    def differences(self, other: Self, /) -> Iterator[str]:
        """Yield in what another run came to something else."""


@dataclass(slots=True)
class Played[R]:
    """A run: the last answer, the calls it took, in how many invocations, the faults, the result."""

    said: Said
    calls: tuple[Call, ...]
    pieces: int
    faults: tuple[Fault, ...]
    _result: R | None = None

    @property
    def result(self) -> R:
        """What it came to, once it is seen through."""
        assert self._result is not None
        return self._result


@dataclass(frozen=True, slots=True)
class Race[T]:
    """What there is before, what happens at once, and what a function may answer for others were at work."""

    name: str
    before: Callable[[T], object]
    tasks: tuple[Callable[[T], object], ...]
    fair: frozenset[str] = FAIR


class Watch(ABC):
    """Looks at everything between any two calls; raises `Violation`."""

    @abstractmethod
    def __call__(self, call: Call | None = None) -> None:
        """Look, before this call."""

    def goes_on(self, call: Call, task: int) -> None:  # noqa: B027  # most need not
        """Note which of several tasks makes a call after all."""

    def at_the_end(self) -> None:
        """Look once more."""
        self()


class Subject[S: Named, R: Result, C: Race[Any]](ABC):
    """One use case in a world: its scenarios are `S`, their results `R`, its races `C`."""

    MOST_PIECES: ClassVar[int] = 80
    # An invocation that is cut short has a look at the clock more for each so many before it.
    PATIENCE: ClassVar[int] = 1_000

    def __init__(self, world: World) -> None:
        self.world = world
        # Scenario or race → how to go back to where it begins, and of a scenario how it ends without faults.
        self.starts: dict[tuple[str, str], Moment] = {}
        self.clean: dict[str, Played[R]] = {}

    @classmethod
    def of(cls, world: World) -> Self:
        """Return the one of a world, which knows what was prepared before."""
        subject: Self = world.subjects.setdefault(cls, cls(world))
        return subject

    @abstractmethod
    def moment(self) -> Moment:
        """Return how to make everything what it is now."""

    def start(self, kind: str, name: str, prepare: Callable[[], object]) -> Moment:
        """Return where a scenario or a race begins, prepared once for all tests of a world."""
        if (kind, name) not in self.starts:
            prepare()
            self.starts[kind, name] = self.moment()
        return self.starts[kind, name]

    # ── Scenarios ────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def prepare(self, scenario: S) -> None:
        """Begin anew, and bring about all that a scenario presupposes."""

    def about_to_play(self, scenario: S, *, in_pieces: bool) -> None:  # noqa: B027  # some need not
        """Take note of what is there before a scenario is played, now."""

    @abstractmethod
    def act(self, scenario: S) -> Said:
        """Do what the scenario is about; returns what was answered."""

    def go_on(self, scenario: S, said: Said) -> Said:
        """Invoke once more what answered "continue"."""
        raise NotImplementedError

    def broken(self) -> Iterator[str]:
        """Yield what must not be so at any moment."""
        yield from ()

    @abstractmethod
    def see_through(self, scenario: S, run: Played[R], *, resume: bool) -> R:
        """Let all come to rest without faults, look at it from all sides; raises `Violation`."""

    def flaws(self, scenario: S, clean: Played[R]) -> Iterator[str]:
        """Yield what is wrong with where a scenario ends without any fault."""
        yield from ()

    def unfair(self, clean: Played[R], faulted: Played[R]) -> Iterator[str]:
        """Yield what a fault has brought about besides another result."""
        yield from ()

    def play(
        self,
        scenario: S,
        *faults: Fault,
        plan: Plan | None = None,
        looks: int | None = None,
        resume: bool = False,
    ) -> Played[R]:
        """Play what is prepared, under these faults or this plan; raises `Violation`.

        Each invocation's time is up after so many `looks` at the clock. `resume`: what has died is gone on
        with at once, not left to what comes next.
        """
        wire = self.world.wire
        self.about_to_play(scenario, in_pieces=looks is not None)
        wire.plan, self.world.looks = plan or these(*faults), looks
        said = self.act(scenario)
        run = Played[R](said, tuple(wire.calls), 1, faults)
        while looks is not None and run.said["status"] == "continue":
            demand(self.broken())
            if run.pieces > self.MOST_PIECES:
                raise Violation("what is called again and again does not end")
            self.world.looks = looks + run.pieces // self.PATIENCE
            run.said = self.go_on(scenario, run.said)
            run.pieces += 1
        wire.plan, self.world.looks = nothing, None
        demand(self.broken())
        run._result = self.see_through(scenario, run, resume=resume)
        return run

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def watch(self, race: C) -> Watch:
        """Return what looks at everything between two calls of a race that begins now."""

    @abstractmethod
    def once_quiet(self, race: C) -> Iterator[str]:
        """Yield what is wrong once all tasks are done; sees it through."""

    def unfair_answer(self, race: C, said: object) -> Iterator[str]:
        """Yield what is wrong with what a task was answered."""
        if isinstance(said, dict) and said["status"] not in race.fair:
            yield f"it was answered {said}"


def demand(problems: Iterable[str], where: str = "") -> None:
    """Raise `Violation` for the first problem there is."""
    for problem in problems:
        raise Violation(f"{where}: {problem}" if where else problem)


def only[T: Named](name: str, those: Iterable[T]) -> T:
    """Return the one of that name."""
    [found] = [each for each in those if each.name == name]
    return found
