"""Changes of members that are known by id, written until they hold: what others write meanwhile is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from muster.errors import Unavailable
from muster.lease import Lease
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.settling import ATTEMPTS
from muster.settings import Settings

type Change = Callable[[Member], Member]


@dataclass(frozen=True, slots=True)
class Recording:
    """Records changes of members for a run; `origin` and `run` are for the history, `now` is aware."""

    settings: Settings
    roster: Roster
    now: datetime
    lease: Lease | None
    origin: str
    run: str

    def record(self, changes: Mapping[str, Change]) -> list[tuple[Member, Member]]:
        """Change these members (ids) and return those that were changed, before and after.

        A change is asked anew of whom somebody else has written meanwhile. Raises `Unavailable`, and `Stale`
        once another run has taken over.
        """
        organization = self.settings.organization
        left = dict(changes)
        done: list[tuple[Member, Member]] = []
        for _ in range(ATTEMPTS):
            if not left:
                return done
            deciding = [
                (name, decision)
                for name, member in self.roster.members(organization, left).items()
                if (decision := self._decided(member, left[name]))
            ]
            decisions = [decision for _, decision in deciding]
            void = self.roster.write(organization, decisions, self.now.timestamp(), self.lease)
            again = {id(decision) for decision in void}
            left = {name: left[name] for name, decision in deciding if id(decision) in again}
            done += [
                (decision.before, decision.after)
                for decision in decisions
                if id(decision) not in again and decision.before and decision.after
            ]
        raise Unavailable("members were changed by others all the time", retry_after=5)

    def _decided(self, member: Member, change: Change) -> Decision | None:
        after = change(member)
        if after == member:
            return None
        return salesforce_lifecycle.recorded(
            member, after, Outcome.UPDATED, self.settings, self.now, self.origin, self.run
        )
