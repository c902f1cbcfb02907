"""Which items of a plan are shown first, and how all of them are counted."""

import pytest

from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.roster.decisions import Outcome
from muster.roster.history import FieldChange
from muster.runs.operations import GRANT, UPDATE


def item(outcome: Outcome, number: int = 0, *fields: str, **others: object) -> Item:
    known = {
        "user": f"{outcome}{number}",
        "member": None,
        "name": None,
        "outcome": outcome,
        "operations": (),
        "assignment": None,
        "former": None,
        "reason": None,
        "version": 0,
        "changes": tuple(FieldChange(field, None, "x") for field in fields),
        "change": None,
    }
    return Item(**{**known, **others})  # type: ignore[arg-type]  # a test's own values


def many(outcome: Outcome, count: int, **others: object) -> list[Item]:
    return [item(outcome, number, **others) for number in range(count)]


LEAVE = many(Outcome.DEACTIVATED, 90)
JOIN = many(Outcome.CREATED, 90)
GAIN = many(Outcome.UPDATED, 90, operations=(UPDATE, GRANT))
CHANGE = many(Outcome.UPDATED, 90, operations=(UPDATE,))
WAIT = many(Outcome.WAITING, 2)


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ([], []),
        # A few are all shown, who leaves first, then who joins; within a kind as in the plan.
        ([*CHANGE[:2], *JOIN[:1], *WAIT, *LEAVE[:2]], [*LEAVE[:2], *JOIN[:1], *WAIT, *CHANGE[:2]]),
        # Of many, some of each kind.
        ([*LEAVE, *JOIN, *GAIN, *CHANGE], [*LEAVE[:14], *JOIN[:12], *GAIN[:12], *CHANGE[:12]]),
        ([*LEAVE, *JOIN[:3]], [*LEAVE[:47], *JOIN[:3]]),
        ([*LEAVE[:3], *CHANGE], [*LEAVE[:3], *CHANGE[:47]]),
        (CHANGE, CHANGE[:50]),
    ],
)
def test_some_of_each_kind_are_shown_the_important_first(items: list[Item], shown: list[Item]) -> None:
    assert plan_items.first(items, 50) == shown


def test_all_are_counted_by_assignment_reason_and_attribute() -> None:
    items = [
        *many(Outcome.CREATED, 3, assignment="Sales"),
        item(Outcome.REACTIVATED),
        *many(Outcome.DEACTIVATED, 2, reason="unmatched"),
        item(Outcome.UPDATED, 1, "title", "seats.gong.state", "seats.gong.since"),
        item(Outcome.SEATED, 1, "seats.gong.state"),
    ]
    assert plan_items.tally(items) == {
        "joins": {"Sales": 3, "": 1},
        "leaves": {"unmatched": 2},
        "changed": {"title": 1, "seat gong": 2},
    }
