"""Gathers what a push decides with: who is due or in line, and their users in Vault CRM (P1, G8, G10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from muster.crm import engage_features
from muster.engage import licence_lines, push_plan
from muster.engage.another_vault import another_vault
from muster.engage.checking_links import strangers
from muster.engage.ports import Ports
from muster.engage.push_basis import PushBasis
from muster.engage.push_items import VAULT_CRM
from muster.engage.sending_items import ItemSender
from muster.error_log import LogEntry, at_most
from muster.errors import Misconfigured
from muster.pushes.blocked import blocked_by
from muster.roster import end_dates, engage_groups
from muster.roster.engage_errors import field_not_writable
from muster.roster.engage_groups import Due
from muster.roster.member import Member
from muster.roster.writing_members import Change
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.mappings import custom_fields_to_write, vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.vault_users import VaultUser


@dataclass(frozen=True, slots=True)
class Gathered(PushBasis):
    """What a push decides with; `entries` are about links that are in doubt: nothing is sent by them."""

    entries: tuple[LogEntry, ...]


@dataclass(slots=True)
class DueGathering:
    """Gathers for one push; raises `Misconfigured` if members are linked to another vault's users (G10)."""

    ports: Ports
    clock: RunClock
    settings: Settings
    sender: ItemSender
    # The fields of custom mappings that can be written, once somebody is due for that.
    _writable: frozenset[str] = frozenset()

    def due(self, run: Run, requested: Mapping[str, Change]) -> dict[str, Member]:
        """Return the members who are due for a push; the index lists candidates, the member decides.

        `requested` are the changes just requested in Align, by member: a preview has not recorded them.
        """
        at = at_of(run)
        # The later of the two days: what is due from a moment on has that of UTC.
        day = max(end_dates.today(at, self.settings.time_zone), at.astimezone(UTC).date())
        listed = [
            (name, due)
            for name, due in self.ports.roster.due(run.organization, day)
            if push_plan.is_due(due, self.settings, at)
        ]
        asking = {name: requested[name](each) for name, each in self._members(run, requested).items()}
        dues = [*(due for _, due in listed), *map(engage_groups.due, asking.values())]
        if any(due and engage_features.FIELDS in due.what for due in dues):
            self._writable = self._fields(run)
        names = {name for name, due in listed if self._has_work(due)}
        found = self._members(run, names - asking.keys()) | asking
        return {
            name: each
            for name, each in found.items()
            if (due := engage_groups.due(each, in_align=False))
            and push_plan.is_due(due, self.settings, at)
            and self._has_work(due)
        }

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> Gathered:
        """Return what Vault CRM shows of those who are due, and of whoever in line gets a free licence.

        Each user is read once.
        """
        at, members = at_of(run), dict(due)
        if members:
            self.require_the_vault_of_the_links(run)
        users = self._users(run, members.values(), resumed=resumed) if members else {}
        lines, free = self.ports.roster.licence_lines(run.organization)
        in_line = licence_lines.next_in_line(lines, free, members.values(), users, self.settings, at)
        waiting = self._members(run, in_line.keys() - members.keys())
        if waiting:
            self.require_the_vault_of_the_links(run)
            members |= waiting
            users |= self._users(run, waiting.values(), resumed=resumed, folder="line/")
        in_line = {name: place for name, place in in_line.items() if name in members}
        found = strangers(members.values(), users, self.settings, self.ports.roster)
        return Gathered(
            {name: each for name, each in members.items() if name not in found.members},
            users,
            {name: place for name, place in in_line.items() if name not in found.members},
            self._writable,
            tuple(found.entries),
        )

    def require_the_vault_of_the_links(self, run: Run) -> None:
        """Raise `Misconfigured` if members are linked to the users of another vault than the connection's."""
        state, host = self.ports.runs.state(run.organization), vault_crm_connection(self.settings).host
        if state.is_of_another_vault(host):
            check = another_vault(state.vault_crm.system, host)
            raise Misconfigured(f"the push is {blocked_by([check], VAULT_CRM)}")

    def _has_work(self, due: Due) -> bool:
        """Whether there is more to do than to write fields of which none can be written."""
        fields = {engage_features.FIELDS} if not self._writable else set()
        return push_plan.concerns_push(due.what - fields, self.settings)

    def _fields(self, run: Run) -> frozenset[str]:
        """Return the fields of custom mappings that can be written; the others are told, once a day."""
        there = {each.name for each in self.ports.fields() if each.active and each.editable}
        wanted = custom_fields_to_write(self.settings)
        now = self.clock.now()
        told = [field_not_writable(name, now) for name in wanted if name not in there]
        if told and not run.preview:
            self.ports.roster.park(run.organization, at_most(told), now.timestamp())
        return frozenset(there.intersection(wanted))

    def _members(self, run: Run, names: Iterable[str]) -> dict[str, Member]:
        return self.ports.roster.members(run.organization, sorted(names))

    def _users(
        self, run: Run, members: Iterable[Member], *, resumed: bool, folder: str = ""
    ) -> dict[str, VaultUser]:
        ids = sorted({str(member.crm[engage_features.CONNECTION]["id"]) for member in members})
        parts = AttemptParts(self.ports.archive, run, folder)
        gathering = VaultGathering(self.settings, self.ports.vault, parts, self.clock.check, resumed)
        return self.sender.read(gathering, ids)
