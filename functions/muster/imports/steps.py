"""The work of an import: gather, decide, apply, notify managers, end the run (I1, I4 to I9)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any

from muster.imports import frozen_users, plan_items
from muster.imports.applying import Applying
from muster.imports.gathering import PlanMaker
from muster.imports.plan_items import Item
from muster.imports.planning import Plan
from muster.imports.ports import Ports
from muster.imports.recording_holders import HolderRecorder
from muster.imports.remembered import is_the_first, state_after
from muster.presentation.lines import counted
from muster.pushes.syncing_align import AlignSync
from muster.roster.decisions import Outcome
from muster.runs.answer import Ended, PlanShown, RunAnswer
from muster.runs.clock import RunClock
from muster.runs.guard import Reason
from muster.runs.parking import SHOWN, Ends, news, outlook, to_look_at
from muster.runs.run import Phase, Run, Status
from muster.settings import Settings
from muster.settings.mappings import vault_crm_connection
from muster.sources.vault_users import VaultUser
from muster.times import timestamp


@dataclass(slots=True)
class Steps:
    """One invocation's work on an import, with the settings it decides by.

    `untried` is their version, if what they name could not be tried when they were saved.
    """

    ports: Ports
    clock: RunClock
    settings: Settings
    untried: int | None = None
    align_sync: AlignSync = field(init=False)

    def __post_init__(self) -> None:
        """Build the Align part, which does nothing where Align is not connected."""
        ports = self.ports
        self.align_sync = AlignSync(
            self.settings, ports.align, ports.roster, ports.runs, self.clock, ports.align_preflight
        )

    @property
    def _ends(self) -> Ends:
        return Ends(self.ports.runs, self.ports.roster, self.clock, self.ports.users)

    @property
    def _maker(self) -> PlanMaker:
        return PlanMaker(self.ports, self.clock, self.settings, self.untried, self._ends)

    def gather_and_go_on(self, run: Run, *, resumed: bool) -> RunAnswer:
        """Gather and decide; then end a preview, park what needs approval, or apply."""
        plan, trips, run = self._maker.planned(run, resumed=resumed)
        run, answer = self._ends.after_planning(run, trips, self._shown(plan))
        return answer if answer is not None else self.apply(run, plan)

    def preview(self, run: Run, held_for: Sequence[Reason] = ()) -> tuple[Run, RunAnswer]:
        """Gather and decide only; returns the ended run and its answer. `held_for`: why else it waits."""
        plan, trips, run = self._maker.planned(run, resumed=False)
        return self._ends.preview(run, [*trips, *held_for], self._shown(plan))

    def apply(self, run: Run, plan: Plan | None = None, *, resumed: bool = False) -> RunAnswer:
        """Apply the plan from where the run left off, notify managers, and end the run.

        `plan` is the one just made in this invocation; without it, the plan is read from the archive.
        """
        organization = run.organization
        summary = self.ports.archive.document(organization, run.id, run.attempt, "plan")
        planned_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        applying = Applying(
            self.settings, self.ports.roster, self.clock, run.id, planned_at, self._maker.reading_again(run)
        )
        if plan:
            applying.ready = plan.decisions
        applied = run if run.cursor or run.phase is Phase.NOTIFY else replace(run, counts={})

        def progress(done: int) -> None:
            nonlocal applied
            applied = self._recorded(applied, applying, cursor=done)
            self.ports.runs.save(applied, self.clock.lease)

        items = plan.items if plan else self._items(run)
        try:
            if run.phase is Phase.APPLY:
                applying.apply(items, run.cursor, progress)
                applying.second_pass(items)
                applying.serve_lines(lambda: progress(len(items)))
                if run.mode == "full":
                    applying.erase_leavers()
                applied = replace(self._recorded(applied, applying), phase=Phase.NOTIFY)
                self.ports.runs.save(applied, self.clock.lease)
            applied = self._with_align(applied, items)
            self.ports.notify(self.settings, run.id, self._new_since(run))
            applied, summary = self._with_holders(applied, summary)
        finally:
            self._ends.log_errors(run, applying.errors)
        return self._end(applied, summary, PlanShown(changes=_first(items), tally=summary.get("tally", {})))

    def _with_align(self, run: Run, items: Sequence[Item]) -> Run:
        """Take over what is asked for in Align, and show there what members have (G9).

        It is not in the plan: what is asked for there takes effect with the next push, whose guard sees it.
        """
        if run.mode == "members":
            return run
        linked = {
            each.user: getattr(each.change, vault_crm_connection(self.settings).match)
            for each in items
            if each.outcome == Outcome.LINKED and isinstance(each.change, VaultUser)
        }
        _, refused = self.align_sync.take_requests(run, linked)
        errors = self.align_sync.report(run, ())
        self._ends.log_errors(run, errors)
        return replace(run, errors=run.errors + refused + len(errors))

    def _with_holders(self, run: Run, summary: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
        """Record who of Vault CRM has a group and is linked to nobody, and add how many to the summary."""
        now, lease = self.clock.now().timestamp(), self.clock.lease
        recorder = HolderRecorder(self.settings, self.ports.holders, self.ports.roster, lease, now)
        number, told = recorder.record(run, vault := summary.get("vault_crm"))
        if number is not None:
            summary = {**summary, "vault_crm": {**(vault or {}), "licences_of_nobody": number}}
        return replace(run, errors=run.errors + told), summary

    def _new_since(self, run: Run) -> float | None:
        """Return from when on who comes is new (epoch seconds); `None`: nobody is yet (I13)."""
        state = self.ports.runs.state(run.organization)
        if is_the_first(state, self.settings):
            return None
        return datetime.fromisoformat(state.new_since).timestamp() if state.new_since else 0

    def _items(self, run: Run) -> list[Item]:
        parts = self.ports.archive.parts(run.organization, run.id, run.attempt, "plan")
        # An interrupted attempt at planning may have left more parts behind than this plan has.
        return list(islice(chain.from_iterable(map(plan_items.read, parts)), run.planned))

    # ── Ends ─────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, plan: Plan) -> PlanShown:
        return PlanShown(
            changes=_first(plan.items),
            tally=plan.tally,
            seats=plan.seat_use(self.settings),
            left_out=plan.left_out.to_json(),
            warnings=[*plan_items.lost_by_hand(plan.items), *plan.warnings],
        )

    def _end(self, run: Run, summary: Mapping[str, Any], shown: PlanShown) -> RunAnswer:
        errors = run.errors + summary["noticed"]
        status = Status.SUCCEEDED_WITH_ERRORS if errors else Status.SUCCEEDED
        without = "".join(f" Left out: {why}" for why in self.ports.left_alone)
        run = replace(run, status=status, errors=errors, message=f"{outlook(run, done=True)}.{without}")
        state = None
        if run.mode != "members":
            before = self.ports.runs.state(run.organization)
            state = state_after(before, run, summary, self.settings, self.clock.now())
            state = self.align_sync.state_after(state)
            known = before.frozen or ()
            told = frozen_users.told(summary.get("frozen_members", ()), known, run.id, run.started_at)
            self._ends.log_errors(run, told)
        self._ends.finish(run, state)
        details: dict[str, Any] = {"read": summary["read"], "changes": shown.changes, "tally": shown.tally}
        if frozen := summary.get("frozen_members"):
            details["frozen"] = frozen_users.shown(frozen)
        if vault := summary.get("vault_crm"):
            details["vault_crm"] = _told(vault)
        if self.align_sync.read is not None:
            details["align"] = {"read": self.align_sync.read, "written": self.align_sync.written}
        return RunAnswer(
            ended=Ended.APPLIED,
            message=(
                f"{counted(summary['read'], 'user')} read. {news(run, shown, done=True)}.{to_look_at(errors)}"
            ),
            run_id=run.id,
            mode=run.mode,
            errors=errors,
            counts=run.counts,
            seats=summary["seats"],
            left_out=summary.get("left_out"),
            details=details,
        )

    def _recorded(self, run: Run, applying: Applying, cursor: int | None = None) -> Run:
        """Return the run with the counts and errors since it was last recorded."""
        so_far = dict(run.counts)
        for outcome, count in applying.outcomes.items():
            if outcome == Outcome.UNCHANGED or not count:
                continue
            so_far[outcome] = so_far.get(outcome, 0) + count
        errors = run.errors + len(applying.errors) + applying.told
        self._ends.log_errors(run, applying.errors)
        applying.outcomes.clear()
        applying.told = 0
        applying.errors.clear()
        return replace(
            run,
            counts=so_far,
            errors=errors,
            cursor=run.cursor if cursor is None else cursor,
            updated_at=timestamp(self.clock.now()),
        )


def _first(items: Iterable[Item]) -> list[dict[str, Any]]:
    effective = (item for item in items if item.outcome != Outcome.UNCHANGED)
    return [item.shown() for item in plan_items.first(effective, SHOWN)]


def _told(vault: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("read", "unlinked", "ambiguous", "licences_of_nobody", "base_licences_left")
    return {name: value for name in shown if (value := vault.get(name)) is not None}
