"""People come and go, apps fail, functions die: after one push everybody is where they belong (O4, T3)."""

import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from muster.errors import MusterError
from tests.integration.provisioning.apps import Apps, address
from tests.integration.provisioning.leavers import BATCH, Crashed, Leaving

STEPS = 14
FAULTS = [
    {"fault": "lose_answer", "count": 1},
    {"fault": "lose_answer", "method": "PATCH", "count": 2},
    {"fault": "lose_answer", "method": "POST", "count": 1},
    {"fault": "status", "status": 503, "count": 4},
    {"fault": "throttle", "count": 2, "delay_s": 0},
    {"fault": "no_effect", "method": "PATCH", "count": 1},
]


class History:
    """One history, as a seed says; `told` is what happened."""

    def __init__(self, world: Leaving, pass_time: Callable[[timedelta], None], seed: int) -> None:
        self.world = world
        self.pass_time = pass_time
        self.chance = random.Random(seed)  # noqa: S311 - a history, not a secret
        self.told: list[str] = []
        self.working: set[str] = set()
        # What happens at each call.
        self.hooks: list[Callable[[], None]] = []

    def run(self) -> None:
        """Let it all happen."""
        with self.world.watched(self._on_call):
            for _ in range(STEPS):
                what = self.chance.choice(
                    [self.join, self.leave, self.leave, self.come_back, self.fail, self.push, self.follow]
                )
                self.told.append(what.__name__)
                what()
                # What died is gone with its lease by then.
                self.pass_time(timedelta(minutes=20))

    def _on_call(self, _: str) -> None:
        for hook in list(self.hooks):
            hook()

    def join(self) -> None:
        name = f"p{len(self.world.people)}"
        self.world.join(name)
        self.working.add(name)
        self._dying(lambda: self.world.apps.company.run("incremental"))

    def leave(self) -> None:
        if self.working:
            name = self.chance.choice(sorted(self.working))
            self.working.remove(name)
            self.told.append(name)
            self.world.leave(name)

    def come_back(self) -> None:
        if gone := sorted(self.world.people.keys() - self.working):
            name = self.chance.choice(gone)
            self.working.add(name)
            self.told.append(name)
            self.world.come_back(name)

    def fail(self) -> None:
        fault = self.chance.choice(FAULTS)
        self.told.append(str(fault))
        self.world.apps.scim.control("POST", "faults", [{"path": "/scim/v2", **fault}])

    def push(self) -> None:
        """Push, and let somebody leave in the midst of it, with the function at work beside it."""
        number, calls = self.chance.randint(1, 60), itertools.count(1)

        def beside() -> None:
            if next(calls) == number:
                self.hooks, hooks = [], self.hooks
                self.leave()
                self.follow()
                self.hooks = hooks

        self.hooks.append(beside)
        self._dying(self.world.apps.push)
        self.hooks.remove(beside)

    def follow(self) -> None:
        self.world.records += self.world.written()
        batch, rest = self.world.records[:BATCH], self.world.records[BATCH:]
        left = batch

        def hand_over() -> None:
            nonlocal left
            left = self.world.hand_over(batch)

        self._dying(hand_over)
        self.world.records = left + rest

    def _dying(self, act: Callable[[], object]) -> None:
        """Do it, or die at one of its calls; what fails is tried again by whatever comes next."""
        number, calls = self.chance.randint(1, 90), itertools.count(1)

        def die() -> None:
            if next(calls) == number:
                raise Crashed

        self.hooks.append(die)
        with suppress(MusterError, Crashed):
            act()
        self.hooks.remove(die)

    def settle(self) -> None:
        """Faults are over, a day later: one import, and one push."""
        self.world.apps.scim.control("POST", "faults", [])
        self.pass_time(timedelta(days=1))
        self.world.follow()
        self.world.apps.company.run("full")
        said = self.world.apps.push()
        assert said["status"].startswith("succeeded"), said
        self.world.follow()


def play(world: Leaving, pass_time: Callable[[timedelta], None], seed: int) -> None:
    history = History(world, pass_time, seed)
    for name in ("ada", "bob"):
        world.join(name)
        history.working.add(name)
    world.apps.imported()
    world.apps.push()
    stranger = world.apps.scim.create(address("stranger"), title="Nobody's")
    history.run()
    history.settle()
    how = f"seed {seed}: {history.told}"
    assert world.open() == history.working | {"stranger"}, how
    assert world.apps.scim.user(stranger)["title"] == "Nobody's", how
    # What it has found by looking once more is all that a second one knows better.
    world.apps.push()
    world.apps.calls()
    assert world.apps.push()["counts"] == {}, how
    assert [call for call in world.apps.calls() if call[0] != "GET"] == [], how


@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("seed", range(2))
def test_whoever_has_left_is_out_and_nobody_else(
    apps: Apps, pass_time: Callable[[timedelta], None], seed: int
) -> None:
    play(Leaving(apps), pass_time, seed)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("seed", range(100, 160))
def test_whoever_has_left_is_out_and_nobody_else_in_many_histories(
    apps: Apps, pass_time: Callable[[timedelta], None], seed: int
) -> None:
    play(Leaving(apps), pass_time, seed)
