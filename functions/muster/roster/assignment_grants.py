"""What an assignment gives to a user: seats, workspaces, data capture, Engage groups (A2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from muster.crm.salesforce_fields import Fields
from muster.settings.assignments import Assignment, FromField


@dataclass(frozen=True, slots=True)
class Grants:
    """What an assignment gives to one user.

    Values that depend on an unknown field are in `unknown`, as `<section>.<name>`: they stay as they
    were. `groups` holds only the features that the assignment names.
    """

    seats: tuple[str, ...] = ()
    workspaces: Mapping[str, str] | None = None
    data_capture: Mapping[str, str] | None = None
    groups: Mapping[str, str | None] | None = None
    unknown: frozenset[str] = frozenset()


def grants(assignment: Assignment, fields: Fields) -> Grants:
    """Return what the assignment gives to a user with these fields."""
    unknown: set[str] = set()

    def value_of(choice: str | FromField, at: str) -> str | None:
        if isinstance(choice, str):
            return choice
        if choice.field not in fields:
            unknown.add(at)
            return None
        # Of several values that a field may hold, the first that the map has decides (A15).
        return next(iter(choice.given(fields[choice.field])), None)

    given_seats: list[str] = []
    for choice in assignment.seats:
        if isinstance(choice, str):
            given_seats.append(choice)
        elif choice.field in fields:
            given_seats += choice.given(fields[choice.field])
        else:
            unknown |= {f"seats.{seat}" for seat in choice.map.values()}
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
