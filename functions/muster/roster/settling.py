"""Users' changes into the roster, until they hold: decided on what is known, written whole, decided again.

Shared by the worker and by the imports from Salesforce and Vault CRM, which differ in where changes come
from, in the rules they are decided by, and in nothing after that. Safe to repeat and to interrupt anywhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from muster.errors import MusterError, Stale, Unavailable
from muster.lease import Lease
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Decision, Known
from muster.roster.links import match_keys
from muster.roster.ports import Change, Roster, Rules
from muster.roster.seats import Pool, Pools
from muster.settings import Settings
from muster.sources.user_changes import UserChange

# Others may write the same member meanwhile; more than this many times in a row is a fault to retry later.
ATTEMPTS = 8
# The table was down or busy for so many users: the rest is left alone.
PATIENCE = 3
# Who waits for a seat is served so many at a time.
SERVED_AT_ONCE = 25


class Settling:
    """Brings changes into one organization's roster; counts what they came to in `outcomes`.

    A run's writes are fenced with its lease. `now` is aware. `rules` are those of the changes' kind.
    """

    def __init__(
        self,
        settings: Settings,
        roster: Roster,
        now: datetime,
        lease: Lease | None = None,
        rules: Rules = salesforce_lifecycle,
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.lease = lease
        self._rules = rules
        self._settings = settings
        self._roster = roster
        self._now = now
        self._pools: Pools | None = None
        # CRM id → member of those who have become members since their reports were looked up.
        self._joined: dict[str, str] = {}

    def settle[C: Change](
        self, changes: Sequence[C], ready: Mapping[str, Decision] | None = None
    ) -> list[tuple[C, MusterError]]:
        """Bring changes in, one per user, as many at once as go; returns those that could not be written.

        `ready` holds decisions made a moment ago, by CRM id: they are written as they are, and made anew
        only where their conditions fail. One user who cannot be written holds up no other; after a few,
        the rest is left alone and returned with them. Raises what keeps anything from being read, and
        `Stale` when the lease is lost.
        """
        ready = ready or {}
        wanted = {change.crm_id: self._rules.wanted_for(change, self._settings) for change in changes}
        undecided = {crm_id: what for crm_id, what in wanted.items() if crm_id not in ready}
        known = self._roster.gather(self._settings.organization, undecided) if undecided else {}
        failures: list[tuple[C, MusterError]] = []
        decided: list[tuple[C, Decision]] = []
        for change in changes:
            manager = wanted[change.crm_id].manager
            # A manager has to be written before the reports can name it.
            if manager in {each.crm_id for each, _ in decided}:
                failures += self._write_all(decided)
                decided = []
            decision = ready.get(change.crm_id) or self._decided(change, known[change.crm_id], manager)
            self._pools = seats.moved(self._taken(), _moves(decision))
            decided.append((change, decision))
        return failures + self._write_all(decided)

    def _write_all[C: Change](self, decided: Sequence[tuple[C, Decision]]) -> list[tuple[C, MusterError]]:
        writing = [decision for _, decision in decided if decision.writes]
        try:
            void = self._write(writing)
        except Stale:
            raise
        except MusterError:
            # Some may have been written; one by one it will show.
            self._pools, void = None, writing
        again = {id(decision) for decision in void}
        self._done([(change, decision) for change, decision in decided if id(decision) not in again])
        return self._one_by_one([change for change, decision in decided if id(decision) in again])

    def _one_by_one[C: Change](self, changes: Sequence[C]) -> list[tuple[C, MusterError]]:
        failures: list[tuple[C, MusterError]] = []
        for change in changes:
            if sum(isinstance(error, Unavailable) for _, error in failures) >= PATIENCE:
                failures.append((change, failures[-1][1]))
                continue
            try:
                self._settle_one(change)
            except Stale:
                raise
            except MusterError as error:
                failures.append((change, error))
        return failures

    def _settle_one(self, change: Change) -> None:
        wanted = self._rules.wanted_for(change, self._settings)
        for _ in range(ATTEMPTS):
            known = self._roster.gather(self._settings.organization, {change.crm_id: wanted})
            decision = self._decided(change, known[change.crm_id], wanted.manager)
            self._pools = seats.moved(self._taken(), _moves(decision))
            if not decision.writes or not self._write([decision]):
                break
        else:
            raise Unavailable("a member was changed by others all the time", retry_after=5)
        self._done([(change, decision)])

    def _decided(self, change: Change, known: Known, manager: str | None) -> Decision:
        """Decide, as if what was decided before were written already; `manager` is a CRM id."""
        known = replace(known, manager=known.manager or self._joined.get(manager or ""))
        return self._rules.decide(change, known, self._settings, self._taken(), self._now)

    def _done(self, decided: Sequence[tuple[Change, Decision]]) -> None:
        for change, decision in decided:
            self.outcomes[decision.outcome] += 1
            if member := decision.after or decision.before:
                self._joined[change.crm_id] = member.id
        if (
            self._rules is salesforce_lifecycle
        ):  # the only ones by which a member gives up a key, or anybody waits
            self._let_waiting_in([decision for _, decision in decided])

    def serve_lines(self, run: str) -> None:
        """Give every free seat to who is first in line for it (A9).

        What is free is looked up anew, so whoever comes by next finishes what someone else could not.
        """
        if self._settings.seats:
            self._pools = None
        for seat in self._settings.seats:
            for _ in range(ATTEMPTS):
                if not self._serve(seat, run):
                    break

    def _serve(self, seat: str, run: str) -> bool:
        """Serve the first few; tell whether there may be more to serve."""
        organization = self._settings.organization
        free = seats.free(seat, self._settings, self._taken())
        if not free or not self._taken().get(seat, Pool()).waiting:
            return False
        first = self._roster.line(organization, seat, int(min(free, SERVED_AT_ONCE)))
        members = self._roster.members(organization, first)
        served = False
        for member in (members[name] for name in first if name in members):
            decision = salesforce_lifecycle.seat(member, seat, self._settings, self._taken(), self._now, run)
            if decision is None:
                continue
            if self._write([decision]):
                return True
            self._pools = seats.moved(self._taken(), _moves(decision))
            self.outcomes[decision.outcome] += 1
            served = True
        return served

    def _write(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Write decisions; returns those that are void. How many of each seat are free is then read anew."""
        if not decisions:
            return []
        organization, at = self._settings.organization, self._now.timestamp()
        void = self._roster.write(organization, decisions, at, self.lease)
        if void:
            self._pools = None
        return void

    def _taken(self) -> Pools:
        if self._pools is None:
            names = list(self._settings.seats)
            self._pools = self._roster.pools(self._settings.organization, names) if names else {}
        return self._pools

    def _let_waiting_in(self, decisions: Iterable[Decision]) -> None:
        """Link those who waited for a username or e-mail address that these members no longer need (W8).

        That is looked at each time a member is seen, not only when it gave them up: had the process
        died right after that write, whoever comes by next finishes the job.
        """
        free = sorted({key for decision in decisions for key in _given_up(decision)})
        for link in self._roster.waiting(self._settings.organization, free) if free else ():
            change = UserChange(
                crm_id=link.crm_id,
                fields=link.fields,
                source=link.source or "",
                run=f"webhook:after {link.crm_id}",
                matches=frozenset(link.matches),
            )
            self._settle_one(change)


def _given_up(decision: Decision) -> Iterator[str]:
    member = decision.after or decision.before
    if member:
        yield from member.former_keys
        if not member.active:
            yield from match_keys(member.username, member.email)


def _moves(decision: Decision) -> dict[str, seats.Move]:
    if decision.after is None:
        return {}
    return seats.moves(decision.before.seats if decision.before else {}, decision.after.seats)
