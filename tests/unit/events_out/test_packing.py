"""Events packed into calls: ten at once, 200 KB at once, and of a member one version only."""

from datetime import UTC, datetime

import pytest

from muster.events_out.bus_events import MOST_BYTES, BusEvent
from muster.events_out.packing import Placed, packs

AT = datetime(2026, 11, 20, tzinfo=UTC)


def event(number: int, of: str, size: int = 10) -> Placed:
    return Placed(number, of, BusEvent("MemberUpdated", AT, "x" * size))


# Source, type and time take 33 bytes.
HALF = MOST_BYTES // 2 - 33


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([event(0, "ada")], [[0]]),
        ([event(number, f"m{number}") for number in range(21)], [[*range(10)], [*range(10, 20)], [20]]),
        # All that one entry is may go together; another entry of the same member may not.
        ([event(0, "ada"), event(0, "ada"), event(1, "bob"), event(2, "ada")], [[0, 0, 1], [2]]),
        ([event(0, "ada"), event(1, "ada"), event(2, "ada")], [[0], [1], [2]]),
        ([event(0, "ada", HALF), event(1, "bob", HALF)], [[0, 1]]),
        ([event(0, "ada", HALF), event(1, "bob", HALF + 1)], [[0], [1]]),
        # What is too large by itself goes alone: only the bus can say whether it takes it.
        ([event(0, "ada", MOST_BYTES), event(1, "bob")], [[0], [1]]),
    ],
)
def test_a_call_has_what_it_may(events: list[Placed], expected: list[list[int]]) -> None:
    assert [[each.entry for each in pack] for pack in packs(events, "muster")] == expected
