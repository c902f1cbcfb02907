"""What an import reads of Vault CRM: its users, after those of Salesforce (I3, I4, G4).

If Vault CRM cannot be read, nothing of it is imported and the error log says so; people who left in
Salesforce lose access all the same (P6).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.crm.pages import CursorLost
from muster.crm.vault_records import BaseLicence
from muster.error_log import what_to_do
from muster.errors import Incomplete, MusterError, Problem, Rejected, Stale
from muster.imports.known_roster import KnownRoster, VaultReading
from muster.imports.looking_up import LookingUp
from muster.imports.vault_users_read import VaultUsersRead
from muster.roster import vault_lifecycle
from muster.runs import guard
from muster.runs.import_state import ImportState
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import vault_settings_digest
from muster.settings.mappings import vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathered, VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.vault_users import user_of
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
    """Reads Vault CRM for one run, and has looked up in the roster what deciding about its users needs."""

    settings: Settings
    run: Run
    gathering: VaultGathering
    known: KnownRoster

    def read(self, overlap: timedelta, looking_up: LookingUp | None) -> VaultUsersRead:
        """Return what was read; `known` says what became of it.

        Without `looking_up`, all is known already. Raises `Stale` if the lease is lost.
        """
        host = vault_crm_connection(self.settings).host
        state = self.known.state
        read = VaultUsersRead(
            host=host,
            whole=reads_everyone(self.run, state, self.settings),
            moved=state.is_of_another_vault(host),
        )
        if self.known.vault is VaultReading.FAILED:
            read.problem = self.known.vault_problem
            return read
        try:
            self._read(read, overlap)
            if looking_up:
                looking_up.look_up_in_vault(read.users, self._lost(read))
        except Stale:
            raise
        except MusterError as error:
            read.problem = self.known.vault_problem = Problem(
                "connections.vault_crm",
                f"was not imported: {error}",
                f"{what_to_do(error)}; the next import reads Vault CRM again. Nothing of it was changed.",
            )
            self.known.vault = VaultReading.FAILED
            return read
        self.known.vault = VaultReading.READ
        return read

    def _lost(self, read: VaultUsersRead) -> Iterator[MemberState]:
        return (each for each in self.known.in_vault if read.moved or each.vault_id in read.gone)

    def _read(self, read: VaultUsersRead, overlap: timedelta) -> None:
        gathered = self._everyone(moved=read.moved) if read.whole else self._changed(overlap)
        read.total, read.newest, read.groups = gathered.total, gathered.newest, gathered.groups
        read.gone = self._gone(gathered.unseen)
        users, refused = [], []
        for vault_id, row in gathered.rows.items():
            try:
                users.append(user_of(row, self.settings, f"run:{self.run.id}"))
            except Rejected as error:
                refused.append((vault_id, error.problems[0]))
        read.users, read.refused = sorted(users, key=vault_lifecycle.in_order), refused

    def _everyone(self, *, moved: bool) -> VaultGathered:
        state = self.known.state
        known = {} if moved else {each.vault_id: each for each in self.known.in_vault}
        try:
            gathered = self.gathering.everyone(known, afresh=_decides_afresh(state, self.settings))
        except CursorLost:
            raise Incomplete("Vault CRM no longer knows where the reading was interrupted") from None
        # Another vault may well have fewer users; the plan shows who of the members is not there.
        if not moved and guard.fell_too_far(state.vault_crm.rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"it shows {gathered.total:,} users, and {state.vault_crm.rows:,} the last time:"
                " fewer by more than the guard allows"
            )
        return gathered

    def _changed(self, overlap: timedelta) -> VaultGathered:
        """Read who has changed, and whoever goes by the names of members that are linked to nobody (I3)."""
        since = datetime.fromisoformat(self.known.state.vault_crm.watermark or "") - overlap
        by = vault_crm_connection(self.settings).match
        keys = (key.partition("#") for key in self.known.unlinked)
        names = sorted(name for kind, _, name in keys if kind == by)
        try:
            gathered = self.gathering.changed(timestamp(since))
            gathered.rows |= self.gathering.going_by(f"{by}__sys", names, FOUND).rows
        except CursorLost:
            raise Incomplete("Vault CRM no longer knows where the reading was interrupted") from None
        return gathered

    def _gone(self, unseen: Sequence[str]) -> frozenset[str]:
        """Return the users whom the vault does not show either when they are asked for by id."""
        return frozenset(self.gathering.named(unseen, UNSEEN).unseen) if unseen else frozenset()
