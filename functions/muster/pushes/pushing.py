"""Starts pushes: only what has changed in the roster is sent to one system, under the lease (P1 to P6, O2).

`steps` has the steps of a push; what can be asked of any run is in `muster.runs.running`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.lease import Lease
from muster.pushes.ports import Target
from muster.pushes.steps import PushJob
from muster.runs.answer import RunAnswer
from muster.runs.clock import RunClock
from muster.runs.kinds import PUSH, push_to
from muster.runs.ports import RunPorts
from muster.runs.run import Run
from muster.runs.running import Running
from muster.settings.versions import StoredSettings
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class Pushing:
    """Pushes of one organization to one system, with the settings in force.

    `target` makes it for one invocation; `app` is the connection of the app it is (`scim.gong`), `None` for
    Vault CRM. `now` returns the time (aware), `remaining` the seconds left in the invocation, whose id is
    `request_id`. With `hand_over`, what is begun or approved is handed over to a workflow.
    """

    stored: StoredSettings
    ports: RunPorts
    target: Callable[[RunClock], Target[Any, Any]]
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    hand_over: Callable[[Run], None] | None = None
    request_id: str | None = None
    app: str | None = None

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs."""
        return Running(
            self.stored,
            push_to(self.app) if self.app else PUSH,
            self.ports,
            lambda _, clock: PushJob(self.target(clock), self.stored.settings, self.ports.runs),
            self.now,
            self.remaining,
            self.hand_over,
            self.request_id,
        )

    def start(self, by: str, *, preview: bool = False, compares: bool = False) -> RunAnswer:
        """Begin a push and work on it, or resume one that died while it was sending.

        One that `compares` brings an app back to what was sent, once somebody has approved that.

        Raises `Rejected` as `Running.begin` does.
        """

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            return Run(
                id=run_id,
                organization=lease.organization,
                kind=PUSH.name,
                app=self.app,
                compares=compares or None,
                by=by,
                request_id=self.request_id,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                settings_version=self.stored.version,
            )

        return self.runs.begin(by, new)
