"""Everything at once: random messages, and every AWS call failing with some likelihood, from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.harness import invariants
from tests.simulation.harness.messages import user
from tests.simulation.harness.soaking import Failing
from tests.simulation.harness.subject import demand
from tests.simulation.webhook.scenarios import BOB_IS, NAMESAKE
from tests.simulation.webhook.subject import Receiving, Scenario

OTHER = "other@acme.example"
LIKELIHOODS = (0.05, 0.1, 0.2)
# Ways for a user to be changed; `None` takes a field out.
CHANGES: Sequence[dict[str, str | None]] = (
    {},
    {"Title": "Lead"},
    {"Title": None},
    {"IsActive": "false"},
    {"CallCenterId": None},
    {"Email": OTHER},
)


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a seed came to, to be compared with itself: the faults in order, and the result."""

    faults: tuple[tuple[int, str, str], ...]
    result: invariants.Result


def soak(subject: Receiving, seed: int) -> Soaked:
    """Run one seed with faults, then without until all is through; raises `Violation`."""
    chance = random.Random(seed)  # noqa: S311 - a test's own luck
    world, failing = subject.world, Failing(chance, chance.choice(LIKELIHOODS))
    world.reset(plan=failing)
    messages = _messages(chance)
    for users in messages:
        world.send(*users)
        if chance.random() < 0.3:
            world.send(*users)
        if chance.random() < 0.5:
            world.work()
            chance.shuffle(world.queue)
    world.settle()
    rosters = invariants.read(world.rows())
    moved = any(fields["Email"] == OTHER for users in messages for fields in users)
    seen = Scenario("", lambda _: None, shared_addresses=moved)
    demand(subject.amiss(seen, rosters), f"seed {seed}")
    return Soaked(tuple(failing.noted), invariants.result(rosters))


def _messages(chance: random.Random) -> list[list[dict[str, str]]]:
    """Return the messages of a few users, each user's states in some order; no two at the same second."""
    people: list[dict[str, str]] = [{}, BOB_IS]
    if chance.random() < 0.5:
        people[1] = NAMESAKE
    states = [
        user(second, **{**chance.choice(people), **chance.choice(CHANGES)})
        for second in range(1, chance.randint(4, 9))
    ]
    if chance.random() < 0.5:
        chance.shuffle(states)
    cuts = sorted(chance.sample(range(1, len(states)), k=min(3, len(states) - 1)))
    return [states[start:end] for start, end in zip([0, *cuts], [*cuts, len(states)], strict=True)]
