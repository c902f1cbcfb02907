"""What is taken in can be written: no message is so large that it comes back for ever (T3)."""

import pytest

from tests.simulation.harness import invariants
from tests.simulation.harness.messages import user
from tests.simulation.harness.subject import only
from tests.simulation.harness.sweeping import prepared
from tests.simulation.harness.world import ACME, World
from tests.simulation.webhook.scenarios import SCENARIOS
from tests.simulation.webhook.subject import Receiving

NAMES = [f"Text{number}__c" for number in range(8)]
MANY_FIELDS = {**ACME, "auto_provision": {"read_back": False, "custom_fields": NAMES}}


@pytest.mark.parametrize("length", [100, 2_000, 8_000])
@pytest.mark.parametrize("character", ["x", '"', "\t", "é", "漢", "😀"])
def test_however_long_texts_are_their_change_is_followed_or_put_in_the_error_log(
    character: str, length: int, world: World
) -> None:
    world.reset(MANY_FIELDS)
    for second, end in ((1, "a"), (2, "b")):
        # Blanks at the end would be cut off, tabs too.
        world.send(user(second, **dict.fromkeys(NAMES, character * (length - 1) + end)))
        world.work()
    assert (world.returned, world.queue) == (0, [])
    roster = invariants.read(world.rows())["acme"]
    if roster.errors:
        assert {entry["code"] for entry in roster.errors} == {"not_understood"}
        assert length > 100
    else:
        [member] = roster.members.values()
        assert member.custom[NAMES[0]] == (character * (length - 1) + "b").strip()
        assert list(invariants.broken(roster)) == []


def test_a_message_too_long_for_the_queue_goes_there_in_parts(world: World) -> None:
    _, played = prepared(Receiving.of(world), only("a message too long for the queue", SCENARIOS))
    bodies = [call.parameters["MessageBody"] for call in played.calls if call.operation == "SendMessage"]
    assert len(bodies) > 1
    assert all(len(body.encode()) <= 256 * 1024 for body in bodies)
