"""Where in a settings document seats, fields and assigned values are named.

A `Location` is what `validation.path` writes as `assignments[2].seats[0]`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from muster.crm.salesforce_fields import fields_of
from muster.settings.assignments import Assignment, FromField, SeatFromField
from muster.settings.sections import Settings
from muster.validation import Location


def named_seats(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Yield each location that names a seat, and the seat."""
    for name, seat in settings.seats.items():
        for index, required in enumerate(seat.requires):
            yield ("seats", name, "requires", index), required
    for capture, required in seat_required(settings).items():
        yield ("seat_required", capture), required
    for position, assignment in enumerate(settings.assignments):
        for index, choice in enumerate(assignment.seats):
            at = ("assignments", position, "seats", index)
            if isinstance(choice, SeatFromField):
                for value, given in choice.map.items():
                    yield (*at, "map", value), given
            else:
                yield at, choice


def named_fields(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Yield each location that names a field of User, defaults included, and the field."""
    for index, name in enumerate(settings.auto_provision.fields):
        yield ("auto_provision", "fields", index), name
    for index, name in enumerate(settings.auto_provision.custom_fields):
        yield ("auto_provision", "custom_fields", index), name
    for target, source in settings.field_maps.salesforce.items():
        for name in fields_of(source) if source is not None else ():
            yield ("field_maps", "salesforce", target), name
    for at, choice in choices(settings):
        if isinstance(choice, FromField):
            yield (*at, "field"), choice.field


def choices(settings: Settings) -> Iterator[tuple[Location, Any]]:
    """Yield each location in an assignment that takes a value or a `FromField`, and its content."""
    for position, assignment in enumerate(settings.assignments):
        at = ("assignments", position)
        for index, seat in enumerate(assignment.seats):
            yield (*at, "seats", index), seat
        for workspace, profile in assignment.workspaces.items():
            yield (*at, "workspaces", workspace), profile
        for capture, choice in captures(assignment).items():
            yield (*at, "data_capture", capture), choice
        for feature, group in (("engage", assignment.engage), ("engage_connect", assignment.engage_connect)):
            if group:
                yield (*at, feature, "group"), group.group


def seats_of(assignment: Assignment) -> Iterator[str]:
    """Yield every seat the assignment may give."""
    for choice in assignment.seats:
        if isinstance(choice, SeatFromField):
            yield from choice.map.values()
        else:
            yield choice


def captures(assignment: Assignment) -> dict[str, Any]:
    """Return the data capture settings the assignment sets."""
    return {name: choice for name, choice in assignment.data_capture if choice is not None}


def seat_required(settings: Settings) -> Mapping[str, str]:
    """Return data capture setting → the seat it needs."""
    return {capture: seat for capture, seat in settings.seat_required if seat is not None}
