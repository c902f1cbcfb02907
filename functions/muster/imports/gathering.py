"""Gathers what an import decides with, and makes its plan (I1, I4, A14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from muster.crm.pages import CursorLost
from muster.error_log import LogEntry, entry_of
from muster.errors import Incomplete, Problem
from muster.imports import frozen_users, plan_items
from muster.imports.finding_again import find_again
from muster.imports.importing_vault_crm import VaultImporting, base_licences_left, reads_everyone
from muster.imports.plan_items import Item
from muster.imports.planning import Plan, make_plan
from muster.imports.planning_vault_crm import VaultPart
from muster.imports.ports import Ports
from muster.imports.selecting import members_due, select
from muster.roster.activity import grace_ends
from muster.roster.writing_user_changes import ReadAgain
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Planned
from muster.runs.import_state import ImportState
from muster.runs.kinds import kind_of
from muster.runs.parking import SHOWN
from muster.runs.reasons import Reason
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.settings.mappings import salesforce_organization
from muster.sources.gathering_salesforce import Gathered, Gathering
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.reading_by_id import read_users
from muster.sources.user_changes import UserChange
from muster.times import timestamp

# Salesforce commits records some time after their time of change, and clocks differ.
OVERLAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class PlanMaker:
    """Gathers and decides for one run.

    `untried` is the settings' version, if what they name could not be tried when they were saved.
    """

    ports: Ports
    clock: RunClock
    settings: Settings
    untried: int | None

    def planned(self, run: Run, *, resumed: bool) -> tuple[Plan, Planned[Item]]:
        """Return the plan, and what is recorded and shown of it."""
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
            self.reading_again(run),
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
        return plan, Planned(
            items=plan.items,
            counts=plan_items.counts(plan.effective),
            plan_hash=plan_items.plan_hash(plan.effective),
            shown=self._shown(plan),
            reasons=trips,
            left_out=plan.left_out.counts,
            summary=self._summary(gathered, plan, vault),
            errors=run.errors,
            entries=[*self._source_errors(run, gathered, plan), *vault.entries],
        )

    def _shown(self, plan: Plan) -> PlanShown:
        return PlanShown(
            changes=plan_items.first_shown(plan.items, SHOWN),
            tally=plan.tally,
            seats=plan.seat_use(self.settings),
            left_out=plan.left_out.to_json(),
            warnings=[*plan_items.lost_by_hand(plan.items), *plan.warnings],
        )

    def _still_untried(self, state: ImportState) -> bool:
        """Whether nobody has tried the settings: who looked at such a plan and let it pass has, too."""
        if self.untried in (None, state.settings_tried):
            return False
        return state.salesforce.decided_with != settings_digest(self.settings)

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
        return self.ports.vault is not None and kind_of(run).applies and run.mode != "members"

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
                afresh=state.salesforce.decided_with != settings_digest(self.settings),
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
        if not moved and guard.fell_too_far(state.salesforce.rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"Salesforce shows {gathered.total:,} users, and {state.salesforce.rows:,} the last time:"
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

    def _summary(self, gathered: Gathered, plan: Plan, vault: VaultPart) -> dict[str, Any]:
        active = dict(plan.active)
        for item in plan.effective:
            change = {"created": 1, "reactivated": 1, "deactivated": -1}.get(item.outcome, 0)
            for where in (guard.EVERYONE, item.assignment):
                if change and where is not None:
                    active[where] = active.get(where, 0) + change
        return {
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

    def reading_again(self, run: Run) -> ReadAgain:
        """Return what reads users by id, as they are now."""

        def read_again(crm_ids: Sequence[str]) -> Sequence[UserChange]:
            now = self.clock.now()
            read = read_users(crm_ids, self.settings, self.ports.salesforce, now, f"run:{run.id}")
            return list(read.changes.values())

        return read_again


def _told_of_the_move(gathered: Gathered, organization_id: str) -> tuple[str, Problem]:
    what = (
        f"is another Salesforce org than the last import read: {len(gathered.heirs):,} members were found"
        f" again by username and e-mail address, and {len(gathered.gone):,} active ones were not"
    )
    remedy = "Look at who leaves: nobody there has their username or address. Correct it there, and import."
    return organization_id, Problem("organization_id", what, remedy)
