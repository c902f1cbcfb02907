"""Workers that meet: two or three messages about the same people, interleaved at every AWS call."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

import user_change_worker
from muster.errors import MusterError
from tests.simulation import invariants, oracle
from tests.simulation.faults import Call
from tests.simulation.invariants import Result
from tests.simulation.messages import user
from tests.simulation.scenarios import BOB_IS, NAMESAKE, THIRD
from tests.simulation.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.world import ACME, Violation, World, record_of

type Users = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Race:
    """What is in the roster before, what each worker gets, and who must be active in the end."""

    name: str
    before: list[Users]
    workers: list[list[Users]]
    # User to the second of the state that must have won; `None`: must not be active.
    active: dict[str, int | None]
    shared_addresses: bool = False


ADA_ID, BOB_ID = user()["Id"], BOB_IS["Id"]

RACES = [
    Race(
        "three changes of one new user",
        [],
        [[[user(1)]], [[user(2, Title="Lead")]], [[user(3, Title="Chief")]]],
        {ADA_ID: 3},
    ),
    Race(
        "create, change, leave",
        [],
        [[[user(1)]], [[user(2, Title="Lead")]], [[user(3, IsActive="false")]]],
        {ADA_ID: None},
    ),
    Race("one message delivered three times at once", [], [[[user(1)]]] * 3, {ADA_ID: 1}),
    Race(
        "changes of a known user",
        [[user(1)]],
        [[[user(4, Title="Lead")]], [[user(5, Title="Chief")]], [[user(3)]]],
        {ADA_ID: 5},
    ),
    Race("leave and return", [[user(1)]], [[[user(2, IsActive="false")]], [[user(3)]]], {ADA_ID: 3}),
    Race(
        "two users in opposite order",
        [],
        [[[user(1), user(1, **BOB_IS)]], [[user(2, **BOB_IS), user(2)]]],
        {ADA_ID: 2, BOB_ID: 2},
    ),
    Race(
        "the recreated user and the last word of the former",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(5, **NAMESAKE)]], [[user(4, IsActive="false", Title="Gone")]]],
        {ADA_ID: None, BOB_ID: 5},
    ),
    Race(
        "the recreated user and news of the former, who stays out",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(3, **NAMESAKE)]], [[user(5, IsActive="false", Title="Gone")]]],
        {ADA_ID: None, BOB_ID: 3},
    ),
    Race(
        "a namesake arrives as the member leaves",
        [[user(1)]],
        [[[user(2, **NAMESAKE)]], [[user(3, IsActive="false")]]],
        {ADA_ID: None, BOB_ID: 2},
    ),
    Race(
        "a namesake arrives as the address becomes free",
        [[user(1)]],
        [[[user(2, **NAMESAKE)]], [[user(3, Email="c@acme.example")]]],
        {ADA_ID: 3, BOB_ID: 2},
    ),
    Race(
        "who waits changes as the member leaves",
        [[user(1)], [user(2, **NAMESAKE)]],
        [[[user(3, IsActive="false")]], [[user(4, **NAMESAKE, Title="Lead")]]],
        {ADA_ID: None, BOB_ID: 4},
    ),
    Race(
        "who waits leaves as the member leaves",
        [[user(1)], [user(2, **NAMESAKE)]],
        [[[user(3, IsActive="false")]], [[user(4, **NAMESAKE, IsActive="false")]]],
        {ADA_ID: None, BOB_ID: None},
    ),
    # Who of these comes in is luck; that they are not two is not.
    Race("two new users with one address", [], [[[user(1)]], [[user(1, **NAMESAKE)]]], {}),
    Race(
        "three new users with one address",
        [],
        [[[user(1)]], [[user(1, **NAMESAKE)]], [[user(1, **THIRD)]]],
        {},
    ),
    Race(
        "a new user, and a member who takes their address",
        [[user(1, **BOB_IS)]],
        [[[user(2)]], [[user(2, **{**BOB_IS, "Email": "ada@acme.example"})]]],
        {BOB_ID: 2},
        shared_addresses=True,
    ),
    Race(
        "the former returns as the recreated one takes over",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(3, **NAMESAKE)]], [[user(4)]]],
        {},
    ),
    Race(
        "a slow worker, and two who take turns meanwhile",
        [[user(1)], [user(2, IsActive="false")], [user(3, **NAMESAKE)]],
        [
            [[user(4, IsActive="false", Title="Gone")]],
            [
                [user(5, **NAMESAKE, IsActive="false")],
                [user(6)],
                [user(7, IsActive="false")],
                [user(8, **NAMESAKE)],
            ],
        ],
        {ADA_ID: None, BOB_ID: 8},
    ),
]


def race_seeded(world: World, race: Race, seed: int) -> list[int]:
    """Run a race interleaved as a seed says; returns the schedule, raises `Violation`."""
    return _run(world, race, seeded(seed), f"seed {seed}")


def race_stalled(world: World, race: Race) -> int:
    """Stall each worker before each of its calls until the others are done; returns the number of runs."""
    points = 0
    for worker in range(len(race.workers)):
        for steps in itertools.count(1):
            schedule = _run(
                world, race, stalled(worker, steps), f"worker {worker} stalled after {steps} calls"
            )
            points += 1
            if schedule[:steps].count(worker) < steps:
                break
    return points


def _run(world: World, race: Race, choice: Choice, how: str) -> list[int]:
    world.reset()
    for users in race.before:
        world.send(*users)
        world.work()
    work = [[_queued(world, users) for users in messages] for messages in race.workers]
    scheduler = Scheduler(choice)
    watch = Watch(world, race)

    def on_call(_: Call) -> None:
        watch()
        scheduler.pause()

    def follow(records: list[SQSRecord]) -> None:
        for record in records:
            user_change_worker.follow_one(record)

    world.wire.on_call = on_call
    raised = scheduler.run([partial(follow, records) for records in work])
    world.wire.on_call = None
    try:
        for error in raised:
            if isinstance(error, MusterError):
                raise Violation("a message failed only because others were at work") from error
            if error is not None:
                raise error
        watch()
        for problem in _unexpected(race, world):
            raise Violation(problem)
    except Violation as violation:
        raise Violation(f"{race.name}, {how}: {violation}") from violation
    return scheduler.schedule


def _queued(world: World, users: Users) -> SQSRecord:
    """Return the message of these users as it comes off the queue."""
    world.send(*users)
    world.receive()
    return SQSRecord(record_of(world.queue.pop()))


class Watch:
    """Looks at the table between any two calls: nothing is ever broken, and no state goes back."""

    def __init__(self, world: World, race: Race) -> None:
        self._world, self._race = world, race
        self._newest: dict[str, str] = {}
        self._seen = ""

    def __call__(self) -> None:
        rows = self._world.rows()
        seen = json.dumps(rows, sort_keys=True)
        if seen == self._seen:
            return
        self._seen = seen
        for roster in invariants.read(rows).values():
            for problem in invariants.broken(roster, shared_addresses=self._race.shared_addresses):
                raise Violation(problem)
            for crm_id in roster.links:
                source = roster.source(crm_id) or ""
                if source < self._newest.get(crm_id, ""):
                    raise Violation(f"what is known of {crm_id} went back to an older state")
                self._newest[crm_id] = source


def _unexpected(race: Race, world: World) -> Iterator[str]:
    rosters = invariants.read(world.rows())
    ended: Result = invariants.result(rosters)
    for crm_id, second in race.active.items():
        shown: dict[str, Any] | None = ended.active.get(f"acme/{crm_id}")
        expected = second and f"2024-05-06T08:15:{second:02d}.000Z"
        if (shown and shown["source_version"]) != expected:
            yield f"{crm_id} is {'active' if shown else 'not active'}, expected the state of second {second}"
    yield from oracle.untrue(world.told["acme"], rosters["acme"], ACME)
