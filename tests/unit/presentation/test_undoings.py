"""What an undo cannot put back, in words."""

from typing import Any

import pytest

from muster.presentation import undoings


def item(name: str, where: str, message: str = "changed since", remedy: str = "It stays.") -> dict[str, Any]:
    return {"name": name, "held": [{"where": where, "message": message, "remedy": remedy}]}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("title", "title"),
        ("seats.gong.eu", "seat gong.eu"),
        ("workspaces.EMEA", "workspace EMEA"),
        ("engage.request, seats.gong and 2 more", "Engage request, seat gong and 2 more"),
        ("data_capture.import_emails", "import emails"),
    ],
)
def test_what_it_is_about_is_named_in_words(where: str, said: str) -> None:
    assert undoings.held_lines([item("Ada Lovelace", where)]) == [
        f"! Ada Lovelace: {said} changed since. It stays."
    ]


def test_those_with_the_same_reason_share_a_line() -> None:
    items = [item("Bob Stone", "title"), item("Ada Lovelace", "title"), item("Eve Park", "manager")]
    assert undoings.held_lines(items) == [
        "! Ada Lovelace and Bob Stone: title changed since. It stays.",
        "! Eve Park: manager changed since. It stays.",
    ]
