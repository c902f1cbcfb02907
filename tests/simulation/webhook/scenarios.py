"""What may come from Salesforce, and in which order: each scenario once, to be run under any fault."""

from collections.abc import Callable
from typing import Any

from tests.examples import BOB
from tests.simulation.harness import invariants
from tests.simulation.harness.messages import Notification, user
from tests.simulation.harness.world import ACME, GLOBEX, Queued, World
from tests.simulation.webhook.subject import Scenario

BOB_IS = {"Id": BOB, "Username": "bob@acme.example", "Email": "bob@acme.example", "FirstName": "Bob"}
# Another Salesforce user with Ada's e-mail address, as after a deletion or a move between orgs.
NAMESAKE = {"Id": BOB, "Username": "ada@acme.example.new"}
POISON = '{"v": 99}'
THIRD = {"Id": "005000000000003AAA", "Username": "ada@acme.example.third"}


def steps(*messages: list[dict[str, str]]) -> Callable[[World], None]:
    """Return a play that sends each message and lets the worker work after each."""

    def play(world: World) -> None:
        for users in messages:
            world.send(*users)
            world.work()

    return play


def at_once(*messages: list[dict[str, str]]) -> Callable[[World], None]:
    """Return a play that sends all messages before the worker sees the first."""

    def play(world: World) -> None:
        for users in messages:
            world.send(*users)
        # The worker copes with batches, whatever the template's size is now.
        world.batch_size = 10
        world.work()

    return play


def _person(number: int, second: int = 1, **fields: str | None) -> dict[str, str]:
    address = f"user{number}@acme.example"
    return user(
        second, **{"Id": f"005000000000{number:03d}AAA", "Username": address, "Email": address, **fields}
    )


def _parked(world: World) -> None:
    world.post(
        [
            Notification("04l000000000071AAA", {"Id": "001000000000001AAA", "Name": "Acme"}, "Account"),
            Notification("04l000000000072AAA", {"Id": BOB}),
            Notification("04l000000000073AAA", user(1, IsActive=None)),
            Notification("04l000000000074AAA", user(2)),
        ]
    )
    world.work()


def _one_poisoned(world: World) -> None:
    for number in range(1, 5):
        world.send(_person(number))
    world.receive()
    world.queue.insert(2, Queued("poison", POISON))
    world.batch_size = 10
    world.work()


def _two_organizations(world: World) -> None:
    world.send(user(1))
    world.send(user(1, Title="Elsewhere"), organization="globex")
    world.work()
    world.send(user(2, IsActive="false"), organization="globex")
    world.work()


def _kept_active(world: World) -> None:
    world.send(user(1))
    # Only who is in can be kept: had both changes come in one go, nobody would have been let in.
    world.catch_up()
    world.send(user(2, IsActive="false", Title="Gone"))
    world.work()


OFF = {**ACME, "auto_provision": {"enabled": False, "read_back": False}}
CONVERTED = {**ACME, "domains": {"primary": "acme.example", "convert": True}}
KEPT = {**ACME, "keep_active": {"when_deactivated": True}}
LONG_TEXT: dict[str, Any] = {"Biography__c": "x" * 30_000}

SCENARIOS = [
    Scenario("a user is created", steps([user(1)])),
    Scenario("a user is changed", steps([user(1)], [user(2, Title="Lead")])),
    Scenario("a field is emptied", steps([user(1)], [user(2, Title=None, MobilePhone=None)])),
    Scenario("a user leaves", steps([user(1)], [user(2, IsActive="false")])),
    Scenario("a user leaves and returns", steps([user(1)], [user(2, IsActive="false")], [user(3)]), every=2),
    Scenario("a user leaves the call center", steps([user(1)], [user(2, CallCenterId=None)])),
    Scenario("a user is not let in, then is", steps([user(1, CallCenterId=None)], [user(2)])),
    Scenario("two changes of one user in one message", steps([user(1), user(2, Title="Lead")])),
    Scenario(
        "two users in one message", steps([user(1), user(1, **BOB_IS)], [user(2, **BOB_IS, Title="Boss")])
    ),
    Scenario("ten messages in a batch", at_once(*([_person(number)] for number in range(1, 11))), every=7),
    Scenario("one message of a batch is poisoned", _one_poisoned, dead_letters=(POISON,), every=4),
    Scenario("a message comes twice", steps([user(1)], [user(1)])),
    Scenario(
        "a message comes twice in one batch", at_once([user(1)], [user(1)], [user(2, Title="Lead")]), every=2
    ),
    Scenario("an older change comes after a newer one", steps([user(2, Title="Lead")], [user(1)])),
    Scenario("someone left before they are known", steps([user(2, IsActive="false")], [user(1)])),
    Scenario(
        "a save that changes nothing still outranks what is older",
        steps([user(1)], [user(5)], [user(3, Title="Lead")]),
        every=2,
    ),
    Scenario(
        "an address changes", steps([user(1)], [user(2, Username="c@acme.example", Email="c@acme.example")])
    ),
    Scenario(
        "two users exchange addresses",
        steps(
            [user(1), user(1, **BOB_IS)],
            [user(2, Email="bob@acme.example"), user(2, **{**BOB_IS, "Email": "ada@acme.example"})],
        ),
        shared_addresses=True,
        every=2,
    ),
    Scenario(
        "a recreated user takes over",
        steps([user(1)], [user(2, IsActive="false")], [user(3, **NAMESAKE)]),
        every=2,
    ),
    Scenario(
        "a namesake waits until the member leaves",
        steps([user(1)], [user(2, **NAMESAKE)], [user(3, IsActive="false")]),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "a namesake waits until the address is free",
        steps([user(1)], [user(2, **NAMESAKE)], [user(3, Email="c@acme.example")]),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "a namesake waits, and the address moves on twice",
        steps(
            [user(1)],
            [user(2, **NAMESAKE)],
            [user(3, Email="b@acme.example")],
            [user(4, Email="c@acme.example")],
        ),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "a namesake that waits changes, then leaves",
        steps(
            [user(1)],
            [user(2, **NAMESAKE)],
            [user(3, **NAMESAKE, Title="Lead")],
            [user(4, **NAMESAKE, IsActive="false")],
        ),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "two namesakes wait",
        steps([user(1)], [user(2, **NAMESAKE), user(2, **THIRD)], [user(3, IsActive="false")]),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "who was replaced returns",
        steps([user(1)], [user(2, IsActive="false")], [user(3, **NAMESAKE)], [user(4)]),
        view=invariants.by_claim,
        every=2,
    ),
    Scenario(
        "some notifications are parked", _parked, errors=("no_fields", "not_understood", "other_object")
    ),
    Scenario(
        "a hundred users in one message", steps([_person(number) for number in range(1, 101)]), every=61
    ),
    Scenario(
        "a message too long for the queue", steps([_person(n, **LONG_TEXT) for n in range(1, 11)]), every=4
    ),
    Scenario("the organization is switched off", steps([user(1)], [user(2, Title="Lead")]), (OFF,)),
    Scenario("two organizations", _two_organizations, (ACME, GLOBEX), every=2),
    Scenario("a foreign domain is converted", steps([user(1, Email="ada@else.example")]), (CONVERTED,)),
    Scenario("who leaves is kept active", _kept_active, (KEPT,)),
]
