"""What became of an assignment that was renamed, edited, moved or removed (A12)."""

from typing import Any

import pytest

from muster.settings.assignment_order import filter_digest, successor
from tests.examples import settings

A, B = "Department = 'A'", "Department = 'B'"


def assignment(name: str, filter_: str | None, *formerly: str) -> dict[str, Any]:
    given = {"filter": filter_} if filter_ else {}
    return {"name": name, "formerly": formerly, **given}


def digest_of(filter_: str | None) -> str:
    return filter_digest(settings(assignments=[assignment("any", filter_)]).assignments[0])


@pytest.mark.parametrize(
    ("now", "becomes"),
    [
        ([assignment("Sales", A)], "Sales"),
        ([assignment("Field sales", A)], "Field sales"),
        ([assignment("Sales", B)], "Sales"),
        ([assignment("Field sales", B)], None),
        ([], None),
        ([assignment("Field sales", B, "Sales")], "Field sales"),
        ([assignment("Field sales", B, "Older", "Sales")], "Field sales"),
        # What names it goes before what looks like it.
        ([assignment("Copy", A), assignment("Field sales", B, "Sales")], "Field sales"),
        # Two exchange their names, and each keeps its filter.
        ([assignment("Support", A), assignment("Sales", B)], "Support"),
        # Of two with the same filter, it is the one that kept its name.
        ([assignment("Copy", A), assignment("Sales", A)], "Sales"),
        ([assignment("Copy", A), assignment("Another", A)], "Copy"),
        ([assignment("Everybody", None)], None),
    ],
)
def test_what_an_assignment_is_called_now(now: list[dict[str, Any]], becomes: str | None) -> None:
    found = successor("Sales", digest_of(A), settings(assignments=now))
    assert (found.name if found else None) == becomes


def test_an_assignment_for_everyone_is_known_by_having_no_filter() -> None:
    now = settings(assignments=[assignment("Sales", A), assignment("Everybody", None)])
    found = successor("Rest", digest_of(None), now)
    assert found
    assert found.name == "Everybody"


@pytest.mark.parametrize("name", [None, "Gone"])
def test_without_a_filter_remembered_only_names_count(name: str | None) -> None:
    """Members stored by earlier versions have none."""
    assert successor(name, None, settings(assignments=[assignment("Everybody", None)])) is None
