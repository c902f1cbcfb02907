from dataclasses import replace
from typing import Any

import pytest

from muster.imports.plan_items import Item, plan_hash, read, written
from muster.runs.guard import fell_too_far, most_allowed, tripped
from tests.examples import change, settings

OPERATIONS = ("create", "update", "deactivate", "grant", "revoke")


def items(number: int, *operations: str, assignment: str | None = "Sales") -> list[Item]:
    return [
        Item(
            user=f"005{each:012d}AAA",
            member=f"m{each}",
            name=None,
            outcome="updated",
            operations=operations,
            assignment=assignment,
            former=assignment,
            reason=None,
            version=1,
            changes=(),
            change=change(),
        )
        for each in range(number)
    ]


@pytest.mark.parametrize(
    ("active", "guard", "allowed"),
    [
        # More than the floor, and more than the count or the percentage.
        (0, {}, 5),
        (30, {}, 5),
        (1_000, {}, 100),
        (100_000, {}, 500),
        (1_000, {"percent": 100}, 500),
        (1_000, {"floor": 200}, 200),
        (1_000, {"count": 0, "floor": 0}, 0),
        (1_000, {"operations": {"deactivate": {"percent": 5}}}, 50),
        (1_000, {"operations": {"deactivate": {"floor": 0, "count": 3}}}, 3),
        (1_000, {"operations": {"revoke": {"percent": 5}}}, 100),
        (150, {"percent": 3.5, "floor": 0}, 5),
    ],
)
def test_so_many_pass(active: int, guard: dict[str, Any], allowed: int) -> None:
    assert most_allowed("deactivate", active, settings(guard=guard).guard) == allowed


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_passes_at_its_limit_and_trips_one_above(operation: str) -> None:
    limits = {"floor": 2, "count": 100, "percent": 10}
    limited = settings(guard={**limits, "operations": {operation: limits}})
    active = {"": 100, "Sales": 100}
    assert tripped(items(10, operation), active, limited) == []
    trips = tripped(items(11, operation), active, limited)
    assert [(trip.operation, trip.assignment, trip.changes, trip.allowed) for trip in trips] == [
        (operation, None, 11, 10),
        (operation, "Sales", 11, 10),
    ]
    assert "11 of 100 active members" in trips[0].text()


@pytest.mark.parametrize("operation", ["create", "update", "grant"])
def test_a_first_import_creates_everyone_unless_the_settings_say_otherwise(operation: str) -> None:
    assert tripped(items(5_000, operation), {}, settings()) == []


def test_one_assignment_may_trip_where_the_whole_run_does_not() -> None:
    active = {"": 1_000, "Sales": 20, "Support": 980}
    planned = items(6, "deactivate") + items(20, "deactivate", assignment="Support")
    (trip,) = tripped(planned, active, settings())
    assert (trip.assignment, trip.changes, trip.allowed) == ("Sales", 6, 5)


@pytest.mark.parametrize(
    ("before", "now", "too_far"),
    [(None, 0, False), (100, 90, False), (100, 89, True), (100, 120, False), (20, 15, False), (20, 14, True)],
)
def test_a_source_may_shrink_only_so_far(before: int | None, now: int, too_far: bool) -> None:
    assert fell_too_far(before, now, settings().guard) is too_far


def test_a_plans_hash_is_of_what_would_be_done_and_to_which_version() -> None:
    one = items(3, "deactivate")
    assert plan_hash(one) == plan_hash(list(reversed(one)))
    assert plan_hash(one) != plan_hash(one[:2])
    assert plan_hash(one) != plan_hash([replace(one[0], version=2), *one[1:]])
    assert plan_hash(one) != plan_hash([replace(one[0], outcome="deactivated"), *one[1:]])
    assert plan_hash(one) == plan_hash([replace(one[0], name="Ada", member="other"), *one[1:]])


def test_a_plan_comes_back_from_its_file_as_it_was() -> None:
    planned = items(3, "deactivate", "revoke")
    assert read(written(planned)) == planned
