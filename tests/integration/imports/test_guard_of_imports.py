"""What the guard parks, operation by operation, in all and per assignment, through the whole import (I5)."""

import pytest

from muster.roster.member import Json
from muster.runs.run import Status
from tests.integration.company import STRICT, Company
from tests.integration.told_metrics import metrics

LEAVE, LOSE_SEAT = {"IsActive": False}, {"Division": "None"}
# Of twelve members three pass, and of six three: in all is what counts.
IN_ALL = {"floor": 0, "count": 3, "percent": 50}
# Of twelve members four pass, and of six two: each assignment counts.
EACH = {"floor": 0, "count": 100, "percent": 34}


@pytest.mark.parametrize(("operation", "fields"), [("deactivate", LEAVE), ("revoke", LOSE_SEAT)])
@pytest.mark.parametrize(
    ("limits", "sales", "support", "trip"),
    [
        (IN_ALL, 2, 1, None),
        (IN_ALL, 2, 2, "4 of 12 active members in all, where 3 are allowed"),
        (EACH, 2, 2, None),
        (EACH, 0, 3, "3 of 6 active members in assignment Support, where 2 are allowed"),
    ],
)
def test_what_is_at_a_limit_passes_and_one_more_is_parked(
    guarded: Company, operation: str, fields: Json, limits: Json, sales: int, support: int, trip: str | None
) -> None:
    # Whoever leaves loses a seat, too; only one of the two is limited here.
    generous = {"deactivate": {"floor": 99}, "revoke": {"floor": 99}}
    guarded.put_and_approve(guard={"operations": generous | {operation: limits}})
    guarded.change("Sales", sales, **fields)
    guarded.change("Support", support, **fields)
    before = guarded.items()
    said = guarded.run()
    if trip is None:
        assert said["status"] == "succeeded"
        assert sum(said["counts"].values()) == sales + support
        return
    assert (said["status"], said["guard"]) == ("parked", [f"{operation}: {trip}"])
    assert len(said["changes"]) == sales + support
    assert all(each["name"] and each["changes"] for each in said["changes"])
    assert guarded.items() == before


@pytest.mark.parametrize(
    ("operation", "fields"), [("create", {}), ("update", {"Title": "Chief"}), ("grant", {"Division": "G"})]
)
def test_other_operations_are_limited_only_where_the_settings_say_so(
    guarded: Company, operation: str, fields: Json
) -> None:
    if operation == "grant":
        guarded.change("Sales", 1, Division="None")
        guarded.run()
    if operation == "create":
        guarded.salesforce.create(Department="Sales")
    else:
        guarded.change("Sales", 1, **fields)
    guarded.put_and_approve(guard={"operations": {operation: {"floor": 0, "count": 0}}})
    assert guarded.run()["guard"][0].startswith(f"{operation}: 1 of ")
    guarded.put_and_approve(guard={**STRICT, "floor": 0})
    assert guarded.run()["status"] == "succeeded"


def test_a_preview_says_what_would_trip_the_guard_and_parks_nothing(
    guarded: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded.change("Sales", 2, IsActive=False)
    capsys.readouterr()
    said = guarded.run(preview=True)
    assert said["status"] == "succeeded"
    assert "would wait for approval" in said["message"]
    assert any(text.startswith("deactivate: 2 of 12") for text in said["guard"])
    assert metrics(capsys.readouterr().out)["RunsParked"] == 0
    assert guarded.record(said["run_id"]).status is Status.PREVIEWED


def test_a_seat_taken_from_who_moves_counts_for_the_assignment_it_is_taken_from(guarded: Company) -> None:
    guarded.change("Sales", 3, Department="Guests", Division="None")
    guarded.put_and_approve(guard={"operations": {"revoke": EACH}})
    said = guarded.run()
    assert said["guard"] == ["revoke: 3 of 6 active members in assignment Sales, where 2 are allowed"]
