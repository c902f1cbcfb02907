"""Record which users of Vault CRM have a group and are linked to nobody, once an import is applied (G10).

What is recorded replaces what was: where everyone was read, all of it; else that of the users who were read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.error_log import LogEntry, at_most
from muster.lease import Lease
from muster.roster import unlinked_holders
from muster.roster.ports import UnlinkedHolders
from muster.roster.unlinked_holders import Changes, UnlinkedHolder
from muster.runs.ports import ErrorLog
from muster.runs.run import Run
from muster.settings import Settings


@dataclass(frozen=True, slots=True)
class HolderRecorder:
    """Records them for one organization; `now` is in epoch seconds."""

    settings: Settings
    holders: UnlinkedHolders
    log: ErrorLog
    lease: Lease
    now: float

    def record(self, run: Run, vault: Mapping[str, Any] | None) -> tuple[int | None, int]:
        """Record what an import found, and tell who is new.

        `vault` is what the plan's summary says of Vault CRM. Returns how many there are (`None`: nothing is
        known of it) and how many entries were made. Told before recorded, so that an import that is
        interrupted in between tells it once more under the same key. Raises `Stale`.
        """
        connection = self.settings.connections.vault_crm
        if connection is None:
            if run.mode == "full":
                self._apply(run, Changes(forget=tuple(self.holders.holders(run.organization))), "")
            return None, 0
        # A plan that an earlier version made does not say who they are.
        if vault is None or "holders" not in vault:
            return None, 0
        found = [UnlinkedHolder.from_document(*each) for each in vault["holders"].items()]
        known = self.holders.holders(run.organization)
        looked_at = vault["looked_at"]
        changes = unlinked_holders.changes(known, found, None if looked_at is None else frozenset(looked_at))
        told = self._apply(run, changes, connection.match)
        return len(known) - len(changes.forget) + len(changes.new), told

    def _apply(self, run: Run, changes: Changes, match: str) -> int:
        entries: list[LogEntry] = at_most(changes.told(match, run.id))
        if entries:
            self.log.park(run.organization, entries, self.now)
        if changes.record or changes.forget:
            self.holders.record(run.organization, changes.record, changes.forget, self.lease)
        return len(entries)
