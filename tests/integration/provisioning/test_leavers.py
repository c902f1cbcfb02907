"""Whoever leaves is closed in the app within seconds, and the next push does the rest (O4, W8, W10)."""

import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

import deprovisioning
from tests.conftest import ROOT
from tests.integration.provisioning.apps import APP, APP_HOST, Apps
from tests.integration.provisioning.leavers import ADA, Leaving
from tests.integration.told_metrics import metrics, told
from tests.simulation.harness.strict_aws import rows_of

BOB = "bob"


@pytest.fixture
def world(apps: Apps) -> Leaving:
    """Return Acme with Ada and Bob, who have accounts in the app."""
    world = Leaving(apps)
    world.join(ADA, BOB)
    apps.imported()
    assert apps.push()["counts"] == {"made": 2}
    world.follow()
    apps.calls()
    return world


def test_a_message_closes_the_account_at_once_and_the_push_takes_it_out_of_groups(world: Leaving) -> None:
    world.leave(ADA)
    assert world.open() == {ADA, BOB}
    world.follow()
    assert world.open() == {BOB}
    calls = world.apps.calls()
    assert [method for method, _ in calls] == ["PATCH", "GET"]
    assert len({path for _, path in calls}) == 1
    assert world.apps.account(world.people[ADA])["state"] == "inactive"
    assert world.apps.groups()["Sales"] == [ADA, BOB]
    # A push may have been under way: so it is looked once more whether the account is closed.
    assert world.apps.push()["counts"] == {"regrouped": 1}
    assert world.apps.groups()["Sales"] == [BOB]
    assert [method for method, path in world.apps.calls() if "Users/" in path] == ["GET"]
    assert world.follow() <= 1
    assert world.apps.push()["counts"] == {}
    assert world.apps.calls() == []
    last = world.apps.company.history(world.people[ADA])[0]
    assert (last["origin"], last["run"]) == ("push", "leaving")
    assert [each["field"] for each in last["changes"]] == [f"accounts.{APP}.state"]


def test_an_import_or_an_edit_that_ends_somebody_does_the_same(world: Leaving) -> None:
    world.apps.company.salesforce.update(world.people[ADA], IsActive=False)
    world.apps.imported("incremental")
    world.follow()
    assert world.open() == {BOB}


def test_who_comes_back_is_let_in_again(world: Leaving) -> None:
    world.leave(ADA)
    world.follow()
    world.come_back(ADA)
    world.follow()
    assert world.apps.push()["counts"] == {"opened": 1}
    assert world.open() == {ADA, BOB}
    assert world.apps.push()["counts"] == {}


def test_whoever_was_closed_without_a_record_of_it_and_is_back_is_looked_at(world: Leaving) -> None:
    world.leave(ADA)
    world.records += world.written()
    # An earlier try has closed the account, and died before it could record that.
    world.apps.scim.patch(world.apps.account(world.people[ADA])["id"], ("replace", "active", False))
    world.come_back(ADA)
    world.follow()
    assert world.open() == {BOB}
    world.apps.push()
    assert world.open() == {ADA, BOB}


def test_an_app_that_deletes_is_told_to_delete(world: Leaving) -> None:
    world.apps.connect(on_leave="delete")
    world.leave(ADA)
    world.follow()
    assert world.apps.truth() == {BOB: True}
    world.apps.push()
    assert world.apps.push()["counts"] == {}
    assert world.apps.account(world.people[ADA])["state"] == "deleted"


def test_accounts_that_are_not_musters_or_are_elsewhere_are_left_alone(world: Leaving) -> None:
    company = world.apps.company
    section = {"host": APP_HOST, "who": "everyone", "path": "/other/v2"}
    connections = {"salesforce": company.salesforce.connection, "scim": {"app": section}}
    assert company.put_and_approve(connections=connections)["status"] == "succeeded"
    world.apps.calls()
    world.leave(ADA)
    world.follow()
    assert world.apps.calls() == []
    assert world.open() == {ADA, BOB}


def test_a_batch_is_worked_on_to_its_end_though_the_first_of_it_has_to_be_tried_again(world: Leaving) -> None:
    world.leave(ADA)
    world.leave(BOB)
    batch = world.written()
    # One call fails, and its like are not tried in the same batch: an app that is down would be waited for.
    world.apps.scim.fault("status", method="PATCH", status=503, count=1)
    left = world.hand_over(batch)
    assert left == batch
    assert len(world.open()) == 2
    assert world.hand_over(left) == []
    assert world.open() == set()


