"""In whatever order, however often and in whatever pieces messages come, they come to one roster (W4, I3)."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.simulation.harness import invariants
from tests.simulation.harness.invariants import Result
from tests.simulation.harness.messages import user
from tests.simulation.harness.world import World
from tests.simulation.webhook.orders import Users, deliver, every_order
from tests.simulation.webhook.scenarios import BOB_IS, NAMESAKE

ADA = [user(1), user(2, Title="Lead"), user(2, Title="Lead"), user(4, IsActive="false")]
BOB = [user(1, **BOB_IS, CallCenterId=None), user(3, **BOB_IS), user(5, **BOB_IS, Title="Boss")]
RETURNED = [user(1), user(2, IsActive="false"), user(3), user(3), user(4, Title="Lead")]
# Two changes in one second: the deactivation wins, whichever comes last.
TIED = [user(1), user(2, Title="Lead"), user(2, IsActive="false")]


@pytest.mark.parametrize(("users", "orders"), [([*ADA, *BOB], 5040), (RETURNED, 120), (TIED, 6)])
def test_every_order_comes_to_one_roster(
    users: Sequence[dict[str, str]], orders: int, world: World, figures: Counter[str]
) -> None:
    walked, results = every_order(world, [[fields] for fields in users])
    assert walked == orders
    assert [difference for other in results for difference in results[0].differences(other)] == []
    figures["orders"] += walked


def test_of_two_with_one_address_one_is_in_whatever_the_order(world: World, figures: Counter[str]) -> None:
    users = [user(1), user(2), user(1, **NAMESAKE), user(2, **NAMESAKE), user(3, **NAMESAKE, Title="Lead")]
    walked, results = every_order(world, [[fields] for fields in users])
    assert {(len(result.active), len(result.waiting)) for result in results} == {(1, 1)}
    figures["orders"] += walked


@pytest.mark.parametrize("seed", range(20))
def test_how_messages_are_cut_makes_no_difference(seed: int, world: World) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's own luck
    users = chance.sample([*ADA, *BOB], k=7)
    cuts = sorted(chance.sample(range(1, 7), k=chance.randint(0, 5)))
    pieces = [users[start:end] for start, end in zip([0, *cuts], [*cuts, 7], strict=True)]
    whole = _result(world, [[*ADA, *BOB]])
    assert list(whole.differences(_result(world, pieces))) == []


def _result(world: World, pieces: Sequence[Users]) -> Result:
    world.reset()
    for users in pieces:
        deliver(users)
    return invariants.result(invariants.read(world.rows()))
