"""The organizations of a stack in lines and as a table."""

from collections.abc import Sequence

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.tables import Table, table


def lines(answer: Answer) -> Sequence[str]:
    """Return a line for each organization: what schedules do for it."""
    return [
        f"{each['organization']}: {_scheduled(each['scheduled'], each['pushed'])}"
        for each in answer["organizations"]
    ]


def organizations_table(answer: Answer) -> Table:
    """Return organizations, a line each."""
    rows = [[each["organization"], each["scheduled"], each["pushed"]] for each in answer["organizations"]]
    return table("Organization", "Imported by schedule", "Pushed by schedule", rows=rows)


def _scheduled(imported: bool, pushed: bool) -> str:
    done = [name for name, is_done in (("imported", imported), ("pushed", pushed)) if is_done]
    return f"{words.listed(done)} by schedule" if done else "nothing by schedule"
