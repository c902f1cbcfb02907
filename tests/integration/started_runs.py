"""A state machine in moto, which keeps what it was started with; a test does what it would do."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

DEFINITION = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@dataclass(frozen=True)
class Workflow:
    """The state machine that the functions hand runs over to."""

    arn: str

    def started(self) -> list[dict[str, Any]]:
        """Return the inputs of the executions that were started."""
        states = boto3.client("stepfunctions")
        executions = states.list_executions(stateMachineArn=self.arn)["executions"]
        return [
            json.loads(states.describe_execution(executionArn=each["executionArn"])["input"])
            for each in executions
        ]


def made(monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """Make the state machine, and tell the functions of it."""
    arn = boto3.client("stepfunctions").create_state_machine(
        name="runs",
        definition=json.dumps(DEFINITION),
        roleArn="arn:aws:iam::123456789012:role/workflow",
    )["stateMachineArn"]
    monkeypatch.setenv("WORKFLOW_ARN", arn)
    return Workflow(arn)
