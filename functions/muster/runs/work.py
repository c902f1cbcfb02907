"""The loop of every run: gather, decide, park or go on, apply in chunks, end (I1, I4 to I8).

What the kinds of runs differ in is their `Job`. It never sees the run table, the archive of plans or the
error log: after each chunk, what came of it is recorded here, so that any invocation can go on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from muster.error_log import LogEntry, at_most
from muster.errors import Misconfigured
from muster.runs.answer import Ended, RunAnswer
from muster.runs.archive import PLAN, UNFINISHED
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned
from muster.runs.parking import Ends, news, outlook, to_look_at
from muster.runs.ports import Applying, Job, RunPorts
from muster.runs.reasons import Reason
from muster.runs.run import Phase, Run, Status
from muster.times import timestamp

ITEMS_A_PART = 200


@dataclass(frozen=True, slots=True)
class Work[I]:
    """One invocation's work on a run, by its job."""

    job: Job[I]
    ports: RunPorts
    clock: RunClock

    @property
    def _ends(self) -> Ends:
        return Ends(self.ports.runs, self.clock, self.ports.users)

    def go_on(self, run: Run, *, resumed: bool) -> RunAnswer:
        """Work on the run from where it was left until it ends, waits, or raises `OutOfTime`.

        Raises `Misconfigured`, before anything is applied, if something blocks that.
        """
        if run.phase is not Phase.GATHER:
            return self._apply(run, self._items(run), self._summary(run), resumed=resumed)
        planned, summary, run = self._planned(run, resumed=resumed)
        if planned.blocked and not run.preview:
            raise Misconfigured(planned.blocked)
        run, answer = self._ends.after_planning(run, planned)
        if answer is not None:
            return answer
        return self._apply(run, planned.items, summary, resumed=False)

    def preview(self, run: Run, held_for: Sequence[Reason]) -> tuple[Run, RunAnswer]:
        """Gather and decide only; returns the ended run and its answer. `held_for`: why else it waits."""
        planned, _, run = self._planned(run, resumed=False)
        return self._ends.preview(run, replace(planned, reasons=[*planned.reasons, *held_for]))

    # ── The plan, and where it is kept ───────────────────────────────────────────────────────────

    def _planned(self, run: Run, *, resumed: bool) -> tuple[Planned[I], Mapping[str, Any], Run]:
        """Return the plan and its summary, which are archived, and the run with what it records of them."""
        archive, where = self.ports.archive, (run.organization, run.id, run.attempt, PLAN)
        if resumed:
            # A plan may have been left behind: it is not that of what is gathered from now on.
            archive.put_document(*where, {**UNFINISHED})
        planned = self.job.plan(run, resumed=resumed)
        for number, start in enumerate(range(0, len(planned.items), ITEMS_A_PART), 1):
            body = self.job.written(planned.items[start : start + ITEMS_A_PART])
            archive.put(*where, number, body)
        summary = _summary_of(planned)
        archive.put_document(*where, summary)
        self._log(run, planned.entries)
        new = 0 if run.preview else self._log(run, at_most(planned.standing))
        run = replace(
            run,
            planned=len(planned.items),
            cursor=0,
            errors=planned.errors + new,
            counts=planned.counts,
            left_out=planned.left_out,
            plan_hash=planned.plan_hash,
            updated_at=timestamp(self.clock.now()),
        )
        return planned, summary if self.job.has_summary else {}, run

    def _items(self, run: Run) -> list[I]:
        parts = self.ports.archive.parts(run.organization, run.id, run.attempt, PLAN)
        # An interrupted attempt at planning may have left more parts behind than this plan has.
        return list(islice(chain.from_iterable(map(self.job.read, parts)), run.planned))

    def _summary(self, run: Run) -> Mapping[str, Any]:
        if not self.job.has_summary:
            return {}
        return self.ports.archive.document(run.organization, run.id, run.attempt, PLAN)

    # ── Apply ────────────────────────────────────────────────────────────────────────────────────

    def _apply(self, run: Run, items: Sequence[I], summary: Mapping[str, Any], *, resumed: bool) -> RunAnswer:
        """Apply the plan from where the run left off, and end the run."""
        applying = self.job.applying(run, items, resumed=resumed)
        try:
            if run.phase is Phase.APPLY:
                run = self._in_chunks(run, items, applying)
            self.job.after(run, items, summary)
            run = self._recorded(run)
            return self._end(run, self.job.ending(run, items, summary))
        finally:
            self._log(run, self.job.progress.entries)

    def _in_chunks(self, run: Run, items: Sequence[I], applying: Applying[I]) -> Run:
        if not run.cursor:
            # What counted until now is the plan.
            run = replace(run, counts={})
        for some in applying.chunks(items[run.cursor :]):
            run = self._one_chunk(run, some, applying)
            self.clock.check()

        def record() -> None:
            nonlocal run
            run = self._saved(self._recorded(run))

        applying.finish(record)
        return self._saved(replace(self._recorded(run), phase=Phase.NOTIFY))

    def _one_chunk(self, run: Run, some: Sequence[I], applying: Applying[I]) -> Run:
        applying.apply(some)
        return self._saved(replace(self._recorded(run), cursor=run.cursor + len(some)))

    def _recorded(self, run: Run) -> Run:
        """Return the run with the counts and errors since it was last recorded."""
        progress = self.job.progress
        counts = dict(run.counts)
        for outcome, count in progress.outcomes.items():
            if count:
                counts[outcome] = counts.get(outcome, 0) + count
        errors = run.errors + progress.number_of_errors
        self._log(run, progress.entries)
        progress.clear()
        return replace(run, counts=counts, errors=errors, updated_at=timestamp(self.clock.now()))

    def _saved(self, run: Run) -> Run:
        self.ports.runs.save(run, self.clock.lease)
        return run

    # ── The end ──────────────────────────────────────────────────────────────────────────────────

    def _end(self, run: Run, ending: Ending) -> RunAnswer:
        errors = run.errors + ending.errors
        status = Status.SUCCEEDED_WITH_ERRORS if errors else Status.SUCCEEDED
        message = f"{outlook(run, done=True)}.{ending.last}"
        run = replace(run, status=status, errors=errors, message=message)
        self._log(run, ending.entries)
        self._ends.finish(run, ending.state)
        did = news(run, ending.shown, done=True) if ending.named else outlook(run, done=True)
        return RunAnswer(
            ended=Ended.APPLIED,
            message=f"{ending.first}{did}.{to_look_at(errors)}",
            run_id=run.id,
            mode=run.mode,
            errors=errors,
            counts=run.counts,
            seats=ending.shown.seats,
            left_out=ending.shown.left_out,
            details=ending.details,
        )

    def _log(self, run: Run, entries: Sequence[LogEntry]) -> int:
        """Add to the error log; returns how many entries are new."""
        if not entries:
            return 0
        return self.ports.log.park(run.organization, entries, self.clock.now().timestamp())


def _summary_of[I](planned: Planned[I]) -> dict[str, Any]:
    """Return the document that is kept beside a plan's file."""
    return {
        "hash": planned.plan_hash,
        "items": len(planned.items),
        "counts": planned.counts,
        "seats": planned.shown.seats,
        "left_out": planned.shown.left_out,
        "guard": [reason.text() for reason in planned.reasons],
        "tally": planned.shown.tally,
        **planned.summary,
    }
