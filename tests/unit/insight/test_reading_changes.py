"""How much of the journal one call reads, and where the next goes on."""

from collections.abc import Iterable
from typing import Any

import pytest

from muster.errors import Rejected
from muster.insight import reading_changes
from muster.roster import history

type Entry = dict[str, Any]


def entries(*members: str) -> list[Entry]:
    """Return an entry of each of these members, newest first."""
    count = len(members)
    return [
        {
            "member": member,
            "version": 1,
            "at": f"2026-11-20T08:{(count - place) // 60:02d}:{(count - place) % 60:02d}.000Z",
        }
        for place, member in enumerate(members)
    ]


def read(
    found: Iterable[Entry], matches: reading_changes.Matches, people: int | None
) -> tuple[list[Entry], reading_changes.Read]:
    taken: list[Entry] = []
    return taken, reading_changes.read(found, matches, people, taken.append)


def everybody(_: Entry) -> bool:
    return True


@pytest.mark.parametrize(
    ("people", "shown"),
    [(1, ["a", "a"]), (2, ["a", "a", "b", "a"]), (3, ["a", "a", "b", "a", "c"]), (None, None)],
)
def test_a_page_of_people_ends_before_the_next_one(people: int | None, shown: list[str] | None) -> None:
    found = entries("a", "a", "b", "a", "c")
    taken, page = read(found, everybody, people)
    assert [each["member"] for each in taken] == (shown or ["a", "a", "b", "a", "c"])
    assert (page.cursor is None) == (len(taken) == len(found))
    if page.cursor:
        place = reading_changes.before(page.cursor)
        last = taken[-1]
        assert place == history.place(last["at"], last["member"], last["version"])


def test_a_call_looks_at_so_many_and_says_how_far_back_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_changes, "MOST_CHANGES", 3)
    found = entries("a", "b", "c", "d")
    taken, page = read(iter(found), lambda entry: entry["member"] == "d", None)
    assert (taken, page.cut_at) == ([], found[2]["at"])
    assert page.cursor
    assert reading_changes.before(page.cursor).startswith(found[2]["at"])
    _, whole = read(iter(found[:3]), everybody, None)
    assert (whole.cursor, whole.cut_at) == (None, None)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("gong", ["seat"]),
        ("seats.gong.state", ["seat"]),
        ("UK Field Force", ["group"]),
        ("uk field force ", ["group"]),
        ("Lead", ["title"]),
        ("title", ["title"]),
        ("true", ["active"]),
        ("scim.app", ["account"]),
        ("app.st", []),
        ("nothing", []),
    ],
)
def test_a_value_is_found_before_after_or_as_the_name_of_an_attribute(value: str, found: list[str]) -> None:
    changed = {
        "seat": ("seats.gong.state", None, "held"),
        "group": ("engage.group", "UK Field Force", None),
        "title": ("title", "Rep", "Lead"),
        "active": ("active", False, True),
        "account": ("accounts.scim.app.state", None, "inactive"),
    }
    matches = reading_changes.about(value)
    assert [
        name
        for name, (field, before, after) in changed.items()
        if matches({"changes": [{"field": field, "before": before, "after": after}]})
    ] == found


@pytest.mark.parametrize("cursor", ["x", "é", "MjAyNg==", "Li4vLi4v", ""])
def test_a_cursor_that_was_not_handed_out_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected, match="cursor: is not one that was handed out"):
        reading_changes.before(cursor)
