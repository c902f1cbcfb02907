"""Seats in words: who holds one, who waits at which place in line, and why someone has none (A9). Pure."""

from collections.abc import Iterable, Iterator, Mapping

from muster.roster import seats
from muster.roster.member import Json, Member
from muster.roster.seats import Pool, SeatPlace
from muster.settings import Settings
from muster.settings.assignments import Assignment, FromField

# Per seat, the id of each member in line → its place, from 1.
type Line = Mapping[str, int]
type Lines = Mapping[str, Line]

NOBODY: Line = {}


def with_places(member: Member, lines: Lines) -> Json:
    """Return a member as JSON, with its place in each line it waits in (`None`: it has just left it)."""
    shown = member.to_json()
    for seat, place in shown["seats"].items():
        if place["state"] == seats.WAITING:
            place["place"], _ = _place(member.id, lines.get(seat, NOBODY))
    return shown


def of_seat(name: str, pool: Pool, first: Iterable[Member], settings: Settings) -> Json:
    """Return the use of a seat, and the first members in line for it."""
    seat = settings.seats[name]
    return {
        "limit": seat.limit,
        "held": pool.used,
        "waiting": pool.waiting,
        "free": None if seat.limit is None else max(0, seat.limit - pool.used),
        "requires": list(seat.requires),
        "why": _use_in_words(seat.limit, pool),
        "line": [
            {
                "place": place,
                "member": member.id,
                "name": member.name,
                "assignment": member.assignment,
                "since": member.seats[name].since if name in member.seats else None,
            }
            for place, member in enumerate(first, 1)
        ],
    }


def of_member(member: Member, assignment: Assignment | None, settings: Settings, lines: Lines) -> Json:
    """Return each seat that a member holds or waits for, or that its assignment names, with the reason."""
    shown = {name: _seat(name, member, lines) for name in member.seats}
    for name, field in _named_by(assignment) if assignment else ():
        if name not in shown:
            why = _not_given(name, field, member, settings)
            shown[name] = {"state": "not_given", "origin": None, "why": why}
    return shown


def lacking(name: str, member: Member, lines: Lines) -> str | None:
    """Return why a member does not hold a seat; `None`: it does."""
    match member.seats.get(name):
        case SeatPlace(state=seats.HELD):
            return None
        case SeatPlace(state=seats.BLOCKED, requires=required):
            return f"The seat {name} needs the seat {required}, which the member does not hold."
        case SeatPlace(state=seats.WAITING):
            at, of = _place(member.id, lines.get(name, NOBODY))
            where = "in line" if at is None else f"at place {at:,} of {of:,} in line"
            return f"The member waits for the seat {name}, {where}."
    return f"The member does not get the seat {name}."


def _seat(name: str, member: Member, lines: Lines) -> Json:
    place = member.seats[name]
    shown = {key: value for key, value in place.to_json().items() if key != "rank"}
    if place.state == seats.WAITING:
        shown["place"], shown["of"] = _place(member.id, lines.get(name, NOBODY))
    origin = member.origins.get(f"seats.{name}") or f"assignment:{member.assignment}"
    return {**shown, "origin": origin, "why": lacking(name, member, lines)}


def _not_given(name: str, field: str | None, member: Member, settings: Settings) -> str:
    if name not in settings.seats:
        return f"There is no seat {name} in the settings."
    if member.update_mode == "manual":
        return "The assignment gives seats once (update_mode manual); then they are edited in Muster."
    if field:
        return f"The user's field {field} decides about it, and does not give it."
    return "The assignment gives it, but did not yet when the member was last evaluated."


def _named_by(assignment: Assignment) -> Iterator[tuple[str, str | None]]:
    """Yield each seat that an assignment may give, and the field that decides it, if any."""
    for choice in assignment.seats:
        if isinstance(choice, FromField):
            yield from ((seat, choice.field) for seat in choice.map.values())
        else:
            yield choice, None


def _place(member: str, line: Line) -> tuple[int | None, int]:
    return line.get(member), len(line)


def _use_in_words(limit: int | None, pool: Pool) -> str:
    if limit is None:
        return f"{pool.used:,} held; there is no limit."
    line, free = f"{pool.waiting:,} in line", limit - pool.used
    if free < 0:
        return (
            f"{pool.used:,} held, {-free:,} over the limit of {limit:,}: nobody loses one, and none is given"
            f" out until {1 - free:,} have been given back; {line}."
        )
    use = f"{pool.used:,} of {limit:,} held, {free:,} free; {line}"
    return f"{use}, and the next import serves it." if free and pool.waiting else f"{use}."
