"""The workflow of scheduled imports and pushes: its turns with a scripted function, then deployed (I12)."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.local_stack.building import ROOT
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster

# Organizations a page holds here, so that a few of them take several pages.
PAGE = 4
# Answers what the script says, one answer a call and the last one for ever, and keeps what it was asked.
FUNCTION = r"""
import json, os, pathlib

class Unavailable(Exception):
    pass

def handler(event, context):
    folder = pathlib.Path(os.environ["FOLDER"])
    asked = folder / event["organization"]
    with asked.open("a") as file:
        file.write(json.dumps(event) + "\n")
    script = json.loads((folder / "script.json").read_text())[event["organization"]]
    status = script[min(len(asked.read_text().splitlines()), len(script)) - 1]
    if status == "fault":
        raise Unavailable("Salesforce is down")
    return None if status is None else {"status": status, "run_id": "run-1", "changes": ["secret"], **event}
"""


@dataclass(frozen=True)
class Rehearsal:
    """The workflow as it is deployed, over a table and a function of the test's own."""

    stack: LocalStack
    table: str
    folder: Path

    def script(
        self, organizations: Mapping[str, Sequence[str | None]], *, unscheduled: tuple[str, ...] = ()
    ) -> None:
        """Say what the function answers for each organization, in turn."""
        (self.folder / "script.json").write_text(json.dumps(organizations))
        for name in (*organizations, *unscheduled):
            self.enter(name, scheduled=name not in unscheduled)

    def enter(self, organization: str, **flags: bool) -> None:
        """Put an organization into the table, as it is saved with its settings."""
        key = {"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": organization}}
        item = key | {name: {"BOOL": value} for name, value in flags.items()}
        self.stack.client("dynamodb").put_item(TableName=self.table, Item=item)

    def run(self, mode: str = "incremental") -> list[dict[str, Any]]:
        """Run the workflow of imports to its end; return the organizations' outcomes."""
        return self._outcomes("scheduled", mode=mode)

    def push(self, **event: Any) -> list[dict[str, Any]]:
        """Run the workflow of pushes to its end; return the organizations' outcomes."""
        return self._outcomes("pushed", **event)

    def _outcomes(self, name: str, **event: Any) -> list[dict[str, Any]]:
        outcomes: list[dict[str, Any]] = self.stack.run_state_machine(name, **event)["organizations"]
        return outcomes

    def ended(self, name: str, number: int) -> list[dict[str, Any]]:
        """Wait until so many executions have been started and have ended; return them, the earliest first."""
        states = self.stack.client("stepfunctions")

        def found() -> list[dict[str, Any]] | None:
            started = states.list_executions(stateMachineArn=self.stack.facts["state_machines"][name])
            executions = [
                states.describe_execution(executionArn=each["executionArn"]) for each in started["executions"]
            ]
            running = any(each["status"] == "RUNNING" for each in executions)
            return None if running or len(executions) < number else executions

        executions = wait_until(found, f"the end of {number} executions", seconds=PATIENCE_S)
        assert len(executions) == number
        return sorted(executions, key=lambda each: each["startDate"])

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return what is kept of the execution that was started last."""
        states = self.stack.client("stepfunctions")
        started = states.list_executions(stateMachineArn=self.stack.facts["state_machines"][name])
        latest = max(started["executions"], key=lambda each: each["startDate"])
        events: list[dict[str, Any]] = states.get_execution_history(
            executionArn=latest["executionArn"], maxResults=1000
        )["events"]
        return events

    def asked(self, organization: str) -> list[dict[str, Any]]:
        """Return the events that the function got for an organization."""
        file = self.folder / organization
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def rehearsal(stack: LocalStack, tmp_path: Path) -> Iterator[Rehearsal]:
    name = f"rehearsal-{uuid4().hex[:12]}"
    with_cleanup: list[Callable[[], object]] = []
    try:
        yield _rehearsal(stack, name, tmp_path, with_cleanup)
    finally:
        for undo in reversed(with_cleanup):
            undo()


def _rehearsal(stack: LocalStack, name: str, folder: Path, undo: list[Callable[[], object]]) -> Rehearsal:
    dynamodb, functions = stack.client("dynamodb"), stack.client("lambda")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    undo.append(lambda: dynamodb.delete_table(TableName=name))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("rehearsal.py", FUNCTION)
    function = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="rehearsal.handler",
        Role=_role(stack, f"{name}-function", "lambda", [], undo),
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"FOLDER": str(folder)}},
    )["FunctionArn"]
    undo.append(lambda: functions.delete_function(FunctionName=name))
    allowed = [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function},
        {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": f"arn:aws:dynamodb:*:*:table/{name}"},
        {
            "Effect": "Allow",
            "Action": "states:StartExecution",
            "Resource": f"arn:aws:states:*:*:stateMachine:{name}-*",
        },
    ]
    role = _role(stack, f"{name}-workflow", "states", allowed, undo)
    states = stack.client("stepfunctions")
    machines = {}
    for flag in ("scheduled", "pushed"):
        definition = (ROOT / "workflows/scheduled_run.asl.json").read_text()
        definition = definition.replace('"Limit": 500', f'"Limit": {PAGE}')
        for place, value in {
            "Partition": "aws",
            "RosterTable": name,
            "Function": function,
            "OrganizationsThatAre": flag,
        }.items():
            definition = definition.replace(f"${{{place}}}", value)
        machines[flag] = states.create_state_machine(
            name=f"{name}-{flag}", definition=definition, roleArn=role
        )["stateMachineArn"]
        undo.append(partial(states.delete_state_machine, stateMachineArn=machines[flag]))
    with_machine = LocalStack(stack.folder, {**stack.facts, "state_machines": machines})
    return Rehearsal(with_machine, name, folder)


def _role(
    stack: LocalStack,
    name: str,
    service: str,
    statements: list[dict[str, str]],
    undo: list[Callable[[], object]],
) -> str:
    iam = stack.client("iam")
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": f"{service}.amazonaws.com"},
    }
    arn: str = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    undo.append(lambda: iam.delete_role(RoleName=name))
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=document)
        undo.append(lambda: iam.delete_role_policy(RoleName=name, PolicyName="allowed"))
    return arn


# ── The workflow's own turns ─────────────────────────────────────────────────────────────────────


def test_every_scheduled_organization_is_imported_and_no_other(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["succeeded"], "initech": ["succeeded"]}, unscheduled=("globex",))
    assert rehearsal.run("full") == [
        {"organization": "acme", "status": "succeeded", "run_id": "run-1"},
        {"organization": "initech", "status": "succeeded", "run_id": "run-1"},
    ]
    assert rehearsal.asked("acme") == [{"organization": "acme", "mode": "full", "by": "schedule"}]
    assert rehearsal.asked("globex") == []


def test_a_stack_without_organizations_imports_nothing_and_is_well(rehearsal: Rehearsal) -> None:
    rehearsal.script({}, unscheduled=("globex",))
    assert rehearsal.run() == []


def test_a_run_goes_on_until_it_is_done(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["continue", "continue", "succeeded"]})
    [outcome] = rehearsal.run("incremental")
    assert outcome["status"] == "succeeded"
    again = {"organization": "acme", "run_id": "run-1", "by": "schedule"}
    first = {"organization": "acme", "mode": "incremental", "by": "schedule"}
    assert rehearsal.asked("acme") == [first, again, again]


@pytest.mark.parametrize(
    ("answer", "called"),
    [("fault", "Unavailable"), ("rejected", "rejected"), ("whatever", "whatever"), (None, "")],
)
def test_an_organization_that_fails_stops_no_other_and_is_named(
    rehearsal: Rehearsal, answer: str | None, called: str
) -> None:
    rehearsal.script({"acme": ["succeeded"], "globex": [answer], "initech": ["continue", "succeeded"]})
    named = re.escape(f"OrganizationsNotDone: Not done: globex ({called}).")
    with pytest.raises(RuntimeError, match=f"{named}$"):
        rehearsal.run()
    # Not tried again: the function has told of it, and the next schedule comes.
    assert [len(rehearsal.asked(each)) for each in ("acme", "globex", "initech")] == [1, 1, 2]


@pytest.mark.parametrize("status", ["succeeded", "succeeded_with_errors", "parked", "skipped"])
def test_what_has_a_notice_of_its_own_is_no_failure(rehearsal: Rehearsal, status: str) -> None:
    rehearsal.script({"acme": [status]})
    assert [outcome["status"] for outcome in rehearsal.run()] == [status]
    assert len(rehearsal.asked("acme")) == 1


def test_the_full_import_waits_for_another_run_and_the_incremental_one_does_not(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["skipped", "skipped", "succeeded"]})
    assert [outcome["status"] for outcome in rehearsal.run("full")] == ["succeeded"]
    assert rehearsal.asked("acme") == 3 * [{"organization": "acme", "mode": "full", "by": "schedule"}]
    rehearsal.script({"initech": ["skipped", "succeeded"], "acme": ["succeeded"]})
    assert [outcome["status"] for outcome in rehearsal.run("incremental")] == ["succeeded", "skipped"]


def test_the_full_import_waits_an_hour_and_no_longer(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["skipped"]})
    assert [outcome["status"] for outcome in rehearsal.run("full")] == ["skipped"]
    assert len(rehearsal.asked("acme")) == 12


def test_a_run_that_is_not_done_after_a_day_is_a_failure(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["continue"]})
    with pytest.raises(RuntimeError, match=r"Not done: acme \(continue\)\.$"):
        rehearsal.run("full")
    assert len(rehearsal.asked("acme")) == 24 * 4  # quarters of an hour


def test_more_organizations_than_one_page_holds_are_all_imported(rehearsal: Rehearsal) -> None:
    names = [f"organization-{number}" for number in range(2 * PAGE + 1)]
    rehearsal.script({name: ["succeeded"] for name in names} | {names[0]: ["fault"], names[-1]: ["rejected"]})
    with pytest.raises(RuntimeError, match=r"Not done: organization-0 \(Unavailable\)\.$"):
        rehearsal.run("full")
    ended = rehearsal.ended("scheduled", 3)
    # A page is an execution of its own; what was asked for is asked for on every page.
    assert [each["status"] for each in ended] == ["FAILED", "SUCCEEDED", "FAILED"]
    assert ended[-1]["cause"] == f"Not done: {names[-1]} (rejected)."
    for name in names:
        assert rehearsal.asked(name) == [{"organization": name, "mode": "full", "by": "schedule"}]


def test_what_is_kept_of_an_execution_does_not_grow_with_organizations_and_names_nobody(
    rehearsal: Rehearsal,
) -> None:
    names = [f"organization-{number}" for number in range(PAGE)]
    rehearsal.script({name: ["continue", "succeeded"] for name in names[:1]})
    rehearsal.run()
    alone = rehearsal.history("scheduled")
    rehearsal.script({name: ["continue", "succeeded"] for name in names})
    rehearsal.run()
    assert len(rehearsal.history("scheduled")) == len(alone)
    # The function answers what it was asked and more; the workflow takes up what it needs.
    assert "secret" not in json.dumps(rehearsal.history("scheduled"), default=str)


def test_with_an_organization_in_the_input_it_is_that_one_alone(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["continue", "succeeded"], "globex": ["succeeded"]})
    [outcome] = rehearsal.push(organization="acme", run_id="run-1")
    assert outcome == {"organization": "acme", "status": "succeeded", "run_id": "run-1"}
    assert rehearsal.asked("acme") == 2 * [{"organization": "acme", "run_id": "run-1", "by": "schedule"}]
    assert rehearsal.asked("globex") == []


# ── Pushes ───────────────────────────────────────────────────────────────────────────────────────


def test_every_organization_with_something_to_push_is_pushed_and_no_other(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["continue", "succeeded"]})
    rehearsal.enter("acme", scheduled=False, pushed=True)
    rehearsal.enter("globex", scheduled=True, pushed=False)
    # As settings were saved before there were pushes.
    rehearsal.enter("initech", scheduled=True)
    assert rehearsal.push() == [{"organization": "acme", "status": "succeeded", "run_id": "run-1"}]
    first = {"organization": "acme", "by": "schedule"}
    assert rehearsal.asked("acme") == [first, first | {"run_id": "run-1"}]
    assert rehearsal.asked("globex") == rehearsal.asked("initech") == []


def test_a_push_that_meets_another_run_is_left_to_the_next_schedule(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["skipped", "succeeded"]})
    rehearsal.enter("acme", scheduled=True, pushed=True)
    assert [outcome["status"] for outcome in rehearsal.push()] == ["skipped"]
    assert len(rehearsal.asked("acme")) == 1


def test_whoever_the_input_says_asks_it_is_the_schedule(rehearsal: Rehearsal) -> None:
    rehearsal.script({"acme": ["succeeded"]})
    rehearsal.enter("acme", pushed=True)
    rehearsal.push(by="eve", preview=True)
    assert rehearsal.asked("acme") == [{"organization": "acme", "by": "schedule", "preview": True}]


# ── The deployed whole ───────────────────────────────────────────────────────────────────────────


def test_a_change_whose_message_was_lost_is_made_good_by_the_next_import(
    stack: LocalStack, delivery: SalesforceAdmin, people: People, roster: Roster
) -> None:
    delivery.delivery(hold=True)
    ada = people.new()
    assert roster.people(ada.username) == []
    [outcome] = stack.run_state_machine("ScheduledImport", mode="full")["organizations"]
    assert outcome["organization"] == "acme"
    assert outcome["status"] in ("succeeded", "succeeded_with_errors")
    [member] = roster.people(ada.username, active=True)
    assert member["crm"]["salesforce"]["id"] == ada.id
    told = stack.invoke("RosterQueryFunction", action="run", run_id=outcome["run_id"])
    assert (told["run"]["mode"], told["run"]["by"]) == ("full", "schedule")


def test_the_schedules_start_the_workflows_with_their_input(stack: LocalStack) -> None:
    scheduler, states = stack.client("scheduler"), stack.client("stepfunctions")
    machines = stack.facts["state_machines"]

    def inputs() -> list[Any]:
        executions = [
            execution
            for machine in machines.values()
            for execution in states.list_executions(stateMachineArn=machine)["executions"]
        ]
        described = (states.describe_execution(executionArn=each["executionArn"]) for each in executions)
        return [json.loads(each["input"]) for each in described if each["status"] != "RUNNING"]

    logical = ("ScheduledImportFullImport", "ScheduledImportIncrementalImport", "ScheduledPushPush")
    names = [stack.resource(each) for each in logical]
    schedules = [scheduler.get_schedule(Name=name) for name in names]
    assert [schedule["State"] for schedule in schedules] == ["DISABLED"] * 3
    kept = ("Name", "FlexibleTimeWindow", "ScheduleExpression", "Target", "State")
    before = inputs()
    try:
        for schedule in schedules:
            # A moment that has passed: the emulator starts it at once, and only once.
            now = {"State": "ENABLED", "ScheduleExpression": "at(2020-01-01T00:00:00)"}
            scheduler.update_schedule(**{name: schedule[name] for name in kept} | now)
        wait_until(lambda: len(inputs()) >= len(before) + 3, "three executions", seconds=PATIENCE_S)
    finally:
        for schedule in schedules:
            scheduler.update_schedule(**{name: schedule[name] for name in kept})
    for started in ({"mode": "full"}, {"mode": "incremental"}, {}):
        assert inputs().count(started) > before.count(started)
