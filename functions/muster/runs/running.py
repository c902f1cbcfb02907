"""Runs of any kind: begun under the organization's lease, resumed, approved, rejected (I5, I7, I8).

What a run does is its `Job` (`imports.steps`, `pushes.steps`), and `work` does it step by step.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import Incomplete, MusterError, NotFound, Problem, Rejected, Stale
from muster.lease import Lease, LeaseHeld
from muster.runs.answer import Ended, RunAnswer
from muster.runs.clock import OutOfTime, RunClock
from muster.runs.closing import RunCloser, is_half_done
from muster.runs.kinds import RunKind, kind_of
from muster.runs.parking import (
    close_parked,
    moved,
    require_parked,
    require_second_person,
)
from muster.runs.ports import Job, RunPorts, Runs
from muster.runs.run import Phase, Run, Status
from muster.runs.work import Work
from muster.settings.versions import StoredSettings
from muster.times import timestamp

# Longer than a function can live, so that a lease never expires under one that still works.
LEASE_S = 960
# `by` of a run that a schedule started.
SCHEDULE = "schedule"


class AtWork(Rejected):
    """Another run is at work on the organization (I7); `run` is its id."""

    def __init__(self, run: str) -> None:
        remedy = "Wait until it has ended; RosterQueryFunction shows it (run)."
        super().__init__(Problem("organization", f"has a run at work: {run}", remedy))
        self.run = run


@dataclass(frozen=True, slots=True)
class Running:
    """What can be asked of an organization's runs that one function begins, with the settings in force.

    `kind` is what it begins; runs of other kinds with the same function are resumed and approved here, too.
    `job` makes the job of a run for one invocation. `now` returns the time (aware), `remaining` the seconds
    left of the invocation, whose id is `request_id`. With `hand_over`, a run that is begun or approved is
    handed over to a workflow, which resumes it, and answered at once.
    """

    stored: StoredSettings
    kind: RunKind
    ports: RunPorts
    job: Callable[[Run, RunClock], Job[Any]]
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    hand_over: Callable[[Run], None] | None = None
    request_id: str | None = None

    @property
    def runs(self) -> Runs:
        """The run table."""
        return self.ports.runs

    # ── What admins and schedules ask for ────────────────────────────────────────────────────────

    def take(self, run_id: str) -> Lease:
        """Return the organization's lease for a run; raises `Rejected` if another run is at work (I7)."""
        try:
            return self.runs.take(self.stored.organization, run_id, self.now().timestamp(), LEASE_S)
        except LeaseHeld as held:
            raise AtWork(held.run) from held

    def begin(self, by: str, new: Callable[[str, datetime, Lease], Run]) -> RunAnswer:
        """Begin the run that `new` makes (of an id, now and the lease) and work on it.

        Raises `Rejected` if another run is at work, unless a schedule started this one: it is skipped (I7).
        """
        at = self.now()
        run_id = new_id(at)
        try:
            lease = self.runs.take(self.stored.organization, run_id, at.timestamp(), LEASE_S)
        except LeaseHeld as held:
            if by == SCHEDULE:
                message = f"Run {held.run} is still at work."
                return RunAnswer(ended=Ended.SKIPPED, message=message, run_id=held.run)
            raise AtWork(held.run) from held
        if half_done := self.bury_the_dead(lease):
            self.runs.release(lease)
            return self._gone_on_with(half_done, by)
        run = new(run_id, at, lease)
        self.runs.save(run, lease)
        return self._work(run, lease)

    def _gone_on_with(self, run: Run, by: str) -> RunAnswer:
        if self.hand_over:
            return self.resume(run.id)
        try:
            run, lease = self._taken_up(run.id)
        except Rejected as error:
            if by != SCHEDULE:
                raise
            # Another invocation has resumed or ended it at this moment.
            return RunAnswer(ended=Ended.SKIPPED, message=f"{error}.", run_id=run.id)
        return self._resumed(run, lease)

    def resume(self, run_id: str) -> RunAnswer:
        """Resume a run that answered `continue`, or that died."""
        if self.hand_over:
            run = self._running(run_id)
            self.hand_over(run)
            return _handed_over(run)
        return self._resumed(*self._taken_up(run_id))

    def _taken_up(self, run_id: str) -> tuple[Run, Lease]:
        """Return a run that is not at work, and its lease; raises `Rejected`."""
        self._running(run_id)
        lease = self.take(run_id)
        # Another invocation may have taken it further, or to its end, until now.
        return self._unless_refused(lease, lambda: self._running(run_id)), lease

    def _resumed(self, run: Run, lease: Lease) -> RunAnswer:
        if run.settings_version != self.stored.version and not is_half_done(run):
            error = Incomplete("the settings have changed since it began")
            self.fail(run.id, lease, error)
            raise error
        return self._work(run, lease, resumed=True)

    def approve(self, run_id: str, by: str, plan_hash: str | None = None) -> RunAnswer:
        """Approve a parked run: gather and plan again, and apply the plan if it is still the same (I5)."""
        run = self._parked(run_id, "approve")
        require_second_person(run, by, self.stored.settings.guard)
        if plan_hash not in (None, run.plan_hash):
            raise Rejected(
                Problem("plan_hash", "is not that of the run's plan", "Look at the run's plan again.")
            )
        if run.settings_version != self.stored.version:
            self._close(run, "The settings have changed since.")
            raise Rejected(moved("the settings have changed since"))
        lease = self.take(run_id)
        if self._run(run_id, "approve").status is Status.RUNNING:
            # Someone else approved it at this moment, and their lease is ours now: resume it for both.
            return self.resume(run_id)
        run = self._unless_refused(lease, lambda: self._approved(run_id, by, lease))
        return self._work(run, lease)

    def reject(self, run_id: str, by: str) -> RunAnswer:
        """Reject a parked run; nothing of it is applied."""
        run = self._parked(run_id, "reject")
        decided = replace(run, rejected_by=by, decided_request_id=self.request_id)
        self._close(decided, "Rejected by an admin.")
        message = (
            f"Run {run_id} is rejected; nothing was changed."
            f" Correct what led to it before the next {kind_of(run).next}."
        )
        return RunAnswer(ended=Ended.REJECTED, message=message, run_id=run_id)

    # ── The work ─────────────────────────────────────────────────────────────────────────────────

    def clock(self, lease: Lease) -> RunClock:
        """Return the clock of an invocation that works under this lease."""
        return RunClock(self.now, self.remaining, self.runs, lease, LEASE_S)

    def _work(self, run: Run, lease: Lease, *, resumed: bool = False) -> RunAnswer:
        clock = self.clock(lease)
        try:
            if self.hand_over:
                # The lease stays the run's own: nobody else begins one before the workflow takes it.
                self.hand_over(run)
                return _handed_over(run)
            return Work(self.job(run, clock), self.ports, clock).go_on(run, resumed=resumed)
        except OutOfTime:
            message = f"The run goes on when it is called again with run_id {run.id}."
            return RunAnswer(ended=Ended.CONTINUED, message=message, run_id=run.id)
        except MusterError as error:
            self.fail(run.id, clock.lease, error)
            raise

    def fail(self, run_id: str, lease: Lease, error: MusterError) -> None:
        """Record the failure once in the run log and, for admins, in the error log."""
        RunCloser(self.ports, self.now).fail(run_id, lease, error)

    def bury_the_dead(self, lease: Lease) -> Run | None:
        """Close the records of runs whose function died (I7); returns one to be resumed here instead."""
        half_done = RunCloser(self.ports, self.now).bury_the_dead(lease)
        return half_done if half_done and self._is_ours(half_done) else None

    # ── One run ──────────────────────────────────────────────────────────────────────────────────

    def _run(self, run_id: str, where: str) -> Run:
        run = self.runs.run(self.stored.organization, run_id)
        if run is None:
            remedy = "RosterQueryFunction lists them: runs."
            raise NotFound(Problem(where, "is not a run of this organization", remedy))
        return run

    def _running(self, run_id: str) -> Run:
        run = self._run(run_id, "run_id")
        if run.status is Status.PARKED:
            raise Rejected(Problem("run_id", "is a run that waits for approval", "Approve or reject it."))
        if run.status.ended:
            what = f"is a run that has ended ({run.status})"
            raise Rejected(Problem("run_id", what, f"Start a new {kind_of(run).next}."))
        self._require_ours(run, "run_id")
        return run

    def _parked(self, run_id: str, where: str) -> Run:
        run = self._run(run_id, where)
        again = (
            "Only a parked run can be approved or rejected."
            f" Start the {kind_of(run).next} again; it is planned anew."
        )
        if where == "approve":
            self._require_ours(run, where)
        require_parked(self.runs, run, where, self.now(), again)
        return run

    def _is_ours(self, run: Run) -> bool:
        return kind_of(run).function == self.kind.function

    def _require_ours(self, run: Run, where: str) -> None:
        if not self._is_ours(run):
            kind = kind_of(run)
            raise Rejected(Problem(where, f"is {kind.one}, not {self.kind.one}", kind.elsewhere(run)))

    def _approved(self, run_id: str, by: str, lease: Lease) -> Run:
        """Record that a parked run is approved, and return it as running; raises `Rejected`."""
        run = self._parked(run_id, "approve")
        run = replace(
            run,
            status=Status.RUNNING,
            phase=Phase.GATHER,
            attempt=run.attempt + 1,
            gathered_at=timestamp(self.now()),
            approved=run.plan_hash,
            approved_by=by,
            decided_request_id=self.request_id,
        )
        try:
            self.runs.save(run, lease)
        except Stale as error:
            raise Rejected(moved("someone else has rejected it meanwhile")) from error
        return run

    def _unless_refused(self, lease: Lease, read: Callable[[], Run]) -> Run:
        """Return the run that `read` returns; gives the lease back if it raises `Rejected`."""
        try:
            return read()
        except Rejected:
            self.runs.release(lease)
            raise

    def _close(self, run: Run, message: str) -> None:
        close_parked(self.runs, run, message, self.now())


def new_id(at: datetime) -> str:
    """Return a new run id; ids sort by start, and are unique even within a millisecond."""
    return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03d}-{secrets.token_hex(4)}"


def _handed_over(run: Run) -> RunAnswer:
    message = f"Run {run.id} has begun and goes on by itself; RosterQueryFunction shows how far it is (run)."
    return RunAnswer(ended=Ended.STARTED, message=message, run_id=run.id, mode=run.mode_or_kind)
