"""A scenario under every fault at every call: in the end all must be as it is without the fault."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from tests.simulation.harness.faults import Call, Fault
from tests.simulation.harness.subject import Moment, Named, Played, Result, Subject, demand
from tests.simulation.harness.world import Violation

# The kinds of faults to try at a call.
type Kinds = Callable[[Call], Iterable[str]]
type Points = Callable[[Sequence[Call]], Iterable[Fault]]


def points(kinds: Kinds, every: int = 1, offset: int = 0, most: int | None = None) -> Points:
    """Return where to break: one of `every` of the points of these kinds, no more than `most`."""

    def chosen(calls: Sequence[Call]) -> Iterator[Fault]:
        found = [Fault(call.number, kind) for call in calls for kind in kinds(call)]
        return islice(found[offset % every :: every], most)

    return chosen


def at(operation: str, *kinds: str) -> Kinds:
    """Return these kinds for the calls of an operation, by how its name begins."""
    return lambda call: kinds if call.operation.startswith(operation) else ()


def prepared[S: Named, R: Result](subject: Subject[S, R, Any], scenario: S) -> tuple[Moment, Played[R]]:
    """Return the moment from which a scenario is played, and how it ends without faults; raises `Violation`.

    Both are found once for all tests of a world, for without faults there is nothing new to see.
    """
    start = subject.start("scenario", scenario.name, lambda: subject.prepare(scenario))
    if scenario.name not in subject.clean:
        start()
        clean = subject.play(scenario)
        demand(subject.flaws(scenario, clean), f"{scenario.name}, without any fault")
        subject.clean[scenario.name] = clean
    return start, subject.clean[scenario.name]


def sweep[S: Named, R: Result](
    subject: Subject[S, R, Any], scenario: S, points: Points, *, resume: bool | None = None
) -> int:
    """Play a scenario under each fault; returns how many, raises `Violation`.

    Whether what has died is resumed at once says `resume`; `None`: in turns.
    """
    start, clean = prepared(subject, scenario)
    count = 0
    for fault in points(clean.calls):
        at_once = count % 2 == 0 if resume is None else resume
        check(subject, scenario, start, clean, fault, resume=at_once)
        count += 1
    return count


def sweep_pairs[S: Named, R: Result](
    subject: Subject[S, R, Any], scenario: S, kinds: Sequence[str], every: int = 1, offset: int = 0
) -> int:
    """Break every call in each way, then one of `every` of what can break later; `offset` shifts which.

    Returns how many pairs; raises `Violation`.
    """
    start, clean = prepared(subject, scenario)
    count = 0
    for index, first in enumerate(points(lambda _: kinds)(clean.calls)):
        check(subject, scenario, start, clean, first)
        later = tuple(subject.world.wire.calls)[first.call :]
        for second in points(lambda _: kinds, every, offset + index)(later):
            check(subject, scenario, start, clean, first, second)
            count += 1
    return count


def check[S: Named, R: Result](
    subject: Subject[S, R, Any],
    scenario: S,
    start: Moment,
    clean: Played[R],
    *faults: Fault,
    resume: bool = False,
) -> None:
    """Raise `Violation` unless the scenario with these faults ends like the clean run."""
    try:
        start()
        faulted = subject.play(scenario, *faults, resume=resume)
        demand(clean.result.differences(faulted.result))
        demand(subject.unfair(clean, faulted))
    except Violation as violation:
        made = {call.number: call.operation for call in subject.world.wire.calls}
        where = ", ".join(f"{fault.kind} {made.get(fault.call)} (call {fault.call})" for fault in faults)
        raise Violation(f"{scenario.name}; {where}{' resumed' * resume}: {violation}") from violation


def play_in_pieces[S: Named, R: Result](
    subject: Subject[S, R, Any], scenario: S, looks: Iterable[int]
) -> list[int]:
    """Play a scenario whose invocations are cut short after so many looks at the clock, each in turn.

    Returns how many invocations each took; raises `Violation` unless it ends like the clean run.
    """
    start, clean = prepared(subject, scenario)
    pieces = []
    for each in looks:
        start()
        where = f"{scenario.name}, {each} looks at the clock"
        try:
            played = subject.play(scenario, looks=each)
            demand(clean.result.differences(played.result))
        except Violation as violation:
            raise Violation(f"{where}: {violation}") from violation
        pieces.append(played.pieces)
    return pieces
