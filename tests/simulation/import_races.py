"""Imports, workers, saved settings and edits that meet over the same people and one seat (I4, I7, T3).

Every call to AWS and to Salesforce is where another may go on. What must hold at any moment is looked
at after each of them; in the end, once all is quiet, Salesforce and the roster must agree.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

import user_change_worker
from muster.errors import MusterError
from tests.simulation import import_results
from tests.simulation.company import SALES, SUPPORT, Company, CompanyMoment, Said
from tests.simulation.faults import Call
from tests.simulation.import_scenarios import STRICT_GUARD, parked_run
from tests.simulation.import_sweeping import nothing_is_left_to_do
from tests.simulation.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.strict_aws import Row
from tests.simulation.world import Violation, record_of

# What a function may answer because others were at work.
_FAIR = frozenset({"succeeded", "succeeded_with_errors", "skipped", "rejected", "parked"})
# And who comes too late is told so by an exception.
_LATE = _FAIR | {"raised"}

type Task = Callable[[Company], object]


@dataclass(frozen=True, slots=True)
class ImportRace:
    """What there is before, and what happens at once.

    `told`: of all that changes, messages tell; so the roster is right before any further import.
    `fair`: what a function may answer because others were at work.
    """

    name: str
    before: Callable[[Company], object]
    tasks: tuple[Task, ...]
    told: bool = False
    fair: frozenset[str] = _FAIR


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def _four(company: Company) -> None:
    """Four people who want the one seat there is; one of them holds no place in the roster yet."""
    company.begin(seats={"gong": {"limit": 1}})
    for name in ("ada", "bob"):
        company.hire(name, Department="Sales")
    company.hire("dave", Department="Support", manager="ada")
    company.hire("carol", Department="Kitchen", manager="dave")


def _settled(company: Company) -> None:
    _four(company)
    company.run_import()
    company.world.clock.advance(minutes=20)


def _told_nobody_yet(company: Company) -> None:
    _four(company)
    company.tell("ada")
    company.tell("bob", "dave")


def _three_told(company: Company) -> None:
    _four(company)
    company.change("carol", Department="Sales")
    for name in ("ada", "bob", "carol"):
        company.tell(name)
    company.change("dave", IsActive=False)


def _seat_given_up(company: Company) -> None:
    _settled(company)
    company.leave("ada")
    company.change("carol", Department="Sales")
    company.tell("ada")
    company.tell("carol")


def _left_and_returned(company: Company) -> None:
    _settled(company)
    company.leave("ada")
    company.tell("ada")
    company.world.work()
    company.change("ada", IsActive=True)
    company.tell("ada")


def _left(company: Company) -> None:
    _settled(company)
    company.leave("bob")
    company.tell("bob")
    company.world.work()


def _held_by_hand(company: Company) -> None:
    """Dave, whose seat is an admin's to take away, has the one there is; ada and bob come to wait for it."""
    company.begin(seats={"gong": {"limit": 1}})
    company.hire("dave", Department="Support")
    company.run_import()
    company.world.clock.advance(minutes=20)
    company.hire("ada", Department="Sales", manager="dave")
    company.hire("bob", Department="Sales")
    company.tell("ada")
    company.tell("bob")


def _parked(company: Company) -> None:
    _seat_given_up(company)
    company.put(guard=STRICT_GUARD)
    company.run_import()


def _lead_for_a_while(company: Company) -> None:
    _settled(company)
    company.change("bob", Title="Lead")


def _interrupted(company: Company) -> None:
    """An import was out of time after its third look at the clock."""
    _seat_given_up(company)
    company.world.looks = 3
    company.run_import()
    company.world.looks = None


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def _works(company: Company) -> None:
    """Follow the next message of the queue."""
    company.world.receive()
    if company.world.queue:
        user_change_worker.follow_one(SQSRecord(record_of(company.world.queue.pop(0))))


def _imports(company: Company, mode: str = "full") -> Said:
    return company.run_import(mode)


def _changes(company: Company, name: str, **fields: object) -> None:
    """Change a user in Salesforce, which says so."""
    company.change(name, **fields)
    company.tell(name)
    _works(company)


def _saves(company: Company) -> Said:
    return company.put(assignments=[{**SALES, "workspaces": {"EMEA": "Manager"}}, SUPPORT])


def _takes_the_seat_away(company: Company) -> Said:
    return company.edit({"member": "dave", "seats": [], "crm_user_status": "inactive"})


def _approves(company: Company) -> Said:
    return company.run_import(None, by="jane", approve=parked_run(company, "import"))


def _rejects(company: Company) -> Said:
    return company.run_import(None, by="john", reject=parked_run(company, "import"))


def _resumes(company: Company) -> Said:
    return company.resume(max(company.roster().runs))


def _imports_later(company: Company) -> Said:
    """Import once the lease of whoever is at work has expired."""
    company.world.clock.advance(minutes=20)
    return company.run_import()


def _taken_back_and_imported(company: Company) -> Said:
    company.change("bob", Title=None)
    return _imports_later(company)


