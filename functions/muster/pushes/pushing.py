"""Starts pushes: only what is pending in the roster is sent to Vault CRM (P1 to P6).

A run gathers the members who are due and their users in Vault CRM, decides, sends under the organization's
lease, and reads the outcome. `steps` has these steps; what can be asked of any run is in
`muster.runs.running`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster.errors import Problem, Rejected
from muster.lease import Lease
from muster.pushes.ports import Ports
from muster.pushes.steps import PushJob
from muster.runs.answer import RunAnswer
from muster.runs.kinds import PUSH
from muster.runs.run import Run
from muster.runs.running import Running
from muster.settings.mappings import is_pushed
from muster.settings.versions import StoredSettings
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class Pushing:
    """Pushes of one organization, with the settings in force.

    `now` returns the time (aware), `remaining` the seconds left in the invocation, whose id is
    `request_id`. With `hand_over`, what is begun or approved is handed over to a workflow.
    """

    stored: StoredSettings
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    hand_over: Callable[[Run], None] | None = None
    request_id: str | None = None

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs."""
        return Running(
            self.stored,
            PUSH,
            self.ports.of_runs,
            lambda _, clock: PushJob(self.ports, clock, self.stored.settings),
            self.now,
            self.remaining,
            self.hand_over,
            self.request_id,
        )

    def start(self, by: str, *, preview: bool = False) -> RunAnswer:
        """Begin a push and work on it, or resume one that died while it was sending.

        Raises `Rejected` as `Running.begin` does, and if no feature is managed (G1).
        """
        if not is_pushed(self.stored.settings):
            raise Rejected(
                Problem(
                    "connections.vault_crm.manage_features",
                    "names no feature, and no custom mapping writes a field, so nothing is pushed",
                    "Add engage, engage_connect or both, once an import has filled the groups.",
                )
            )

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            return Run(
                id=run_id,
                organization=lease.organization,
                kind=PUSH.name,
                by=by,
                request_id=self.request_id,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                settings_version=self.stored.version,
            )

        return self.runs.begin(by, new)
