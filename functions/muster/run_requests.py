"""What events about runs share, of imports and of pushes: a preview, or a word on a run that is there."""

from typing import Any, Self

from pydantic import model_validator

from muster.admin_requests import Event, RunId
from muster.running import Running
from muster.validation import refused


class RunRequest(Event):
    """One event: a run to begin, if only as a preview, or one to go on with, to approve or to reject."""

    preview: bool = False
    run_id: RunId | None = None
    approve: RunId | None = None
    reject: RunId | None = None
    plan_hash: str | None = None

    @property
    def names_a_run(self) -> bool:
        """Whether it is about a run that is there."""
        return bool(self.run_id or self.approve or self.reject)

    @model_validator(mode="after")
    def _about_one_run(self) -> Self:
        if sum(map(bool, [self.run_id, self.approve, self.reject])) > 1:
            raise refused("asks for several things at once", "Say one of run_id, approve and reject.")
        if self.preview and self.names_a_run:
            raise refused(
                "has preview for a run that is there", "Preview goes without run_id, approve and reject."
            )
        if self.plan_hash and not self.approve:
            raise refused("has plan_hash without a run to approve", "It goes with approve.")
        return self

    def done_with(self, runs: Running) -> dict[str, Any] | None:
        """Do what is asked about a run that is there; `None`: a new one is asked for."""
        if self.run_id:
            return runs.resume(self.run_id)
        if self.approve:
            return runs.approve(self.approve, self.by, self.plan_hash)
        if self.reject:
            return runs.reject(self.reject, self.by)
        return None
