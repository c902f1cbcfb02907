"""Imports: the roster brought in line with all of Salesforce, or with what changed there (I1 to I12).

A run gathers (pages into the archive), decides (a plan, which the guard may park), applies it (one
transaction a member, under the run's lease) and tells managers. `muster.import_steps` is that work;
here is what admins and schedules may ask for: start, go on, approve, reject, preview.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.errors import Incomplete, MusterError, NotFound, Problem, Rejected, Stale
from muster.import_ports import Ports
from muster.import_steps import Answer, Steps, close_parked, moved, settings_digest, text_of
from muster.model import LogEntry
from muster.run_clock import OutOfTime, RunClock
from muster.runs import ImportState, Lease, LeaseHeld, Mode, Phase, Run, Status
from muster.settings import Settings
from muster.settings.versions import StoredSettings

# Longer than a function can live, so that a lease never expires under one that still works.
LEASE_S = 960
# Records are committed late with an earlier SystemModstamp, and clocks differ.
OVERLAP = timedelta(minutes=10)
# Who asks, when nobody does.
SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Importing:
    """Imports of one organization, with the settings in force.

    `now` answers the time (aware), `remaining` the seconds that are left of the invocation.
    """

    stored: StoredSettings
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    # ── What admins and schedules ask for ────────────────────────────────────────────────────────

    def start(
        self, mode: Mode, by: str | None, *, preview: bool = False, crm_ids: tuple[str, ...] = ()
    ) -> Answer:
        """Begin a run and work on it; an incremental one becomes full where everyone has to be looked at.

        Raises `Rejected` where another run is at work, unless a schedule asks: then it is skipped (I7);
        and, but for a preview, where `auto_provision.enabled` is off (W9).
        """
        if not preview and not self.stored.settings.auto_provision.enabled:
            remedy = "Switch it on in the settings; a preview is possible without."
            raise Rejected(Problem("auto_provision.enabled", "is off, so nothing is imported", remedy))
        organization = self.stored.organization
        at = self.now()
        run_id = _new_id(at)
        try:
            lease = self.ports.runs.take(organization, run_id, at.timestamp(), LEASE_S)
        except LeaseHeld as held:
            if by == SCHEDULE:
                return {
                    "status": "skipped",
                    "message": f"Run {held.run} is still at work.",
                    "run_id": held.run,
                }
            raise Rejected(_at_work(held.run)) from held
        self._bury_the_dead(lease)
        state = self.ports.runs.state(organization)
        if mode == "incremental" and (state.watermark is None or self._must_look_at_everyone(state)):
            mode = "full"
        run = Run(
            id=run_id,
            organization=organization,
            mode=mode,
            by=by,
            preview=preview,
            started_at=text_of(at),
            gathered_at=text_of(at),
            members=crm_ids,
            since=_before(state.watermark, OVERLAP) if mode == "incremental" and state.watermark else None,
            settings_version=self.stored.version,
        )
        self.ports.runs.save(run, lease)
        return self._work(run, lease)

    def resume(self, run_id: str) -> Answer:
        """Go on with a run that answered `continue`, or that died."""
        self._running(run_id)
        lease = self._take(run_id)
        # Whoever worked on it until now may have brought it further, or to its end.
        run = self._unless_refused(lease, lambda: self._running(run_id))
        if run.settings_version != self.stored.version:
            error = Incomplete("the settings have changed since it began")
            self._fail(run_id, lease, error)
            raise error
        return self._work(run, lease, resumed=True)

    def approve(self, run_id: str, by: str | None, plan_hash: str | None = None) -> Answer:
        """Let a parked run pass: gather and plan anew, and apply it if that is still the same plan (I5)."""
        run = self._parked(run_id, "approve")
        if run.kind == "settings":
            remedy = 'Put the same settings again with {"approve": "<run id>"}.'
            raise Rejected(Problem("approve", "is a change of settings, not an import", remedy))
        if plan_hash not in (None, run.plan_hash):
            raise Rejected(
                Problem("plan_hash", "is not that of the run's plan", "Look at the run's plan again.")
            )
        if run.settings_version != self.stored.version:
            self._close(run, "The settings have changed since.")
            raise Rejected(moved("the settings have changed since"))
        lease = self._take(run_id)
        if self._run(run_id, "approve").status is Status.RUNNING:
            # Someone else approved it this very moment, and their lease is ours now: go on for both.
            return self.resume(run_id)
        run = self._unless_refused(lease, lambda: self._approved(run_id, by, lease))
        return self._work(run, lease)

    def reject(self, run_id: str, by: str | None) -> Answer:
        """Put a parked run aside; nothing of it is applied."""
        run = self._parked(run_id, "reject")
        self._close(replace(run, by=by or run.by), "Rejected by an admin.")
        return {
            "message": f"Run {run_id} is rejected; nothing was changed."
            " Mend what led to it before the next import.",
            "run_id": run_id,
        }

    def preview_settings(self, settings: Settings, by: str) -> tuple[Run, Answer]:
        """Return what evaluating everyone with other settings would change (S2).

        They must be this organization's and are not saved; a run that trips the guard is parked. Raises
        as `start` does.
        """
        at = self.now()
        run_id = _new_id(at)
        lease = self._take(run_id)
        self._bury_the_dead(lease)
        run = Run(
            id=run_id,
            organization=self.stored.organization,
            mode="full",
            kind="settings",
            by=by,
            preview=True,
            started_at=text_of(at),
            gathered_at=text_of(at),
            settings_version=self.stored.version,
        )
        self.ports.runs.save(run, lease)
        return self._previewed(run, lease, settings)

    # ── The work ─────────────────────────────────────────────────────────────────────────────────

    def _work(self, run: Run, lease: Lease, *, resumed: bool = False) -> Answer:
        clock = RunClock(self.now, self.remaining, self.ports.runs, lease, LEASE_S)
        work = Steps(self.ports, clock, self.stored.settings)
        try:
            if run.phase is Phase.GATHER:
                return work.gather_and_go_on(run, resumed=resumed)
            return work.apply(run)
        except OutOfTime:
            return {
                "status": "continue",
                "run_id": run.id,
                "message": f"The run goes on when it is called again with run_id {run.id}.",
            }
        except MusterError as error:
            self._fail(run.id, clock.lease, error)
            raise

    def _previewed(self, run: Run, lease: Lease, settings: Settings) -> tuple[Run, Answer]:
        clock = RunClock(self.now, self.remaining, self.ports.runs, lease, LEASE_S)
        try:
            return Steps(self.ports, clock, settings).preview(run)
        except OutOfTime:
            error = Incomplete("there was not enough time to look at everyone")
            self._fail(run.id, clock.lease, error)
            raise error from None
        except MusterError as error:
            self._fail(run.id, clock.lease, error)
            raise

    def _fail(self, run_id: str, lease: Lease, error: MusterError) -> None:
        """Record the failure, once: in the run log and, for admins, in the error log."""
        if isinstance(error, Stale):
            # Where the run was ended by someone else, the lease is still ours.
            self.ports.runs.release(lease)
            return
        run = self._run(run_id, "run_id")
        if run.status.ended:
            return
        at = text_of(self.now())
        so_far = "Nobody was changed" if run.phase is Phase.GATHER else "What was applied stays"
        ended = replace(
            run, status=Status.FAILED, finished_at=at, updated_at=at, message=f"{so_far}: {error}"
        )
        entry = LogEntry(
            at=at,
            system="salesforce",
            record=None,
            notification=run.id,
            code="import_failed",
            message=str(error),
            remedy=f"Mend what it names; the next import starts anew. {so_far}.",
        )
        self.ports.roster.park(run.organization, [entry], self.now().timestamp())
        self.ports.runs.finish(ended, lease, None)

    def _take(self, run_id: str) -> Lease:
        try:
            return self.ports.runs.take(self.stored.organization, run_id, self.now().timestamp(), LEASE_S)
        except LeaseHeld as held:
            raise Rejected(_at_work(held.run)) from held

    def _bury_the_dead(self, lease: Lease) -> None:
        """Close the record of a run whose function died: its lease has expired, for it is ours now (I7)."""
        latest, _ = self.ports.runs.runs(lease.organization, 3, None)
        at = text_of(self.now())
        for run in latest:
            if run.status is Status.RUNNING and run.id != lease.run:
                dead = replace(
                    run,
                    status=Status.FAILED,
                    finished_at=at,
                    message="It stopped without a word; a newer run took over.",
                )
                self.ports.runs.save(dead, lease)

    def _run(self, run_id: str, where: str) -> Run:
        run = self.ports.runs.run(self.stored.organization, run_id)
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
            raise Rejected(Problem("run_id", what, "Start a new import."))
        return run

    def _parked(self, run_id: str, where: str) -> Run:
        run = self._run(run_id, where)
        if run.status is not Status.PARKED:
            what = f"is a run that is not parked but {run.status}"
            raise Rejected(Problem(where, what, "Only a parked run waits for a word."))
        if run.expires_at and text_of(self.now()) >= run.expires_at:
            self._close(run, "Nobody approved it in time.")
            remedy = "Start the import again; it is planned anew."
            raise Rejected(Problem(where, "was not approved in time", remedy))
        return run

    def _approved(self, run_id: str, by: str | None, lease: Lease) -> Run:
        """Record that a parked run is approved, and return it, at work; raises `Rejected`."""
        run = self._parked(run_id, "approve")
        run = replace(
            run,
            status=Status.RUNNING,
            phase=Phase.GATHER,
            attempt=run.attempt + 1,
            gathered_at=text_of(self.now()),
            approved=run.plan_hash,
            by=by or run.by,
        )
        try:
            self.ports.runs.save(run, lease)
        except Stale as error:
            raise Rejected(moved("someone else has rejected it meanwhile")) from error
        return run

    def _unless_refused(self, lease: Lease, read: Callable[[], Run]) -> Run:
        """Return a run that may be worked on; gives the lease back where it may not."""
        try:
            return read()
        except Rejected:
            self.ports.runs.release(lease)
            raise

    def _close(self, run: Run, message: str) -> None:
        close_parked(self.ports, run, message, self.now())

    def _must_look_at_everyone(self, state: ImportState) -> bool:
        return state.evaluated_with != settings_digest(self.stored.settings)


def _new_id(at: datetime) -> str:
    # It sorts by start, and two of one moment are still two.
    return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03d}-{secrets.token_hex(4)}"


def _at_work(run: str) -> Problem:
    remedy = "Wait until it has ended; RosterQueryFunction shows it (run)."
    return Problem("organization", f"has a run at work: {run}", remedy)


def _before(moment: str, by: timedelta) -> str:
    return text_of(datetime.fromisoformat(moment) - by)
