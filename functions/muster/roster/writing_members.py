"""Changes of members that are known by id, written so that nothing others write meanwhile is lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from muster.errors import Unavailable
from muster.lease import Lease
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.retrying_writes import write_until_it_holds
from muster.settings import Settings

type Change = Callable[[Member], Member]

_NOBODY: Mapping[str, Member] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MemberWriter:
    """Writes changes of members for a run; `origin` and `run` are for the history, `now` is aware."""

    settings: Settings
    roster: Roster
    now: datetime
    lease: Lease | None
    origin: str
    run: str

    def write(
        self, changes: Mapping[str, Change], known: Mapping[str, Member] = _NOBODY
    ) -> list[tuple[Member, Member]]:
        """Change these members (ids) and return those that were changed, before and after.

        A change is applied again to a member that somebody else has written meanwhile. `known` are some of
        the members as they were read or written last: these are read only if that is outdated. Raises
        `Unavailable`, and `Stale` once another run has taken over.
        """
        organization = self.settings.organization
        unread = dict(known)

        def decide(names: Sequence[str]) -> dict[str, Decision]:
            members = {name: unread.pop(name) for name in names if name in unread}
            members |= self.roster.members(organization, [name for name in names if name not in members])
            return {
                name: decision
                for name, member in members.items()
                if (decision := self._decision(member, changes[name]))
            }

        held, overtaken = write_until_it_holds(
            changes,
            decide,
            lambda decisions: self.roster.write(organization, decisions, self.now.timestamp(), self.lease),
        )
        if overtaken:
            raise Unavailable("members were changed by others all the time", retry_after=5)
        return [(each.before, each.after) for each in held.values() if each.before and each.after]

    def _decision(self, member: Member, change: Change) -> Decision | None:
        after = change(member)
        if after == member:
            return None
        return salesforce_lifecycle.recorded(
            member, after, Outcome.UPDATED, self.settings, self.now, self.origin, self.run
        )
