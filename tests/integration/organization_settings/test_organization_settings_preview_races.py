"""Previews and approvals under bad luck: a save in between, two approvals at once, a crash at any call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import scheduled_import
from muster import bootstrap
from muster.runs.run import Status
from muster.runs.running import LEASE_S
from tests.integration.organization_settings.settings_examples import (
    LEEDS,
    OTHERS,
    SALES,
    Acme,
    error_of,
)
from tests.simulation.harness.faults import Call, Crash, Plan, Wire, nothing
from tests.simulation.harness.strict_aws import copy_of, put_back

CHANGE: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
WRITES = ("TransactWriteItems", "PutItem", "UpdateItem")


@pytest.fixture
def wire(staffed: Acme) -> Wire:
    """Return the functions' calls of DynamoDB, to break."""
    return Wire(bootstrap._dynamodb())


def saves_settings(call: Call) -> bool:
    """Tell whether a call is the one that makes a version current."""
    actions = call.parameters.get("TransactItems", [])
    keys = [action["Put"]["Item"]["sk"]["S"] for action in actions if "Put" in action]
    return "SETTINGS" in keys


def touches(call: Call, sort_key: str) -> bool:
    """Tell whether a call puts the item of that sort key."""
    item: dict[str, Any] = call.parameters.get("Item", {"sk": {"S": ""}})
    return call.operation == "PutItem" and bool(item["sk"]["S"] == sort_key)


def just_before_the_save(wire: Wire, act: Callable[[], object]) -> None:
    """Have `act` done, once, when somebody is about to save."""
    waiting = [act]

    def on_call(call: Call) -> None:
        if waiting and saves_settings(call):
            waiting.pop()()

    wire.on_call = on_call


# ── Two at once ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("approved", [True, False])
def test_settings_that_somebody_saved_after_the_preview_are_not_overwritten(
    staffed: Acme, wire: Wire, approved: bool
) -> None:
    harmless: dict[str, Any] = {"assignments": [{**SALES, "workspaces": {"EMEA": "Member"}}, OTHERS]}
    change = CHANGE if approved else harmless
    parked = staffed.put(**change) if approved else {}
    others: list[dict[str, Any]] = []
    just_before_the_save(wire, lambda: others.append(staffed.put(time_zone="Europe/London")))
    said = staffed.put(approve=parked.get("run_id"), **change)
    assert error_of(said)[1] == "are overtaken: version 2 was saved meanwhile"
    assert [other["version"] for other in others] == [staffed.version()] == [2]
    assert bootstrap.run_table().state("acme").approved is None
    assert staffed.run()["counts"] == {}


def test_of_two_approvals_at_once_one_saves_and_the_other_is_told(staffed: Acme, wire: Wire) -> None:
    run = staffed.put(**CHANGE)["run_id"]
    others: list[dict[str, Any]] = []
    just_before_the_save(wire, lambda: others.append(staffed.put(approve=run, **CHANGE)))
    assert "overtaken: version 2" in error_of(staffed.put(approve=run, **CHANGE))[1]
    assert [(other["status"], other["version"]) for other in others] == [("succeeded", 2)]
    assert staffed.version() == 2
    again = staffed.put(approve=run, **CHANGE)
    assert (again["status"], again["saved"], again["version"]) == ("succeeded", False, 2)
    assert staffed.run()["counts"] == {"deactivated": 3}


def test_a_run_that_is_rejected_meanwhile_lets_nothing_pass(staffed: Acme, wire: Wire) -> None:
    parked = staffed.put(**CHANGE)

    def reject() -> None:
        reject = {"organization": "acme", "reject": parked["run_id"], "by": "joe"}
        scheduled_import.handler(reject, staffed.context)

    just_before_the_save(wire, reject)
    said = staffed.put(approve=parked["run_id"], **CHANGE)
    assert said["version"] == 2
    assert "was rejected meanwhile" in said["warnings"][0]["message"]
    assert staffed.run_of(parked).status is Status.REJECTED
    assert "not parked but rejected" in error_of(staffed.put(approve=parked["run_id"], **CHANGE))[1]
    assert staffed.run()["status"] == "parked"
    assert staffed.active() == 4


# ── Crashes and lost answers ──────────────────────────────────────────────────────────────────────


