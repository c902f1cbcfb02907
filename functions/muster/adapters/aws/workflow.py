"""The state machine that goes on with a run until it is done (I12)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from muster.adapters.aws.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from muster.runs.run import Run


class Workflow:
    """The state machine of imports, or of pushes."""

    def __init__(self, client: SFNClient, arn: str) -> None:
        """Start executions of the state machine with that ARN."""
        self._client = client
        self._arn = arn

    def go_on_with(self, run: Run) -> None:
        """Start an execution that goes on with the run; raises `Unavailable` or `Misconfigured`.

        Its name is that of the run's attempt, so that a repeated call starts none beside it.
        """
        event = {"organization": run.organization, "run_id": run.id}
        with translated("Step Functions"):
            try:
                self._client.start_execution(
                    stateMachineArn=self._arn, name=f"{run.id}-{run.attempt}", input=json.dumps(event)
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                # The answer to an earlier try was lost, and the execution has ended since.
                return
