from typing import Any

import pytest

from muster.roster import seats
from muster.roster.seats import HELD_SEAT as HELD
from muster.roster.seats import Move, Pool, SeatPlace, moved, moves, placed
from tests.examples import settings

NOW = "2026-11-20T08:16:00.000Z"
EARLIER = "2026-11-20T08:00:00.000Z"
SEATS = settings(
    seats={
        "gong": {"limit": 2},
        "forecast": {"limit": 1, "requires": ["gong"]},
        "reader": {},
        "closed": {"limit": 0},
    }
)


def waiting(since: str = NOW, rank: int = 1) -> SeatPlace:
    return SeatPlace("waiting", since, rank)


def blocked(by: str) -> SeatPlace:
    return SeatPlace("blocked", requires=by)


@pytest.mark.parametrize(
    ("before", "wanted", "pools", "after"),
    [
        ({}, [], {}, {}),
        ({}, ["gong"], {}, {"gong": HELD}),
        ({}, ["gong"], {"gong": Pool(1, 0)}, {"gong": HELD}),
        ({}, ["gong"], {"gong": Pool(2, 0)}, {"gong": waiting()}),
        # Lowered below what is used: nobody loses a seat, nobody gets one.
        ({}, ["gong"], {"gong": Pool(5, 0)}, {"gong": waiting()}),
        ({"gong": HELD}, ["gong"], {"gong": Pool(5, 0)}, {"gong": HELD}),
        # Others wait already: a free one is theirs.
        ({}, ["gong"], {"gong": Pool(1, 1)}, {"gong": waiting()}),
        # Who waits keeps the time, and moves with the assignment.
        ({"gong": waiting(EARLIER, 5)}, ["gong"], {"gong": Pool(2, 1)}, {"gong": waiting(EARLIER, 1)}),
        ({}, ["reader"], {"reader": Pool(1_000_000, 0)}, {"reader": HELD}),
        ({}, ["closed"], {}, {"closed": waiting()}),
        ({"gong": HELD}, [], {"gong": Pool(1, 0)}, {}),
        ({}, ["unknown"], {}, {}),
        # A seat that needs another comes after it, however they are written.
        ({}, ["forecast", "gong"], {}, {"gong": HELD, "forecast": HELD}),
        ({}, ["forecast"], {}, {"forecast": blocked("gong")}),
        (
            {},
            ["gong", "forecast"],
            {"gong": Pool(2, 0)},
            {"gong": waiting(), "forecast": blocked("gong")},
        ),
        ({"gong": HELD, "forecast": HELD}, ["forecast"], {}, {"forecast": blocked("gong")}),
        (
            {"gong": HELD, "forecast": blocked("gong")},
            ["gong", "forecast"],
            {"gong": Pool(1, 0)},
            {"gong": HELD, "forecast": HELD},
        ),
    ],
)
def test_each_wanted_seat_has_a_place(
    before: dict[str, Any], wanted: list[str], pools: dict[str, Pool], after: dict[str, Any]
) -> None:
    assert placed(before, wanted, SEATS, pools, rank=1, at=NOW) == after


def test_whose_turn_it_is_takes_the_seat_and_with_it_what_was_blocked() -> None:
    before = {"gong": waiting(EARLIER), "forecast": blocked("gong")}
    pools = {"gong": Pool(1, 3)}
    after = placed(before, before, SEATS, pools, rank=1, at=NOW, next_in_line="gong")
    assert after == {"gong": HELD, "forecast": HELD}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, {}),
        ({"gong": HELD}, {"gong": HELD}, {}),
        ({}, {"gong": HELD}, {"gong": Move(used=1)}),
        ({"gong": HELD}, {}, {"gong": Move(used=-1)}),
        ({}, {"gong": waiting()}, {"gong": Move(waiting=1, joins=(1, NOW))}),
        ({"gong": waiting()}, {}, {"gong": Move(waiting=-1, leaves=(1, NOW))}),
        ({"gong": waiting()}, {"gong": HELD}, {"gong": Move(1, -1, leaves=(1, NOW))}),
        (
            {"gong": waiting(NOW, 2)},
            {"gong": waiting(NOW, 1)},
            {"gong": Move(leaves=(2, NOW), joins=(1, NOW))},
        ),
        ({"gong": waiting()}, {"gong": blocked("x")}, {"gong": Move(waiting=-1, leaves=(1, NOW))}),
        ({}, {"gong": blocked("x")}, {}),
    ],
)
def test_a_change_of_places_moves_counters_and_the_line(
    before: dict[str, Any], after: dict[str, Any], expected: dict[str, Move]
) -> None:
    assert moves(before, after) == expected
    pools = moved({"gong": Pool(5, 5)}, expected)
    gong = expected.get("gong", Move())
    assert pools["gong"] == Pool(5 + gong.used, 5 + gong.waiting)


def test_only_limited_seats_have_a_limit() -> None:
    assert seats.limits(SEATS) == {"gong": 2, "forecast": 1, "closed": 0}
    assert seats.free("reader", SEATS, {}) == float("inf")
    assert seats.free("gong", SEATS, {"gong": Pool(5)}) == 0
    assert seats.free("unknown", SEATS, {}) == 0
