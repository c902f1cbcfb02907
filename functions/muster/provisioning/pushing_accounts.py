"""Starts pushes to apps: members' accounts are brought in line with the roster (O2, O3).

`steps` has the steps of a push; what can be asked of any run is in `muster.runs.running`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster.lease import Lease
from muster.provisioning.ports import AppPorts
from muster.provisioning.steps import AppJob
from muster.runs.answer import RunAnswer
from muster.runs.kinds import PUSH, push_to
from muster.runs.run import Run
from muster.runs.running import Running
from muster.settings.target_connection import TargetConnection
from muster.settings.versions import StoredSettings
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class AppPushing:
    """Pushes of one organization to one app, with the settings in force.

    `now` returns the time (aware), `remaining` the seconds left in the invocation, whose id is
    `request_id`. With `hand_over`, what is begun or approved is handed over to a workflow.
    """

    stored: StoredSettings
    connection: TargetConnection
    ports: AppPorts
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    hand_over: Callable[[Run], None] | None = None
    request_id: str | None = None

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs."""
        return Running(
            self.stored,
            push_to(self.connection.key),
            self.ports.of_runs,
            lambda _, clock: AppJob(self.ports, clock, self.stored.settings, self.connection),
            self.now,
            self.remaining,
            self.hand_over,
            self.request_id,
        )

    def start(self, by: str, *, preview: bool = False) -> RunAnswer:
        """Begin a push and work on it; raises `Rejected` as `Running.begin` does."""

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            return Run(
                id=run_id,
                organization=lease.organization,
                kind=PUSH.name,
                app=self.connection.key,
                by=by,
                request_id=self.request_id,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                settings_version=self.stored.version,
            )

        return self.runs.begin(by, new)
