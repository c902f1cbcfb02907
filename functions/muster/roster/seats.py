"""Seats: who holds one, who waits in line, and what a change moves (A9).

A member's `seats` maps each seat it should have to a `SeatPlace`, stored and shown as

    {"state": "held"}
    {"state": "waiting", "since": "2026-11-20T08:15:31.000Z", "rank": 2}   no free one; in line
    {"state": "blocked", "requires": "gong"}                               needs that seat first

The line is sorted by the assignment's position (`rank`), then by time. Not this module but the table
ensures that a limited seat is never given out twice: the pool's counter moves in the transaction that
writes the member, under the condition that it is below the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from muster.roster.stored_values import Json, Unknown, unknown
from muster.settings import Settings

type SeatState = Literal["held", "waiting", "blocked"]

HELD: Final = "held"
WAITING: Final = "waiting"
BLOCKED: Final = "blocked"
_NAMES = ("state", "since", "rank", "requires")


@dataclass(frozen=True, slots=True)
class SeatPlace:
    """A member's place: since when (ISO 8601) and at which rank it waits, or which seat it needs first.

    `unknown` are entries of a newer version.
    """

    state: SeatState
    since: str | None = None
    rank: int | None = None
    requires: str | None = None
    unknown: Unknown = ()

    @property
    def in_line(self) -> tuple[int, str] | None:
        """The place in line, `(rank, since)`; `None` for who does not wait."""
        if self.state != WAITING or self.rank is None or self.since is None:
            return None
        return self.rank, self.since

    def to_json(self) -> Json:
        """Return the place as it is stored."""
        if self is HELD_SEAT:
            return {"state": HELD}
        document: Json = {"state": self.state}
        if self.since is not None:
            document["since"] = self.since
        if self.rank is not None:
            document["rank"] = self.rank
        if self.requires is not None:
            document["requires"] = self.requires
        return document | dict(self.unknown)

    @staticmethod
    def from_json(document: Json) -> SeatPlace:
        """Return the place of its JSON."""
        if len(document) == 1 and document["state"] == HELD:
            return HELD_SEAT
        return SeatPlace(
            document["state"],
            document.get("since"),
            document.get("rank"),
            document.get("requires"),
            unknown(document, _NAMES),
        )


HELD_SEAT = SeatPlace(HELD)

type Places = Mapping[str, SeatPlace]


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
    before: Places,
    wanted: Iterable[str],
    settings: Settings,
    pools: Pools,
    *,
    rank: int,
    at: str,
    next_in_line: str | None = None,
) -> dict[str, SeatPlace]:
    """Return the place of each wanted seat: what is held stays held, what is free is taken.

    A member joins the line of a seat for which others wait, even if some are free; for the seat
    `next_in_line` it is the member's turn. A seat that needs another is blocked until that one is held.
    `at` is now, for a place in line.
    """
    after: dict[str, SeatPlace] = {}
    for seat in _after_what_they_require(wanted, settings):
        was = before.get(seat)
        missing = [name for name in settings.seats[seat].requires if not _is_held(after.get(name))]
        takes_turn = seat == next_in_line or not pools.get(seat, Pool()).waiting
        if missing:
            after[seat] = SeatPlace(BLOCKED, requires=missing[0])
        elif _is_held(was) or (takes_turn and free(seat, settings, pools) > 0):
            after[seat] = HELD_SEAT
        else:
            line = was.in_line if was else None
            after[seat] = SeatPlace(WAITING, since=line[1] if line else at, rank=rank)
    return after


def _is_held(place: SeatPlace | None) -> bool:
    return place is not None and place.state == HELD


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


def moves(before: Places, after: Places) -> dict[str, Move]:
    """Return the moves in the seats' pools when a member's places are replaced; other seats are left out."""
    found: dict[str, Move] = {}
    if before == after:
        return found
    for seat in [*before, *(seat for seat in after if seat not in before)]:
        was, becomes = before.get(seat), after.get(seat)
        leaves, joins = (place.in_line if place else None for place in (was, becomes))
        waiting = (joins is not None) - (leaves is not None)
        if leaves == joins:
            leaves = joins = None
        move = Move(
            used=_is_held(becomes) - _is_held(was),
            waiting=waiting,
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


def held(seats: Places) -> frozenset[str]:
    """Return the seats that are held."""
    return frozenset(seat for seat, place in seats.items() if place.state == HELD)