def at(number: int, kind: str, wire: Wire) -> Plan:
    """Break the call of that number, counted from now."""
    first = len(wire.calls)
    return lambda call: kind if call.number - first == number else None


def approved_calls(staffed: Acme, wire: Wire, run: str) -> list[Call]:
    """Return the calls of an approval to which nothing happens."""
    first = len(wire.calls)
    assert staffed.put(approve=run, **CHANGE)["version"] == 2
    return wire.calls[first:]


def assert_approved(staffed: Acme, parked: dict[str, Any]) -> None:
    """The end, whatever happened: saved once, the run closed, the import passes."""
    assert staffed.version() == 2
    assert staffed.run_of(parked).status is Status.SUCCEEDED
    assert bootstrap.run_table().state("acme").approved == parked["plan_hash"]
    assert staffed.run()["counts"] == {"deactivated": 3}
    assert staffed.active() == 1


@pytest.mark.parametrize(
    "behind", [0, pytest.param(1, marks=pytest.mark.long)], ids=["every second", "the others"]
)
def test_after_a_crash_at_any_call_the_same_put_brings_the_approval_to_its_end(
    behind: int, staffed: Acme, wire: Wire
) -> None:
    parked = staffed.put(**CHANGE)
    before = copy_of("roster")
    calls = approved_calls(staffed, wire, parked["run_id"])
    assert sum(map(saves_settings, calls)) == 1
    assert [call.operation for call in calls[-3:]] == ["PutItem", "GetItem", "PutItem"]
    # From the last, which saves.
    for number in range(len(calls) - behind, 0, -2):
        put_back(before)
        staffed.late_by = timedelta()
        wire.plan = at(number, "before", wire)
        with pytest.raises(Crash):
            staffed.put(approve=parked["run_id"], **CHANGE)
        wire.plan = nothing
        # The lease of a preview that died with its function is free by then.
        staffed.late_by = timedelta(seconds=LEASE_S + 1)
        said = staffed.put(approve=parked["run_id"], **CHANGE)
        assert (said["status"], said["version"]) == ("succeeded", 2), number
        assert_approved(staffed, parked)


def test_an_approval_whose_answers_are_lost_knows_its_own_work(staffed: Acme, wire: Wire) -> None:
    parked = staffed.put(**CHANGE)
    before = copy_of("roster")
    calls = approved_calls(staffed, wire, parked["run_id"])
    for number, call in enumerate(calls, 1):
        if call.operation not in WRITES or "LEASE" in str(call.parameters):
            continue  # the lease and what a run writes under it have sweeps of their own
        put_back(before)
        wire.plan = at(number, "lost", wire)
        said = staffed.put(approve=parked["run_id"], **CHANGE)
        wire.plan = nothing
        assert (said["status"], said["version"], said["warnings"]) == ("succeeded", 2, []), call.operation
        assert_approved(staffed, parked)


@pytest.mark.parametrize("sort_key", ["IMPORT", "RUN"])
def test_an_approval_that_cannot_be_recorded_is_told_and_made_up_for(
    staffed: Acme, wire: Wire, sort_key: str
) -> None:
    parked = staffed.put(**CHANGE)
    key = f"RUN#{parked['run_id']}" if sort_key == "RUN" else sort_key
    wire.plan = lambda call: "busy" if touches(call, key) else None
    said = staffed.put(approve=parked["run_id"], **CHANGE)
    assert (said["status"], said["version"]) == ("succeeded", 2)
    [warning] = said["warnings"]
    assert (warning["where"], "put the same again" in warning["remedy"].lower()) == ("approve", True)
    wire.plan = nothing
    again = staffed.put(approve=parked["run_id"], **CHANGE)
    assert (again["status"], again["saved"]) == ("succeeded", False)
    assert_approved(staffed, parked)


def test_putting_the_same_does_not_finish_an_approval_of_something_else(staffed: Acme) -> None:
    parked = staffed.put(**CHANGE)
    staffed.put(time_zone="Europe/London")
    staffed.put()
    where, message, _ = error_of(staffed.invoke("put", settings=staffed.document(), approve=parked["run_id"]))
    assert (where, "planned on version 1" in message) == ("approve", True)
    assert bootstrap.run_table().state("acme").approved is None
