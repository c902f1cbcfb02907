"""The Vault CRM part of an import: its users are read and planned after Salesforce's (I3, I4, G4).

If Vault CRM cannot be read, nothing of it is imported and the error log says so; people who left in
Salesforce lose access all the same (P6).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.crm.engage_features import CONNECTION
from muster.crm.pages import CursorLost
from muster.crm.vault_records import BaseLicence
from muster.error_log import LogEntry, entry_of, what_to_do
from muster.errors import Incomplete, MusterError, Problem, Rejected, Stale
from muster.imports.planning import Plan
from muster.imports.planning_vault_crm import VaultPart, VaultPlanning
from muster.roster.ports import Roster
from muster.runs import guard
from muster.runs.import_state import ImportState
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import vault_settings_digest
from muster.settings.mappings import vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathered, VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.vault_users import VaultUser, user_of
from muster.times import timestamp

# The names in the run archive of what is asked for beside the users themselves.
FOUND = "vault_found"
UNSEEN = "vault_unseen"


def reads_everyone(run: Run, state: ImportState, settings: Settings) -> bool:
    """Whether the run reads every user of Vault CRM, not only those changed since the last import."""
    known = state.vault_crm.watermark is not None and not _decides_afresh(state, settings)
    return run.mode == "full" or not known


def _decides_afresh(state: ImportState, settings: Settings) -> bool:
    """Whether other settings, or another vault, were those that users were last decided about with."""
    same_vault = state.vault_crm.system == vault_crm_connection(settings).host
    return state.vault_crm.decided_with != vault_settings_digest(settings) or not same_vault


def base_licences_left(ask: Callable[[], Sequence[BaseLicence]]) -> int | None:
    """Return how many users can still be made active, in the application with the fewest licences left.

    `None` where the vault does not say: an import does not depend on it, and preflight says why.
    """
    try:
        return min((each.left for each in ask()), default=None)
    except MusterError:
        return None


@dataclass(frozen=True, slots=True)
class VaultImporting:
    """Reads and plans the Vault CRM part of one run."""

    settings: Settings
    roster: Roster
    run: Run
    now: datetime

    def part(
        self,
        gathering: VaultGathering,
        states: Sequence[MemberState],
        state: ImportState,
        plan: Plan,
        overlap: timedelta,
    ) -> VaultPart:
        """Read and plan; a part that could not be read has one entry and nothing else.

        `states` are those of members in Vault CRM, where everyone is read; `plan` is the rest of the plan.
        Raises `Stale` if the lease is lost.
        """
        host = vault_crm_connection(self.settings).host
        part = VaultPart(whole=reads_everyone(self.run, state, self.settings), host=host)
        moved = state.is_of_another_vault(host)
        planning = VaultPlanning(self.settings, self.roster, self.run, self.now, plan, part, moved)
        try:
            if part.whole:
                gathered = self._everyone(gathering, states, state, moved=moved)
            else:
                gathered = self._changed(gathering, state, overlap, plan.unlinked)
            part.read, part.newest, part.groups = gathered.total, gathered.newest, gathered.groups
            gone = self._gone(gathering, gathered.unseen)
            planning.free |= {each.member for each in states if each.vault_id in gone}
            planning.plan_users(self._users(part, gathered))
            planning.plan_lost_links(each for each in states if moved or each.vault_id in gone)
        except Stale:
            raise
        except MusterError as error:
            problem = Problem(
                "connections.vault_crm",
                f"was not imported: {error}",
                f"{what_to_do(error)}; the next import reads Vault CRM again. Nothing of it was changed.",
            )
            return VaultPart(entries=[self._entry(None, "vault_not_imported", problem)])
        return planning.close()

    def _everyone(
        self,
        gathering: VaultGathering,
        states: Sequence[MemberState],
        state: ImportState,
        *,
        moved: bool,
    ) -> VaultGathered:
        known = {} if moved else {each.vault_id: each for each in states}
        try:
            gathered = gathering.everyone(known, afresh=_decides_afresh(state, self.settings))
        except CursorLost:
            raise Incomplete("Vault CRM no longer knows where the reading was interrupted") from None
        # Another vault may well have fewer users; the plan shows who of the members is not there.
        if not moved and guard.fell_too_far(state.vault_crm.rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"it shows {gathered.total:,} users, and {state.vault_crm.rows:,} the last time:"
                " fewer by more than the guard allows"
            )
        return gathered

    def _changed(
        self, gathering: VaultGathering, state: ImportState, overlap: timedelta, unlinked: Iterable[str]
    ) -> VaultGathered:
        """Read who has changed, and whoever goes by the names of members that are linked to nobody (I3)."""
        since = datetime.fromisoformat(state.vault_crm.watermark or "") - overlap
        by = vault_crm_connection(self.settings).match
        names = sorted(name for kind, _, name in (key.partition("#") for key in unlinked) if kind == by)
        try:
            gathered = gathering.changed(timestamp(since))
            gathered.rows |= gathering.going_by(f"{by}__sys", names, FOUND).rows
        except CursorLost:
            raise Incomplete("Vault CRM no longer knows where the reading was interrupted") from None
        return gathered

    def _gone(self, gathering: VaultGathering, unseen: Sequence[str]) -> frozenset[str]:
        """Return the users whom the vault does not show either when they are asked for by id."""
        return frozenset(gathering.named(unseen, UNSEEN).unseen) if unseen else frozenset()

    def _users(self, part: VaultPart, gathered: VaultGathered) -> Iterable[VaultUser]:
        for vault_id, row in gathered.rows.items():
            try:
                yield user_of(row, self.settings, f"run:{self.run.id}")
            except Rejected as error:
                part.entries.append(self._entry(vault_id, "vault_user_not_understood", error.problems[0]))

    def _entry(self, vault_id: str | None, code: str, problem: Problem) -> LogEntry:
        return entry_of(
            problem,
            at=timestamp(self.now),
            system=CONNECTION,
            code=code,
            notification=self.run.id,
            record=vault_id,
        )
