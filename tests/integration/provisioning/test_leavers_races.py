"""A push and the function that closes leavers, at work on the same account: interleaved and broken off.

Whatever happens, one more push leaves whoever has left outside, all others inside, and nothing to do.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import get_ident

import pytest
import requests

from tests.integration.provisioning.apps import Apps
from tests.integration.provisioning.leavers import ADA, Crashed, Leaving
from tests.simulation.harness.scheduler import Choice, Scheduler, seeded, stalled

BOB = "bob"
NO_PATCH = {"refuses": ["PATCH /Users"]}


def made(world: Leaving) -> None:
    """Let the next push make Ada's account."""
    world.join(ADA)
    world.apps.imported()


def changed(world: Leaving) -> None:
    """Let the next push change Ada's account, and put it into another group."""
    made(world)
    world.apps.push()
    world.apps.company.salesforce.update(world.people[ADA], Title="Director", Department="Support")
    world.apps.imported("incremental")


def opened(world: Leaving) -> None:
    """Let the next push let Ada in again."""
    made(world)
    world.apps.push()
    world.leave(ADA)
    world.follow()
    world.apps.push()
    world.come_back(ADA, Title="Director")


def closed(world: Leaving) -> None:
    """Let the next push close Ada's account, which the function could not."""
    made(world)
    world.apps.push()
    world.leave(ADA)
    world.records += world.written()


@dataclass(frozen=True)
class Begins:
    """How a race begins, and what Ada does in it: `leaves`, `returns`, or `nothing` more."""

    build: Callable[[Leaving], None]
    does: str = "leaves"
    quirks: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        """Return the name of the test."""
        return f"{self.build.__name__}-{self.does}{'-put' if self.quirks else ''}"


BEGINNINGS = [
    Begins(made),
    Begins(changed),
    Begins(changed, quirks=tuple(NO_PATCH.items())),
    Begins(opened),
    Begins(closed, "nothing"),
    Begins(closed, "returns"),
    Begins(closed, "returns", tuple(NO_PATCH.items())),
]


@pytest.fixture
def world(apps: Apps) -> Leaving:
    """Return Acme with Bob, who has an account in the app."""
    world = Leaving(apps)
    world.join(BOB)
    apps.imported()
    apps.push()
    return world


@dataclass
class Race:
    """A push, and beside it Ada, who leaves or comes back, and the function."""

    world: Leaving
    begins: Begins
    pass_time: Callable[[timedelta], None]

    def __post_init__(self) -> None:
        self.world.apps.scim.quirks(**dict(self.begins.quirks))
        self.begins.build(self.world)
        self._go_back = self.world.snapshot()

    def beside(self) -> None:
        """Let Ada leave or come back, with the function."""
        if self.begins.does == "leaves":
            self.world.leave(ADA)
        elif self.begins.does == "returns":
            self.world.follow()
            self.world.come_back(ADA)
        self.world.follow()

    def _push(self) -> None:
        self.world.apps.push()

    def interleaved(self, choice: Choice) -> list[int]:
        """Run both, one call at a time; returns the schedule."""
        self._go_back()
        scheduler = Scheduler(choice)
        own = get_ident()
        with self.world.watched(
            lambda when: scheduler.pause() if when == "before" and get_ident() != own else None
        ):
            raised = scheduler.run([self._push, self.beside])
        for error in raised:
            if error is not None:
                raise error
        self._settled(f"schedule {scheduler.schedule}")
        named = {name for names in self.world.apps.groups().values() for name in names}
        assert named == self._inside, scheduler.schedule
        return scheduler.schedule

    def broken_off(self, number: int, when: str) -> bool:
        """Break the push off at a call of it, and let Ada go on then; whether there was such a call."""
        self._go_back()
        calls = itertools.count(1)

        def on_call(now: str) -> None:
            if now == when and next(calls) == number:
                raise Crashed

        with self.world.watched(on_call):
            try:
                self.world.apps.push()
            except Crashed:
                broke = True
            else:
                broke = False
        self.beside()
        self.pass_time(timedelta(hours=1))
        self._settled(f"broken off {when} call {number}")
        return broke

    @property
    def _inside(self) -> set[str]:
        return {BOB, ADA} if self.begins.does == "returns" else {BOB}

    def _settled(self, how: str) -> None:
        world = self.world
        world.follow()
        # One that broke off is gone on with first.
        for _ in range(2):
            world.apps.push()
            world.follow()
        assert world.open() == self._inside, how
        world.apps.calls()
        assert world.apps.push()["counts"] == {}, how
        assert world.apps.calls() == [], how
        shown = world.apps.account(world.people[ADA]).get("state")
        assert (shown == "active") is (ADA in self._inside), how


@pytest.fixture
def race(
    request: pytest.FixtureRequest, world: Leaving, pass_time: Callable[[timedelta], None]
) -> Iterator[Race]:
    """Return each race."""
    yield Race(world, request.param, pass_time)
    world.apps.scim.quirks()


def stalls(race: Race, every: int, offset: int = 0) -> None:
    for victim in (0, 1):
        for steps in itertools.count(1 + offset, every):
            if race.interleaved(stalled(victim, steps))[:steps].count(victim) < steps:
                break


def breaks(race: Race, every: int, offset: int = 0) -> None:
    for when in ("before", "after"):
        for number in itertools.count(1 + offset, every):
            if not race.broken_off(number, when):
                break


# The gate has some of each.
SOME = [BEGINNINGS[2], BEGINNINGS[3], BEGINNINGS[5]]


@pytest.mark.parametrize("race", SOME, indirect=True, ids=str)
def test_whoever_is_overtaken(race: Race) -> None:
    stalls(race, every=23, offset=11)
    race.interleaved(seeded(1))


@pytest.mark.long
@pytest.mark.parametrize("race", BEGINNINGS, indirect=True, ids=str)
def test_whoever_is_overtaken_at_every_call(race: Race) -> None:
    stalls(race, every=1)
    for seed in range(30):
        race.interleaved(seeded(seed))


@pytest.mark.filterwarnings("ignore:No application metrics")  # nothing is told where a function is gone
@pytest.mark.parametrize("race", SOME[:2], indirect=True, ids=str)
def test_a_push_breaks_off(race: Race) -> None:
    breaks(race, every=31, offset=15)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("race", BEGINNINGS, indirect=True, ids=str)
def test_a_push_breaks_off_at_every_call(race: Race) -> None:
    breaks(race, every=1)


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_what_a_push_has_sent_and_not_recorded_after_the_function_has_closed_is_found(
    world: Leaving, pass_time: Callable[[timedelta], None]
) -> None:
    """An app without PATCH is sent the whole user, as it was read just before: active."""
    world.apps.scim.quirks(**NO_PATCH)
    changed(world)
    wire, is_beside = world.apps.wire, False

    def before(request: requests.PreparedRequest) -> None:
        nonlocal is_beside
        if request.method == "PUT" and not is_beside:
            is_beside = True
            world.leave(ADA)
            world.follow()
            assert world.open() == {BOB}

    def after(request: requests.PreparedRequest, answer: requests.Response) -> None:
        if request.method == "PUT" and world.open() == {ADA, BOB}:
            raise Crashed

    wire.before, wire.after = before, after
    with pytest.raises(Crashed):
        world.apps.push()
    wire.before, wire.after = (lambda request: None), (lambda request, answer: None)
    assert world.open() == {ADA, BOB}
    pass_time(timedelta(hours=1))
    world.apps.push()
    world.follow()
    world.apps.push()
    world.follow()
    world.apps.scim.quirks()
    assert world.open() == {BOB}
