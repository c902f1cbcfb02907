"""The command line before the real functions: a week of an admin, and each event understood."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import group_assignment
import member_events
import member_settings
import organization_settings
import preflight
import roster_query
import scheduled_import
import scheduled_push
import webhook_setup
from muster.errors import MusterError
from muster_cli import options
from muster_cli.failures import Failure
from tests.doubles.muster_functions import JANE, carry_out
from tests.integration.company import STRICT, Company
from tests.integration.started_runs import Workflow, made
from tests.unit.muster_cli.test_events import ASKED

HANDLERS: dict[str, Any] = {
    "GroupAssignmentFunction": group_assignment.handler,
    "MemberEventsFunction": member_events.handler,
    "MemberSettingsFunction": member_settings.handler,
    "OrganizationSettingsFunction": organization_settings.handler,
    "PreflightFunction": preflight.handler,
    "RosterQueryFunction": roster_query.handler,
    "ScheduledImportFunction": scheduled_import.handler,
    "ScheduledPushFunction": scheduled_push.handler,
    "WebhookSetupFunction": webhook_setup.handler,
}
NOT_UNDERSTOOD = {"is not a known key", "is missing", "is not an action of this function"}


@dataclass
class InThisProcess:
    """The functions as Lambda would call them: JSON in, JSON out."""

    context: Any
    caller: str = JANE

    def ask(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the function's handler answers."""
        try:
            answer = HANDLERS[function](json.loads(json.dumps(event)), self.context)
        except MusterError as error:
            raise Failure(f"{function} failed: {type(error).__name__}: {error}") from error
        said: dict[str, Any] = json.loads(json.dumps(answer))
        return said


