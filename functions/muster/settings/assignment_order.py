"""Which assignment decides: the uppermost whose filter matches (A1), its rank, and what became of one (A12).

Only Salesforce can evaluate a filter, so callers pass in the names of the assignments that match.
"""

from collections.abc import Iterable
from hashlib import blake2b

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


def filter_digest(assignment: Assignment) -> str:
    """Return the digest of an assignment's filter, by which it is known under another name (A12)."""
    return blake2b((assignment.filter or "").encode(), digest_size=8).hexdigest()


def successor(name: str | None, digest: str | None, settings: Settings) -> Assignment | None:
    """Return what the assignment of that name and filter (`digest`) is now; `None`: it is no more (A12).

    That is the one that names it under `formerly`; else the one with its filter, whatever it is called now;
    else the one with its name. Of several with its filter, it is the one that kept the name, else the
    uppermost.
    """
    if name is None:
        return None
    for each in settings.assignments:
        if name in each.formerly:
            return each
    same = [each for each in settings.assignments if filter_digest(each) == digest]
    by_name = named(name, settings)
    return same[0] if same and by_name not in same else by_name


def rank(assignment: Assignment | None, settings: Settings) -> int:
    """Return the position of an assignment, from 0; no assignment ranks after all others."""
    if assignment is None:
        return len(settings.assignments)
    return [each.name for each in settings.assignments].index(assignment.name)
