"""Prints what Muster answers as tables that an admin reads."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table


def table(*headings: str, rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; a list of nobody and nothing says so."""
    shown = Table(*headings, header_style="bold", title_justify="left")
    for row in rows:
        shown.add_row(*(_text(value) for value in row))
    if not shown.row_count:
        shown.add_row("(nobody)", *[""] * (len(headings) - 1))
    return shown


def roster(members: Iterable[dict[str, Any]]) -> Table:
    """Return members as a table."""
    shown = ("name", "email", "title", "active", "inbound_enabled", "inactive_reason")
    headings = ("Name", "E-mail", "Title", "Active", "Takes calls", "Why not active")
    rows = [
        [_words(member[name]) if name == shown[-1] else member[name] for name in shown] for member in members
    ]
    return table(*headings, rows=rows)


def history(entries: Iterable[dict[str, Any]]) -> Table:
    """Return a member's history as a table, newest first; all that came with the first entry is one line."""
    rows: list[Sequence[object]] = []
    for entry in entries:
        at, changes = entry["at"][11:19], entry["changes"]
        if entry["version"] == 1:
            rows.append([at, "(added to the roster)", None, f"{len(changes)} values"])
        else:
            rows += [[at, _words(change["field"]), change["before"], change["after"]] for change in changes]
    return table("Time (UTC)", "What changed", "Before", "After", rows=rows)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
    return str(value)


def _words(name: str | None) -> str | None:
    return name and name.replace("_", " ").replace(".", " ")
