"""Muster's own tables, drawn on a terminal."""

from io import StringIO

from rich.console import Console

from muster.presentation.tables import table
from sandbox.drawing import drawn


def test_a_table_is_drawn_as_it_is_and_text_is_no_markup() -> None:
    written = StringIO()
    console = Console(file=written, width=60)
    console.print(drawn(table("Name", "Seats", rows=[["[red]Ada[/red]", 1204], ["Bob", None]])))
    console.print(drawn(table("Name", "Seats", rows=[])))

    shown = written.getvalue()
    assert "│ [red]Ada[/red] │ 1,204 │" in shown
    assert "│ (nobody) │" in shown
