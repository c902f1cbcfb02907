"""What one section of the settings says about another: rules that stop a document, and warnings.

A warning is stored all the same: it names what has no effect, or another one than it seems.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from muster.errors import Problem
from muster.field_maps import fields_of
from muster.settings.assignments import Assignment, FromField, SeatFromField
from muster.settings.sections import Settings
from muster.validation import Location, did_you_mean, path

# Put together by Salesforce from other fields; messages carry the parts instead.
_COMPOUND_FIELDS = frozenset({"Name", "Address"})


def problems(settings: Settings) -> list[Problem]:
    """Return what must be put right before the settings can be stored."""
    return [*_unknown_seats(settings), *_seat_cycles(settings), *_assignment_names(settings)]


def warnings(settings: Settings) -> list[Problem]:
    """Return what is stored but does not act as it reads."""
    return [
        *_not_in_this_version(settings),
        *_fields_not_carried(settings),
        *_compound_fields(settings),
        *_unreachable_assignments(settings),
        *_capture_without_seat(settings),
    ]


def _unknown_seats(settings: Settings) -> Iterator[Problem]:
    for at, seat in _named_seats(settings):
        if seat not in settings.seats:
            remedy = did_you_mean(seat, settings.seats) if settings.seats else "Add it under seats."
            yield Problem(path(at), f"names the seat {seat!r}, which is not under seats", remedy)


def _named_seats(settings: Settings) -> Iterator[tuple[Location, str]]:
    for name, seat in settings.seats.items():
        for index, required in enumerate(seat.requires):
            yield ("seats", name, "requires", index), required
    for capture, required in _seat_required(settings).items():
        yield ("seat_required", capture), required
    for position, assignment in enumerate(settings.assignments):
        for index, choice in enumerate(assignment.seats):
            at = ("assignments", position, "seats", index)
            if isinstance(choice, SeatFromField):
                for value, given in choice.map.items():
                    yield (*at, "map", value), given
            else:
                yield at, choice


def _seat_cycles(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each seat that needs itself, directly or through others."""
    for name in settings.seats:
        reached: set[str] = set()
        to_follow = [name]
        while to_follow:
            seat = settings.seats.get(to_follow.pop())
            new = set(seat.requires if seat else ()) - reached
            reached |= new
            to_follow.extend(new)
        if name in reached:
            yield Problem(
                path(("seats", name, "requires")), "leads back to this seat", "A seat cannot need itself."
            )


def _assignment_names(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for position, assignment in enumerate(settings.assignments):
        if assignment.name in seen:
            first = path(("assignments", seen[assignment.name]))
            yield Problem(
                path(("assignments", position, "name")), f"is the name of {first} too", "Change one."
            )
        seen.setdefault(assignment.name, position)


def _not_in_this_version(settings: Settings) -> Iterator[Problem]:
    if settings.connections.salesforce and settings.auto_provision.read_back:
        yield Problem(
            "auto_provision.read_back",
            "is kept, but this version does not read users back: it follows the values in the message",
            "Nothing to do; select every listed field in the outbound message.",
        )
    if settings.assignments:
        yield Problem(
            "assignments",
            "are kept, but this version does not evaluate them: nobody new is provisioned, members who are"
            " there already go on being updated and deactivated",
            "Take the assignments out if everyone is to be provisioned.",
        )
    for name in ("vault_crm", "align"):
        if getattr(settings.connections, name):
            yield Problem(
                f"connections.{name}",
                "is kept, but this version neither imports from it nor pushes to it",
                "Nothing to do.",
            )


def _fields_not_carried(settings: Settings) -> Iterator[Problem]:
    carried = {*settings.auto_provision.fields, *settings.auto_provision.custom_fields}
    remedy = (
        "List it in auto_provision, under fields or custom_fields, and select it in the outbound message."
    )
    for target, source in settings.field_maps.salesforce.items():
        missing = sorted(set(fields_of(source)) - carried) if source is not None else []
        if missing:
            yield Problem(
                path(("field_maps", "salesforce", target)),
                f"reads {', '.join(missing)}, which no message carries: the attribute stays as it was",
                remedy,
            )
    for at, choice in _choices(settings):
        if isinstance(choice, FromField) and choice.field not in carried:
            yield Problem(
                path(at), f"reads {choice.field}, which no message carries: it has no value", remedy
            )


def _choices(settings: Settings) -> Iterator[tuple[Location, Any]]:
    """Yield each place of an assignment where a value or a field may stand."""
    for position, assignment in enumerate(settings.assignments):
        at = ("assignments", position)
        for index, seat in enumerate(assignment.seats):
            yield (*at, "seats", index), seat
        for workspace, profile in assignment.workspaces.items():
            yield (*at, "workspaces", workspace), profile
        for capture, choice in _captures(assignment).items():
            yield (*at, "data_capture", capture), choice
        for feature, group in (("engage", assignment.engage), ("engage_connect", assignment.engage_connect)):
            if group:
                yield (*at, feature, "group"), group.group


def _compound_fields(settings: Settings) -> Iterator[Problem]:
    for index, name in enumerate(settings.auto_provision.fields):
        if name in _COMPOUND_FIELDS:
            yield Problem(
                f"auto_provision.fields[{index}]",
                f"{name} is made of other fields, and no message carries it: it always counts as empty",
                "List the fields it consists of instead.",
            )


def _unreachable_assignments(settings: Settings) -> Iterator[Problem]:
    for position, assignment in enumerate(settings.assignments[:-1]):
        if assignment.filter is None:
            yield Problem(
                path(("assignments", position)),
                "has no filter and matches everyone, so the assignments below it never decide",
                "Move it to the end.",
            )
            return


def _capture_without_seat(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each data capture setting whose seat its assignment does not carry (A9)."""
    required = _seat_required(settings)
    for position, assignment in enumerate(settings.assignments):
        carried = set(_seats_of(assignment))
        for capture in _captures(assignment):
            if capture in required and required[capture] not in carried:
                yield Problem(
                    path(("assignments", position, "data_capture", capture)),
                    f"needs the seat {required[capture]}, which this assignment does not give: it is kept,"
                    " but not effective until the seat is held",
                    f"Add {required[capture]} to the assignment's seats.",
                )


def _seats_of(assignment: Assignment) -> Iterator[str]:
    """Yield every seat the assignment may give."""
    for choice in assignment.seats:
        if isinstance(choice, SeatFromField):
            yield from choice.map.values()
        else:
            yield choice


def _captures(assignment: Assignment) -> dict[str, Any]:
    """Return the data capture settings the assignment sets."""
    return {name: choice for name, choice in assignment.data_capture if choice is not None}


def _seat_required(settings: Settings) -> Mapping[str, str]:
    return {capture: seat for capture, seat in settings.seat_required if seat is not None}
