"""Seats in words: how they are used, and who is at which place in line (A9)."""

from dataclasses import replace

import pytest

from muster.insight import seat_explanations
from muster.roster.member import Member
from muster.roster.seats import HELD_SEAT, Pool, SeatPlace
from tests.examples import settings

MEMBER = Member(id="m1", organization="acme", active=True, assignment="Sales")
WAITING = SeatPlace("waiting", "2026-11-20T08:15:31.000Z", 1)


@pytest.mark.parametrize(
    ("limit", "pool", "free", "why"),
    [
        (None, Pool(3, 0), None, "3 held; there is no limit."),
        (5, Pool(3, 0), 2, "3 of 5 held, 2 free; 0 in line."),
        (5, Pool(3, 1), 2, "3 of 5 held, 2 free; 1 in line, and the next import serves it."),
        (5, Pool(5, 2), 0, "5 of 5 held, 0 free; 2 in line."),
        (
            5,
            Pool(1_007, 2),
            0,
            "1,007 held, 1,002 over the limit of 5: nobody loses one, and none is given out until 1,003 have"
            " been given back; 2 in line.",
        ),
    ],
)
def test_the_use_of_a_seat_in_words(limit: int | None, pool: Pool, free: int | None, why: str) -> None:
    acme = settings(seats={"base": {}, "gong": {"limit": limit, "requires": ["base"]}})
    said = seat_explanations.of_seat("gong", pool, [replace(MEMBER, seats={"gong": WAITING})], acme)
    assert said == {
        "limit": limit,
        "held": pool.used,
        "waiting": pool.waiting,
        "free": free,
        "requires": ["base"],
        "why": why,
        "line": [{"place": 1, "member": "m1", "name": None, "assignment": "Sales", "since": WAITING.since}],
    }


def test_a_member_shows_its_place_in_line_and_not_its_rank() -> None:
    member = replace(MEMBER, seats={"gong": WAITING, "engage": HELD_SEAT})
    shown = seat_explanations.with_places(member, {"gong": {"m1": 3}})["seats"]
    assert shown == {
        "gong": {"state": "waiting", "since": WAITING.since, "place": 3},
        "engage": {"state": "held"},
    }
