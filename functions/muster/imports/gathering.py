"""Gathers what an import decides with, and has it decided (I1, I4, A14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.imports import frozen_users, known_roster, plan_items
from muster.imports.deciding import Basis, decide
from muster.imports.importing_vault_crm import base_licences_left
from muster.imports.known_roster import KnownRoster
from muster.imports.looking_up import LookingUp
from muster.imports.plan_items import Item
from muster.imports.planning import Plan
from muster.imports.planning_vault_crm import VaultPart
from muster.imports.ports import Ports
from muster.imports.reading_sources import Sources, gather
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
from muster.sources.reading_by_id import read_users
from muster.sources.user_changes import UserChange
from muster.times import timestamp


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
        basis = self._gathered(run, resumed=resumed)
        gathered, state = basis.selected.gathered, basis.known.state
        plan, vault = decide(basis, self.settings, _gathered_at(run), run.id)
        if vault.whole and vault.read is not None:
            vault.base_licences_left = base_licences_left(self.ports.base_licences)
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

    def _gathered(self, run: Run, *, resumed: bool) -> Basis:
        """Read the sources and what the roster knows, and keep both in the archive."""
        ports, parts = self.ports, AttemptParts(self.ports.archive, run)
        known = KnownRoster(
            at=self.clock.now(), state=ports.runs.state(run.organization), untried=self.untried
        )
        now = _gathered_at(run)
        looking_up = LookingUp(self.settings, ports.roster, self.reading_again(run), parts, now, known)
        sources = Sources(
            self.settings,
            Gathering(self.settings, ports.salesforce, parts, self.clock.check, resumed),
            VaultGathering(self.settings, ports.vault, parts, self.clock.check, resumed)
            if ports.vault is not None and kind_of(run).applies and run.mode != "members"
            else None,
            parts,
        )
        basis = gather(sources, run, now, known, looking_up)
        parts.put_decided_with(known_roster.keep(known, self.settings, parts))
        return basis

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


def _gathered_at(run: Run) -> datetime:
    return datetime.fromisoformat(run.gathered_at or run.started_at)
