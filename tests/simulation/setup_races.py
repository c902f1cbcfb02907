"""Setups that meet each other, or settings that are saved meanwhile (U7, W3).

Every call to AWS and to Salesforce is where another may go on. What must hold at any moment is looked at
before each of them: what Salesforce sends is accepted, and one setup at a time works. In the end one more
refresh brings all in order.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.simulation.faults import Call
from tests.simulation.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.setup_company import A_CLAIM, ENDED_WELL, Said, SetupCompany, SetupMoment, SetupWatch
from tests.simulation.setup_scenarios import begun, installed, lacking_a_field
from tests.simulation.setup_sweeping import amiss
from tests.simulation.world import Violation

# Who comes while another is at work is told who that is, and since when.
_BUSY = re.compile(r"organization is being set up already, by jane@acme\.example since 2026-[-:TZ.0-9]+\.")
_ACTION_IDS = ["04k000000000001AAA", "04k000000000002AAA"]

type Task = Callable[[SetupCompany], Said]


@dataclass(frozen=True, slots=True)
class SetupRace:
    """What there is before, and what is asked at once.

    `forgets`: tokens that gave way may end at once, for somebody may rotate twice. `wakes`: the first one
    is taken for dead, and goes on all the same, which Lambda does not let happen; so it may find another
    in its place, and what it has put into Salesforce last may be refused until the next refresh.
    """

    name: str
    before: Callable[[SetupCompany], None]
    tasks: tuple[Task, ...]
    forgets: bool = False
    wakes: bool = False


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def _asks(action: str) -> Task:
    return lambda setup: setup.ask(action)


def _asks_later(action: str) -> Task:
    """Ask once the claim of whoever is at work is over."""

    def task(setup: SetupCompany) -> Said:
        setup.world.clock.moment += A_CLAIM
        return setup.ask(action)

    return task


def _rotates_by_hand(setup: SetupCompany) -> Said:
    return setup.settings("rotate_token")


def _saves(setup: SetupCompany) -> Said:
    """Save settings that say anew who may call."""
    connection = {**setup.document["connections"]["salesforce"], "action_ids": _ACTION_IDS}
    return setup.put(connections={"salesforce": connection})


def _saves_and_takes_it_back(setup: SetupCompany) -> Said:
    before = setup.document["connections"]
    _saves(setup)
    return setup.put(connections=before)


_INSTALL, _REFRESH, _ROTATE, _REMOVE = map(_asks, ("install", "refresh", "rotate_token", "remove"))
RACES = [
    SetupRace("two installs", begun, (_INSTALL, _INSTALL)),
    SetupRace("a refresh and a rotation", lacking_a_field, (_REFRESH, _ROTATE)),
    SetupRace("two rotations", installed, (_ROTATE, _ROTATE), forgets=True),
    SetupRace("an install and a removal", lacking_a_field, (_INSTALL, _REMOVE)),
    SetupRace("a rotation and settings", installed, (_ROTATE, _saves_and_takes_it_back)),
    SetupRace("a rotation, and one by hand", installed, (_ROTATE, _rotates_by_hand), forgets=True),
    SetupRace("an install, and a rotation by hand", begun, (_INSTALL, _rotates_by_hand), forgets=True),
    SetupRace("a rotation by hand, and a removal", installed, (_rotates_by_hand, _REMOVE), forgets=True),
    SetupRace("all at once", lacking_a_field, (_REFRESH, _ROTATE, _REMOVE, _saves_and_takes_it_back)),
]
WOKEN = [
    SetupRace(
        f"{name}, taken for dead, and {then}",
        before,
        (_asks(name), _asks_later(then)),
        forgets=True,
        wakes=True,
    )
    for name, then, before in (
        ("install", "install", begun),
        ("rotate_token", "rotate_token", installed),
        ("rotate_token", "remove", installed),
        ("remove", "install", installed),
        ("refresh", "rotate_token", lacking_a_field),
    )
]


# ── Running ──────────────────────────────────────────────────────────────────────────────────────


def race_seeded(setup: SetupCompany, race: SetupRace, seed: int, start: SetupMoment) -> list[int]:
    """Run a race interleaved as a seed says; returns the schedule, raises `Violation`."""
    return _run(setup, race, seeded(seed), f"seed {seed}", start)


def race_stalled(
    setup: SetupCompany, race: SetupRace, every: int = 1, offset: int = 0, only: int | None = None
) -> int:
    """Stall each task, or `only` that one, before one of `every` of its calls until the others are done.

    One that is to wake is the first; the others come once its claim is over.
    """
    race.before(setup)
    start = setup.moment()
    points = 0
    victims = range(1 if race.wakes else len(race.tasks)) if only is None else [only]
    for task in victims:
        for steps in itertools.count(1 + offset, every):
            how = f"task {task} stalled after {steps} calls"
            schedule = _run(setup, race, stalled(task, steps), how, start)
            points += 1
            if schedule[:steps].count(task) < steps:
                break
    return points


def _run(setup: SetupCompany, race: SetupRace, choice: Choice, how: str, start: SetupMoment) -> list[int]:
    setup.go_back(start)
    wire, scheduler = setup.world.wire, Scheduler(choice)
    watch = SetupWatch(setup, forgets=race.forgets)
    writers: list[int] = []

    def on_call(call: Call) -> None:
        if not race.wakes:
            watch()
        scheduler.pause()
        if call.operation.endswith("/deployRequest") or call.operation.startswith("PATCH"):
            writers.append(scheduler.schedule[-1])

    def body(number: int) -> None:
        said = race.tasks[number](setup)
        for problem in _unfair(said, race):
            raise Violation(f"task {number}: {problem}")

    wire.on_call = on_call
    raised = scheduler.run([partial(body, number) for number in range(len(race.tasks))])
    wire.on_call = None
    try:
        for error in raised:
            if error is not None:
                raise error
        if not race.wakes:
            watch()
            _one_at_a_time(writers)
        for problem in _once_quiet(setup):
            raise Violation(problem)
    except Violation as violation:
        raise Violation(f"{race.name}, {how}: {violation}") from violation
    return scheduler.schedule


def _unfair(said: Said, race: SetupRace) -> Iterator[str]:
    """Yield what is wrong with an answer: it is done, or another is at work, and who that is."""
    if said["status"] in ENDED_WELL or race.wakes:
        return
    message = said["message"]
    if said["status"] == "rejected" and (_BUSY.fullmatch(message) or "no outbound message" in message):
        return
    # Two who save at once are told so; that is not about setups.
    if said["status"] != "rejected" or "meanwhile" not in message:
        yield f"it is answered {said}"


def _one_at_a_time(writers: list[int]) -> None:
    """Raise `Violation` where one has written to Salesforce between two writes of another."""
    turns = [task for task, _ in itertools.groupby(writers)]
    if len(turns) != len(set(turns)):
        raise Violation(f"setups worked at the same time: {turns}")


def _once_quiet(setup: SetupCompany) -> Iterator[str]:
    setup.world.clock.moment += A_CLAIM
    # Settings that were overtaken are saved again, as whoever saved them is told to.
    for said in (setup.put(), setup.ask("refresh")):
        if said["status"] not in ENDED_WELL:
            yield f"once it is quiet, it is answered {said}"
    yield from amiss(setup)
