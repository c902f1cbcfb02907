"""Workers that meet: two or three messages about the same people, interleaved at every AWS call."""

from collections.abc import Sequence
from functools import partial

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

import user_change_worker
from tests.simulation.harness.messages import user
from tests.simulation.harness.world import record_of
from tests.simulation.webhook.scenarios import BOB_IS, NAMESAKE, THIRD
from tests.simulation.webhook.subject import Receiving, WebhookRace

type Users = list[dict[str, str]]


def _race(
    name: str,
    before: Sequence[Users],
    workers: Sequence[Sequence[Users]],
    active: dict[str, int | None],
    *,
    shared_addresses: bool = False,
) -> WebhookRace:
    """Return a race of workers, from the messages before and the messages of each."""

    def queued(subject: Receiving) -> None:
        subject.world.reset()
        for users in before:
            subject.world.send(*users)
            subject.world.work()
        for users in (users for messages in workers for users in messages):
            subject.world.send(*users)
        subject.world.receive()

    ends = [sum(map(len, workers[: number + 1])) for number in range(len(workers))]
    tasks = [partial(_follow, start=start, end=end) for start, end in zip([0, *ends], ends, strict=False)]
    return WebhookRace(name, queued, tuple(tasks), active=active, shared_addresses=shared_addresses)


def _follow(subject: Receiving, start: int, end: int) -> None:
    """Follow some messages of the queue, one after the other."""
    for message in subject.world.queue[start:end]:
        user_change_worker.follow_one(SQSRecord(record_of(message)))


ADA_ID, BOB_ID = user()["Id"], BOB_IS["Id"]

RACES = [
    _race(
        "three changes of one new user",
        [],
        [[[user(1)]], [[user(2, Title="Lead")]], [[user(3, Title="Chief")]]],
        {ADA_ID: 3},
    ),
    _race(
        "create, change, leave",
        [],
        [[[user(1)]], [[user(2, Title="Lead")]], [[user(3, IsActive="false")]]],
        {ADA_ID: None},
    ),
    _race("one message delivered three times at once", [], [[[user(1)]]] * 3, {ADA_ID: 1}),
    _race(
        "changes of a known user",
        [[user(1)]],
        [[[user(4, Title="Lead")]], [[user(5, Title="Chief")]], [[user(3)]]],
        {ADA_ID: 5},
    ),
    _race("leave and return", [[user(1)]], [[[user(2, IsActive="false")]], [[user(3)]]], {ADA_ID: 3}),
    _race(
        "two users in opposite order",
        [],
        [[[user(1), user(1, **BOB_IS)]], [[user(2, **BOB_IS), user(2)]]],
        {ADA_ID: 2, BOB_ID: 2},
    ),
    _race(
        "the recreated user and the last word of the former",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(5, **NAMESAKE)]], [[user(4, IsActive="false", Title="Gone")]]],
        {ADA_ID: None, BOB_ID: 5},
    ),
    _race(
        "the recreated user and news of the former, who stays out",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(3, **NAMESAKE)]], [[user(5, IsActive="false", Title="Gone")]]],
        {ADA_ID: None, BOB_ID: 3},
    ),
    _race(
        "a namesake arrives as the member leaves",
        [[user(1)]],
        [[[user(2, **NAMESAKE)]], [[user(3, IsActive="false")]]],
        {ADA_ID: None},
    ),
    _race(
        "a namesake arrives as the address becomes free",
        [[user(1)]],
        [[[user(2, **NAMESAKE)]], [[user(3, Email="c@acme.example")]]],
        {ADA_ID: 3},
    ),
    _race(
        "who waits changes as the member leaves",
        [[user(1)], [user(2, **NAMESAKE)]],
        [[[user(3, IsActive="false")]], [[user(4, **NAMESAKE, Title="Lead")]]],
        {ADA_ID: None},
    ),
    _race(
        "who waits leaves as the member leaves",
        [[user(1)], [user(2, **NAMESAKE)]],
        [[[user(3, IsActive="false")]], [[user(4, **NAMESAKE, IsActive="false")]]],
        {ADA_ID: None, BOB_ID: None},
    ),
    # Who of these comes in is luck; that they are not two is not.
    _race("two new users with one address", [], [[[user(1)]], [[user(1, **NAMESAKE)]]], {}),
    _race(
        "three new users with one address",
        [],
        [[[user(1)]], [[user(1, **NAMESAKE)]], [[user(1, **THIRD)]]],
        {},
    ),
    _race(
        "a new user, and a member who takes their address",
        [[user(1, **BOB_IS)]],
        [[[user(2)]], [[user(2, **{**BOB_IS, "Email": "ada@acme.example"})]]],
        {BOB_ID: 2},
        shared_addresses=True,
    ),
    _race(
        "the former returns as the recreated one takes over",
        [[user(1)], [user(2, IsActive="false")]],
        [[[user(3, **NAMESAKE)]], [[user(4)]]],
        {},
    ),
    _race(
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