RACES = [
    ImportRace("three messages want one seat", _three_told, (_works, _works, _works), told=True),
    ImportRace("a first import and two messages want one seat", _told_nobody_yet, (_works, _works, _imports)),
    ImportRace("a seat is given up while an import reads", _seat_given_up, (_works, _works, _imports)),
    ImportRace(
        "somebody leaves while an import works",
        _seat_given_up,
        (_imports, partial(_changes, name="bob", IsActive=False), _works),
    ),
    ImportRace(
        "somebody returns while an import works",
        _left_and_returned,
        (partial(_imports, mode="incremental"), _works, partial(_changes, name="ada", Title="Lead")),
    ),
    ImportRace("settings are saved while others work", _seat_given_up, (_saves, _works, _works, _imports)),
    ImportRace(
        "a seat is taken away while others work",
        _held_by_hand,
        (_takes_the_seat_away, _works, _works, _imports),
    ),
    ImportRace("two imports", _seat_given_up, (_imports, _imports)),
    ImportRace("two imports and a message", _told_nobody_yet, (_imports, _works, _imports)),
    ImportRace("approved twice, and rejected", _parked, (_approves, _rejects, _approves), fair=_LATE),
    ImportRace("approved while an import starts and a message comes", _parked, (_approves, _imports, _works)),
    ImportRace("resumed twice", _interrupted, (_resumes, _resumes), fair=_LATE),
]
# What is known to go wrong: see `test_import_races`.
OVERTAKEN = [
    ImportRace(
        "changed and changed back",
        _settled,
        (partial(_changes, name="bob", Title="Lead"), partial(_changes, name="bob", Title=None)),
        told=True,
    ),
    ImportRace(
        "returned and left again",
        _left,
        (partial(_changes, name="bob", IsActive=True), partial(_changes, name="bob", IsActive=False)),
        told=True,
    ),
]
ZOMBIES = [
    ImportRace("an import that was taken for dead", _seat_given_up, (_imports, _imports_later), fair=_LATE),
    ImportRace(
        "an import of what was taken back",
        _lead_for_a_while,
        (_imports, _taken_back_and_imported),
        fair=_LATE,
    ),
    ImportRace("a first import that was taken for dead", _four, (_imports, _imports_later), fair=_LATE),
]


# ── Running ──────────────────────────────────────────────────────────────────────────────────────


def race_seeded(company: Company, race: ImportRace, seed: int, start: CompanyMoment) -> list[int]:
    """Run a race interleaved as a seed says; returns the schedule, raises `Violation`."""
    return _run(company, race, seeded(seed), f"seed {seed}", start)[0]


def race_stalled(company: Company, race: ImportRace, every: int = 1) -> int:
    """Stall each task before each of its calls, or one of `every`, until the others are done."""
    race.before(company)
    start = company.moment()
    points = 0
    for task in range(len(race.tasks)):
        for steps in itertools.count(1, every):
            how = f"task {task} stalled after {steps} calls"
            schedule, _ = _run(company, race, stalled(task, steps), how, start)
            points += 1
            if schedule[:steps].count(task) < steps:
                break
    return points


def zombies(company: Company, race: ImportRace, every: int = 1) -> int:
    """Stall the first task before each of its calls, or one of `every`, until the second is done.

    What then wakes up must change nothing any more. Returns how many there were.
    """
    race.before(company)
    start = company.moment()
    for steps in itertools.count(1, every):
        schedule, left = _run(company, race, stalled(0, steps), f"stalled after {steps} calls", start)
        if schedule[:steps].count(0) < steps:
            return steps // every
        if left[1] is not None and company.rows_of_roster() != left[1]:
            raise Violation(f"{race.name}, stalled after {steps} calls: it changed the roster after all")
    raise AssertionError


def _run(
    company: Company, race: ImportRace, choice: Choice, how: str, start: CompanyMoment
) -> tuple[list[int], list[list[Row] | None]]:
    """Return the schedule, and the roster that each task left when it was done."""
    company.go_back(start)
    scheduler = Scheduler(choice)
    watch = ImportWatch(company)
    left: list[list[Row] | None] = [None] * len(race.tasks)

    def on_call(_: Call) -> None:
        watch()
        scheduler.pause()

    def body(number: int) -> None:
        said = race.tasks[number](company)
        if isinstance(said, dict) and said["status"] not in race.fair:
            raise Violation(f"task {number} was answered {said}")
        left[number] = company.rows_of_roster()

    company.world.wire.on_call = on_call
    raised = scheduler.run([partial(body, number) for number in range(len(race.tasks))])
    company.world.wire.on_call = None
    try:
        for error in raised:
            if isinstance(error, MusterError):
                raise Violation("a message failed only because others were at work") from error
            if error is not None:
                raise error
        watch()
        for problem in _once_quiet(company, race):
            raise Violation(problem)
    except Violation as violation:
        raise Violation(f"{race.name}, {how}: {violation}") from violation
    return scheduler.schedule, left


def _once_quiet(company: Company, race: ImportRace) -> Iterator[str]:
    """Yield what is wrong once every message is through; then let one import come by, and another."""
    company.world.settle()
    if company.roster().lease:
        yield "nobody is at work any more, and the lease is not given back"
    yield from import_results.left_behind(company)
    if race.told:
        yield from import_results.untrue(company)
    company.mend()
    yield from import_results.broken(company)
    yield from import_results.untrue(company)
    nothing_is_left_to_do(company)


class ImportWatch:
    """Looks at the table between any two calls: nothing is ever broken, and nothing goes back."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._seen: list[Row] = []
        # Member → revision and newest state that was known of it.
        self._newest: dict[str, tuple[int, str]] = {}

    def __call__(self) -> None:
        rows = self._company.rows_of_roster()
        if rows == self._seen:
            return
        self._seen = rows
        for problem in import_results.broken(self._company):
            raise Violation(problem)
        for member in self._company.roster().members.values():
            now = (member.revision, member.sources.get("salesforce", ""))
            before = self._newest.get(member.id, (0, ""))
            if now[0] < before[0] or now[1] < before[1]:
                raise Violation("a member went back to an older state")
            self._newest[member.id] = now
