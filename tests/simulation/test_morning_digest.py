"""Whatever fails at whichever call of a digest: it is mailed, once as far as anybody can know (N2, T3)."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

import morning_digest
from muster.errors import MusterError
from muster.reporting.last_digest import AT_WORK
from muster.times import timestamp
from tests.simulation.harness.faults import KINDS, SWEPT, Fault, nothing, these
from tests.simulation.harness.world import ACME, GLOBEX, World

FUNCTION = "MorningDigestFunction"
# Lambda tries three times.
TRIES = 3
# The call does not take effect.
UNDONE = ("before", "down", "busy")
READS = ("BatchGetItem", "GetItem", "GetQueueAttributes", "GetSecretValue", "Query")


def send(world: World, at: datetime) -> Any:
    event = {"action": "send", "scheduled_at": timestamp(at)}
    return world.invoke(FUNCTION, morning_digest.handler, event, MusterError)


def published(world: World) -> list[int]:
    """Return the numbers of the calls that mail."""
    return [call.number for call in world.wire.calls if call.service == "sns"]


def morning(world: World) -> datetime:
    world.reset(ACME, GLOBEX)
    world.wire.calls.clear()
    return world.clock.now()


def swept(kind: str, world: World, *, every: int) -> int:
    """Have each call of a digest fail that writes or mails, and one in so many of the others."""
    assert send(world, morning(world))["status"] == "succeeded"
    [mailed_by], calls = published(world), list(world.wire.calls)
    telling = [call.number for call in calls if call.operation not in READS or not call.number % every]
    for number in telling:
        at = morning(world)
        world.wire.plan = these(Fault(number, kind))
        for _ in range(TRIES):
            said = send(world, at)
            world.wire.plan = nothing
            world.clock.pass_s(AT_WORK.total_seconds())
            if said and said["status"] != "raised":
                break
        assert said["status"] in ("succeeded", "skipped"), (number, said)
        assert send(world, at)["status"] == "skipped"
        mails = [call for call in published(world) if call != number or kind not in UNDONE]
        # That a mail went and its answer, or the note of it, was lost nobody can know.
        assert len(mails) == 1 or (len(mails) == 2 and number >= mailed_by), (number, mails)
    return len(telling)


@pytest.mark.parametrize("kind", SWEPT)
def test_a_digest_with_a_fault_is_mailed_all_the_same(kind: str, world: World, figures: Counter[str]) -> None:
    figures["fault points of digests"] += swept(kind, world, every=20)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_digest_with_any_fault_at_any_call_is_mailed_all_the_same(
    kind: str, world: World, figures: Counter[str]
) -> None:
    figures["fault points of digests"] += swept(kind, world, every=1)


def test_of_two_at_once_one_mails(world: World) -> None:
    at = morning(world)
    said: list[Any] = []

    def meanwhile(call: Any) -> None:
        if call.service == "sns" and not said:
            said.append(None)
            said[0] = send(world, at)

    world.wire.on_call, before = meanwhile, world.wire.on_call
    try:
        assert send(world, at)["status"] == "succeeded"
    finally:
        world.wire.on_call = before
    assert said[0]["status"] == "raised"
    assert len(published(world)) == 1
