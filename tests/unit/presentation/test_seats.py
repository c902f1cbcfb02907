"""Seats, as lines and as a table."""

import pytest

from muster.presentation import seats
from muster.presentation.tables import as_lines

LINE = [
    {"place": n, "name": name, "member": f"m{n}", "assignment": "Sales", "since": "2026-11-20T08:15:31Z"}
    for n, name in enumerate(["Ada", None], 1)
]
ANSWER = {
    "seats": {
        "spare": {"limit": None, "held": 3, "free": None, "waiting": 0, "line": []},
        "coach": {"limit": 20, "held": 5, "free": 15, "waiting": 0, "line": []},
        "gong": {"limit": 1_200, "held": 1_200, "free": 0, "waiting": 9, "line": LINE},
    }
}


def test_seats_are_told_the_fullest_first_with_who_is_in_line() -> None:
    assert seats.lines(ANSWER) == [
        "! Seat gong: 1,200 of 1,200 held, 0 free, 9 people wait",
        "  in line, first to last: Ada, m2 and 7 more",
        "Seat coach: 5 of 20 held, 15 free",
        "Seat spare: 3 held, without a limit",
    ]


@pytest.mark.parametrize(
    ("seats_of", "said"),
    [
        ({}, "The settings name no seats"),
        ({"a": (5, 0), "b": (None, 0)}, "2 seats: none is full, and nobody waits"),
        ({"a": (0, 0)}, "a is full"),
        ({"a": (0, 0), "b": (0, 0), "c": (0, 1)}, "1 person waits for c, a and b are full"),
        ({"a": (0, 1_204)}, "1,204 people wait for a"),
    ],
)
def test_the_news_of_seats(seats_of: dict[str, tuple[int | None, int]], said: str) -> None:
    shown = {name: {"free": free, "waiting": waiting} for name, (free, waiting) in seats_of.items()}
    assert seats.news(shown) == said


def test_seats_as_a_table() -> None:
    assert as_lines(seats.seats_table(ANSWER)) == [
        "Seat    There are    Held    Free    In line    Who    Assignment    Since",
        "------  -----------  ------  ------  ---------  -----  ------------  ----------------",
        "spare   any number   3",
        "coach   20           5       15",
        "gong    1,200        1,200   0       1          Ada    Sales         2026-11-20 08:15",
        "                                     2                 Sales         2026-11-20 08:15",
    ]
    use = {"gong": {"limit": 20, "held": 5, "waiting": 2}}
    assert seats.use_table(use).rows == (("gong", "20", "5", "2"),)
