"""Changes of users written into the roster: decided on what is known, written whole, retried on conflict.

Shared by the webhook's worker and by the imports from Salesforce and Vault CRM: they differ in where changes
come from and in the rules that decide, and in nothing after that. Safe to repeat and to interrupt anywhere.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from muster.error_log import LogEntry, at_most
from muster.errors import Misconfigured, MusterError, Stale, Unavailable
from muster.lease import Lease
from muster.roster import engage_errors, namesakes, refuted_messages, salesforce_lifecycle, vault_links
from muster.roster.activity import gives_way
from muster.roster.counting_seats import SeatCount
from muster.roster.decisions import Decision, Known, Wanted
from muster.roster.links import match_keys_of
from muster.roster.ports import Change, Judge, Roster, Rules
from muster.roster.retrying_writes import write_until_it_holds
from muster.roster.seats import limits
from muster.settings import Settings
from muster.sources.newest_changes import read_again_version
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import LostLink, VaultUser
from muster.times import timestamp

# Returns these Salesforce users (ids) as they are now, without those that Salesforce does not show.
type ReadAgain = Callable[[Sequence[str]], Sequence[UserChange]]

# After so many users for whom the table was down or busy, the rest are left alone.
PATIENCE = 3


class UserChangeWriter:
    """Writes changes of users into one organization's roster; counts their outcomes in `outcomes`.

    `told` counts the entries that the decisions added to the error log.
    A run's writes are fenced with its lease. `now` is aware. `rules` are those of the changes' kind, and
    `judge` may hold decisions back. `refuted` names the users of whom a message was refuted (W11).
    `read_again` reads who waits for a namesake, once the namesake leaves (A14); without it nobody is let in.
    Whoever is `apart` has a turn of its own.
    """

    def __init__(
        self,
        settings: Settings,
        roster: Roster,
        now: datetime,
        lease: Lease | None = None,
        rules: Rules = salesforce_lifecycle,
        judge: Judge | None = None,
        read_again: ReadAgain | None = None,
        apart: frozenset[str] = frozenset(),
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.refuted: set[str] = set()
        self.told = 0
        self.lease = lease
        self._rules = rules
        self._judge = judge
        self._settings = settings
        self._roster = roster
        self._now = now
        self._read_again = read_again
        self._apart = apart
        self._seats = SeatCount(settings, roster)
        # CRM id → member, of those written since their reports were looked up; `None` for who has left.
        self._active: dict[str, str | None] = {}

    def write[C: Change](
        self, changes: Sequence[C], ready: Mapping[str, Decision] | None = None
    ) -> list[tuple[C, MusterError]]:
        """Write changes, one per user, as many at once as go; returns those that could not be written.

        `ready` holds decisions made a moment ago, by CRM id: they are written as they are, and made again
        only where their conditions fail. A user who cannot be written holds up no other; after a few, the
        rest are left alone and returned with them. Raises what keeps anything from being read, and `Stale`
        when the lease is lost.
        """
        ready = ready or {}
        wanted = {change.crm_id: self._rules.wanted_for(change, self._settings) for change in changes}
        undecided = {crm_id: what for crm_id, what in wanted.items() if crm_id not in ready}
        known = self._roster.gather(self._settings.organization, undecided) if undecided else {}
        first: dict[str, Decision] = {}
        if self._judge and len(changes) > 1:
            # All of them before the first is written: what they take is judged together.
            together = [(change, self._undisputed(change, known[change.crm_id])) for change in changes]
            self._judge.judge(together)
            if not limits(self._settings):
                # Where no seat can run out it holds, but for those whose manager is written before them.
                first = {change.crm_id: decision for change, decision in together}
        failures: list[tuple[C, MusterError]] = []
        decided: list[tuple[C, Decision]] = []
        moved: set[str] = set()
        later: list[C] = []
        for change in changes:
            manager = wanted[change.crm_id].manager
            # A manager has to be written before the reports can name it.
            if manager in {each.crm_id for each, _ in decided}:
                failures += self._write_all(decided)
                decided = []
            already = ready.get(change.crm_id)
            others = already.unchanged if already else known[change.crm_id].namesakes
            if not moved.isdisjoint(member.id for member in others):
                # The namesake may be leaving, or giving up the address, with these very changes.
                later.append(change)
                continue
            decision = already or self._decision(
                change, known[change.crm_id], manager, first.get(change.crm_id)
            )
            self._seats.count(decision)
            decided.append((change, decision))
            if decision.before and decision.writes:
                moved.add(decision.before.id)
        failures += self._write_all(decided)
        return failures + self._write_one_by_one(later)

    def _write_all[C: Change](self, decided: Sequence[tuple[C, Decision]]) -> list[tuple[C, MusterError]]:
        writing = [decision for _, decision in decided if decision.writes]
        self._tell(decided)
        try:
            void = self._write(writing)
        except Stale:
            raise
        except MusterError:
            # Some may have been written; one by one it will show.
            self._seats.forget()
            void = writing
        again = {id(decision) for decision in void}
        self._done([(change, decision) for change, decision in decided if id(decision) not in again])
        return self._write_one_by_one([change for change, decision in decided if id(decision) in again])

    def _write_one_by_one[C: Change](self, changes: Sequence[C]) -> list[tuple[C, MusterError]]:
        failures: list[tuple[C, MusterError]] = []
        for change in changes:
            if sum(isinstance(error, Unavailable) for _, error in failures) >= PATIENCE:
                failures.append((change, failures[-1][1]))
                continue
            try:
                self._write_one(change)
            except Stale:
                raise
            except MusterError as error:
                failures.append((change, error))
        return failures

    def _write_one(self, change: Change) -> None:
        wanted = self._rules.wanted_for(change, self._settings)

        def decide(crm_ids: Sequence[str]) -> dict[str, Decision]:
            known = self._roster.gather(self._settings.organization, dict.fromkeys(crm_ids, wanted))
            decision = self._decision(change, known[change.crm_id], wanted.manager)
            self._seats.count(decision)
            self._tell([(change, decision)])
            return {change.crm_id: decision}

        held, overtaken = write_until_it_holds([change.crm_id], decide, self._write)
        if overtaken:
            raise Unavailable("a member was changed by others all the time", retry_after=5)
        self._done([(change, held[change.crm_id])])

    def _decision(
        self, change: Change, known: Known, manager: str | None, first: Decision | None = None
    ) -> Decision:
        """Decide, as if the decisions before were written already; `manager` is a CRM id.

        `first` is what was decided before any of them, if it holds for whose manager is not among them.
        """
        if first is not None and manager not in self._active:
            decision = first
        else:
            known = replace(known, manager=self._active.get(manager or "", known.manager))
            decision = self._undisputed(change, known)
        return self._judge.judge([(change, decision)])[0] if self._judge else decision

    def _undisputed(self, change: Change, known: Known) -> Decision:
        return self._rules.decide(change, known, self._settings, self._seats.pools(), self._now)

    def _tell(self, decided: Sequence[tuple[Change, Decision]]) -> None:
        """Add to the error log the messages that decisions refute (W11), and requests that failed (P3).

        Before these are written, for then nothing shows it any more. Told again, it is the same entry.
        """
        refuted = [
            entry
            for change, decision in decided
            if isinstance(change, UserChange)
            and (entry := refuted_messages.refuted(change, decision, self._settings))
        ]
        self.refuted |= {entry.record or "" for entry in refuted}
        settled = [entry for change, decision in decided for entry in self._became_of(change, decision)]
        failed = [entry for entry in settled if entry.code != engage_errors.REMOVAL_SUCCEEDED]
        self.told += self._park(failed)
        self._park([*refuted, *(entry for entry in settled if entry not in failed)])

    def _park(self, entries: Sequence[LogEntry]) -> int:
        if not entries:
            return 0
        return self._roster.park(self._settings.organization, at_most(entries), self._now.timestamp())

    def _became_of(self, change: Change, decision: Decision) -> Iterator[LogEntry]:
        if not isinstance(change, VaultUser | LostLink) or not decision.before or not decision.after:
            return
        before, after = decision.before, decision.after
        at, run = timestamp(self._now), change.run.removeprefix("run:")
        yield from vault_links.entries(change, before, after, at, run)
        if isinstance(change, VaultUser):
            yield from engage_errors.failures(before, after, at, run)

    def _done(self, decided: Sequence[tuple[Change, Decision]]) -> None:
        for change, decision in decided:
            self.outcomes[decision.outcome] += 1
            self.told += decision.entry is not None
            if member := decision.after or decision.before:
                self._active[change.crm_id] = member.id if member.active else None
        # By no other rules does a member give up a key, or a user wait for one.
        if self._rules is salesforce_lifecycle:
            self._let_waiting_in(decided)

    def _write(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Write decisions and return the void ones; after a conflict, seats are counted again."""
        if not decisions:
            return []
        organization, at = self._settings.organization, self._now.timestamp()
        # Once it is given up, the decision that claims it is void, and made again on what is then stored.
        yielding = [
            salesforce_lifecycle.given_way(member, self._settings, self._now, decision.history.run)
            for decision in decisions
            if decision.history
            for member in decision.gives_way
        ]
        if yielding:
            self._roster.write(organization, yielding, at, self.lease)
        void = self._roster.write(organization, decisions, at, self.lease)
        if void:
            self._seats.forget()
        return void

    def _let_waiting_in(self, decided: Sequence[tuple[Change, Decision]]) -> None:
        """Decide about the users who waited for a username or e-mail address that is free now (W8, A14).

        This is looked at each time a member is seen, not only when it gives a key up: if the process died
        right after that write, the next one finishes the job.
        """
        free = {key: change.run for change, decision in decided for key in given_up(decision)}
        waiting = self._roster.waiting(self._settings.organization, sorted(free)) if free else []
        links = {link.crm_id: link for link in waiting if link.crm_id not in self._apart}
        if not links:
            return
        run = next(iter(free.values()))
        try:
            read = self._read_again(list(links)) if self._read_again else []
        except Misconfigured:
            # As where only messages are believed: Salesforce cannot be asked until an admin has acted.
            read = []
        for change in read:
            link = links.pop(change.crm_id)
            source = read_again_version(change.fields, self._now, link.source or "")
            self._write_one(replace(change, source=source, run=run))
        for crm_id, link in links.items():
            self._leave_out(crm_id, Wanted(match_keys=link.match_keys), run)

    def _leave_out(self, crm_id: str, wanted: Wanted, run: str) -> None:
        """Record that somebody waits no longer for a namesake, but for word of how it is now."""

        def decide(crm_ids: Sequence[str]) -> dict[str, Decision]:
            known = self._roster.gather(self._settings.organization, dict.fromkeys(crm_ids, wanted))
            decision = namesakes.no_longer_blocked(known[crm_id], run, self._now)
            return {crm_id: decision} if decision else {}

        held, overtaken = write_until_it_holds([crm_id], decide, self._write)
        if overtaken:
            raise Unavailable("a link was changed by others all the time", retry_after=5)
        self.outcomes.update(decision.outcome for decision in held.values())
        self.told += len(held)


def given_up(decision: Decision) -> Iterator[str]:
    """Yield the match keys that the member of a decision has no more need of."""
    member = decision.after or decision.before
    if member:
        yield from member.former_keys
        if gives_way(member):
            yield from match_keys_of(member)
