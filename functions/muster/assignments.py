"""Assignments: which one decides for a user, and what it gives (A1, A2).

Whether a filter matches only Salesforce knows; what it said comes in as the names of the assignments
that match. Everything here follows from that and from the user's fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.field_maps import Fields, fields_of
from muster.settings import Settings
from muster.settings.assignments import Assignment, FromField

# A user is what these say, whatever an organization lists.
_NEEDED = ("Id", "SystemModstamp", "IsActive", "FirstName", "LastName", "Username", "Email", "CallCenterId")


@dataclass(frozen=True, slots=True)
class Grants:
    """What an assignment gives to one user.

    Values that depend on a field nobody told are in `unknown`, as `<section>.<name>`: they stay as
    they were. A group is `None` where the assignment does not speak of the feature.
    """

    seats: tuple[str, ...] = ()
    workspaces: Mapping[str, str] | None = None
    data_capture: Mapping[str, str] | None = None
    groups: Mapping[str, str | None] | None = None
    unknown: frozenset[str] = frozenset()


def filtered(settings: Settings) -> dict[str, str]:
    """Return name → filter of the assignments that have one, in order."""
    return {each.name: each.filter for each in settings.assignments if each.filter is not None}


def unfiltered(settings: Settings) -> frozenset[str]:
    """Return the names of the assignments that match everyone."""
    return frozenset(each.name for each in settings.assignments if each.filter is None)


def winner(matches: Iterable[str], settings: Settings) -> Assignment | None:
    """Return the uppermost assignment that matches (A1)."""
    matching = frozenset(matches)
    return next((each for each in settings.assignments if each.name in matching), None)


def named(name: str | None, settings: Settings) -> Assignment | None:
    """Return the assignment of that name, `None` where the settings have none (any more)."""
    return next((each for each in settings.assignments if each.name == name), None)


def rank(assignment: Assignment | None, settings: Settings) -> int:
    """Return the position of an assignment, from 0; without one, after all."""
    if assignment is None:
        return len(settings.assignments)
    return [each.name for each in settings.assignments].index(assignment.name)


def grants(assignment: Assignment, fields: Fields) -> Grants:
    """Return what the assignment gives to a user with these fields."""
    unknown: set[str] = set()

    def value_of(choice: str | FromField, at: str) -> str | None:
        if isinstance(choice, str):
            return choice
        if choice.field not in fields:
            unknown.add(at)
            return None
        # Each kind of choice has a map of its own; all lead from a field's value to a text.
        given: Mapping[str, str] = choice.map  # type: ignore[attr-defined]
        return given.get(fields[choice.field] or "")

    given_seats = []
    for choice in assignment.seats:
        if seat := value_of(choice, "seats.?"):
            given_seats.append(seat)
        elif "seats.?" in unknown and isinstance(choice, FromField):
            unknown |= {f"seats.{seat}" for seat in choice.map.values()}
            unknown.discard("seats.?")
    workspaces = {
        name: profile
        for name, choice in assignment.workspaces.items()
        if (profile := value_of(choice, f"workspaces.{name}"))
    }
    capture = {
        name: setting
        for name, choice in assignment.data_capture
        if choice is not None and (setting := value_of(choice, f"data_capture.{name}"))
    }
    groups = {
        feature: value_of(section.group, f"groups.{feature}")
        for feature in ("engage", "engage_connect")
        if (section := getattr(assignment, feature)) is not None
    }
    return Grants(tuple(dict.fromkeys(given_seats)), workspaces, capture, groups, frozenset(unknown))


def fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return every field of User that the settings speak of, each once: what a query selects (W6, A2)."""
    names = [*_NEEDED, *settings.auto_provision.fields, *settings.auto_provision.custom_fields]
    for source in settings.field_maps.salesforce.values():
        names += fields_of(source) if source is not None else ()
    for assignment in settings.assignments:
        names += _fields_of_values(assignment)
    if not settings.ignore_organizational_structure:
        names.append("ManagerId")
    return tuple(dict.fromkeys(names))


def _fields_of_values(assignment: Assignment) -> list[str]:
    choices: list[object] = [
        *assignment.seats,
        *assignment.workspaces.values(),
        *(choice for _, choice in assignment.data_capture),
        *(section.group for section in (assignment.engage, assignment.engage_connect) if section),
    ]
    return [choice.field for choice in choices if isinstance(choice, FromField)]
