"""The lines of a CSV file as the requests they stand for, each by its number in the file (Q3).

The first line names the columns. A cell that is empty says nothing, and `null` takes the value away; a line
that says nothing beside its member is passed over. Files are taken as spreadsheets write them: with a byte
order mark, with semicolons or tabs, with any line ends, with the apostrophe that keeps a cell from being run
as a formula. Pure: no I/O.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from muster.errors import Problem, Rejected, TooLarge
from muster.roster.member import Json
from muster.validation import did_you_mean, fewer

MOST_LINES = 10_000
MOST_COLUMNS = 100

_BYTE_ORDER_MARK = "\ufeff"
_SEPARATORS = (",", ";", "\t")
_QUOTED = re.compile(r'"[^"]*"')
# As `export` writes what a spreadsheet would take for a formula.
_KEPT_FROM_RUNNING = re.compile(r"\A'(?=[=+\-@\t\r\n])")
_BETWEEN_VALUES = re.compile(r"[,;]")
_NOTHING = "null"
# As much of a column's name as shows which it is.
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file may have; `needed` are those that it must have, `member` among them.

    A cell of a `listed` column holds several values, with commas or semicolons between them. A `nested`
    column is called by an attribute and, after a dot, one of these names (any name, where there are none).
    `elsewhere` has, by column, why it is none and what to do.
    """

    needed: Sequence[str]
    others: Sequence[str]
    listed: frozenset[str] = frozenset()
    nested: Mapping[str, Sequence[str]] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the columns there are, with an example where any name will do."""
        named = [f"{name}.{each}" for name, known in self.nested.items() for each in known or ("EMEA",)]
        return [*self.needed, *self.others, *named]

    def has(self, column: str) -> bool:
        """Whether that is a column, by its name."""
        attribute, _, name = column.partition(".")
        if attribute in self.nested:
            known = self.nested[attribute]
            return bool(name) and (not known or name in known)
        return column in (*self.needed, *self.others)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a file: the requests and the reasons of those that cannot be read, by line number.

    `empty` is how many say nothing.
    """

    requests: Mapping[int, Json]
    unreadable: Mapping[int, Rejected]
    empty: int

    def __len__(self) -> int:
        """Return how many lines say something."""
        return len(self.requests) + len(self.unreadable)


def read(text: str, columns: Columns) -> Lines:
    """Return the lines of a file; raises `Rejected` where it cannot be read as a whole."""
    rows = _rows(text)
    _, header = next(rows, (1, []))
    names = _checked(header, columns)
    requests: dict[int, Json] = {}
    unreadable: dict[int, Rejected] = {}
    empty = 0
    for number, cells in rows:
        if len(requests) + len(unreadable) + empty == MOST_LINES:
            remedy = "Send it in several parts, each with the first line, which names the columns."
            raise TooLarge(Problem("csv", f"holds more than {MOST_LINES:,} lines", remedy))
        if problem := _misshapen(cells, names):
            unreadable[number] = Rejected(problem)
            continue
        request = _request(cells, names, columns)
        if request.keys() <= {"member"} and request:
            empty += 1
        else:
            requests[number] = request
    if not requests and not unreadable:
        remedy = "Fill in what is to change, with a line for each member."
        raise Rejected(Problem("csv", "says nothing beside the names of its columns and members", remedy))
    return Lines(requests, unreadable, empty)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank, each with its number, from 1, and its cells."""
    # Every kind of line end becomes one, as in a text file.
    text = io.StringIO(text.removeprefix(_BYTE_ORDER_MARK), newline=None).read()
    if "\0" in text:
        number = text[: text.index("\0")].count("\n") + 1
        remedy = "Save the file as CSV in UTF-8; it looks like UTF-16, or like no text at all."
        raise Rejected(Problem("csv", f"holds a NUL character in line {number}", remedy))
    lines = csv.reader(
        io.StringIO(text), delimiter=_separator(text.lstrip()), skipinitialspace=True, strict=True
    )
    number = 1
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield number, cells
            number = lines.line_num + 1
    except csv.Error:
        remedy = 'Close it, write a quotation mark within quotes twice (""), and nothing after the last.'
        message = f"has a quotation mark in line {number} that is not closed, or closed too early"
        raise Rejected(Problem("csv", message, remedy)) from None


def _separator(text: str) -> str:
    """Return what separates the cells: what the first line has most of, outside quotes."""
    first = _QUOTED.sub("", text.partition("\n")[0])
    return max(_SEPARATORS, key=first.count)


def _checked(header: Sequence[str], columns: Columns) -> list[str]:
    """Return the names of the columns; raises `Rejected` with all that is wrong with them."""
    names = [_plain(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    if not any(columns.has(name) for name in names):
        remedy = f"Begin with one that does. Known are {', '.join(columns.names())}."
        raise Rejected(Problem("csv", "has no first line that names the columns", remedy))
    if len(names) > MOST_COLUMNS:
        remedy = "Take out those that say nothing."
        raise TooLarge(Problem("csv", f"has {len(names):,} columns, more than {MOST_COLUMNS}", remedy))
    if problems := [*_faults(names, columns)]:
        raise Rejected(*fewer(problems))
    return names


def _faults(names: Sequence[str], columns: Columns) -> Iterator[Problem]:
    for place, name in enumerate(names, 1):
        if not name:
            yield Problem("csv", f"has no name for column {place}", "Name it in the first line.")
        elif name in names[: place - 1]:
            yield Problem("csv", f"has two columns {name[:_SHOWN]!r}", "Take one out.")
        elif columns.has(name):
            continue
        elif name in columns.elsewhere:
            why, remedy = columns.elsewhere[name]
            yield Problem("csv", f"has a column {name!r}, which {why}", f"Take it out. {remedy}")
        else:
            remedy = did_you_mean(name, columns.names())
            yield Problem("csv", f"has an unknown column {name[:_SHOWN]!r}", remedy)
    for name in columns.needed:
        if name not in names:
            yield Problem("csv", f"has no column {name!r}", "Add it; the first line names the columns.")


def _misshapen(cells: Sequence[str], names: Sequence[str]) -> Problem | None:
    """Return why a line cannot be read for its form, if so."""
    if any(cell.strip() for cell in cells[len(names) :]):
        remedy = "Write a cell that holds the separator in quotes."
        return Problem("", f"has {len(cells)} cells, and the first line {len(names)}", remedy)
    if any("\n" in cell.strip() for cell in cells):
        return Problem("", "has a cell with a line break", "Write it on one line; look for a stray quote.")
    return None


def _request(cells: Sequence[str], names: Sequence[str], columns: Columns) -> Json:
    """Return what a line says, as the events have it."""
    request: Json = {}
    for name, cell in zip(names, cells, strict=False):
        text = _plain(cell)
        if not text:
            continue
        value: object = None if text.lower() == _NOTHING and name not in columns.needed else text
        if name in columns.listed:
            parts = _BETWEEN_VALUES.split(text) if value else ()
            value = [part.strip() for part in parts if part.strip()]
        attribute, _, key = name.partition(".")
        if attribute in columns.nested:
            request.setdefault(attribute, {})[key] = value
        else:
            request[name] = value
    return request


def _plain(cell: str) -> str:
    """Return a cell without blanks around it, and without the apostrophe that `export` writes."""
    return _KEPT_FROM_RUNNING.sub("", cell.strip()).strip()
