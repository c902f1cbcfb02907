"""An approval of a push holds while nothing has moved, however much time goes by (I5)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.integration.beginnings import Built, begin
from tests.integration.engage.licences import UPDATES, Licences

LEAVE = {"floor": 0, "count": 0, "percent": 0}


@pytest.fixture
def leavers(licences: Licences, built: Built) -> list[str]:
    """Return two who leave, which the guard does not let pass; somebody else waits for another licence."""
    return begin(licences, built, two_leave)


def two_leave(licences: Licences) -> list[str]:
    licences.vault.group("UK", 0)
    licences.vault.group("All", 9)
    waiting, *people = licences.people(3)
    licences.imported()
    licences.ask(waiting)
    licences.ask(*people, group="All")
    licences.push()
    licences.company.put(guard=LEAVE)
    for person in people:
        licences.edit(person, crm_user_status="inactive")
    return people


def test_that_a_line_is_to_be_tried_meanwhile_is_no_other_plan(
    licences: Licences, leavers: list[str], pass_time: Callable[[timedelta], None]
) -> None:
    parked = licences.push(by="schedule")
    pass_time(timedelta(hours=7))
    again = licences.push(by="schedule")
    assert again["run_id"] == parked["run_id"]
    tried = len(licences.processed())
    said = licences.push(approve=parked["run_id"], by="jane")
    assert said["status"] == "succeeded"
    assert licences.vault.used() == {"UK": 0, "All": 0}
    # Two removals, and the line, whose time has come.
    assert len(licences.processed()) == tried + 3


def test_what_moves_is_another_plan(
    licences: Licences, leavers: list[str], pass_time: Callable[[timedelta], None]
) -> None:
    parked = licences.push(by="schedule")
    licences.edit(leavers[0], crm_user_status="active")
    pass_time(timedelta(hours=7))
    assert licences.push(approve=parked["run_id"], by="jane")["status"] == "rejected"
    assert licences.vault.used()["All"] == 2


def test_a_removal_that_is_tried_again_meanwhile_is_no_other_plan(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    licences.vault.group("All", 9)
    stuck, other = licences.people(2)
    licences.imported()
    licences.ask(stuck, other, group="All")
    licences.push()
    licences.edit(stuck, crm_user_status="inactive")
    licences.faults({"path": UPDATES[1], "method": "PUT", "fault": "engage_fails", "count": 2})
    for _ in range(2):
        licences.push()
    licences.company.put(guard=LEAVE)
    licences.edit(other, crm_user_status="inactive")
    parked = licences.push()
    assert {each["user"] for each in parked["changes"]} == {other}
    pass_time(timedelta(hours=7))
    assert licences.push(approve=parked["run_id"])["status"] == "succeeded"
    assert licences.vault.used() == {"UK": 0, "All": 0}
