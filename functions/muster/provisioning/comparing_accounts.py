"""Compares an app with what was sent to it: reads its list, and by id whatever is not as it was left (O2).

A list may lag, repeat its pages or leave out: it only says whom there is no need to read. Nothing is done to
anybody, and nobody is taken for gone, by what a list shows. It has to be read within one invocation; what is
read by id is archived a hundred members at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import batched

from muster.crm.scim_resources import GROUPS, USERS, Resource
from muster.errors import NotAllowed
from muster.provisioning import app_state
from muster.provisioning.account_plan import AppBasis, Judged
from muster.provisioning.drift import Seen, drift
from muster.provisioning.gathered_accounts import SEEN, read_seen, written_seen
from muster.provisioning.gathering_accounts import AccountGathering
from muster.provisioning.ports import AppPorts, Target
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

# One that was interrupted for good is begun again after this long.
_AGAIN = app_state.COMPARED_EVERY - timedelta(days=1)
# So many of the app's users who are nobody's are named.
_NAMED = 50


@dataclass(slots=True)
class _Listed:
    """What a list has shown: known accounts by id, others by external id, active users who are nobody's."""

    known: dict[str, Resource] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    orphans: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Comparing:
    """Compares for one invocation of a run."""

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection
    gathering: AccountGathering

    def begin(self, run: Run) -> dict[str, Member]:
        """Return everybody, and note that the app is compared."""
        self._note(run, _AGAIN)
        return {each.member.id: each.member for each in self.gathering.everybody(run)}

    def look(self, run: Run, everybody: Mapping[str, Member], *, resumed: bool) -> AppBasis:
        """Return what the app shows of those whose accounts are not as they were left."""
        people = [self.gathering.judge(run, member) for _, member in sorted(everybody.items())]
        compared = [each for each in people if self._is_settled(each)]
        state = app_state.here(self.gathering.state, self.connection)
        listed = self._list(people)
        groups = memberships(self.ports.app, state.groups.values())
        parts = AttemptParts(self.ports.archive, run)
        there = [read_seen(body) for body in parts.parts(SEEN)] if resumed else []
        seen = {member: one for _, some in there for member, one in some.items()}
        last = there[-1][0] if there else ""
        number = len(there)
        left = [each for each in compared if each.member.id > last]
        for some in batched(left, LOOKED_UP_AT_ONCE, strict=False):
            found = {each.member.id: self._seen(each, listed, groups, state.groups) for each in some}
            shown = {member: one for member, one in found.items() if one is not None}
            number += 1
            parts.put(SEEN, number, written_seen(some[-1].member.id, shown))
            seen |= shown
            self.clock.check()
        orphans = tuple(sorted(listed.orphans)[:_NAMED])
        self._note(run, timedelta(), app_state.digest_of(orphans, len(listed.orphans)))
        return AppBasis(
            members={member: everybody[member] for member in seen if member in everybody},
            state=self.gathering.state,
            strangers=len(listed.orphans),
            compared=len(compared),
            seen=seen,
            orphans=orphans,
            parts=number,
        )

    def _note(self, run: Run, ago: timedelta, orphans: str | None = None) -> None:
        if run.preview:
            return
        key = self.connection.key
        state = self.ports.states.state(run.organization, key)
        noted = replace(state, compared_at=timestamp(at_of(run) - ago), orphans=orphans or state.orphans)
        self.ports.states.save(key, noted, self.clock.lease)

    def _is_settled(self, each: Judged) -> bool:
        """Whether all that is known of an account was sent; what is under way is left to pushes."""
        is_ours = each.account.is_linked and each.recorded.is_linked
        return is_ours and each.recorded.due is None and self.connection.key not in each.member.changed_for

    def _list(self, people: Sequence[Judged]) -> _Listed:
        ids = {each.account.id for each in people if each.account.id}
        members = {each.member.id for each in people}
        names = {each.account.user_name.casefold() for each in people}
        names |= {each.wanted.user_name.casefold() for each in people if each.wanted}
        listed = _Listed()
        if self.connection.only_ends_access:
            # Most of a pool's users are no members: whoever is one is read.
            return listed
        try:
            for page in self.ports.app.all(USERS):
                for each in page.resources:
                    if each.id in ids:
                        listed.known[each.id] = each
                    elif each.external_id in members:
                        listed.others[each.external_id].append(each.id)
                    elif each.active is not False and each.user_name.casefold() not in names:
                        listed.orphans.append((each.id, each.user_name))
                self.clock.check()
        except NotAllowed:
            # Some apps list nobody: then everybody is read.
            pass
        return listed

    def _seen(
        self, each: Judged, listed: _Listed, groups: Mapping[str, set[str]], known: Mapping[str, str]
    ) -> Seen | None:
        account, others = each.account, listed.others.get(each.member.id, ())
        deletes = each.wanted is None and self.connection.deletes_leavers
        within = frozenset(groups.get(account.id, ()))
        row = listed.known.get(account.id)
        by_list = Seen(row, within)
        if not account.id and not others:
            return None
        if row and not others and drift(account, each.wanted, by_list, known, deletes=deletes) is None:
            return None
        app = self.ports.app
        shown = (app.get(USERS, other) for other in others)
        own = tuple(
            one
            for one in shown
            if one and one.external_id == each.member.id and (deletes or one.active is not False)
        )
        seen = Seen(app.get(USERS, account.id) if account.id else None, within, own)
        return seen if drift(account, each.wanted, seen, known, deletes=deletes) else None


def memberships(target: Target, groups: Iterable[str]) -> dict[str, set[str]]:
    """Return in which of these groups, by their ids, accounts are, by theirs."""
    found: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        shown = target.get(GROUPS, group)
        for account in shown.members if shown else ():
            found[account].add(group)
    return found
