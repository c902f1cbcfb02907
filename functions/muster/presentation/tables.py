"""A table as a value: its headings and rows; the demo and the console draw it each in its own way (V3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# So wide a table is read without scrolling sideways.
WIDTH = 110


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of text; every row has as many cells as there are headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(*headings: str, rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of values: yes and no for true and false, nothing for `None`."""
    return Table(headings, tuple(tuple(map(text, row)) for row in rows))


def as_lines(shown: Table) -> list[str]:
    """Return a table as lines of text with aligned columns; an empty one says so."""
    if not shown.rows:
        return ["(nothing)"]
    # Its widths of characters take a tenth of a second to load, which only few answers need.
    from tabulate import tabulate

    drawn = tabulate(shown.rows, shown.headings, tablefmt="simple", disable_numparse=True)
    return [line.rstrip() for line in drawn.splitlines()]


def text(value: object) -> str:
    """Return a value as a table shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
    return str(value)
