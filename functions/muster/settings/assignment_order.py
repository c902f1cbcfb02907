"""Which assignment decides: the uppermost whose filter matches (A1), and its rank.

Only Salesforce can evaluate a filter, so callers pass in the names of the assignments that match.
"""

from collections.abc import Iterable

from muster.settings import Settings
from muster.settings.assignments import Assignment


def filtered(settings: Settings) -> dict[str, str]:
    """Return name → filter for the assignments that have a filter, in order."""
    return {each.name: each.filter for each in settings.assignments if each.filter is not None}


def unfiltered(settings: Settings) -> frozenset[str]:
    """Return the names of the assignments that match everyone."""
    return frozenset(each.name for each in settings.assignments if each.filter is None)


def winner(matches: Iterable[str], settings: Settings) -> Assignment | None:
    """Return the uppermost assignment that matches (A1)."""
    matching = frozenset(matches)
    return next((each for each in settings.assignments if each.name in matching), None)


def named(name: str | None, settings: Settings) -> Assignment | None:
    """Return the assignment with this name, `None` if the settings have none (any more)."""
    return next((each for each in settings.assignments if each.name == name), None)


def rank(assignment: Assignment | None, settings: Settings) -> int:
    """Return the position of an assignment, from 0; no assignment ranks after all others."""
    if assignment is None:
        return len(settings.assignments)
    return [each.name for each in settings.assignments].index(assignment.name)
