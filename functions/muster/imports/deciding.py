"""The whole plan of an import: of what was read, and what the roster knew of that (I1, Q4). Pure.

It asks nothing of anybody, not even the time: so the same plan is made from the run archive again.
"""

from dataclasses import dataclass
from datetime import datetime

from muster.errors import Problem
from muster.imports import plan_items
from muster.imports.known_roster import KnownRoster
from muster.imports.planning import Plan, make_plan
from muster.imports.planning_vault_crm import VaultPart, plan_vault
from muster.imports.selecting import Selected
from muster.imports.vault_users_read import VaultUsersRead
from muster.settings import Settings
from muster.settings.mappings import salesforce_organization
from muster.sources.gathering_salesforce import Gathered


@dataclass(frozen=True, slots=True)
class Basis:
    """What an import was decided with: what was read, and what was known; `vault` is `None` if not read.

    `moved` says that this is another Salesforce org than before.
    """

    selected: Selected
    known: KnownRoster
    vault: VaultUsersRead | None
    moved: bool


def decide(basis: Basis, settings: Settings, now: datetime, run_id: str) -> tuple[Plan, VaultPart]:
    """Return the plan, and its Vault CRM part for itself; `now` is when gathering began."""
    plan = make_plan(basis.selected, basis.known, settings, now, f"run:{run_id}")
    if basis.moved:
        organization = salesforce_organization(settings) or ""
        plan.problems.append(_told_of_the_move(basis.selected.gathered, organization))
    vault = VaultPart()
    if basis.vault is not None:
        vault = plan_vault(basis.vault, basis.known, plan, settings, now, run_id)
    plan.items += [*vault.items, *plan.seated]
    plan.decisions |= vault.decisions
    plan.warnings += vault.warnings
    plan.tally = plan_items.tally(plan.effective)
    return plan, vault


def _told_of_the_move(gathered: Gathered, organization_id: str) -> tuple[str, Problem]:
    what = (
        f"is another Salesforce org than the last import read: {len(gathered.heirs):,} members were found"
        f" again by username and e-mail address, and {len(gathered.gone):,} active ones were not"
    )
    remedy = "Look at who leaves: nobody there has their username or address. Correct it there, and import."
    return organization_id, Problem("organization_id", what, remedy)
