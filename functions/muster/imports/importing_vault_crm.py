"""The Vault CRM part of an import: its users are read and planned after Salesforce's (I3, I4, G4).

If Vault CRM cannot be read, nothing of it is imported and the error log says so; people who left in
Salesforce lose access all the same (P6).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from muster.crm.engage_features import CONNECTION
from muster.crm.pages import CursorLost
from muster.crm.vault_records import BaseLicence
from muster.error_log import LogEntry, entry_of, what_to_do
from muster.errors import Incomplete, MusterError, Problem, Rejected, Stale
from muster.imports.plan_items import Item, item_of
from muster.roster import vault_lifecycle
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.unlinked_holders import UnlinkedHolder, holder_of
from muster.runs import guard
from muster.runs.run import ImportState, Run
from muster.settings import Settings
from muster.settings.digests import vault_settings_digest
from muster.sources.gathering_vault_crm import VaultGathered, VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.vault_users import VaultUser, user_of
from muster.times import timestamp


@dataclass(slots=True)
class VaultPart:
    """The Vault CRM part of a plan, and its entries for the error log.

    `read` is the number of users read, `None` if reading failed or was not tried; `newest` the latest time
    of change among them; `whole` whether everyone was read. `decisions` can be written as they are, by
    Vault CRM id. `outcomes` counts the users for whom nothing is planned. `holders` are those of them who
    have a group and are linked to nobody (G10), and `looked_at` all that were decided about, by id.
    `base_licences_left` is how many users can still be made active there; `None`: not known.
    """

    read: int | None = None
    newest: str | None = None
    whole: bool = False
    items: list[Item] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    entries: list[LogEntry] = field(default_factory=list)
    holders: list[UnlinkedHolder] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    base_licences_left: int | None = None

    @property
    def errors(self) -> int:
        """How many of the entries are errors."""
        return sum(entry.code != vault_lifecycle.REQUEST_KEPT for entry in self.entries)

    def summary(self) -> dict[str, Any]:
        """Return the counts that an answer shows, and what is to be recorded once the plan is applied."""
        return {
            "read": self.read or 0,
            "unlinked": self.outcomes[Outcome.UNLINKED],
            "ambiguous": self.outcomes[Outcome.AMBIGUOUS],
            "newest": self.newest,
            "whole": self.whole,
            "holders": {holder.id: holder.to_document() for holder in self.holders},
            "looked_at": None if self.whole else self.looked_at,
            "base_licences_left": self.base_licences_left,
        }


def reads_everyone(run: Run, state: ImportState, settings: Settings) -> bool:
    """Whether the run reads every user of Vault CRM, not only those changed since the last import."""
    known = state.vault_watermark is not None and state.vault_decided_with == vault_settings_digest(settings)
    return run.mode == "full" or not known


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
        states: Mapping[str, MemberState],
        state: ImportState,
        joining: frozenset[str],
        overlap: timedelta,
    ) -> VaultPart:
        """Read and plan; a part that could not be read has one entry and nothing else.

        `states` are the roster's, by Vault CRM id, where everyone is read. `joining` are the match keys
        that members will have once the rest of the plan is applied. Raises `Stale` if the lease is lost.
        """
        part = VaultPart(whole=reads_everyone(self.run, state, self.settings))
        try:
            gathered = self._gathered(gathering, states, state, overlap, whole=part.whole)
            part.read, part.newest = gathered.total, gathered.newest
            self._plan(part, gathered, joining)
        except Stale:
            raise
        except MusterError as error:
            problem = Problem(
                "connections.vault_crm",
                f"was not imported: {error}",
                f"{what_to_do(error)}; the next import reads Vault CRM again. Nothing of it was changed.",
            )
            return VaultPart(entries=[self._entry(None, "vault_not_imported", problem)])
        return part

    def _gathered(
        self,
        gathering: VaultGathering,
        states: Mapping[str, MemberState],
        state: ImportState,
        overlap: timedelta,
        *,
        whole: bool,
    ) -> VaultGathered:
        try:
            if not whole:
                since = datetime.fromisoformat(state.vault_watermark or "") - overlap
                return gathering.changed(timestamp(since))
            afresh = state.vault_decided_with != vault_settings_digest(self.settings)
            gathered = gathering.everyone(states, afresh=afresh)
        except CursorLost:
            raise Incomplete("Vault CRM no longer knows where the reading was interrupted") from None
        if guard.fell_too_far(state.vault_rows, gathered.total, self.settings.guard):
            raise Incomplete(
                f"it shows {gathered.total:,} users, and {state.vault_rows:,} the last time:"
                " fewer by more than the guard allows"
            )
        return gathered

    def _plan(self, part: VaultPart, gathered: VaultGathered, joining: frozenset[str]) -> None:
        for user, known in self._looked_up(part, gathered):
            decision = vault_lifecycle.decide(user, known, self.settings, {}, self.now)
            part.entries += [
                self._entry(user.id, notice.code, notice.problem)
                for notice in vault_lifecycle.notices(user, decision, self.settings)
            ]
            keys = vault_lifecycle.wanted_for(user, self.settings).match_keys
            if decision.outcome is Outcome.UNLINKED and not joining.isdisjoint(keys):
                # Its member is about to be created.
                part.items.append(item_of(user, Decision(outcome=Outcome.LINKED)))
            elif decision.writes:
                part.items.append(item_of(user, decision))
                if joining.isdisjoint(keys):
                    part.decisions[user.id] = decision
            else:
                part.outcomes[decision.outcome] += 1
                if holder := holder_of(user, decision, timestamp(self.now)):
                    part.holders.append(holder)
            part.looked_at.append(user.id)

    def _looked_up(self, part: VaultPart, gathered: VaultGathered) -> Iterable[tuple[VaultUser, Known]]:
        unseen = frozenset(gathered.unseen)
        users = sorted(self._users(part, gathered), key=vault_lifecycle.in_order)
        for some in batched(users, LOOKED_UP_AT_ONCE, strict=False):
            wanted = {user.id: vault_lifecycle.wanted_for(user, self.settings) for user in some}
            known = self.roster.gather(self.settings.organization, wanted)
            for user in some:
                yield vault_lifecycle.succeeding(user, known[user.id], unseen), known[user.id]

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
