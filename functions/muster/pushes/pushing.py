"""Pushes: what is pending in the roster is sent to Vault CRM, and only that (P1 to P6).

A run gathers who is due and how Vault CRM shows them, decides, sends under the organization's lease, and
reads what comes of it. `muster.push_steps` is that work, `muster.running` what can be asked of any run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster.errors import Problem, Rejected
from muster.lease import Lease
from muster.pushes.ports import Ports
from muster.pushes.steps import Steps
from muster.runs.answer import Answer
from muster.runs.run import Run
from muster.runs.running import Running
from muster.settings.mappings import pushed_features
from muster.settings.versions import StoredSettings
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class Pushing:
    """Pushes of one organization, with the settings in force.

    `now` answers the time (aware), `remaining` the seconds that are left of the invocation.
    """

    stored: StoredSettings
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    @property
    def runs(self) -> Running:
        """What can be asked of runs that are there."""
        return Running(
            self.stored,
            "push",
            "vault_crm",
            self.ports.runs,
            self.ports.roster,
            lambda clock: Steps(self.ports, clock, self.stored.settings),
            self.now,
            self.remaining,
        )

    def start(self, by: str | None, *, preview: bool = False) -> Answer:
        """Begin a push and work on it, or go on with one that died while it was sending.

        Raises `Rejected` as `Running.begin` does, and where nothing is managed (G1).
        """
        if not pushed_features(self.stored.settings):
            raise Rejected(
                Problem(
                    "connections.vault_crm.manage_features",
                    "names no feature, so nothing is pushed",
                    "Add engage, engage_connect or both, once an import has filled the groups.",
                )
            )

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            return Run(
                id=run_id,
                organization=lease.organization,
                mode="push",
                kind="push",
                by=by,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                settings_version=self.stored.version,
            )

        return self.runs.begin(by, new)
