"""What a workflow is answered, and so keeps in its history: no names or values, and little of it (I14)."""

import json
import re
from typing import Any

from tests.conftest import ROOT
from tests.integration.company import Company

DEFINITION = json.loads((ROOT / "workflows/scheduled_run.asl.json").read_text())
EACH = DEFINITION["States"]["RunEach"]["ItemProcessor"]["States"]
GOES_ON = (
    "{'organization': $states.input.event.organization, 'run_id': $states.input.run_id, 'by': 'schedule'}"
)
KEPT = {"status", "ended", "organization", "run_id", "mode", "counts", "muster_version"}
REFUSED = KEPT | {"message", "errors"}
LONG = [f"Note{number}__c" for number in range(12)]


def in_a_workflow(company: Company, **event: Any) -> list[dict[str, Any]]:
    """Run an import as the workflow does, with the time up once while it gathers; returns its answers."""
    assert GOES_ON in EACH["IsItDone"]["Choices"][0]["Output"]
    company.have_seconds(900, 900, 1)
    answers = [company.run(by="schedule", **event)]
    company.have_seconds(900)
    while answers[-1]["status"] == "continue":
        answers.append(company.run(None, run_id=answers[-1]["run_id"], by="schedule"))
    return answers


def test_no_name_and_no_value_is_in_any_answer_to_a_workflow(guarded: Company) -> None:
    guarded.change("Sales", 3, IsActive=False)
    answers = in_a_workflow(guarded)
    assert [answer["status"] for answer in answers] == ["continue", "parked"]
    assert all(answer.keys() <= KEPT for answer in answers)
    assert "@" not in json.dumps(answers)
    # A person is told of the very same run.
    parked = guarded.run()
    assert parked["run_id"] == answers[-1]["run_id"]
    assert len(parked["changes"]) == 3


def test_an_answer_to_a_workflow_is_small_however_much_would_change(company: Company) -> None:
    for name in LONG:
        company.salesforce.call(
            "POST", "/sandbox/custom-fields", {"name": name, "type": "Text", "length": 255}
        )
    everyone = company.salesforce.create_many(60, Department=["Sales"])
    company.put(seats={"gong": {}}, auto_provision={"require_call_center": False, "custom_fields": LONG})
    assert company.run()["counts"] == {"created": 60}
    strict = {"floor": 1, "count": 0, "percent": 0}
    company.put(guard={**strict, "operations": {"update": strict}})
    for each in everyone:
        company.salesforce.update(each, **dict.fromkeys(LONG, "\N{SNOWMAN}" * 250))
    answers = in_a_workflow(company)
    assert answers[-1]["status"] == "parked"
    assert max(len(json.dumps(answer)) for answer in answers) < 1000


def test_what_a_workflow_goes_on_to_other_connections_by_is_in_no_answer_of_an_import(
    company: Company,
) -> None:
    """Not even where the answer has been shortened, and says so."""
    company.salesforce.create(Department="Nobody's")
    said = company.run(by="schedule")
    assert said["status"] == "succeeded"
    goes_by = set(re.findall(r"result\.Payload\.(\w+)", EACH["Run"]["Output"]))
    assert goes_by == {"status", "run_id", "connections_left"}
    assert "connections_left" not in said


def test_what_a_workflow_is_refused_for_is_told_and_no_more(company: Company) -> None:
    company.put(auto_provision={"enabled": False})
    said = company.run(by="schedule")
    assert said.keys() <= REFUSED
    assert [error["where"] for error in said["errors"]] == ["auto_provision.enabled"]


def test_a_run_that_a_person_began_stays_theirs_when_a_workflow_goes_on_with_it(company: Company) -> None:
    company.salesforce.create(Department="Sales")
    company.have_seconds(900, 900, 1)
    said = company.run(by="jane")
    assert said["status"] == "continue"
    company.have_seconds(900)
    said = company.run(None, run_id=said["run_id"], by="schedule")
    assert said["status"] == "succeeded"
    assert company.record(said["run_id"]).by == "jane"