def test_whoever_cannot_be_closed_within_two_minutes_is_left_to_the_push(
    world: Leaving, capsys: pytest.CaptureFixture[str]
) -> None:
    world.leave(ADA)
    [record] = world.written()
    world.apps.scim.fault("status", status=503, count=99)
    assert world.hand_over([record]) == [record]
    assert metrics(capsys.readouterr().out)["LeaversLeftToPush"] == 0
    late = world.record_of(record["dynamodb"]["NewImage"], time.time() - 121)
    assert world.hand_over([late]) == []
    assert metrics(capsys.readouterr().out)["LeaversLeftToPush"] == 1
    world.apps.scim.control("POST", "faults", [])
    # Tried so often in so short a time, nothing is said of the connection's health.
    [health] = [each for each in rows_of("roster") if "HEALTH" in each["sk"]["S"]]
    assert json.loads(health["doc"]["S"])["failures"] == 0
    world.apps.push()
    world.follow()
    assert world.open() == {BOB}


def test_an_app_whose_token_was_refused_is_left_alone_at_once(world: Leaving, log: StringIO) -> None:
    world.apps.scim.control("POST", "token/expire")
    world.leave(ADA)
    world.follow()
    assert [method for method, _ in world.apps.calls()] == ["PATCH"]
    world.leave(BOB)
    world.follow()
    assert world.apps.calls() == []
    assert world.open() == {ADA, BOB}
    assert "ada@acme.example" not in log.getvalue()


def test_what_the_app_refuses_is_told_once_and_left_to_the_push(world: Leaving) -> None:
    world.leave(ADA)
    world.apps.scim.fault("status", method="PATCH", status=400, count=99)
    world.follow()
    [told_of] = [each for each in world.apps.company.errors() if each["system"] == APP]
    assert told_of["member"] == world.apps.company.roster()[world.people[ADA]]["id"]
    world.apps.scim.control("POST", "faults", [])
    world.apps.push()
    world.follow()
    assert world.open() == {BOB}


def test_an_answer_without_effect_is_tried_again_and_a_lost_one_is_looked_at(world: Leaving) -> None:
    world.leave(ADA)
    world.apps.scim.fault("lose_answer", method="PATCH", count=1)
    world.follow()
    assert world.open() == {BOB}
    world.leave(BOB)
    world.apps.scim.fault("no_effect", method="PATCH", count=1)
    world.follow()
    world.apps.push()
    world.follow()
    assert world.open() == set()


def test_without_time_the_rest_is_named_to_go_on_with(world: Leaving) -> None:
    world.leave(ADA)
    world.leave(BOB)
    batch = world.written()
    world.apps.company.have_seconds(170, 119)
    assert world.hand_over(batch) == batch[1:]
    assert len(world.open()) == 1


def test_seconds_are_counted_from_the_message_that_said_so(
    world: Leaving, capsys: pytest.CaptureFixture[str]
) -> None:
    world.apps.company.salesforce.update(world.people[ADA], IsActive=False)
    received_at = datetime.now(UTC) - timedelta(seconds=40)
    assert world.apps.company.hear({"Id": world.people[ADA]}, received_at=received_at) == 0
    capsys.readouterr()
    world.follow()
    found = [each for each in told(capsys.readouterr().out) if each.metric == "AccessEndedSeconds"]
    assert [each.of for each in found] == [
        {"service": "muster"},
        {"service": "muster", "organization": "acme", "connection": APP},
    ]
    assert {each.unit for each in found} == {"Seconds"}
    assert all(40 <= each.value < 100 for each in found)


def test_nothing_is_called_where_no_app_is_connected(world: Leaving) -> None:
    salesforce = world.apps.company.salesforce.connection
    assert world.apps.company.put_and_approve(connections={"salesforce": salesforce})["saved"]
    world.leave(ADA)
    world.follow()
    assert world.apps.calls() == []


def test_the_example_event_is_about_somebody_who_is_not_there(world: Leaving) -> None:
    event = json.loads((ROOT / "events/deprovisioning.json").read_text())
    assert deprovisioning.handler(event, world.apps.company.context) == {"batchItemFailures": []}
    assert world.apps.calls() == []
