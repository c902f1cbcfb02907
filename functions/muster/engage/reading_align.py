"""Align's roster as a run reads it: records found, matched with members, and members changed by them (G9)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched

from muster.checks import Check
from muster.crm.engage_features import ALIGN
from muster.engage import align_entries, align_records
from muster.engage.align_records import AlignRecord
from muster.engage.ports import Vault
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.writing_members import Change, MemberWriter
from muster.runs.clock import RunClock
from muster.runs.run import Run
from muster.settings import Settings

type Found = list[tuple[AlignRecord, tuple[Member, ...]]]


@dataclass(slots=True)
class AlignRoster:
    """One invocation's access to Align's roster.

    `preflight` returns the failed ones of the checks that using Align depends on (U6). Every method raises
    what the vault raises.
    """

    settings: Settings
    vault: Vault
    roster: Roster
    clock: RunClock
    preflight: Callable[[], Sequence[Check]]
    _checked: bool = field(default=False, init=False)

    def check_user(self) -> None:
        """Raise `Misconfigured` if Align's integration user is not as it has to be; asked once (U6)."""
        if not self._checked and (failed := self.preflight()):
            raise align_entries.blocked_by(failed)
        self._checked = True

    def stop_if_not_allowed(self) -> None:
        """Ask anew before a refusal is taken for the record's; raises as `check_user`, or if time is up."""
        self._checked = False
        self.check_user()
        self.clock.check()

    def records(self, conditions: Iterable[str | None]) -> list[AlignRecord]:
        """Return the records that meet any of these conditions, each once."""
        found: dict[str, AlignRecord] = {}
        for condition in conditions:
            for page in self.vault.query(align_records.query(condition, self.settings)):
                for row in page.records:
                    record = align_records.record_of(row, self.settings)
                    found[record.id] = record
                self.clock.check()
        return list(found.values())

    def matched(self, records: Iterable[AlignRecord]) -> Found:
        """Return the records with the members they match."""
        found: Found = []
        for some in batched(records, LOOKED_UP_AT_ONCE, strict=False):
            wanted = {record.id: align_records.wanted_for(record, self.settings) for record in some}
            known = self.roster.gather(self.settings.organization, wanted)
            found += [(record, align_records.candidates(known[record.id])) for record in some]
            self.clock.check()
        return found

    def change(self, run: Run, changes: Mapping[str, Change]) -> None:
        """Change members (ids), whatever others write meanwhile."""
        MemberWriter(
            self.settings,
            self.roster,
            self.clock.now(),
            self.clock.lease,
            ALIGN,
            f"run:{run.id}",
        ).write(changes)
