"""Draws Muster's own tables (`muster.presentation`) on a terminal."""

from rich import table as rich_table
from rich.markup import escape

from muster.presentation.tables import Table


def drawn(shown: Table, *, show_lines: bool = False) -> rich_table.Table:
    """Return a table as rich draws it; a list of nobody and nothing says so."""
    drawing = rich_table.Table(
        *shown.headings, header_style="bold", title_justify="left", show_lines=show_lines
    )
    for row in shown.rows or (("(nobody)", *[""] * (len(shown.headings) - 1)),):
        drawing.add_row(*map(escape, row))
    return drawing
