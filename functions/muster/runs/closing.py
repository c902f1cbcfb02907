"""Closes runs that did not come to their end: those that failed, and those whose function died (I7, I8).

A run that had begun to send is left open: what it sent last must be read back before anything is sent again,
and the run that goes on with it does that (P5).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from muster.error_log import entry_of, what_to_do
from muster.errors import MusterError, Problem, Stale
from muster.lease import Lease
from muster.runs.kinds import kind_of
from muster.runs.parking import LONGEST_RUN
from muster.runs.ports import RunPorts
from muster.runs.run import Phase, Run, Status
from muster.times import timestamp

# Only one run works at a time, so at most one is left dead, and the next run finds it among the latest.
_LATEST = 20


@dataclass(frozen=True, slots=True)
class RunCloser:
    """Closes runs under a lease; `now` returns the time (aware)."""

    ports: RunPorts
    now: Callable[[], datetime]

    def fail(self, run_id: str, lease: Lease, error: MusterError) -> None:
        """Record the failure once in the run log and, for admins, in the error log."""
        runs = self.ports.runs
        if isinstance(error, Stale):
            # Where the run was ended by someone else, the lease is still ours.
            runs.release(lease)
            return
        run = runs.run(lease.organization, run_id)
        if run is None or run.status.ended:
            return
        following = f"The next {kind_of(run).next}"
        if is_half_done(run) and run.started_at > timestamp(self.now() - LONGEST_RUN):
            self._log_failure(run, error, f"{following} goes on with it")
            runs.release(lease)
            return
        at = timestamp(self.now())
        so_far = "Nobody was changed" if run.phase is Phase.GATHER else "What was applied stays"
        message, errors = f"{so_far}: {error}", max(run.errors, 1)
        ended = replace(
            run, status=Status.FAILED, finished_at=at, updated_at=at, message=message, errors=errors
        )
        self._log_failure(run, error, f"{following} starts anew. {so_far}")
        runs.finish(ended, lease, None)

    def _log_failure(self, run: Run, error: MusterError, then: str) -> None:
        kind = kind_of(run)
        entry = entry_of(
            Problem("", str(error), f"{what_to_do(error)}. {then}."),
            at=timestamp(self.now()),
            system=kind.system,
            code=kind.failed,
            notification=run.id,
        )
        self.ports.log.park(run.organization, [entry], self.now().timestamp())

    def bury_the_dead(self, lease: Lease) -> Run | None:
        """Close the records of runs whose function died: their lease has expired, for it is ours now (I7).

        Returns one that had begun to send, which is not closed but to be resumed.
        """
        latest, _ = self.ports.runs.runs(lease.organization, _LATEST, None)
        at = timestamp(self.now())
        half_done = None
        for run in latest:
            if run.status is not Status.RUNNING or run.id == lease.run:
                continue
            if is_half_done(run):
                half_done = run
                continue
            message = "It stopped without recording why; a newer run took over."
            self.ports.runs.save(replace(run, status=Status.FAILED, finished_at=at, message=message), lease)
        return half_done


def is_half_done(run: Run) -> bool:
    """Whether a run has begun to send, and must go on whatever happens."""
    return kind_of(run).resumed_when_half_done and run.phase is not Phase.GATHER
