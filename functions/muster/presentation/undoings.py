"""The undo of a run in words: what cannot be put back, of whom, why, and what to do (Q2)."""

from collections.abc import Sequence

from muster.presentation import words
from muster.presentation.lines import at_most
from muster.presentation.outcomes import Item, name_of

# So many reasons are told; each is one line for all whom it is about.
_REASONS = 10


def first_words(run: str, *, changes: bool) -> str:
    """Return how the answer about an undo begins."""
    if changes:
        return f"Undo of run {run}: "
    return f"Nothing of run {run} is left to put back: it is as it was before, or cannot be put back. "


def held_lines(items: Sequence[Item]) -> list[str]:
    """Return what cannot be put back: a line for each reason, with those whom it is about."""
    people: dict[tuple[str, str, str], list[str]] = {}
    for item in sorted(items, key=name_of):
        for each in item.get("held", ()):
            reason = (each["where"], each["message"], each["remedy"])
            people.setdefault(reason, []).append(name_of(item))
    found = [
        f"! {words.listed(names)}: {_in_words(where)} {message.rstrip('.')}. {remedy}"
        for (where, message, remedy), names in people.items()
    ]
    return at_most(found, _REASONS)


def _in_words(where: str) -> str:
    """Return what a reason is about, given by the names of history: `seats.gong, title and 2 more`."""
    names, mark, more = where.partition(" and ")
    return ", ".join(map(_called, names.split(", "))) + mark + more


def _called(name: str) -> str:
    # A seat or a setting is meant whole, where history has its parts.
    whole = name.startswith(("seats.", "data_capture."))
    return words.attribute(f"{name}.state" if whole else name)
