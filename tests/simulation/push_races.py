"""Pushes, imports, workers and group assignments that meet over the same people and the last licence.

Every call to AWS, Salesforce and Vault CRM is where another may go on. What must hold at any moment is
looked at after each of them; in the end, once all is quiet, the roster and the Engage server must agree,
and of each of them with who was asked for what last.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

import user_change_worker
from muster.errors import MusterError
from muster.pushes.licence_lines import PROBE
from tests.simulation import push_results
from tests.simulation.company import Said
from tests.simulation.faults import Call
from tests.simulation.import_results import left_behind
from tests.simulation.push_company import A_WHILE, PushCompany, PushMoment
from tests.simulation.push_scenarios import well
from tests.simulation.push_sweeping import nothing_is_left_to_do
from tests.simulation.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.strict_aws import Row
from tests.simulation.world import Violation, record_of

# What a function may answer because others were at work.
_FAIR = frozenset({"succeeded", "succeeded_with_errors", "skipped", "rejected"})
# And who comes too late is told so by an exception.
_LATE = _FAIR | {"raised"}

# A fault of the vault.
REFUSED_ONCE = {"path": "/api/v26.1/vobjects/user__sys", "fault": "fail_rows", "rows": 1}

type Task = Callable[[PushCompany], object]


@dataclass(frozen=True, slots=True)
class PushRace:
    """What there is before, what happens at once, and who is in which group in the end.

    In `ends` a group maps to one of several sets of people, in words: who of two gets the last licence is
    luck. `fair`: what a function may answer because others were at work. `repeats`: what is changed and
    changed back before it was sent is asked of the server once more.
    """

    name: str
    before: Callable[[PushCompany], object]
    tasks: tuple[Task, ...]
    ends: dict[str, tuple[str, ...]]
    fair: frozenset[str] = _FAIR
    repeats: bool = False
    # Of the vault.
    faults: tuple[Said, ...] = ()


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def three(pushing: PushCompany) -> None:
    """Three people, one licence in the UK and room in the US, and nothing asked for."""
    pushing.begin("engage")
    pushing.vault.group("UK", 1)
    pushing.vault.group("US", 3)
    pushing.hire("ada", "bob", "carol")
    well(pushing.run_import())
    pushing.company.world.clock.advance(minutes=A_WHILE)


def _asked(pushing: PushCompany) -> None:
    """One of them asks for the licence."""
    three(pushing)
    well(pushing.ask("assign", "ada", group="UK"))


def _held(pushing: PushCompany) -> None:
    """One of them holds it."""
    _asked(pushing)
    well(pushing.push())
    pushing.company.world.clock.advance(minutes=A_WHILE)


def _waited_for(pushing: PushCompany) -> None:
    """And another is in line."""
    _held(pushing)
    well(pushing.ask("assign", "bob", group="UK"))
    well(pushing.push())
    pushing.company.world.clock.advance(minutes=A_WHILE)


def _given_up(pushing: PushCompany) -> None:
    """And the licence is to be given up."""
    _waited_for(pushing)
    well(pushing.ask("remove", "ada"))


def _about_to_leave(pushing: PushCompany) -> None:
    """Whoever holds it has left in Salesforce, which says so."""
    _waited_for(pushing)
    pushing.company.leave("ada")
    pushing.company.tell("ada")


def _hidden_group(pushing: PushCompany) -> None:
    """Somebody in a group that Vault CRM does not show a request for: out of it by a retry alone."""
    _held(pushing)
    pushing.vault.log_in()
    pushing.vault.write(
        "PUT",
        [{"id": pushing.users["ada"], "engage_group_request__v": None}],
        headers={"X-VaultAPI-NoTriggers": "true"},
    )
    well(pushing.run_import())
    well(pushing.ask("retry", "ada"))


def _half_pushed(pushing: PushCompany) -> None:
    """A push is out of time after a removal, with an addition still to be sent."""
    _held(pushing)
    well(pushing.ask("remove", "ada"))
    well(pushing.ask("assign", "bob", group="UK"))
    world = pushing.company.world
    said = {"status": "", "run_id": ""}
    while not said["run_id"] or pushing.company.roster().runs[said["run_id"]]["cursor"] < 1:
        world.looks = (world.looks or 0) + 1
        said = pushing.push(**({"run_id": said["run_id"]} if said["run_id"] else {}))
        if said["status"] != "continue":
            raise Violation(f"it is not cut short: {said}")
    world.looks = None


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def _pushes(pushing: PushCompany) -> Said:
    return pushing.push()


def _goes_on(pushing: PushCompany) -> Said:
    return pushing.push(run_id=max(pushing.company.roster().runs))


def _imports(pushing: PushCompany) -> Said:
    return pushing.run_import()


def _works(pushing: PushCompany) -> None:
    """Follow the next message of the queue."""
    world = pushing.company.world
    world.receive()
    if world.queue:
        user_change_worker.follow_one(SQSRecord(record_of(world.queue.pop(0))))


def _asks(pushing: PushCompany, action: str, name: str, group: str | None = None) -> Said:
    return pushing.ask(action, name, group=group)


def _pushes_later(pushing: PushCompany) -> Said:
    """Push once the lease of whoever is at work has expired."""
    pushing.company.world.clock.advance(minutes=A_WHILE)
    return pushing.push()


def _assign(name: str, group: str) -> Task:
    return partial(_asks, action="assign", name=name, group=group)


def _remove(name: str) -> Task:
    return partial(_asks, action="remove", name=name)


RACES = [
    PushRace(
        "two ask for the last licence",
        three,
        (_assign("ada", "UK"), _assign("bob", "UK"), _pushes),
        {"engage UK": ("ada", "bob"), "engage US": ("",)},
    ),
    PushRace(
        "somebody wishes for something else meanwhile",
        _asked,
        (_pushes, _assign("ada", "US")),
        {"engage UK": ("",), "engage US": ("ada",)},
    ),
    PushRace(
        "a wish is taken back meanwhile",
        _asked,
        (_pushes, _remove("ada"), _imports),
        {"engage UK": ("",), "engage US": ("",)},
    ),
    PushRace(
        "a removal is taken back meanwhile",
        _given_up,
        (_pushes, _assign("ada", "UK")),
        {"engage UK": ("ada", "bob"), "engage US": ("",)},
        repeats=True,
    ),
    PushRace(
        "who was to be taken out is to be let in",
        _hidden_group,
        (_pushes, _assign("ada", "US")),
        {"engage UK": ("",), "engage US": ("ada",)},
    ),
    PushRace(
        "what is being sent is not wished for any more",
        _half_pushed,
        (_goes_on, _assign("bob", "US")),
        {"engage UK": ("",), "engage US": ("bob",)},
    ),
    PushRace(
        "what is refused is not wished for any more",
        _half_pushed,
        (_goes_on, _assign("bob", "US")),
        {"engage UK": ("",), "engage US": ("bob",)},
        faults=(REFUSED_ONCE,),
    ),
    PushRace(
        "somebody leaves while all are at work",
        _about_to_leave,
        (_works, _pushes, _imports, _assign("carol", "US")),
        {"engage UK": ("bob",), "engage US": ("carol",)},
    ),
    PushRace(
        "two pushes and an import",
        _given_up,
        (_pushes, _imports, _pushes),
        {"engage UK": ("bob",), "engage US": ("",)},
    ),
]
ZOMBIES = [
    PushRace(
        "a push that was taken for dead",
        _given_up,
        (_pushes, _pushes_later),
        {"engage UK": ("bob",), "engage US": ("",)},
        fair=_LATE,
        # A lease outlives any function, so nobody wakes up like that. If one did, no fence would be in the
        # way of its next write to Vault CRM, which whoever took over may have made as well.
        repeats=True,
    )
]


# ── Running ──────────────────────────────────────────────────────────────────────────────────────


def race_seeded(pushing: PushCompany, race: PushRace, seed: int, start: PushMoment) -> list[int]:
    """Run a race interleaved as a seed says; returns the schedule, raises `Violation`."""
    return _run(pushing, race, seeded(seed), f"seed {seed}", start)


def race_stalled(pushing: PushCompany, race: PushRace, every: int = 1) -> int:
    """Stall each task before each of its calls, or one of `every`, until the others are done."""
    race.before(pushing)
    start = pushing.moment()
    points = 0
    for task in range(len(race.tasks)):
        for steps in itertools.count(1, every):
            how = f"task {task} stalled after {steps} calls"
            schedule = _run(pushing, race, stalled(task, steps), how, start)
            points += 1
            if schedule[:steps].count(task) < steps:
                break
    return points


def _run(pushing: PushCompany, race: PushRace, choice: Choice, how: str, start: PushMoment) -> list[int]:
    pushing.go_back(start)
    pushing.vault.control("POST", "faults", race.faults)
    scheduler = Scheduler(choice)
    watch = PushWatch(pushing)

    def on_call(_: Call) -> None:
        watch()
        scheduler.pause()

    def body(number: int) -> None:
        said = race.tasks[number](pushing)
        if isinstance(said, dict) and said["status"] not in race.fair:
            raise Violation(f"task {number} was answered {said}")

    pushing.company.world.wire.on_call = on_call
    raised = scheduler.run([partial(body, number) for number in range(len(race.tasks))])
    pushing.company.world.wire.on_call = None
    pushing.vault.control("POST", "faults", [])
    try:
        for error in raised:
            if isinstance(error, MusterError):
                raise Violation("a message failed only because others were at work") from error
            if error is not None:
                raise error
        watch()
        for problem in _once_quiet(pushing, race):
            raise Violation(problem)
    except Violation as violation:
        raise Violation(f"{race.name}, {how}: {violation}") from violation
    return scheduler.schedule


def _once_quiet(pushing: PushCompany, race: PushRace) -> Iterator[str]:
    """Yield what is wrong once every message is through, and schedules have gone on for a while."""
    pushing.quiet()
    if push_results.lines(pushing):
        # Whom it has cost the turn in line that others were at work is tried again by then.
        pushing.company.world.clock.advance(seconds=PROBE.total_seconds())
        pushing.quiet()
    yield from left_behind(pushing.company)
    yield from push_results.broken(pushing)
    yield from push_results.untrue(pushing)
    if not race.repeats:
        yield from push_results.asked_twice(pushing)
    inside = {name: " ".join(who) for name, who in pushing.in_groups().items()}
    for group, who in inside.items():
        if who not in race.ends[group]:
            yield f"in {group} is {who or 'nobody'}, and should be {race.ends[group]}"
    nothing_is_left_to_do(pushing)


class PushWatch:
    """Looks at the table between any two calls: nothing is ever broken, and nothing goes back."""

    def __init__(self, pushing: PushCompany) -> None:
        self._pushing = pushing
        self._seen: list[Row] = []
        # Member → newest revision that was seen of it.
        self._newest: dict[str, int] = {}

    def __call__(self) -> None:
        rows = self._pushing.company.rows_of_roster()
        if rows == self._seen:
            return
        self._seen = rows
        for problem in push_results.broken(self._pushing):
            raise Violation(problem)
        for member in self._pushing.company.roster().members.values():
            if member.revision < self._newest.get(member.id, 0):
                raise Violation("a member went back to an older state")
            self._newest[member.id] = member.revision
