"""The work of an import: gather, decide, apply, notify managers, end the run (I1, I4 to I9)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from muster.crm.pages import CursorLost
from muster.error_log import LogEntry, entry_of
from muster.errors import Incomplete, Problem
from muster.imports import frozen_users, plan_items
from muster.imports.applying import Applying
from muster.imports.finding_again import find_again
from muster.imports.importing_vault_crm import VaultImporting, base_licences_left, reads_everyone
from muster.imports.plan_items import Item
from muster.imports.planning import Plan, make_plan
from muster.imports.planning_vault_crm import VaultPart
from muster.imports.ports import Ports
from muster.imports.recording_holders import HolderRecorder
from muster.imports.selecting import members_due, select
from muster.presentation.lines import counted
from muster.pushes.syncing_align import AlignSync
from muster.roster.activity import grace_ends
from muster.roster.decisions import Outcome
from muster.roster.writing_user_changes import ReadAgain
from muster.runs import guard
from muster.runs.answer import Ended, PlanShown, RunAnswer
from muster.runs.archive import ITEMS_A_PART, AttemptParts
from muster.runs.clock import RunClock
from muster.runs.guard import Reason
from muster.runs.parking import SHOWN, Ends, news, outlook, to_look_at
from muster.runs.run import ImportState, Phase, Run, Status
from muster.settings import Settings
from muster.settings.digests import settings_digest, vault_settings_digest
from muster.settings.mappings import salesforce_organization, vault_crm_connection
from muster.sources.gathering_salesforce import Gathered, Gathering
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.reading_by_id import read_users
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import VaultUser
from muster.times import timestamp

# Salesforce commits records some time after their time of change, and clocks differ.
OVERLAP = timedelta(minutes=10)


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

    def gather_and_go_on(self, run: Run, *, resumed: bool) -> RunAnswer:
        """Gather and decide; then end a preview, park what needs approval, or apply."""
        plan, trips, run = self._planned(run, resumed=resumed)
        run, answer = self._ends.after_planning(run, trips, self._shown(plan))
        return answer if answer is not None else self.apply(run, plan)

    def preview(self, run: Run, held_for: Sequence[Reason] = ()) -> tuple[Run, RunAnswer]:
        """Gather and decide only; returns the ended run and its answer. `held_for`: why else it waits."""
        plan, trips, run = self._planned(run, resumed=False)
        return self._ends.preview(run, [*trips, *held_for], self._shown(plan))

    def apply(self, run: Run, plan: Plan | None = None, *, resumed: bool = False) -> RunAnswer:
        """Apply the plan from where the run left off, notify managers, and end the run.

        `plan` is the one just made in this invocation; without it, the plan is read from the archive.
        """
        organization = run.organization
        summary = self.ports.archive.document(organization, run.id, run.attempt, "plan")
        planned_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        applying = Applying(
            self.settings, self.ports.roster, self.clock, run.id, planned_at, self._reading_again(run)
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

    def _reading_again(self, run: Run) -> ReadAgain:
        def read_again(crm_ids: Sequence[str]) -> Sequence[UserChange]:
            now = self.clock.now()
            read = read_users(crm_ids, self.settings, self.ports.salesforce, now, f"run:{run.id}")
            return list(read.changes.values())

        return read_again

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

    def _is_the_first(self, state: ImportState) -> bool:
        """Whether everyone was never imported before, or last from another Salesforce org."""
        return state.full_run is None or state.is_of_another_org(salesforce_organization(self.settings))

    def _new_since(self, run: Run) -> float | None:
        """Return from when on who comes is new (epoch seconds); `None`: nobody is yet (I13)."""
        state = self.ports.runs.state(run.organization)
        if self._is_the_first(state):
            return None
        return datetime.fromisoformat(state.new_since).timestamp() if state.new_since else 0

    def _items(self, run: Run) -> list[Item]:
        # An interrupted attempt at planning may have left more parts behind than this plan has.
        return list(islice(chain.from_iterable(map(plan_items.read, self._parts(run, "plan"))), run.planned))

    # ── Gather and decide ────────────────────────────────────────────────────────────────────────

    def _planned(self, run: Run, *, resumed: bool) -> tuple[Plan, list[Reason], Run]:
        state = self.ports.runs.state(run.organization)
        read_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        states: Mapping[str, MemberState]
        states, vault_states = self._states(run, state)
        moved = run.mode == "full" and state.is_of_another_org(salesforce_organization(self.settings))
        gathered = self._gathered(run, state, {} if moved else states, moved=moved, resumed=resumed)
        if moved:
            states = find_again(gathered, states, self.settings, self.ports.roster, self.clock.now())
        if run.mode == "full":
            gathered = select(gathered, states, self.settings, AttemptParts(self.ports.archive, run))
        plan = make_plan(
            gathered,
            states,
            self.settings,
            self.ports.roster,
            read_at,
            f"run:{run.id}",
            self._reading_again(run),
        )
        if moved:
            plan.problems.append(_told_of_the_move(gathered, salesforce_organization(self.settings) or ""))
        unchanged = gathered.digests.keys() - gathered.rows.keys()
        plan.frozen += sorted(each for each in unchanged & (gathered.frozen or set()) if states[each].active)
        if run.mode != "full":
            plan.active = type(plan.active)(state.active)
        vault = self._vault_part(run, state, vault_states, plan, resumed=resumed)
        plan.items += [*vault.items, *plan.seated]
        plan.decisions |= vault.decisions
        plan.warnings += vault.warnings
        plan.tally = plan_items.tally(plan.effective)
        trips: list[Reason] = [*guard.tripped(plan.effective, plan.active, self.settings)]
        if self._still_untried(state):
            trips += guard.untried(plan.effective, self.settings)
        for number, start in enumerate(range(0, len(plan.items), ITEMS_A_PART), 1):
            body = plan_items.written(plan.items[start : start + ITEMS_A_PART])
            self.ports.archive.put(run.organization, run.id, run.attempt, "plan", number, body)
        run = replace(
            run,
            planned=len(plan.items),
            cursor=0,
            counts=plan_items.counts(plan.effective),
            left_out=plan.left_out.counts,
            plan_hash=plan_items.plan_hash(plan.effective),
            updated_at=timestamp(self.clock.now()),
        )
        self.ports.archive.put_document(
            run.organization, run.id, run.attempt, "plan", self._summary(run, gathered, plan, trips, vault)
        )
        self._ends.log_errors(run, [*self._source_errors(run, gathered, plan), *vault.entries])
        return plan, trips, run

    def _still_untried(self, state: ImportState) -> bool:
        """Whether nobody has tried the settings: who looked at such a plan and let it pass has, too."""
        if self.untried in (None, state.settings_tried):
            return False
        return state.evaluated_with != settings_digest(self.settings)

    def _states(self, run: Run, state: ImportState) -> tuple[dict[str, MemberState], list[MemberState]]:
        """Return the states of members, by Salesforce id, and of those in Vault CRM, as far as needed."""
        whole_vault = self._has_vault(run) and reads_everyone(run, state, self.settings)
        if run.mode != "full" and not whole_vault:
            return {}, []
        found = list(self.ports.roster.states(run.organization))
        in_vault = [each for each in found if each.vault_id] if whole_vault else []
        if run.mode != "full":
            return {}, in_vault
        return {each.crm_id: each for each in found if each.crm_id}, in_vault

    def _has_vault(self, run: Run) -> bool:
        """Whether the run reads Vault CRM: one for named people, or to try settings, does not."""
        return self.ports.vault is not None and run.kind == "import" and run.mode != "members"

    def _vault_part(
        self, run: Run, state: ImportState, states: Sequence[MemberState], plan: Plan, *, resumed: bool
    ) -> VaultPart:
        if self.ports.vault is None or not self._has_vault(run):
            return VaultPart()
        read_at = datetime.fromisoformat(run.gathered_at or run.started_at)
        parts = AttemptParts(self.ports.archive, run)
        gathering = VaultGathering(self.settings, self.ports.vault, parts, self.clock.check, resumed)
        importing = VaultImporting(self.settings, self.ports.roster, run, read_at)
        part = importing.part(gathering, states, state, plan, OVERLAP)
        if part.whole and part.read is not None:
            part.base_licences_left = base_licences_left(self.ports.base_licences)
        return part

    def _gathered(
        self, run: Run, state: ImportState, states: Mapping[str, MemberState], *, moved: bool, resumed: bool
    ) -> Gathered:
        parts = AttemptParts(self.ports.archive, run)
        gathering = Gathering(self.settings, self.ports.salesforce, parts, self.clock.check, resumed)
        if run.mode == "members":
            return gathering.named(run.members)
        at = self.clock.now()
        due = members_due(self.ports.roster, self.settings, at)
        leaving = frozenset(crm_id for crm_id, member in due.items() if member.active)
        if run.mode == "incremental":
            frozen = None if state.frozen is None else frozenset(state.frozen)
            return replace(gathering.changed(run.since or "", lambda: due, frozen), leaving=leaving)
        try:
            gathered = gathering.everyone(
                states,
                afresh=state.evaluated_with != settings_digest(self.settings),
                inactive=moved,
                is_due=lambda each: (
                    each.crm_id in due
                    or (
                        bool(each.unmatched_since)
                        and grace_ends(each.unmatched_since, self.settings) <= timestamp(at)
                    )
                ),
            )
        except CursorLost:
            # The interrupted run's query cursor is gone; the next run reads from the start.
            raise Incomplete("Salesforce no longer knows where the reading was interrupted") from None
        # Another org may well have fewer users; the plan shows who of the members is not there.
        if not moved and guard.fell_too_far(state.rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"Salesforce shows {gathered.total:,} users, and {state.rows:,} the last time:"
                " fewer by more than the guard allows"
            )
        return replace(gathered, leaving=leaving)

    def _source_errors(self, run: Run, gathered: Gathered, plan: Plan) -> list[LogEntry]:
        """Return entries about users who cannot be decided about or seen, and about loops of managers."""
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
        at = timestamp(self.clock.now())
        return [
            entry_of(
                problem,
                at=at,
                system="salesforce",
                code=f"source_{problem.where.lower()}",
                notification=run.id,
                record=record,
            )
            for record, problem in problems
        ]

    def _summary(
        self, run: Run, gathered: Gathered, plan: Plan, trips: list[Reason], vault: VaultPart
    ) -> dict[str, Any]:
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
            "left_out": plan.left_out.to_json(),
            "guard": [trip.text() for trip in trips],
            "tally": plan.tally,
            "read": gathered.total,
            "newest": gathered.newest,
            "active": active,
            "evaluated_with": settings_digest(self.settings),
            "frozen": frozen_users.remembered(gathered.frozen),
            "frozen_members": sorted(plan.frozen),
            "organization_id": salesforce_organization(self.settings),
            "noticed": len(plan.problems) + bool(gathered.unseen) + len(gathered.loops or ()) + vault.errors,
            "vault_crm": None if vault.read is None else vault.summary(),
        }

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
        state = self._state_after(run, summary)
        if state:
            known = self.ports.runs.state(run.organization).frozen or ()
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

    def _state_after(self, run: Run, summary: Mapping[str, Any]) -> ImportState | None:
        if run.mode == "members":
            return None
        state = self.ports.runs.state(run.organization)
        first = self._is_the_first(state)
        organization_id = summary.get("organization_id")
        if state.is_of_another_org(organization_id):
            state = replace(state, watermark=None)
        newest = _normal(summary["newest"]) if summary["newest"] else state.watermark
        state = replace(
            state,
            organization_id=organization_id or state.organization_id,
            watermark=max(newest or "", state.watermark or "") or None,
            active=summary["active"],
            frozen=state.frozen if (frozen := summary.get("frozen")) is None else tuple(frozen),
            completed_at=timestamp(self.clock.now()),
        )
        if vault := summary.get("vault_crm"):
            state = self._after_vault(state, run, vault)
        state = self.align_sync.state_after(state)
        if run.mode == "full":
            state = replace(
                state,
                rows=summary["read"],
                evaluated_with=summary["evaluated_with"],
                full_run=run.id,
                new_since=timestamp(self.clock.now()) if first else state.new_since,
            )
            if state.approved == run.plan_hash:
                state = replace(state, approved=None, approved_until=None)
        return state

    def _after_vault(self, state: ImportState, run: Run, vault: Mapping[str, Any]) -> ImportState:
        host = vault.get("host", state.vault_host)
        if host and state.is_of_another_vault(host):
            state = replace(state, vault_watermark=None)
        newest = _normal(vault["newest"]) if vault["newest"] else state.vault_watermark
        watermark = max(newest or "", state.vault_watermark or "") or None
        state = replace(state, vault_watermark=watermark, vault_read_at=run.gathered_at or run.started_at)
        groups = vault.get("groups", state.vault_groups)
        if not vault["whole"]:
            known = state.vault_groups
            more = {name: [*dict.fromkeys([*known.get(name, ()), *found])] for name, found in groups.items()}
            return replace(state, vault_groups={**known, **more})
        state = replace(state, vault_groups=groups)
        decided = vault_settings_digest(self.settings)
        return replace(state, vault_rows=vault["read"], vault_decided_with=decided, vault_host=host)

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

    def _parts(self, run: Run, name: str) -> Iterable[bytes]:
        return self.ports.archive.parts(run.organization, run.id, run.attempt, name)


def _first(items: Iterable[Item]) -> list[dict[str, Any]]:
    effective = (item for item in items if item.outcome != Outcome.UNCHANGED)
    return [item.shown() for item in plan_items.first(effective, SHOWN)]


def _told_of_the_move(gathered: Gathered, organization_id: str) -> tuple[str, Problem]:
    what = (
        f"is another Salesforce org than the last import read: {len(gathered.heirs):,} members were found"
        f" again by username and e-mail address, and {len(gathered.gone):,} active ones were not"
    )
    remedy = "Look at who leaves: nobody there has their username or address. Correct it there, and import."
    return organization_id, Problem("organization_id", what, remedy)


def _told(vault: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("read", "unlinked", "ambiguous", "licences_of_nobody", "base_licences_left")
    return {name: value for name in shown if (value := vault.get(name)) is not None}


def _normal(stamp: str) -> str:
    return timestamp(datetime.fromisoformat(stamp))
