"""What settings do to the roster, before they are saved: previewed, parked, approved (S2)."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import organization_settings
from muster import bootstrap
from muster.errors import Misconfigured, Unavailable
from muster.runs.run import Status
from tests.integration.organization_settings.settings_examples import (
    DATA,
    LEEDS,
    OTHERS,
    SALES,
    Acme,
    down,
    error_of,
)
from tests.integration.pasted import pasted

# ── Previewing ────────────────────────────────────────────────────────────────────────────────────


def test_a_preview_of_the_first_settings_tells_what_the_first_import_does(acme: Acme) -> None:
    said = acme.invoke("preview", settings=acme.document())
    assert said["status"] == "succeeded"
    assert said["counts"] == {"created": 4, "grant": 3}
    assert said["seats"] == {"gong": {"limit": None, "held": 3, "waiting": 0}}
    assert {change["does"] for change in said["changes"]} == {"created"}
    assert said["plan"].startswith(f"acme/{said['run_id']}/")
    assert (acme.version(), acme.active()) == (0, 0)
    [run] = acme.runs()
    assert (run.kind, run.status, run.by) == ("settings", Status.PREVIEWED, "jane@acme.example")


def test_a_preview_that_trips_the_guard_can_be_approved(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    said = staffed.invoke("preview", settings=staffed.document(**leeds))
    assert said["counts"] == {"deactivated": 3, "revoke": 3}
    assert [change["reason"] for change in said["changes"]] == ["unmatched"] * 3
    assert said["guard"]
    assert f'{{"action": "approve", "run_id": "{said["run_id"]}"}}' in said["message"]
    assert staffed.version() == 1
    assert staffed.put(approve=said["run_id"], **leeds)["version"] == 2


def test_a_preview_needs_a_connection_and_somebody_who_asks(acme: Acme) -> None:
    assert (
        error_of(acme.invoke("preview", settings=acme.document(connections={})))[0]
        == "connections.salesforce"
    )
    assert error_of(acme.invoke("preview", settings=acme.document(), by=None))[0] == "by"


def test_a_preview_that_cannot_be_made_is_a_fault(acme: Acme) -> None:
    acme.salesforce.faults(down(DATA))
    with pytest.raises(Unavailable):
        acme.invoke("preview", settings=acme.document())
    acme.salesforce.faults({"path": "/services/oauth2", "fault": "status", "status": 400, "count": 9})
    bootstrap.salesforce.cache_clear()
    with pytest.raises((Misconfigured, Unavailable)):
        acme.invoke("preview", settings=acme.document())
    assert acme.version() == 0


# ── Saving ────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_that_the_guard_lets_pass_is_saved_and_says_what_it_does(staffed: Acme) -> None:
    said = staffed.put(assignments=[{**SALES, "workspaces": {"EMEA": "Member"}}, OTHERS])
    assert (said["status"], said["version"], said["saved"]) == ("succeeded", 2, True)
    assert said["counts"] == {"updated": 3}
    assert said["run_id"] in said["message"]
    assert staffed.run()["counts"] == {"updated": 3}


@pytest.mark.parametrize(
    "sections",
    [
        {"guard": {"floor": 0}},
        {"time_zone": "Europe/London"},
        {"auto_provision": {"require_call_center": False, "enabled": False}, "assignments": [LEEDS]},
        {"connections": {}, "assignments": [LEEDS]},
    ],
)
def test_what_decides_about_nobody_is_saved_without_a_preview(
    staffed: Acme, sections: dict[str, Any]
) -> None:
    runs = staffed.runs()
    said = staffed.put(**sections)
    assert (said["status"], said["version"]) == ("succeeded", 2)
    assert "counts" not in said
    assert staffed.runs() == runs


def test_an_empty_roster_needs_no_preview(acme: Acme) -> None:
    acme.put()
    assert acme.put(assignments=[LEEDS])["version"] == 2
    assert acme.runs() == []


def test_what_was_switched_off_is_previewed_when_it_is_switched_on_again(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    off: dict[str, Any] = {"auto_provision": {"require_call_center": False, "enabled": False}}
    assert staffed.put(**off, **leeds)["version"] == 2
    assert staffed.put(**leeds)["status"] == "parked"


def test_a_change_that_trips_the_guard_is_parked_and_nothing_is_saved(staffed: Acme) -> None:
    said = staffed.put(assignments=[LEEDS, OTHERS])
    assert (said["status"], said["saved"], said["version"]) == ("parked", False, 1)
    assert said["counts"] == {"deactivated": 3, "revoke": 3}
    assert any("deactivate: 3 of 4 active members" in limit for limit in said["guard"])
    assert len(said["changes"]) == 3
    assert datetime.fromisoformat(said["approve_before"]) > staffed.now() + timedelta(hours=71)
    run = staffed.run_of(said)
    assert (run.status, run.plan_hash, run.settings_version) == (Status.PARKED, said["plan_hash"], 1)
    assert (staffed.version(), staffed.active()) == (1, 4)


def test_the_first_token_is_not_lost_on_a_change_that_is_parked(staffed: Acme, aws: SimpleNamespace) -> None:
    aws.dynamodb.delete_item(TableName="roster", Key={"pk": {"S": "WEBHOOK#acme"}, "sk": {"S": "WEBHOOK"}})
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    assert "webhook" not in parked
    assert staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS])["webhook"]["token"]


def test_a_change_that_cannot_be_previewed_is_saved_and_the_guard_of_the_next_import_stands(
    staffed: Acme,
) -> None:
    staffed.salesforce.faults(down(f"{DATA}/query"))
    said = staffed.put(assignments=[LEEDS, OTHERS])
    assert (said["status"], said["version"]) == ("succeeded", 2)
    [warning] = said["warnings"]
    assert "without a preview" in warning["message"]
    staffed.salesforce.faults()
    assert staffed.run()["status"] == "parked"
    assert staffed.active() == 4


def test_a_change_while_nothing_can_be_asked_is_saved_with_both_warnings(staffed: Acme) -> None:
    staffed.salesforce.faults(down(DATA))
    said = staffed.put(assignments=[LEEDS, OTHERS])
    assert said["version"] == 2
    assert [warning["where"] for warning in said["warnings"]] == ["connections.salesforce", "settings"]
    assert [run.kind for run in staffed.runs()] == ["import"], "no second look where the first saw nothing"


def test_while_a_run_is_at_work_a_change_that_needs_a_preview_is_refused(staffed: Acme) -> None:
    lease = bootstrap.run_table().take("acme", "20261120T081532-0a1b2c3d", staffed.now().timestamp(), 60)
    where, message, _ = error_of(staffed.put(assignments=[LEEDS, OTHERS]))
    assert (where, message) == ("organization", "has a run at work: 20261120T081532-0a1b2c3d")
    assert staffed.put(guard={"floor": 0})["version"] == 2
    bootstrap.run_table().release(lease)
    assert staffed.put(assignments=[LEEDS, OTHERS])["status"] == "parked"


# ── Approving ─────────────────────────────────────────────────────────────────────────────────────


def test_an_approved_change_is_saved_and_its_import_passes(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    parked = staffed.put(**leeds)
    said = staffed.put(approve=parked["run_id"], **leeds)
    assert (said["status"], said["version"], said["saved"]) == ("succeeded", 2, True)
    run = staffed.run_of(parked)
    assert (run.status, run.message) == (Status.SUCCEEDED, "Approved and saved as version 2.")
    assert Status.PARKED not in [each.status for each in staffed.runs()]
    assert staffed.run("incremental")["counts"] == {"deactivated": 3}
    assert staffed.active() == 1


def test_an_approval_holds_for_people_who_come_in_too(staffed: Acme) -> None:
    for _ in range(2):
        staffed.salesforce.create(Department="Sales", City="Leeds")
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    parked = staffed.put(**leeds)
    assert parked["counts"] == {"created": 2, "grant": 2, "deactivated": 3, "revoke": 3}
    assert staffed.put(approve=parked["run_id"], **leeds)["version"] == 2
    assert staffed.run()["status"] == "succeeded"
    assert staffed.active() == 3


def test_without_the_approval_the_same_import_waits(staffed: Acme) -> None:
    """The control of the test before: it is the approval that lets it pass."""
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    parked = staffed.put(**leeds)
    staffed.put(approve=parked["run_id"], **leeds)
    bootstrap.run_table().change_state(
        "acme", lambda state: replace(state, approved=None, approved_until=None)
    )
    assert staffed.run()["status"] == "parked"


def test_an_approval_is_for_one_document(staffed: Acme) -> None:
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    # The second leads to the same plan: what else it changes, nobody has looked at.
    others: list[dict[str, Any]] = [
        {"assignments": [LEEDS]},
        {"assignments": [LEEDS, OTHERS], "time_zone": "Europe/London"},
    ]
    for other in others:
        where, message, _ = error_of(staffed.put(approve=parked["run_id"], **other))
        assert where == "approve"
        assert "other settings" in message
    assert staffed.version() == 1
    assert staffed.run_of(parked).status is Status.PARKED


def test_an_approval_ends_when_the_roster_or_salesforce_moves(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    parked = staffed.put(**leeds)
    staffed.salesforce.create(Department="Sales", City="Leeds")
    _, message, remedy = error_of(staffed.put(approve=parked["run_id"], **leeds))
    assert "moved since" in message
    assert staffed.version() == 1
    [anew] = [run.id for run in staffed.runs() if run.id in remedy]
    assert staffed.put(approve=anew, **leeds)["version"] == 2


def test_an_approval_that_is_no_longer_needed_says_so(staffed: Acme) -> None:
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    for state in list(bootstrap.roster_table().states("acme")):
        staffed.salesforce.update(state.crm_id, City="Leeds")
    _, _, remedy = error_of(staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS]))
    assert "without approve" in remedy
    assert staffed.put(assignments=[LEEDS, OTHERS])["version"] == 2


def test_an_approval_comes_in_time_or_not_at_all(staffed: Acme) -> None:
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    staffed.late_by = timedelta(hours=73)
    said = staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS])
    assert error_of(said)[1] == "was not approved in time"
    assert staffed.run_of(parked).status is Status.REJECTED
    assert staffed.version() == 1


def test_an_approval_is_for_the_version_it_was_planned_on(staffed: Acme) -> None:
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    staffed.put(time_zone="Europe/London")
    where, message, _ = error_of(staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS]))
    assert (where, "planned on version 1" in message) == ("approve", True)
    assert [run.status for run in staffed.runs() if run.kind == "settings"] == [Status.REJECTED]
    assert staffed.version() == 2


def test_only_a_parked_change_of_settings_can_be_approved(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    [imported] = staffed.runs()
    assert "is an import" in error_of(staffed.put(approve=imported.id, **leeds))[1]
    assert "is not a run" in error_of(staffed.put(approve="20261120T081532-0a1b2c3d", **leeds))[1]
    assert error_of(staffed.put(approve="x", **leeds))[0] == "approve"
    preview = staffed.invoke("preview", settings=staffed.document(assignments=[SALES, OTHERS]))
    assert "not parked but previewed" in error_of(staffed.put(approve=preview["run_id"], **leeds))[1]
    assert staffed.version() == 1


def test_an_approval_is_not_given_while_salesforce_is_down(staffed: Acme) -> None:
    parked = staffed.put(assignments=[LEEDS, OTHERS])
    staffed.salesforce.faults(down(DATA))
    with pytest.raises(Unavailable):
        staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS])
    assert staffed.version() == 1
    staffed.salesforce.faults()
    assert staffed.put(approve=parked["run_id"], assignments=[LEEDS, OTHERS])["version"] == 2


def test_a_restored_version_is_approved_like_any_other(staffed: Acme) -> None:
    leeds: dict[str, Any] = {"assignments": [LEEDS, OTHERS]}
    staffed.put(approve=staffed.put(**leeds)["run_id"], **leeds)
    staffed.run()
    staffed.put(assignments=[{"name": "Everyone"}])
    staffed.run()
    assert staffed.active() == 4
    parked = staffed.invoke("restore", version=2)
    assert parked["status"] == "parked"
    said = staffed.invoke("restore", version=2, approve=parked["run_id"])
    assert (said["status"], said["restored"]) == ("succeeded", 2)
    assert staffed.run()["status"] == "succeeded"
    assert staffed.active() == 1


def test_of_equal_previews_only_the_newest_waits(staffed: Acme) -> None:
    first, other, second = (
        staffed.invoke("preview", settings=staffed.document(assignments=assignments))["run_id"]
        for assignments in ([LEEDS, OTHERS], [LEEDS], [LEEDS, OTHERS])
    )
    statuses = {run.id: (run.status, run.message) for run in staffed.runs() if run.kind == "settings"}
    assert statuses[first] == (Status.REJECTED, f"Run {second} took its place.")
    assert statuses[other][0] == statuses[second][0] == Status.PARKED
    staffed.put(time_zone="Europe/London")
    third = staffed.put(assignments=[LEEDS, OTHERS])["run_id"]
    statuses = {run.id: (run.status, run.message) for run in staffed.runs() if run.kind == "settings"}
    assert statuses[other][0] == statuses[second][0] == Status.REJECTED
    assert statuses[third][0] == Status.PARKED


# ── Events to paste ───────────────────────────────────────────────────────────────────────────────


def test_the_events_to_paste_work(staffed: Acme) -> None:
    preview, approve = (pasted(f"organization_settings_{name}") for name in ("preview", "approve"))
    preview["settings"]["connections"]["salesforce"] |= staffed.salesforce.connection
    preview["settings"] |= {"guard": {"floor": 1}, "assignments": [LEEDS, OTHERS]}
    parked = organization_settings.handler(preview, staffed.context)
    assert parked["status"] == "succeeded"
    assert parked["guard"]
    said = organization_settings.handler({**approve, "run_id": parked["run_id"]}, staffed.context)
    assert (said["status"], said["version"]) == ("succeeded", 2)
