"""Imports that are started, answered at once and gone on with by a workflow: each begins once (I7, I12)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest

import scheduled_import
from muster import bootstrap
from muster.errors import Misconfigured
from muster.runs.run import Status
from tests.integration.company import Company
from tests.integration.pasted import pasted
from tests.integration.started_runs import Workflow, made


@pytest.fixture
def ada(company: Company) -> str:
    """Return the CRM id of the only user."""
    return company.salesforce.create(Department="Sales")


@pytest.fixture
def workflow(ada: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    return made(monkeypatch)


def go_on(company: Company, workflow: Workflow) -> dict[str, Any]:
    """Do what the workflow does with what it was started with last."""
    company.salesforce.wire.calls.clear()
    return company.run(None, by="schedule", **workflow.started()[-1])


def test_an_import_that_is_started_is_answered_at_once_and_goes_on_by_itself(
    company: Company, workflow: Workflow, ada: str
) -> None:
    company.salesforce.wire.calls.clear()
    said = scheduled_import.handler(pasted("scheduled_import_start"), company.context)
    assert (said["status"], said["ended"], said["mode"]) == ("started", "started", "full")
    assert workflow.started() == [{"organization": "acme", "run_id": said["run_id"]}]
    assert company.salesforce.wire.calls == [], "nothing is waited for"
    assert company.active() == set()
    ended = go_on(company, workflow)
    assert (ended["status"], ended["run_id"], ended["counts"]) == (
        "succeeded",
        said["run_id"],
        {"created": 1},
    )
    assert company.active() == {ada}
    assert company.record(said["run_id"]).by == "jane@acme.example"


def test_an_event_that_is_sent_again_starts_nothing_beside_the_run_and_names_it(
    company: Company, workflow: Workflow
) -> None:
    first = company.run(start=True)
    for _ in range(3):
        again = company.run(start=True)
        assert (again["status"], again["run_id"]) == ("rejected", first["run_id"])
        assert first["run_id"] in again["message"]
    # Without `start` it is the same.
    assert company.run()["run_id"] == first["run_id"]
    assert len(workflow.started()) == len(company.ask("runs")["runs"]) == 1
    assert go_on(company, workflow)["status"] == "succeeded"
    assert company.run(start=True)["status"] == "started"


@pytest.mark.parametrize("preview", [True, False])
def test_previews_and_imports_of_named_people_can_be_started(
    company: Company, workflow: Workflow, ada: str, preview: bool
) -> None:
    event: dict[str, Any] = {"mode": "full", "preview": True} if preview else {"mode": None, "members": [ada]}
    said = company.run(**event, start=True)
    assert said["status"] == "started"
    assert go_on(company, workflow)["counts"]["created"] == 1
    assert company.active() == (set() if preview else {ada})
    shown = company.ask("run", run_id=said["run_id"])
    assert [item["user"] for item in shown["items"]] == [ada]


def test_an_approval_can_be_started(guarded: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = made(monkeypatch)
    gone = guarded.change("Sales", 3, IsActive=False)
    parked = guarded.run()
    said = guarded.run(None, approve=parked["run_id"], by="joe", start=True)
    assert (said["status"], said["run_id"]) == ("started", parked["run_id"])
    assert set(gone) <= guarded.active()
    assert guarded.run(None, approve=parked["run_id"], by="joe", start=True)["status"] == "rejected"
    assert go_on(guarded, workflow)["status"] == "succeeded"
    assert not set(gone) & guarded.active()
    run = guarded.record(parked["run_id"])
    assert (run.by, run.approved_by) == ("jane", "joe")


@pytest.mark.parametrize(
    "event",
    [
        {"run_id": "20261120T081532000-0a1b2c3d"},
        {"reject": "20261120T081532000-0a1b2c3d"},
        {"members": ["005000000000001AAA"], "by": "schedule"},
    ],
)
def test_what_needs_no_start_is_refused_with_one(company: Company, event: dict[str, Any]) -> None:
    said = company.run(None, **event, start=True)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "event")
    assert "start" in said["errors"][0]["message"]


def test_a_run_that_nobody_could_be_told_to_go_on_with_has_failed_and_frees_its_place(
    company: Company, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKFLOW_ARN", f"{workflow.arn}-of-another-stack")
    with pytest.raises(Misconfigured, match="StateMachineDoesNotExist"):
        company.run(start=True)
    run = company.latest()
    assert run.status is Status.FAILED
    assert company.run()["status"] == "succeeded"


@pytest.mark.filterwarnings("ignore:No application metrics:UserWarning")
def test_a_start_that_dies_before_anybody_is_told_frees_its_place_by_itself(
    company: Company, workflow: Workflow, pass_time: Callable[[timedelta], None]
) -> None:
    dies = patch.object(type(bootstrap.workflow()), "go_on_with", side_effect=KeyboardInterrupt)
    with dies, pytest.raises(KeyboardInterrupt):
        company.run(start=True)
    assert workflow.started() == []
    assert company.latest().status is Status.RUNNING
    pass_time(timedelta(minutes=17))
    assert company.run(start=True)["status"] == "started"
    assert go_on(company, workflow)["status"] == "succeeded"


def test_a_lost_answer_of_step_functions_starts_no_second_execution(
    company: Company, workflow: Workflow
) -> None:
    run_id = company.run(start=True)["run_id"]
    run = company.record(run_id)
    bootstrap.workflow().go_on_with(run)
    states = boto3.client("stepfunctions")
    [execution] = states.list_executions(stateMachineArn=workflow.arn)["executions"]
    assert execution["name"] == f"{run_id}-1"


# ── How far it is ────────────────────────────────────────────────────────────────────────────────


def test_how_far_a_started_run_is_can_be_looked_at(
    company: Company, workflow: Workflow, ada: str, pass_time: Callable[[timedelta], None]
) -> None:
    run_id = company.run(start=True)["run_id"]
    pass_time(timedelta(seconds=90))
    shown = company.ask("run", run_id=run_id)
    assert shown["message"] == shown["progress"]
    assert 90 <= shown["at_work"].pop("renewed_s_ago") < 180
    assert shown["at_work"] == {"phase": "gather", "pages": 0, "planned": 0, "applied": 0, "counts": {}}
    company.have_seconds(1)
    assert go_on(company, workflow)["status"] == "continue"
    shown = company.ask("run", run_id=run_id)["at_work"]
    assert (shown["phase"], shown["pages"]) == ("gather", 1)
    assert shown["renewed_s_ago"] < 90, "going on renews the lease"
    company.have_seconds(900)
    assert go_on(company, workflow)["status"] == "succeeded"
    assert company.ask("run", run_id=run_id)["at_work"] is None
    assert company.active() == {ada}


def test_of_a_run_that_nobody_works_on_any_more_no_sign_is_shown(
    company: Company, workflow: Workflow, pass_time: Callable[[timedelta], None]
) -> None:
    dead = company.run(start=True)["run_id"]
    pass_time(timedelta(minutes=17))
    assert company.run(members=["005000000000001AAA"], mode=None)["run_id"] != dead
    assert company.ask("run", run_id=dead)["at_work"] is None
