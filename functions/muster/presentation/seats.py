"""Seats in lines and tables: how many are held and free, and who is in line (A9)."""

from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

# So many of a line are named.
_NAMED = 5


def use(name: str, seat: Mapping[str, Any]) -> str:
    """Return the use of a seat in one line; `seat` has its limit, and how many hold it and wait for it."""
    limit, held, waiting = seat["limit"], seat["held"], seat["waiting"]
    there_are = f"{held:,} held, without a limit" if limit is None else f"{held:,} of {limit:,} held"
    free = "" if limit is None else f", {max(0, limit - held):,} free"
    waits = f", {counted(waiting, 'person waits', 'people wait')}" if waiting else ""
    return f"Seat {name}: {there_are}{free}{waits}"


def news(seats: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in one sentence which seats are full, and for which people wait."""
    if not seats:
        return "The settings name no seats"
    waited = [
        f"{counted(seat['waiting'], 'person waits', 'people wait')} for {name}"
        for name, seat in seats.items()
        if seat["waiting"]
    ]
    full = [name for name, seat in seats.items() if seat["free"] == 0 and not seat["waiting"]]
    if not waited and not full:
        return f"{counted(len(seats), 'seat')}: none is full, and nobody waits"
    are_full = [f"{words.listed(full)} {'is' if len(full) == 1 else 'are'} full"] if full else []
    return words.joined([*waited, *are_full], ", ")


def lines(answer: Answer) -> Sequence[str]:
    """Return a line for each seat, the fullest first, and below it who is in line."""
    found = []
    for name, seat in sorted(answer["seats"].items(), key=_fullest):
        sign = "! " if seat["waiting"] or (seat["limit"] is not None and not seat["free"]) else ""
        found.append(f"{sign}{use(name, seat)}")
        if line := [_who(each) for each in seat["line"]]:
            found.append(f"  in line, first to last: {words.listed(line, _NAMED, seat['waiting'])}")
    return at_most(found)


def seats_table(answer: Answer) -> Table:
    """Return each seat with its line."""
    rows: list[Sequence[object]] = []
    for name, seat in answer["seats"].items():
        own: tuple[object, ...] = (name, _limit(seat), seat["held"], seat["free"])
        for place in seat["line"] or [{}]:
            since = words.moment(place.get("since"))
            rows.append([*own, place.get("place"), place.get("name"), place.get("assignment"), since])
            own = ("", "", "", "")
    headings = ("Seat", "There are", "Held", "Free", "In line", "Who", "Assignment", "Since")
    return table(*headings, rows=rows)


def use_table(use_of: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return how many would hold each seat and wait for it by a plan."""
    rows = [[name, _limit(seat), seat["held"], seat["waiting"]] for name, seat in use_of.items()]
    return table("Seat", "There are", "Would be held", "Would wait", rows=rows)


def places(member: Mapping[str, Any]) -> str:
    """Return the seats of a member, a line each: what is held, and the place in line."""
    return "\n".join(
        f"{seat}: {place['state']}" + (f", place {place['place']}" if place.get("place") else "")
        for seat, place in member["seats"].items()
    )


def _fullest(each: tuple[str, Mapping[str, Any]]) -> tuple[int, float, str]:
    name, seat = each
    return -seat["waiting"], seat["free"] if seat["free"] is not None else float("inf"), name


def _who(place: Mapping[str, Any]) -> str:
    return str(place["name"] or place["member"])


def _limit(seat: Mapping[str, Any]) -> object:
    return "any number" if seat["limit"] is None else seat["limit"]
