"""Seats: who holds one, who waits in line, and what a change moves (A9).

A member's `seats` maps each seat it should have to a place:

    {"state": "held"}
    {"state": "waiting", "since": "2026-11-20T08:15:31.000Z", "rank": 2}   no free one; in line
    {"state": "blocked", "requires": "gong"}                               needs that seat first

The line is sorted by the assignment's position (`rank`), then by time. Not this module but the table
ensures that a limited seat is never given out twice: the pool's counter moves in the transaction that
writes the member, under the condition that it is below the limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from muster.settings import Settings

type Place = Mapping[str, Any]

HELD = "held"
WAITING = "waiting"
BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Pool:
    """How many hold a seat, and how many wait for it."""

    used: int = 0
    waiting: int = 0


type Pools = Mapping[str, Pool]


@dataclass(frozen=True, slots=True)
class Move:
    """What a change does to one seat's pool: by how much counters move, and who leaves or joins the line.

    `leaves` and `joins` are places in line, `(rank, since)`.
    """

    used: int = 0
    waiting: int = 0
    leaves: tuple[int, str] | None = None
    joins: tuple[int, str] | None = None


def limits(settings: Settings) -> dict[str, int]:
    """Return the limit of each limited seat."""
    return {name: seat.limit for name, seat in settings.seats.items() if seat.limit is not None}


def free(seat: str, settings: Settings, pools: Pools) -> float:
    """Return how many of a seat are free: infinitely many without a limit, and never less than 0."""
    defined = settings.seats.get(seat)
    if defined is None:
        return 0
    if defined.limit is None:
        return float("inf")
    return max(0, defined.limit - pools.get(seat, Pool()).used)


def placed(
    before: Mapping[str, Place],
    wanted: Iterable[str],
    settings: Settings,
    pools: Pools,
    *,
    rank: int,
    at: str,
    next_in_line: str | None = None,
) -> dict[str, Place]:
    """Return the place of each wanted seat: what is held stays held, what is free is taken.

    A member joins the line of a seat for which others wait, even if some are free; for the seat
    `next_in_line` it is the member's turn. A seat that needs another is blocked until that one is held.
    `at` is now, for a place in line.
    """
    after: dict[str, Place] = {}
    for seat in _after_what_they_require(wanted, settings):
        was = before.get(seat, {})
        missing = [name for name in settings.seats[seat].requires if after.get(name, {}).get("state") != HELD]
        takes_turn = seat == next_in_line or not pools.get(seat, Pool()).waiting
        if missing:
            after[seat] = {"state": BLOCKED, "requires": missing[0]}
        elif was.get("state") == HELD or (takes_turn and free(seat, settings, pools) > 0):
            after[seat] = {"state": HELD}
        else:
            since = was["since"] if was.get("state") == WAITING else at
            after[seat] = {"state": WAITING, "since": since, "rank": rank}
    return after


def _after_what_they_require(wanted: Iterable[str], settings: Settings) -> list[str]:
    """Return the seats that exist, each after those it requires; settings hold no cycle (S1)."""
    names = [name for name in dict.fromkeys(wanted) if name in settings.seats]
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        for required in settings.seats[name].requires:
            if required in names:
                add(required)
        ordered[name] = None

    for name in names:
        add(name)
    return list(ordered)


def moves(before: Mapping[str, Place], after: Mapping[str, Place]) -> dict[str, Move]:
    """Return the moves in the seats' pools when a member's places are replaced; other seats are left out."""
    found: dict[str, Move] = {}
    if before == after:
        return found
    for seat in [*before, *(seat for seat in after if seat not in before)]:
        was, becomes = before.get(seat, {}), after.get(seat, {})
        leaves, joins = _in_line(was), _in_line(becomes)
        if leaves == joins:
            leaves = joins = None
        move = Move(
            used=(becomes.get("state") == HELD) - (was.get("state") == HELD),
            waiting=(becomes.get("state") == WAITING) - (was.get("state") == WAITING),
            leaves=leaves,
            joins=joins,
        )
        if move != Move():
            found[seat] = move
    return found


def moved(pools: Pools, changed: Mapping[str, Move]) -> dict[str, Pool]:
    """Return the pools after these moves."""
    after = dict(pools)
    for seat, move in changed.items():
        pool = after.get(seat, Pool())
        after[seat] = Pool(pool.used + move.used, pool.waiting + move.waiting)
    return after


def held(seats: Mapping[str, Place]) -> frozenset[str]:
    """Return the seats that are held."""
    return frozenset(seat for seat, place in seats.items() if place["state"] == HELD)


def _in_line(place: Place) -> tuple[int, str] | None:
    return (place["rank"], place["since"]) if place.get("state") == WAITING else None
