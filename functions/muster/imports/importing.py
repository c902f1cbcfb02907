"""Starts imports: the roster follows all of Salesforce, or what changed there (I1 to I12).

A run gathers (pages into the archive), decides (a plan, which the guard may park), applies it (one
transaction a member, under the run's lease) and notifies managers. `steps` does that work; what can be
asked of any run is in `muster.runs.running`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster.errors import Incomplete, MusterError, Problem, Rejected
from muster.imports.ports import Ports
from muster.imports.steps import OVERLAP, Steps
from muster.lease import Lease
from muster.runs.answer import RunAnswer
from muster.runs.clock import OutOfTime, RunClock
from muster.runs.run import ImportState, Mode, Run
from muster.runs.running import Running, new_id
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.settings.versions import StoredSettings
from muster.times import earlier, timestamp


@dataclass(frozen=True, slots=True)
class Importing:
    """Imports of one organization, with the settings in force.

    `now` returns the time (aware), `remaining` the seconds left in the invocation.
    """

    stored: StoredSettings
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs."""
        return Running(
            self.stored,
            "import",
            "salesforce",
            self.ports.runs,
            self.ports.roster,
            lambda clock: Steps(self.ports, clock, self.stored.settings),
            self.now,
            self.remaining,
        )

    def start(
        self, mode: Mode, by: str | None, *, preview: bool = False, crm_ids: tuple[str, ...] = ()
    ) -> RunAnswer:
        """Begin a run and work on it; an incremental one becomes full if everyone must be evaluated.

        Raises `Rejected` as `Running.begin` does, and unless it is a preview, if `auto_provision.enabled`
        is off (W9).
        """
        if not preview and not self.stored.settings.auto_provision.enabled:
            remedy = "Switch it on in the settings; a preview is possible without."
            raise Rejected(Problem("auto_provision.enabled", "is off, so nothing is imported", remedy))

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            state = self.ports.runs.state(lease.organization)
            full = state.watermark is None or self._settings_have_changed(state)
            since = None if full else earlier(state.watermark or "", OVERLAP)
            return Run(
                id=run_id,
                organization=lease.organization,
                mode="full" if mode == "incremental" and full else mode,
                by=by,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                members=crm_ids,
                since=since if mode == "incremental" else None,
                settings_version=self.stored.version,
            )

        return self.runs.begin(by, new)

    def preview_settings(self, settings: Settings, by: str) -> tuple[Run, RunAnswer]:
        """Return what evaluating everyone with other settings would change (S2).

        The settings must be this organization's and are not saved. A run that trips the guard is parked.
        Raises as `start` does.
        """
        at = self.now()
        run_id = new_id(at)
        lease = self.runs.take(run_id)
        self.runs.bury_the_dead(lease)
        run = Run(
            id=run_id,
            organization=self.stored.organization,
            mode="full",
            kind="settings",
            by=by,
            preview=True,
            started_at=timestamp(at),
            gathered_at=timestamp(at),
            settings_version=self.stored.version,
        )
        self.ports.runs.save(run, lease)
        return self._previewed(run, self.runs.clock(lease), settings)

    def _previewed(self, run: Run, clock: RunClock, settings: Settings) -> tuple[Run, RunAnswer]:
        try:
            return Steps(self.ports, clock, settings).preview(run)
        except OutOfTime:
            error = Incomplete("there was not enough time to evaluate everyone")
            self.runs.fail(run.id, clock.lease, error)
            raise error from None
        except MusterError as error:
            self.runs.fail(run.id, clock.lease, error)
            raise

    def _settings_have_changed(self, state: ImportState) -> bool:
        return state.evaluated_with != settings_digest(self.stored.settings)
