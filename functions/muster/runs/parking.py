"""Whether a planned run goes on: previewed, parked until approved, refused, finished (I5, I6, I8).

The same for every kind of run; what a run gathers, plans and applies is its own affair.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.errors import Problem, Rejected, Stale
from muster.presentation import left_out, outcomes
from muster.presentation.lines import counted
from muster.runs.answer import Ended, PlanShown, RunAnswer
from muster.runs.clock import RunClock
from muster.runs.hooks import Planned
from muster.runs.import_state import ImportState
from muster.runs.kinds import kind_of
from muster.runs.ports import Runs
from muster.runs.reasons import Reason
from muster.runs.run import Phase, Run, Status
from muster.settings.sections import Guard
from muster.times import timestamp

# An approval asked for on a Friday can be given on Monday.
APPROVAL = timedelta(hours=72)
# The workflow lets a run go on for a day at most.
LONGEST_RUN = timedelta(days=1)
# So many changes are shown in an answer; the whole plan is in the archive.
SHOWN = 50


@dataclass(slots=True)
class Ends:
    """Ends the run of one invocation: previews, parks, refuses or finishes it.

    `users` returns in whose name each connection has been called so far (U5).
    """

    runs: Runs
    clock: RunClock
    users: Callable[[], Mapping[str, str]] = dict

    def after_planning[I](self, run: Run, planned: Planned[I]) -> tuple[Run, RunAnswer | None]:
        """Return the run, recorded as applying its plan, or the run and the answer if it stops here.

        Raises `Rejected` if the plan is no longer the one that was approved.
        """
        if run.preview:
            return self.preview(run, planned)
        if run.approved and run.approved != run.plan_hash:
            self._refuse_approval(run)
        if planned.reasons and not self._is_approved(run):
            return run, self._park(run, planned)
        run = self._signed(replace(run, phase=Phase.APPLY))
        self.runs.save(run, self.clock.lease)
        return run, None

    def preview[I](self, run: Run, planned: Planned[I]) -> tuple[Run, RunAnswer]:
        """End a preview; one that has to wait is parked where its plan is not what is applied in the end."""
        reasons = planned.reasons
        would_park = f" It would wait for approval: {_in_one(reasons)}." if reasons else ""
        ended = replace(run, status=Status.PREVIEWED, message=_previewed(outlook(run), would_park))
        if reasons and not kind_of(run).applies:
            ended = replace(run, status=Status.PARKED, expires_at=timestamp(self.clock.now() + APPROVAL))
        self.finish(ended)
        message = _previewed(news(run, planned.shown), would_park) + planned.note
        answer = _of_plan(Ended.PREVIEWED, ended, planned, message)
        return ended, replace(answer, details={**answer.details, **planned.details})

    def finish(self, run: Run, state: ImportState | None = None) -> None:
        """Record the end of a run, and `state` if given, and release the lease."""
        at = timestamp(self.clock.now())
        ended = self._signed(replace(run, finished_at=at, updated_at=at))
        self.runs.finish(ended, self.clock.lease, state)

    def _signed(self, run: Run) -> Run:
        return replace(run, integration_users={**run.integration_users, **self.users()})

    def _is_approved(self, run: Run) -> bool:
        if run.approved:
            return run.approved == run.plan_hash
        if not kind_of(run).settings_let_pass:
            return False
        state = self.runs.state(run.organization)
        in_time = state.approved_until is not None and timestamp(self.clock.now()) < state.approved_until
        return in_time and state.approved == run.plan_hash

    def _park[I](self, run: Run, planned: Planned[I]) -> RunAnswer:
        again = self._waiting_already(run)
        if again:
            # The same plan waits already: one notice is enough.
            run = replace(run, status=Status.REJECTED, message=f"Run {again.id} waits with the same plan.")
            self.finish(run)
            run = again
        else:
            expires = timestamp(self.clock.now() + APPROVAL)
            message = f"It waits for approval until {expires}: {_in_one(planned.reasons)}."
            run = replace(run, status=Status.PARKED, expires_at=expires, message=message)
            self.finish(run)
        # Which limits it exceeds, the answer tells beside this sentence.
        message = (
            f"Nothing was changed: {news(run, planned.shown)}. It waits for approval until {run.expires_at}."
            f" Approve or reject it: run {run.id}."
        )
        answer = _of_plan(Ended.PARKED, run, planned, message)
        details = {**answer.details, "approve_before": run.expires_at}
        return replace(answer, is_news=again is None, details=details)

    def _waiting_already(self, run: Run) -> Run | None:
        """Return the run that waits with the same plan; runs that wait with another plan are closed."""
        for other in self._lately(run.organization):
            if other.status is not Status.PARKED or other.id == run.id:
                continue
            if _of_one_kind(other) != _of_one_kind(run):
                continue
            in_time = other.expires_at is not None and timestamp(self.clock.now()) < other.expires_at
            same_settings = other.settings_version == run.settings_version
            if other.plan_hash == run.plan_hash and in_time and same_settings:
                return other
            message = f"Run {run.id} took its place with a newer plan."
            with suppress(Rejected):  # an admin has closed it this very moment
                close_parked(self.runs, other, message, self.clock.now())
        return None

    def _lately(self, organization: str) -> Iterator[Run]:
        """Yield the runs that may still be waiting for approval, newest first."""
        earliest = timestamp(self.clock.now() - APPROVAL - LONGEST_RUN)
        cursor: str | None = None
        while True:
            some, cursor = self.runs.runs(organization, 100, cursor)
            yield from (run for run in some if run.started_at >= earliest)
            if cursor is None or some[-1].started_at < earliest:
                return

    def _refuse_approval(self, run: Run) -> None:
        self.finish(replace(run, status=Status.REJECTED, message="Approved, but the plan has changed since."))
        raise Rejected(moved("the roster or the source has changed since it was planned"))


def _of_one_kind(run: Run) -> tuple[object, ...]:
    """Return what runs have in common of which the newer takes the older's place."""
    return run.kind, run.undoes, run.app, bool(run.compares)