@pytest.fixture
def acme(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return Acme, at which the command line is."""
    monkeypatch.setattr(options, "functions_of", lambda *place, local: InThisProcess(company.context))
    return company


@pytest.fixture
def workflow(acme: Company, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """Go on with the run that began last whenever the command line pauses."""
    workflow = made(monkeypatch)

    def go_on(_: float) -> None:
        said = acme.run(None, by="schedule", run_id=acme.latest().id)
        assert said["status"] != "rejected", said

    monkeypatch.setattr("muster_cli.following.time", SimpleNamespace(sleep=go_on))
    return workflow


@pytest.fixture
def document(acme: Company, tmp_path: Path) -> Path:
    """Return a file with Acme's settings, commented."""
    path = tmp_path / "acme.yaml"
    write(path, acme)
    return path


def write(path: Path, company: Company, **sections: Any) -> None:
    path.write_text(f"# Ours.\n{json.dumps({**company.document, **sections}, indent=1)}\n")


def test_settings_are_planned_and_saved_and_then_nothing_differs(acme: Company, document: Path) -> None:
    acme.salesforce.create_many(3, Department=["Sales"])
    write(document, acme, seats={"gong": {"limit": 2}, "forecast": {}})

    planned = carry_out("plan", str(document))
    saved = carry_out("apply", str(document), "--why", "fewer seats", "--yes")
    again = carry_out("plan", str(document))
    acme.run()
    after = carry_out("plan", str(document))
    versions = carry_out("settings", "history", "--json", "--detail", "-o", "acme")

    assert planned.exit_code == 2, planned.output
    assert "seats.gong.limit" in planned.stdout
    assert saved.exit_code == 0, saved.output
    assert "Version 2 is saved." in saved.stdout
    assert again.exit_code == 2, "three people would come in"
    assert after.exit_code == 0, after.output
    newest = json.loads(versions.stdout)["versions"][0]
    assert (newest["version"], newest["by"], newest["why"]) == (2, JANE, "fewer seats")


def test_what_somebody_has_saved_in_between_is_not_written_over(acme: Company, document: Path) -> None:
    write(document, acme, seats={"gong": {"limit": 7}})
    acme.put(seats={"gong": {"limit": 6}})

    result = carry_out("apply", str(document), "--expected-version", "1")

    assert result.exit_code == 1
    assert "Refused" in result.stderr


def test_a_wrong_document_is_refused_with_its_place(acme: Company, document: Path) -> None:
    write(document, acme, seatz={})

    result = carry_out("plan", str(document))

    assert result.exit_code == 1
    assert "seatz: is not a known key" in result.stderr


def test_an_import_is_followed_to_its_end(acme: Company, workflow: Workflow) -> None:
    acme.salesforce.create_many(2, Department=["Sales"])

    preview = carry_out("import", "--full", "--preview", "-o", "acme")
    result = carry_out("import", "--full", "-o", "acme")

    assert preview.exit_code == 0, preview.output
    assert result.exit_code == 0, result.output
    assert "It reads Salesforce" in result.stderr
    assert len(acme.active()) == 2
    assert acme.latest().by == JANE
    assert len(workflow.started()) == 2


def test_what_waits_is_approved_by_its_run(acme: Company, workflow: Workflow) -> None:
    acme.salesforce.create_many(4, Department=["Sales"])
    acme.run()
    acme.put_and_approve(guard=STRICT)
    acme.change("Sales", 3, IsActive=False)

    waits = carry_out("import", "--full", "-o", "acme")
    run_id = acme.latest().id
    undecided = carry_out("approve", run_id, "-o", "acme")
    approved = carry_out("approve", run_id, "--yes", "--by", "joe@acme.example", "-o", "acme")
    again = carry_out("reject", run_id, "--yes", "-o", "acme")

    assert waits.exit_code == 3, waits.output
    assert f"muster approve {run_id}" in waits.stdout
    assert undecided.exit_code == 1
    assert approved.exit_code == 0, approved.output
    assert len(acme.active()) == 1
    assert acme.record(run_id).approved_by == "joe@acme.example"
    assert again.exit_code == 1


def test_settings_that_wait_are_approved_in_the_same_way(acme: Company, document: Path) -> None:
    acme.salesforce.create(Department="Sales")
    write(document, acme, auto_provision={"require_call_center": False, "read_back": False})

    planned = carry_out("plan", str(document))
    waits = carry_out("apply", str(document), "--yes")
    approved = carry_out("approve", acme.latest().id, "--yes", "--by", "joe@acme.example", "-o", "acme")

    assert planned.exit_code == 3, planned.output
    assert waits.exit_code == 3, waits.output
    assert approved.exit_code == 0, approved.output
    assert "Version 2 is saved." in approved.stdout


def test_the_roster_is_seen_and_changed_by_hand(acme: Company) -> None:
    acme.salesforce.create_many(2, Department=["Sales", "Support"])
    acme.run()
    by_assignment = {member["assignment"]: crm_id for crm_id, member in acme.roster().items()}
    ada, grace = by_assignment["Sales"], by_assignment["Support"]
    names = {crm_id: member["name"] for crm_id, member in acme.roster().items()}

    listed = carry_out("list", "--assignment", "Sales")
    edited = carry_out("set", grace, "--seats", "none", "--end-date", "2099-12-31")
    refused = carry_out("set", grace, ada, "--seats", "gnog")
    history = carry_out("history", grace)
    seats = carry_out("seats")
    runs = carry_out("runs")

    assert names[ada] in listed.stdout
    assert names[grace] not in listed.stdout
    assert edited.exit_code == 0, edited.output
    assert acme.roster()[grace]["end_date"] == "2099-12-31"
    assert refused.exit_code == 1
    assert "changes[0].seats[0]: is not a seat of the settings" in refused.stderr
    assert "2099-12-31" in history.stdout
    assert "gong" in seats.stdout
    assert acme.latest().id in runs.stdout
    assert all(result.exit_code == 0 for result in (listed, history, seats, runs))


@pytest.mark.usefixtures("workflow")
def test_every_event_is_one_that_the_function_knows(acme: Company) -> None:
    functions = InThisProcess(acme.context)
    for words, function, event in ASKED:
        with suppress(Failure):  # what it then cannot do, it has understood
            errors = functions.ask(function, {"organization": "acme", **event}).get("errors", ())
            assert not {error["message"] for error in errors} & NOT_UNDERSTOOD, (words, errors)
