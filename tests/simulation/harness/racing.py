"""Tasks that meet: interleaved at every call, as a seed says or with one of them stalled."""

import itertools
from collections.abc import Iterable
from functools import partial
from typing import Any

from muster.errors import MusterError
from tests.simulation.harness.faults import Call
from tests.simulation.harness.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.harness.subject import Moment, Race, Subject, demand
from tests.simulation.harness.world import Violation


def race_seeded[C: Race[Any]](
    subject: Subject[Any, Any, C], race: C, seeds: Iterable[int]
) -> list[list[int]]:
    """Run a race interleaved as each seed says; returns the schedules, raises `Violation`."""
    start = subject.start("race", race.name, lambda: race.before(subject))
    return [_run(subject, race, seeded(seed), f"seed {seed}", start) for seed in seeds]


def race_stalled[C: Race[Any]](
    subject: Subject[Any, Any, C],
    race: C,
    every: int = 1,
    offset: int = 0,
    victims: Iterable[int] | None = None,
) -> int:
    """Stall each task, or these `victims`, before one of `every` of its calls until the others are done.

    Returns the number of runs; raises `Violation`.
    """
    start = subject.start("race", race.name, lambda: race.before(subject))
    runs = 0
    for task in range(len(race.tasks)) if victims is None else victims:
        for steps in itertools.count(1 + offset, every):
            how = f"task {task} stalled after {steps} calls"
            schedule = _run(subject, race, stalled(task, steps), how, start)
            runs += 1
            if schedule[:steps].count(task) < steps:
                break
    return runs


def _run[C: Race[Any]](
    subject: Subject[Any, Any, C], race: C, choice: Choice, how: str, start: Moment
) -> list[int]:
    start()
    scheduler, wire = Scheduler(choice), subject.world.wire
    watch = subject.watch(race)

    def on_call(call: Call) -> None:
        watch(call)
        scheduler.pause()
        watch.goes_on(call, scheduler.schedule[-1])

    def body(number: int) -> None:
        said = race.tasks[number](subject)
        demand(subject.unfair_answer(race, said), f"task {number}")

    wire.on_call = on_call
    raised = scheduler.run([partial(body, number) for number in range(len(race.tasks))])
    wire.on_call = None
    try:
        for error in raised:
            if isinstance(error, MusterError):
                raise Violation("a message failed only because others were at work") from error
            if error is not None:
                raise error
        watch.at_the_end()
        demand(subject.once_quiet(race))
    except Violation as violation:
        raise Violation(f"{race.name}, {how}: {violation}") from violation
    return scheduler.schedule