def _of_plan[I](ended: Ended, run: Run, planned: Planned[I], message: str) -> RunAnswer:
    """Return the answer about a run whose plan is not applied."""
    shown = planned.shown
    return RunAnswer(
        ended=ended,
        message=message,
        run_id=run.id,
        mode=run.mode_or_kind,
        counts=run.counts,
        seats=shown.seats,
        left_out=shown.left_out,
        warnings=shown.warnings,
        details={
            "changes": list(shown.changes),
            "tally": shown.tally,
            "plan": f"{run.organization}/{run.id}/{run.attempt}/plan/",
            "guard": [reason.text() for reason in planned.reasons],
            "plan_hash": run.plan_hash,
        },
    )


def require_parked(runs: Runs, run: Run, where: str, now: datetime, again: str) -> None:
    """Raise `Rejected` unless the run waits for approval and there is still time; else it is closed (I5).

    `where` is the key of the event that names it, `again` what to do instead.
    """
    if run.status is not Status.PARKED:
        raise Rejected(Problem(where, f"is a run that is not parked but {run.status}", again))
    if run.expires_at and timestamp(now) >= run.expires_at:
        close_parked(runs, run, "Nobody approved it in time.", now)
        raise Rejected(Problem(where, "was not approved in time", again))


def require_second_person(run: Run, by: str, guard: Guard) -> None:
    """Raise `Rejected`, and leave the run as it is, if who approves it has to be somebody else (I5)."""
    if guard.second_person and run.by is not None and _same_person(run.by, by):
        what = f"is who started the run ({run.by}), and guard.second_person wants somebody else to approve it"
        raise Rejected(Problem("by", what, "It still waits: have another person approve it, as by."))


def _same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def close_parked(runs: Runs, run: Run, message: str, now: datetime) -> None:
    """Close a parked run; raises `Rejected` if it is no longer parked."""
    at = timestamp(now)
    ended = replace(run, status=Status.REJECTED, finished_at=at, updated_at=at, message=message)
    try:
        runs.save_without_lease(ended, Status.PARKED)
    except Stale as error:
        raise Rejected(moved("someone else has approved or rejected it meanwhile")) from error


def moved(what: str) -> Problem:
    """Return the problem of an approval that came too late."""
    remedy = "Start the run again, look at its plan, and approve that."
    return Problem("approve", f"came too late: {what}", remedy)


def _previewed(planned: str, would_park: str) -> str:
    return f"A preview; nothing was changed. {planned}.{would_park}"


def outlook(run: Run, *, done: bool = False) -> str:
    """Return in words what a run changes, and who is left out by its plan (A4).

    The record of a run keeps this, and so it names nobody; `news` does.
    """
    return _with_left_out(outcomes.in_words(run.counts, done=done), run)


def news(run: Run, shown: PlanShown, *, done: bool = False) -> str:
    """Return the same with the names of who joins and leaves, where they are few."""
    return _with_left_out(outcomes.news(run.counts, shown.changes, done=done), run)


def to_look_at(errors: int) -> str:
    """Return how an answer ends that is not all well; empty if it is."""
    if not errors:
        return ""
    return f" {counted(errors, 'error')} to look at: RosterQueryFunction lists them (errors)."


def _with_left_out(said: str, run: Run) -> str:
    told = left_out.in_words(run.left_out, "people" if run.mode == "full" else "of those read")
    return f"{said}; {told}" if told else said


def _in_one(reasons: Sequence[Reason]) -> str:
    return "; ".join(reason.text() for reason in reasons)
