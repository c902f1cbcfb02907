"""Gathers what an app's push decides with: who has changed, and who they are in the app (O2, O3).

What is found is archived a hundred members at a time, so that a push that is interrupted goes on from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched

from muster.provisioning import account_plan, app_state
from muster.provisioning.account_plan import AppBasis, Judged
from muster.provisioning.app_state import AppState
from muster.provisioning.first_contact import Found
from muster.provisioning.gathered_accounts import FOUND, read_found, written_found
from muster.provisioning.looking import Lookup
from muster.provisioning.ports import AppPorts
from muster.roster.accounts import Account
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

# No try is put off for longer.
_LONGEST_PAUSE = timedelta(days=2)


@dataclass(slots=True)
class AccountGathering:
    """Gathers for one push to one app."""

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection

    # What was remembered of the app, and whether everybody is judged, once it was asked who is due.
    state: AppState = field(default_factory=AppState, init=False)
    _everybody: bool = field(default=False, init=False)

    def due(self, run: Run) -> dict[str, Member]:
        """Return whom the push is about.

        That is everybody if the settings that decide about accounts have changed since all were judged.
        """
        self.state = self.ports.states.state(run.organization, self.connection.key)
        self._everybody = self.state.decided_with != app_state.digest(self.settings, self.connection)
        if self._everybody:
            people = self.everybody(run)
        else:
            listed, at = self._listed(run), timestamp(at_of(run))
            # The index lists candidates; the member decides.
            now = sorted(name for name, since in listed.items() if since <= at)
            people = [each for each in self._judged(run, now) if self._is_due(each, at)]
            people += self._served_by(run, people, [name for name, since in listed.items() if since > at])
        return {each.member.id: each.member for each in people}

    def everybody(self, run: Run) -> list[Judged]:
        """Return everybody."""
        self.state = self.ports.states.state(run.organization, self.connection.key)
        states = self.ports.roster.states(run.organization)
        names = {each.member for each in states} | self._listed(run).keys()
        return list(self._judged(run, sorted(names)))

    def judge(self, run: Run, member: Member) -> Judged:
        """Return a member, with what it is to have and what is known of its account."""
        return account_plan.judged(member, self.state, self.connection, self.settings, at_of(run))

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> AppBasis:
        """Return what the app shows of those who have no account yet, with what else decides about them."""
        people = [self.judge(run, member) for member in due.values()]
        unknown = [
            each
            for each in account_plan.with_freed(people, self.connection)
            if account_plan.is_to_be_looked_for(each, self.connection, timestamp(at_of(run)))
        ]
        parts = AttemptParts(self.ports.archive, run)
        found, strangers, number = self._found(unknown, parts, resumed=resumed)
        shown = {each.id: each for one in found.values() for each in (*one.by_external_id, *one.by_name)}
        external_ids = {each.external_id for each in shown.values() if each.external_id}
        key = self.connection.key
        return AppBasis(
            members=due,
            found=found,
            taken=self.ports.roster.account_members(run.organization, key, sorted(shown)),
            known=frozenset(self.ports.roster.members(run.organization, sorted(external_ids))),
            state=self.state,
            everybody=self._everybody,
            strangers=strangers,
            parts=number,
        )

    # ── Whom it is about ─────────────────────────────────────────────────────────────────────────────

    def _served_by(self, run: Run, people: Sequence[Judged], later: Sequence[str]) -> list[Judged]:
        """Return who waits for a licence that somebody of these people frees; `later` are due later."""
        if all(each.wanted is not None for each in people):
            return []
        waiting = [each for each in self._judged(run, sorted(later)) if each.account.full_since]
        chosen = account_plan.next_in_line([*people, *waiting], self.connection)
        return [each for each in waiting if each.member.id in chosen]

    def _listed(self, run: Run) -> dict[str, str]:
        later = (at_of(run) + _LONGEST_PAUSE).date()
        key = self.connection.key
        return {
            name: due.since for name, due in self.ports.roster.due(run.organization, later) if key in due.what
        }

    def _is_due(self, each: Judged, at: str) -> bool:
        since = each.recorded.due
        return self.connection.key in each.member.changed_for or (since is not None and since <= at)

    def _judged(self, run: Run, names: Sequence[str]) -> Iterator[Judged]:
        for some in batched(names, LOOKED_UP_AT_ONCE, strict=False):
            found = self.ports.roster.members(run.organization, some)
            yield from (self.judge(run, found[name]) for name in some if name in found)
            self.clock.check()

    # ── Who they are in the app ──────────────────────────────────────────────────────────────────────

    def _found(
        self, unknown: Sequence[Judged], parts: AttemptParts, *, resumed: bool
    ) -> tuple[dict[str, Found], int | None, int]:
        found: dict[str, Found] = {}
        there = list(parts.parts(FOUND)) if resumed else []
        for body in there:
            found |= read_found(body)
        number = len(there)
        wanted_names = {
            each.member.id: each.wanted.user_name if each.wanted else each.account.user_name
            for each in unknown
            if each.member.id not in found
        }
        lookup = Lookup(self.ports.app, self.connection.dialect)
        lookup.expect(wanted_names)
        accounts = {each.member.id: each.account for each in unknown}
        for some in batched(wanted_names.items(), LOOKED_UP_AT_ONCE, strict=False):
            looked = {member: self._look(lookup, member, name, accounts[member]) for member, name in some}
            number += 1
            parts.put(FOUND, number, written_found(looked))
            found |= looked
        return {each.member.id: found[each.member.id] for each in unknown}, lookup.strangers, number

    def _look(self, lookup: Lookup, member: str, name: str, account: Account) -> Found:
        self.clock.check()
        if account.taken:
            lookup.forget(member)
        return lookup.find(member, name) if name else Found()
