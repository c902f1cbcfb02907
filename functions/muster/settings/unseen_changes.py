"""Warnings about what only a full import sees: changes elsewhere than at the user (I2, W6).

They are no reason not to save: a day is often soon enough. Whoever saves should know it.
"""

from collections.abc import Collection, Iterator, Mapping

from muster.crm import changes_elsewhere
from muster.errors import Problem
from muster.settings.locations import named_fields
from muster.settings.sections import Settings
from muster.validation import path

_FULL_IMPORT_ONLY = "brings no message, and no incremental import sees it, only the next full import"
_FILTER = (
    "Leave it if that is soon enough. Else start a full import after such a change, or filter by fields of"
    " the user itself, such as ProfileId instead of Profile.Name."
)
_FIELD = (
    "Leave it if that is soon enough. Else start a full import after such a change, or have a flow in"
    " Salesforce keep the value in a field that is no formula."
)


def of_filters(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each filter that looks at more than the user's own fields."""
    if settings.connections.salesforce is None:
        return
    for position, assignment in enumerate(settings.assignments):
        found = changes_elsewhere.found_in(assignment.filter or "")
        if found:
            yield _of_filter(position, assignment.name, found)


def of_formula_fields(settings: Settings, formula_fields: Collection[str]) -> Iterator[Problem]:
    """Yield a warning for each filter, and each other place, that names a formula field of User."""
    for position, assignment in enumerate(settings.assignments):
        found = changes_elsewhere.formulas_in(assignment.filter or "", formula_fields)
        if found:
            yield _of_filter(position, assignment.name, found)
    formulas = {name.lower() for name in formula_fields}
    for at, name in named_fields(settings):
        if name.lower() in formulas:
            message = f"{name} is a formula field: a change of what it is made of {_FULL_IMPORT_ONLY}"
            yield Problem(path(at), message, _FIELD)


def _of_filter(position: int, assignment: str, found: Mapping[str, str]) -> Problem:
    named = ", ".join(f"{name} ({what})" for name, what in found.items())
    return Problem(
        path(("assignments", position, "filter")),
        f"of {assignment} looks at what changes without the user: {named}. Such a change {_FULL_IMPORT_ONLY}",
        _FILTER,
    )
