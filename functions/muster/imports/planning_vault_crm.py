"""Turns what was read of Vault CRM into a plan: who is linked, followed, or no longer linked (I3, G10). Pure.

Who loses a user comes first, so that the user is free for whom it is now. A user who fits a member that is
linked to another is put off until everybody has been looked at: by then it is known whether that other one is
still the member's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from muster.crm.engage_features import CONNECTION
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.imports.known_roster import KnownRoster
from muster.imports.plan_items import Item, item_of
from muster.imports.planning import Plan
from muster.imports.vault_users_read import VaultUsersRead
from muster.roster import vault_lifecycle, vault_links
from muster.roster.decisions import Decision, Known, Outcome, UnlinkedReason
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.roster.unlinked_holders import UnlinkedHolder, holder_of
from muster.settings import Settings
from muster.settings.mappings import vault_crm_connection
from muster.sources.member_states import MemberState
from muster.sources.vault_users import LinkLost, LostLink, VaultUser
from muster.times import timestamp

MOVED = "vault_moved"
NOT_IMPORTED = "vault_not_imported"
NOT_UNDERSTOOD = "vault_user_not_understood"
# So many groups of a feature are remembered, for who asks for one that nobody is in.
MOST_GROUPS = 500
_LINKED_TO_ANOTHER = (UnlinkedReason.MEMBER_LINKED_TO_ANOTHER, UnlinkedReason.MEMBER_LEFT)


@dataclass(slots=True)
class VaultPart:
    """The Vault CRM part of a plan, and its entries for the error log.

    `read` is the number of users read, `None` if reading failed or was not tried; `newest` the latest time
    of change among them; `whole` whether everyone was read; `host` the vault. `decisions` can be written as
    they are, by Vault CRM id. `outcomes` counts the users for whom nothing is planned. `warnings` are for
    whoever looks at the plan. `holders` are the users who have a group and are linked to nobody by the plan
    (G10), and `looked_at` all that were decided about, by id. `base_licences_left` is how many users can
    still be made active there; `None`: not known. `groups` are those that anybody read is in, by feature.
    """

    read: int | None = None
    newest: str | None = None
    whole: bool = False
    host: str | None = None
    items: list[Item] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    entries: list[LogEntry] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    holders: list[UnlinkedHolder] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    base_licences_left: int | None = None
    groups: Mapping[str, Iterable[str]] = field(default_factory=dict)

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
            "host": self.host,
            "holders": {holder.id: holder.to_document() for holder in self.holders},
            "looked_at": None if self.whole else self.looked_at,
            "base_licences_left": self.base_licences_left,
            "groups": {feature: sorted(names)[:MOST_GROUPS] for feature, names in self.groups.items()},
        }


def plan_vault(
    read: VaultUsersRead, known: KnownRoster, plan: Plan, settings: Settings, now: datetime, run_id: str
) -> VaultPart:
    """Return the Vault CRM part of a plan; one that could not be read has one entry and nothing else.

    `plan` is the rest of it.
    """
    part = VaultPart(
        read=read.total, newest=read.newest, whole=read.whole, host=read.host, groups=read.groups
    )
    planning = VaultPlanning(settings, known, run_id, now, plan, part, read.moved)
    if read.problem:
        return VaultPart(entries=[planning.entry(None, NOT_IMPORTED, read.problem)])
    part.entries += [planning.entry(user, NOT_UNDERSTOOD, problem) for user, problem in read.refused]
    planning.free |= {each.member for each in known.in_vault if each.vault_id in read.gone}
    planning.plan_users(read.users)
    planning.plan_lost_links(each for each in known.in_vault if read.moved or each.vault_id in read.gone)
    return planning.close()


@dataclass(slots=True)
class VaultPlanning:
    """A Vault CRM part in the making; `plan` is what else the run does, `moved` that this is another vault.

    `free` are members (ids) whose user is not shown any more, or is not theirs. `taken` are members with the
    user that the plan leaves them.
    """

    settings: Settings
    known: KnownRoster
    run_id: str
    now: datetime
    plan: Plan
    part: VaultPart
    moved: bool = False
    free: set[str] = field(default_factory=set)
    taken: dict[str, str] = field(default_factory=dict)
    _lost: list[Item] = field(default_factory=list)
    _planned: dict[str, Item] = field(default_factory=dict)
    _put_off: list[tuple[VaultUser, Known]] = field(default_factory=list)

    def plan_users(self, users: Sequence[VaultUser]) -> None:
        """Decide about these users, in the order in which they were looked up."""
        wanted = [(user.id, vault_lifecycle.wanted_for(user, self.settings)) for user in users]
        for user, known in zip(users, self.known.vault_users.of(wanted), strict=True):
            self._decide(self._marked(user, known), known)
        put_off, self._put_off = self._put_off, []
        for user, known_of_user in put_off:
            self._decide(self._marked(user, known_of_user), known_of_user, again=True)

    def plan_lost_links(self, lost: Iterable[MemberState]) -> None:
        """Plan that these members lose their users, whom the vault does not have."""
        why = LinkLost.OTHER_VAULT if self.moved else LinkLost.GONE
        left = [
            LostLink(id=each.vault_id, member=each.member, why=why, run=self._run)
            for each in sorted(lost, key=lambda each: each.member)
            if each.member not in self.taken
        ]
        members = self.known.vault_users.members([each.member for each in left]) | self.known.members
        for each in left:
            known = Known(namesakes=(members[each.member],) if each.member in members else ())
            decision = vault_lifecycle.decide(each, known, self.settings, {}, self.now)
            if decision.writes:
                self._lost.append(item_of(each, decision))

    def close(self) -> VaultPart:
        """Return the part with its items, in the order of applying."""
        self.part.items += [*self._lost, *self._planned.values()]
        if self.moved:
            self._tell_of_the_move()
        return self.part

    # ── One user ─────────────────────────────────────────────────────────────────────────────────

    def _marked(self, user: VaultUser, known: Known) -> VaultUser:
        """Return the user, marked as successor where its member's user is no longer the member's."""
        # In another vault, ids of members whom the plan has not linked there yet are those of the former one.
        free = [
            member
            for member in known.namesakes
            if (member.id not in self.taken if self.moved else member.id in self.free)
        ]
        released = frozenset(former for member in free if (former := vault_id(member)))
        user = replace(user, moved=self.moved)
        return vault_lifecycle.succeeding(user, known, released, self.settings)

    def _decide(self, user: VaultUser, known: Known, *, again: bool = False) -> None:
        decision = vault_lifecycle.decide(user, known, self.settings, {}, self.now)
        before, after = decision.before, decision.after
        if decision.outcome is Outcome.UNLINKED and before and after:
            self._lost.append(item_of(self._handed_on(user, before, known), decision))
            self.free.add(before.id)
            without = tuple(after if each.id == after.id else each for each in known.namesakes)
            known = replace(known, namesakes=without)
            self._decide(self._marked(user, known), known)
        elif decision.unlinked_reason in _LINKED_TO_ANOTHER and not again:
            self._put_off.append((user, known))
        else:
            self._note(user, decision)

    def _handed_on(self, user: VaultUser, former: Member, known: Known) -> LostLink:
        owner = vault_links.owner(user, former, known.namesakes, self.settings)
        to = owner.id if owner else None
        return LostLink(id=user.id, member=former.id, why=LinkLost.HANDED_ON, to=to, run=self._run)

    def _note(self, user: VaultUser, decision: Decision) -> None:
        """Add a decision to the plan."""
        part, before, is_new = self.part, decision.before, decision.outcome is Outcome.LINKED
        part.looked_at.append(user.id)
        part.entries += [
            self.entry(user.id, notice.code, notice.problem, before)
            for notice in vault_lifecycle.notices(user, decision, self.settings)
        ]
        if before and (other := self.taken.get(before.id, user.id)) != user.id:
            if not is_new or before.id not in self.free:
                # The plan leaves its member to the other.
                self._leave(user, before)
                return
            self._drop(other, before)
        if before:
            self.taken[before.id] = user.id
            self.free.discard(before.id)
            if (decision.after or before).vault.unfit:
                self.free.add(before.id)
        keys = vault_links.linking_keys(user, self.settings)
        is_alone = self.plan.linking.isdisjoint(keys)
        if decision.outcome is Outcome.UNLINKED and not is_alone:
            # Its member is about to be created.
            self._planned[user.id] = item_of(user, Decision(outcome=Outcome.LINKED))
        elif decision.writes:
            self._planned[user.id] = item_of(user, decision)
            if is_alone and not user.succeeds:
                part.decisions[user.id] = decision
        else:
            part.outcomes[decision.outcome] += 1
            if holder := holder_of(user, decision, timestamp(self.now)):
                part.holders.append(holder)

    def _drop(self, user: str, member: Member) -> None:
        """Take what was planned for a user out of the plan: its member is linked to another."""
        item = self._planned.pop(user, None)
        if item and isinstance(item.change, VaultUser):
            self.part.decisions.pop(user, None)
            self._leave(item.change, member)

    def _leave(self, user: VaultUser, member: Member) -> None:
        """Count a user as nobody's, because the member that it fits, or was, has another."""
        reason = UnlinkedReason.MEMBER_LINKED_TO_ANOTHER
        self._note(user, Decision(outcome=Outcome.UNLINKED, unchanged=(member,), unlinked_reason=reason))

    # ── What is told ─────────────────────────────────────────────────────────────────────────────

    @property
    def _run(self) -> str:
        return f"run:{self.run_id}"

    def _tell_of_the_move(self) -> None:
        what = (
            f"is another vault than the last import read: {len(self.taken):,} members were found there by"
            f" {vault_crm_connection(self.settings).match}, and {len(self._lost):,} who were linked before"
            " were not"
        )
        remedy = (
            "Look at who is not: nobody there has their username or address. Correct it there, and import."
        )
        problem = Problem("connections.vault_crm.host", what, remedy)
        self.part.warnings.append(problem)
        self.part.entries.append(self.entry(None, MOVED, problem))

    def entry(self, user: str | None, code: str, problem: Problem, about: Member | None = None) -> LogEntry:
        """Return an entry for the error log about a user, or about the vault."""
        return entry_of(
            problem,
            at=timestamp(self.now),
            system=CONNECTION,
            code=code,
            notification=self.run_id,
            record=user,
            member=about.id if about else None,
        )
