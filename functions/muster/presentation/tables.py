"""A table as a value: its headings and rows; the demo and the console draw it each in its own way (V3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

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
    """Return a table as lines of text with aligned columns, long cells broken; an empty one says so."""
    if not shown.rows:
        return ["(nothing)"]
    # Its widths of characters take a tenth of a second to load, which only few answers need.
    from tabulate import tabulate

    widths = _widths(shown)
    rows = [[_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)] for row in shown.rows]
    drawn = tabulate(rows, shown.headings, tablefmt="simple", disable_numparse=True)
    return [line.rstrip() for line in drawn.splitlines()]


def _wrapped(cell: str, width: int) -> str:
    return "\n".join(part for line in cell.splitlines() for part in wrap(line, width))


def _widths(shown: Table) -> list[int]:
    """Return how wide each column may be: the widest give way, until the table is no wider than `WIDTH`."""
    columns = zip(shown.headings, *shown.rows, strict=True)
    # A heading is never broken, and has two more characters below it.
    least = [len(heading) + 2 for heading in shown.headings]
    widths = [
        max(each, *(len(line) for cell in column for line in cell.splitlines()))
        for each, column in zip(least, columns, strict=True)
    ]
    room = WIDTH - 2 * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda place: widths[place] - least[place])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


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
