"""Starts undos: what a run changed is put back, planned, guarded and parked like any run (Q2, I5).

`steps` has what an undo does; what can be asked of any run is in `muster.runs.running`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import NotFound, Problem, Rejected
from muster.lease import Lease
from muster.runs.answer import RunAnswer
from muster.runs.clock import RunClock
from muster.runs.kinds import UNDO
from muster.runs.ports import Job
from muster.runs.run import Run
from muster.runs.running import Running
from muster.times import timestamp
from muster.undo import undoable_runs
from muster.undo.gathering import after, entries_of
from muster.undo.ports import Ports
from muster.undo.steps import UndoJob


@dataclass(frozen=True, slots=True)
class Undoing:
    """Undos of one organization in a function, beside the runs that it begins: `begun_here`."""

    begun_here: Running
    ports: Ports

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs, undos among them."""

        def job(run: Run, clock: RunClock) -> Job[Any]:
            if run.kind == UNDO.name:
                return UndoJob(self.ports, clock, self.begun_here.stored.settings)
            return self.begun_here.job(run, clock)

        return replace(self.begun_here, job=job)

    def start(self, run_id: str, by: str, *, preview: bool = False) -> RunAnswer:
        """Begin the undo of a run and work on it.

        Raises `Rejected` as `Running.begin` does, and where there is nothing that can be undone, or not here.
        """
        stored = self.begun_here.stored
        target = self.ports.runs.run(stored.organization, run_id)
        if target is None:
            remedy = "RosterQueryFunction lists them: runs."
            raise NotFound(Problem("undo", "is not a run of this organization", remedy))
        if problem := undoable_runs.refusal(target, self.begun_here.kind):
            raise Rejected(problem)
        if self.ports.salesforce and not preview and not stored.settings.auto_provision.enabled:
            remedy = "Switch it on in the settings; a preview is possible without."
            raise Rejected(Problem("auto_provision.enabled", "is off, so nobody is let in or closed", remedy))
        self._require_history(target)

        def new(undo_id: str, at: datetime, lease: Lease) -> Run:
            return Run(
                id=undo_id,
                organization=lease.organization,
                kind=UNDO.name,
                by=by,
                request_id=self.begun_here.request_id,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                settings_version=stored.version,
                undoes=run_id,
                undoes_kind=undoable_runs.kind_undone(target),
            )

        return self.runs.begin(by, new)

    def _require_history(self, target: Run) -> None:
        """Raise `Rejected` unless the journal has something that the run changed."""
        until = after(target.finished_at or timestamp(self.begun_here.now()))
        if next(iter(entries_of(self.ports, target, until)), None) is None:
            begins = self.ports.journal.begins(target.organization)
            raise Rejected(undoable_runs.changed_nobody(target, begins))
