"""The work of an import: gather, decide, apply, tell managers, and how a run ends (I1, I4 to I9)."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from muster import guard, lifecycle, plans
from muster.applying import Applying
from muster.crm_pages import CursorLost
from muster.decisions import MemberState
from muster.errors import Incomplete, Problem, Rejected, Stale
from muster.gathering import Gathered, Gathering, evaluated_with
from muster.guard import Trip
from muster.import_ports import Archive, Ports
from muster.model import LogEntry
from muster.planning import Plan, make_plan
from muster.plans import Item
from muster.run_clock import RunClock
from muster.runs import ImportState, Phase, Run, Status
from muster.settings import Settings

# An approval asked for on a Friday can be given on Monday.
APPROVAL = timedelta(hours=72)
# The workflow lets a run go on for a day at most.
LONGEST_RUN = timedelta(days=1)
# So many changes are shown in an answer; the whole plan is in the archive.
SHOWN = 50
ITEMS_A_PART = 200

type Answer = dict[str, Any]


@dataclass(slots=True)
class Steps:
    """One invocation's work on a run, with the settings that decide."""

    ports: Ports
    clock: RunClock
    settings: Settings

    def gather_and_go_on(self, run: Run, *, resumed: bool) -> Answer:
        """Gather and decide; then end a preview, park what needs a word, or apply."""
        plan, trips, run = self._planned(run, resumed=resumed)
        if run.preview:
            return self._end_preview(run, plan, trips)[1]
        if run.approved and run.approved != run.plan_hash:
            return self._refuse_approval(run)
        if trips and not self._is_approved(run):
            return self._park(run, plan, trips)
        run = replace(run, phase=Phase.APPLY)
        self.ports.runs.save(run, self.clock.lease)
        return self.apply(run, plan)

    def preview(self, run: Run) -> tuple[Run, Answer]:
        """Gather and decide, and no more; returns the ended run and its answer."""
        plan, trips, run = self._planned(run, resumed=False)
        return self._end_preview(run, plan, trips)

    def apply(self, run: Run, plan: Plan | None = None) -> Answer:
        """Apply the plan from where it was left, tell managers, and end the run.

        `plan` is the one that was just made; without it, the archive has it.
        """
        organization = run.organization
        summary = self.ports.archive.document(organization, run.id, run.attempt, "plan")
        planned_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        applying = Applying(self.settings, self.ports.roster, self.clock, run.id, planned_at)
        if plan:
            applying.ready = plan.decisions
        applied = run

        def progress(done: int) -> None:
            nonlocal applied
            applied = self._recorded(applied, applying, cursor=done)
            self.ports.runs.save(applied, self.clock.lease)

        items = plan.items if plan else self._items(run)
        try:
            if run.phase is Phase.APPLY:
                applying.apply(items, run.cursor, progress)
                applying.second_pass(items)
                applying.serve_lines()
                applied = replace(self._recorded(applied, applying), phase=Phase.NOTIFY)
                self.ports.runs.save(applied, self.clock.lease)
            self.ports.notify(self.settings, run.id)
        finally:
            self._park_errors(run, applying.errors)
        return self._end(applied, summary)

    def _items(self, run: Run) -> list[Item]:
        # An earlier try at planning, cut short, may have left more parts behind than the plan has.
        return list(islice(chain.from_iterable(map(plans.read, self._parts(run, "plan"))), run.planned))

    # ── Gather and decide ────────────────────────────────────────────────────────────────────────

    def _planned(self, run: Run, *, resumed: bool) -> tuple[Plan, list[Trip], Run]:
        state = self.ports.runs.state(run.organization)
        read_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        states: dict[str, MemberState] = {}
        if run.mode == "full":
            states = {each.crm_id: each for each in self.ports.roster.states(run.organization)}
        gathered = self._gathered(run, state, states, resumed=resumed)
        plan = make_plan(gathered, states, self.settings, self.ports.roster, read_at, f"run:{run.id}")
        if run.mode != "full":
            plan.active = type(plan.active)(state.active)
        trips = guard.tripped(plan.effective, plan.active, self.settings)
        for number, start in enumerate(range(0, len(plan.items), ITEMS_A_PART), 1):
            body = plans.written(plan.items[start : start + ITEMS_A_PART])
            self.ports.archive.put(run.organization, run.id, run.attempt, "plan", number, body)
        run = replace(
            run,
            planned=len(plan.items),
            cursor=0,
            counts=plans.counts(plan.effective),
            plan_hash=plans.plan_hash(plan.effective),
            updated_at=text_of(self.clock.now()),
        )
        self.ports.archive.put_document(
            run.organization, run.id, run.attempt, "plan", self._summary(run, gathered, plan, trips)
        )
        self._park_errors(run, self._noticed(run, gathered, plan))
        return plan, trips, run

    def _gathered(
        self, run: Run, state: ImportState, states: Mapping[str, MemberState], *, resumed: bool
    ) -> Gathered:
        gathering = Gathering(
            self.settings, self.ports.salesforce, _Parts(self.ports.archive, run), self.clock.check, resumed
        )
        match run.mode:
            case "members":
                return gathering.named(run.members)
            case "incremental":
                return gathering.changed(run.since or "")
        at = self.clock.now()
        try:
            gathered = gathering.everyone(
                states,
                afresh=state.evaluated_with != settings_digest(self.settings),
                is_due=lambda each: (
                    bool(each.unmatched_since)
                    and lifecycle.grace_ends(each.unmatched_since, self.settings) <= text_of(at)
                ),
            )
        except CursorLost:
            # The place where the interrupted run was reading is gone; its next run reads from the start.
            raise Incomplete("Salesforce no longer knows where the reading was interrupted") from None
        if guard.fell_too_far(state.rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"Salesforce shows {gathered.total:,} users, and {state.rows:,} the last time:"
                " fewer by more than the guard allows"
            )
        return gathered

    def _noticed(self, run: Run, gathered: Gathered, plan: Plan) -> list[LogEntry]:
        """Return what an admin should know of what was read: who cannot be decided about, seen, or led."""
        problems = list(plan.problems)
        if gathered.unseen:
            shown = ", ".join(gathered.unseen[:5]) + (" …" if len(gathered.unseen) > 5 else "")
            what = f"shows {len(gathered.unseen):,} fewer than it should: {shown}; they were left as they are"
            problems.append(
                (gathered.unseen[0], Problem("User", what, "Let the integration user read all users."))
            )
        for loop in gathered.loops or ():
            what = f"leads in a circle ({' → '.join([*loop, loop[0]])}); none of them has a manager in Muster"
            problems.append((loop[0], Problem("ManagerId", what, "Correct the managers in Salesforce.")))
        at = text_of(self.clock.now())
        return [
            LogEntry(
                at=at,
                system="salesforce",
                record=record,
                notification=run.id,
                code=f"source_{problem.where.lower()}",
                message=f"{problem.where} {problem.message}",
                remedy=problem.remedy,
            )
            for record, problem in problems
        ]

    def _summary(self, run: Run, gathered: Gathered, plan: Plan, trips: list[Trip]) -> dict[str, Any]:
        active = dict(plan.active)
        for item in plan.effective:
            change = {"created": 1, "reactivated": 1, "deactivated": -1}.get(item.outcome, 0)
            for where in (guard.EVERYONE, item.assignment):
                if change and where is not None:
                    active[where] = active.get(where, 0) + change
        return {
            "hash": run.plan_hash,
            "counts": run.counts,
            "seats": plan.seat_use(self.settings),
            "guard": [trip.text() for trip in trips],
            "read": gathered.total,
            "newest": gathered.newest,
            "active": active,
            "evaluated_with": settings_digest(self.settings),
            "noticed": len(plan.problems) + bool(gathered.unseen) + len(gathered.loops or ()),
        }

    # ── Ends ─────────────────────────────────────────────────────────────────────────────────────

    def _is_approved(self, run: Run) -> bool:
        if run.approved:
            return run.approved == run.plan_hash
        state = self.ports.runs.state(run.organization)
        in_time = state.approved_until is not None and text_of(self.clock.now()) < state.approved_until
        return in_time and state.approved == run.plan_hash

    def _park(self, run: Run, plan: Plan, trips: list[Trip]) -> Answer:
        again = self._waiting_already(run)
        if again:
            # The same plan waits already: one notice is enough.
            run = replace(run, status=Status.REJECTED, message=f"Run {again.id} waits with the same plan.")
            self._finish(run, None)
            run = again
        else:
            expires = text_of(self.clock.now() + APPROVAL)
            message = f"It waits for approval until {expires}: {'; '.join(trip.text() for trip in trips)}."
            run = replace(run, status=Status.PARKED, expires_at=expires, message=message)
            self._finish(run, None)
        return {
            **self._answer(run, plan),
            "status": "parked",
            "new": again is None,
            "guard": [trip.text() for trip in trips],
            "plan_hash": run.plan_hash,
            "approve_before": run.expires_at,
            "message": f"Nothing was changed. {run.message} Approve or reject it: run {run.id}.",
        }

    def _waiting_already(self, run: Run) -> Run | None:
        """Return the run that waits with the same plan; those that wait with another one are set aside."""
        for other in self._lately(run.organization):
            if other.status is not Status.PARKED or other.id == run.id or other.kind != run.kind:
                continue
            in_time = other.expires_at is not None and text_of(self.clock.now()) < other.expires_at
            same_settings = other.settings_version == run.settings_version
            if other.plan_hash == run.plan_hash and in_time and same_settings:
                return other
            message = f"Run {run.id} took its place with a newer plan."
            with suppress(Rejected):  # an admin has closed it this very moment
                close_parked(self.ports, other, message, self.clock.now())
        return None

    def _lately(self, organization: str) -> Iterator[Run]:
        """Yield the runs that may still wait for approval, newest first."""
        earliest = text_of(self.clock.now() - APPROVAL - LONGEST_RUN)
        cursor: str | None = None
        while True:
            some, cursor = self.ports.runs.runs(organization, 100, cursor)
            yield from (run for run in some if run.started_at >= earliest)
            if cursor is None or some[-1].started_at < earliest:
                return

    def _refuse_approval(self, run: Run) -> Answer:
        run = replace(run, status=Status.REJECTED, message="Approved, but the plan has changed since.")
        self._finish(run, None)
        raise Rejected(moved("the roster or the source has changed since it was planned"))

    def _end_preview(self, run: Run, plan: Plan, trips: list[Trip]) -> tuple[Run, Answer]:
        would_park = (
            "" if not trips else f" It would wait for approval: {'; '.join(trip.text() for trip in trips)}."
        )
        ended = replace(run, status=Status.PREVIEWED)
        if run.kind == "settings" and trips:
            ended = replace(run, status=Status.PARKED, expires_at=text_of(self.clock.now() + APPROVAL))
        self._finish(ended, None)
        return ended, {
            **self._answer(ended, plan),
            "message": f"A preview; nothing was changed. {_in_words(run.counts)}.{would_park}",
            "guard": [trip.text() for trip in trips],
            "plan_hash": run.plan_hash,
        }

    def _answer(self, run: Run, plan: Plan) -> Answer:
        return {
            "run_id": run.id,
            "mode": run.mode,
            "counts": run.counts,
            "seats": plan.seat_use(self.settings),
            "changes": [item.shown() for item in plan.effective[:SHOWN]],
            "plan": f"{run.organization}/{run.id}/{run.attempt}/plan/",
        }

    def _end(self, run: Run, summary: Mapping[str, Any]) -> Answer:
        errors = run.errors + summary["noticed"]
        status = Status.SUCCEEDED_WITH_ERRORS if errors else Status.SUCCEEDED
        run = replace(run, status=status, errors=errors, message=f"{_in_words(run.counts)}.")
        self._finish(run, self._state_after(run, summary))
        said = f" {errors} to look at: RosterQueryFunction lists them (errors)." if errors else ""
        return {
            "status": status,
            "run_id": run.id,
            "mode": run.mode,
            "counts": run.counts,
            "seats": summary["seats"],
            "read": summary["read"],
            "message": f"{summary['read']:,} users read. {run.message}{said}",
        }

    def _state_after(self, run: Run, summary: Mapping[str, Any]) -> ImportState | None:
        if run.mode == "members":
            return None
        state = self.ports.runs.state(run.organization)
        newest = _normal(summary["newest"]) if summary["newest"] else state.watermark
        state = replace(
            state,
            watermark=max(newest or "", state.watermark or "") or None,
            active=summary["active"],
            completed_at=text_of(self.clock.now()),
        )
        if run.mode == "full":
            state = replace(
                state,
                rows=summary["read"],
                evaluated_with=summary["evaluated_with"],
                full_run=run.id,
            )
            if state.approved == run.plan_hash:
                state = replace(state, approved=None, approved_until=None)
        return state

    def _finish(self, run: Run, state: ImportState | None) -> None:
        at = text_of(self.clock.now())
        self.ports.runs.finish(replace(run, finished_at=at, updated_at=at), self.clock.lease, state)

    def _recorded(self, run: Run, applying: Applying, cursor: int | None = None) -> Run:
        """Return the run with what has been applied since it was last recorded."""
        so_far = dict(run.counts) if run.cursor or run.phase is Phase.NOTIFY else {}
        for outcome, count in applying.outcomes.items():
            so_far[outcome] = so_far.get(outcome, 0) + count
        errors = run.errors + len(applying.errors)
        self._park_errors(run, applying.errors)
        applying.outcomes.clear()
        applying.errors.clear()
        return replace(
            run,
            counts=so_far,
            errors=errors,
            cursor=run.cursor if cursor is None else cursor,
            updated_at=text_of(self.clock.now()),
        )

    def _park_errors(self, run: Run, entries: list[LogEntry]) -> None:
        if entries:
            self.ports.roster.park(run.organization, entries, self.clock.now().timestamp())

    def _parts(self, run: Run, name: str) -> Iterable[bytes]:
        return self.ports.archive.parts(run.organization, run.id, run.attempt, name)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The archive, bound to one attempt of one run."""

    archive: Archive
    run: Run

    def put(self, name: str, number: int, body: bytes) -> None:
        self.archive.put(self.run.organization, self.run.id, self.run.attempt, name, number, body)

    def parts(self, name: str) -> Any:
        return iter(self.archive.parts(self.run.organization, self.run.id, self.run.attempt, name))


def close_parked(ports: Ports, run: Run, message: str, now: datetime) -> None:
    """Put a parked run aside; raises `Rejected` if it is no longer parked."""
    at = text_of(now)
    ended = replace(run, status=Status.REJECTED, finished_at=at, updated_at=at, message=message)
    try:
        ports.runs.save_without_lease(ended, Status.PARKED)
    except Stale as error:
        raise Rejected(moved("someone else has approved or rejected it meanwhile")) from error


def settings_digest(settings: Settings) -> str:
    """Return the digest of the settings that decide about members."""
    text = json.dumps(evaluated_with(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def moved(what: str) -> Problem:
    """Return why an approval does not hold."""
    remedy = "Start the import again, look at its plan, and approve that."
    return Problem("approve", f"came too late: {what}", remedy)


def text_of(moment: datetime) -> str:
    """Return a moment as it is recorded: ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _normal(stamp: str) -> str:
    return text_of(datetime.fromisoformat(stamp))


def _in_words(counts: Mapping[str, int]) -> str:
    told = [
        f"{count:,} {name.replace('_', ' ')}"
        for name, count in counts.items()
        if count and name != "unchanged"
    ]
    return ", ".join(told) if told else "Nothing to change"
