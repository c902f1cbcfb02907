"""Turns what was gathered into a plan: each user's decision, in the order of applying (I1, A9, A10).

Leavers come first, so that their seats are free for the others. Then, if seats are limited, users go by
rank of their assignment, and managers before their reports. Who is served from a line comes last.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched

from muster.errors import Problem, Rejected
from muster.imports import left_out
from muster.imports.left_out import LeftOut
from muster.imports.plan_items import ARRIVING, Item, item_of
from muster.imports.seating import Seating
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.eligibility import evaluate, fields_judged, is_active
from muster.roster.links import keys_of, own_keys_of, vault_id
from muster.roster.manager_hierarchy import reports_to
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.reasons import INACTIVE_USER, WAITING_REASONS
from muster.roster.seats import Pool, Pools
from muster.roster.writing_user_changes import ReadAgain, given_up
from muster.runs.guard import EVERYONE
from muster.settings import Settings, assignment_order
from muster.settings.assignment_order import unfiltered
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.newest_changes import read_again_version, read_version
from muster.sources.salesforce_users import change_of, fields_of
from muster.sources.user_changes import UserChange
from muster.times import timestamp

# Of so many usernames and addresses an incremental import asks Vault CRM at most; a full one reads everybody.
MOST_UNLINKED = 2_000
# Decisions kept in memory to apply them in the same invocation; a first import may make many more.
MOST_KEPT = 5_000


@dataclass(slots=True)
class Plan:
    """What to do, and what deciding found along the way.

    `active` counts active members before the plan, by assignment, and all of them under `""`. `pools` are
    the seats after the plan. `problems` are users who cannot be decided about, by CRM id. `decisions`
    are those that can be written as they are, by CRM id. `joining` maps match keys that members will have
    once the plan is applied to these members (ids); `linking` are those by which a user of Vault CRM is
    linked to members who are new or have other names, `unlinked` those of members who are linked to none.
    `left_out` are those who are no active members then.
    `turned` are those who leave or come back, by CRM id: the member, `None` for who leaves. `frozen` are the
    CRM ids of those decided about who are frozen in Salesforce and active members all the same. `in_line` are
    members whom the plan has join, leave or stay in a line, by id, as it leaves them; `seated` is who is
    served from the lines after it. `tally` is `plan_items.tally` of all there is to do, `warnings` are for
    whoever looks at the plan.
    """

    items: list[Item] = field(default_factory=list)
    active: Counter[str] = field(default_factory=Counter)
    pools: Pools = field(default_factory=dict)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    joining: dict[str, str] = field(default_factory=dict)
    linking: set[str] = field(default_factory=set)
    unlinked: set[str] = field(default_factory=set)
    left_out: LeftOut = field(default_factory=LeftOut)
    turned: dict[str, str | None] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)
    in_line: dict[str, Member] = field(default_factory=dict)
    seated: list[Item] = field(default_factory=list)
    tally: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def effective(self) -> list[Item]:
        """The items with a change that an admin would see."""
        return [item for item in self.items if item.outcome != Outcome.UNCHANGED]

    def note_line(self, decision: Decision) -> None:
        """Keep the member of a decision about whom lines have to know.

        Of many who join, those in front are enough: they are decided about in the order of the line.
        """
        before, after = decision.before, decision.after
        stood, stands = (each is not None and _stands_in_line(each) for each in (before, after))
        if after and (stood or (stands and len(self.in_line) < MOST_KEPT)):
            self.in_line[after.id] = after

    def seat_use(self, settings: Settings) -> dict[str, dict[str, int | None]]:
        """Return, by seat, its limit and how many members will hold it and wait for it (I6)."""
        shown: dict[str, dict[str, int | None]] = {}
        for name, seat in settings.seats.items():
            pool = self.pools.get(name, Pool())
            shown[name] = {"limit": seat.limit, "held": pool.used, "waiting": pool.waiting}
        return shown


def make_plan(
    gathered: Gathered,
    states: Mapping[str, MemberState],
    settings: Settings,
    roster: Roster,
    now: datetime,
    run: str,
    read_again: ReadAgain,
) -> Plan:
    """Return the plan for what was gathered; `now` is when gathering began.

    Whoever waits for somebody who is about to leave, and was not gathered, is read with `read_again` (A14).
    """
    plan = Plan()
    names = list(settings.seats)
    plan.pools = roster.pools(settings.organization, names) if names else {}
    _count_the_unchanged(plan, gathered, states, settings)
    _count_the_outsiders(plan, gathered, states, settings, roster)
    planning = _Planning(plan, gathered, states, settings, roster, now)
    for change in planning.each_looked_up(_in_order(plan, gathered, settings, now, run)):
        planning.decide(*change)
    planning.decide_who_waits(gathered.rows, read_again)
    # There is nothing to do about them yet, but their manager is about to join or to come back.
    new = {item.user for item in plan.items if item.outcome in ARRIVING}
    plan.items += [item for item in planning.quiet if _reports_to(item, new)]
    for item in plan.items:
        if _reports_to(item, new):
            plan.decisions.pop(item.user, None)
    seating = Seating(settings, roster, plan.in_line, plan.pools, now, run)
    plan.seated = list(seating.items())
    plan.pools = seating.pools
    return plan


@dataclass(slots=True)
class _Planning:
    """A plan in the making.

    `free` are the match keys that members have no more need of; `moved` the members (by id) as they will be
    once the plan is applied, where somebody may wait for them; `waiting` who waits, to be decided again.
    """

    plan: Plan
    gathered: Gathered
    states: Mapping[str, MemberState]
    settings: Settings
    roster: Roster
    now: datetime
    quiet: list[Item] = field(default_factory=list)
    free: set[str] = field(default_factory=set)
    moved: dict[str, Member] = field(default_factory=dict)
    waiting: list[tuple[UserChange, Known]] = field(default_factory=list)

    def each_looked_up(self, changes: Iterable[UserChange]) -> Iterator[tuple[UserChange, Known]]:
        """Yield each change with what the roster knows of its user."""
        for some in batched(changes, LOOKED_UP_AT_ONCE, strict=False):
            wanted = {
                change.crm_id: salesforce_lifecycle.wanted_for(change, self.settings) for change in some
            }
            known = self.roster.gather(self.settings.organization, wanted)
            for change in some:
                yield change, known[change.crm_id]

    def decide(self, change: UserChange, known: Known, *, again: bool = False) -> None:
        """Decide about one user, as if what is planned already were done; put off who waits, but once."""
        plan = self.plan
        known = replace(known, manager=plan.turned.get(reports_to(change) or "", known.manager))
        after_all = self._after_all(known)
        decision = salesforce_lifecycle.decide(change, after_all, self.settings, plan.pools, self.now)
        if decision.outcome is Outcome.WAITING and not again:
            self.waiting.append((change, known))
            return
        self._count(change, known, decision)
        self.free.update(given_up(decision))
        leaves_the_line = known.link is not None and known.link.reason in WAITING_REASONS
        if decision.outcome is Outcome.STALE or (
            decision.outcome is Outcome.NOT_PROVISIONED and not leaves_the_line
        ):
            return
        waits_on = decision.outcome is Outcome.WAITING and decision.entry is None
        if waits_on or not decision.writes:
            if decision.outcome is Outcome.UNCHANGED:
                self.quiet.append(item_of(change, decision))
            return
        plan.items.append(item_of(change, decision))
        if len(plan.decisions) < MOST_KEPT and after_all is known:
            plan.decisions[change.crm_id] = decision
        if decision.after:
            self._note_move(change, decision.before, decision.after)
            plan.note_line(decision)

    def decide_who_waits(self, gathered: Container[str], read_again: ReadAgain) -> None:
        """Decide about those who waited before or came to wait now, once everybody else is decided about."""
        links = self.roster.waiting(self.settings.organization, sorted(self.free)) if self.free else []
        others = {link.crm_id: link.source or "" for link in links if link.crm_id not in gathered}
        read = [
            replace(each, source=read_again_version(each.fields, self.now, others[each.crm_id]))
            for each in (read_again(list(others)) if others else ())
        ]
        self.waiting += self.each_looked_up(read)
        for change, known in self.waiting:
            self.decide(change, known, again=True)

    def _after_all(self, known: Known) -> Known:
        """Return what will be known once the plan is applied: who has left, who has come."""
        if known.matches is None:
            return known
        there = frozenset(member.id for member in known.namesakes)
        joined = {key: self.plan.joining[key] for key in known.matches if key in self.plan.joining}
        coming = {who: key for key, who in joined.items() if who not in there}
        if not coming and self.moved.keys().isdisjoint(there):
            return known
        namesakes = [self.moved.get(member.id, member) for member in known.namesakes]
        namesakes += [self.moved.get(who) or self._newcomer(who, key) for who, key in coming.items()]
        return replace(known, namesakes=tuple(namesakes))

    def _newcomer(self, member: str, key: str) -> Member:
        """Return as much of a member that is about to be created as others have to know."""
        kind, _, address = key.partition("#")
        return Member(
            id=member,
            organization=self.settings.organization,
            active=True,
            username=address if kind == "username" else None,
            email=address if kind == "email" else None,
            crm={salesforce_lifecycle.CONNECTION: {"id": None}},
        )

    def _count(self, change: UserChange, known: Known, decision: Decision) -> None:
        before = decision.before or known.member
        person = decision.after or before
        if person and vault_id(person) is None and len(self.plan.unlinked) < MOST_UNLINKED:
            self.plan.unlinked.update(own_keys_of(person))
        if change.frozen and person and person.active:
            self.plan.frozen.append(change.crm_id)
        if before and before.active:
            self.plan.active[EVERYONE] += 1
            if before.assignment:
                self.plan.active[before.assignment] += 1
        if not _is_counted(change, self.gathered, self.states):
            _count_if_left_out(self.plan, change, known, decision, self.settings)

    def _note_move(self, change: UserChange, before: Member | None, after: Member) -> None:
        plan = self.plan
        keys, former = keys_of(after), keys_of(before)
        if keys != former:
            plan.joining.update(dict.fromkeys(keys, after.id))
            plan.linking.update(own_keys_of(after))
        # Whose address is a converted one has to be known to those whose own it is.
        if after.own_email or (before and (keys != former or before.active != after.active)):
            self.moved[after.id] = after
        plan.pools = seats.moved(plan.pools, seats.moves(before.seats if before else {}, after.seats))
        if before and before.active != after.active:
            plan.turned[change.crm_id] = after.id if after.active else None


def _stands_in_line(member: Member) -> bool:
    return any(place.state == seats.WAITING for place in member.seats.values())


def _reports_to(item: Item, users: set[str]) -> bool:
    return isinstance(item.change, UserChange) and item.change.fields.get("ManagerId") in users


def _in_order(
    plan: Plan, gathered: Gathered, settings: Settings, now: datetime, run: str
) -> list[UserChange]:
    names = fields_to_read(settings)
    contested = bool(seats.limits(settings))
    keyed = []
    for crm_id, row in gathered.rows.items():
        try:
            matches = gathered.matches.get(crm_id, frozenset[str]())
            change = change_of(row, names, matches, settings, now, run)
        except Rejected as error:
            plan.problems.append((crm_id, error.problems[0]))
            continue
        change = replace(change, in_loop=gathered.in_loop(crm_id), frozen=gathered.is_frozen(crm_id))
        verdict = evaluate(change.fields, change.matches, settings, frozen=change.frozen)
        leaves_first = verdict.reason is None and crm_id not in gathered.leaving
        rank = assignment_order.rank(verdict.assignment, settings) if contested else 0
        key = (leaves_first, rank, gathered.depths.get(crm_id, 0), crm_id)
        keyed.append((key, replace(change, succeeds=gathered.heirs.get(crm_id))))
    keyed += [((False, 0, 0, crm_id), _gone(crm_id, now, run)) for crm_id in gathered.gone]
    return [change for _, change in sorted(keyed, key=lambda each: each[0])]


def _gone(crm_id: str, now: datetime, run: str) -> UserChange:
    """Return the change of who is not in the Salesforce org that is connected now: is as if deactivated."""
    fields = {"Id": crm_id, "IsActive": "false", "SystemModstamp": timestamp(now)}
    return UserChange(crm_id=crm_id, fields=fields, source=read_version(fields, now), run=run)


def _count_the_unchanged(
    plan: Plan, gathered: Gathered, states: Mapping[str, MemberState], settings: Settings
) -> None:
    everyone, none = unfiltered(settings), frozenset[str]()
    names: dict[frozenset[str], str | None] = {}
    for crm_id, state in states.items():
        if not state.active or crm_id in gathered.rows:
            continue
        plan.active[EVERYONE] += 1
        matches = gathered.matches.get(crm_id, none)
        if matches not in names:
            winner = assignment_order.winner(matches | everyone, settings)
            names[matches] = winner.name if winner else None
        if name := names[matches]:
            plan.active[name] += 1


# ── Who is left out ──────────────────────────────────────────────────────────────────────────────────


def _count_the_outsiders(
    plan: Plan, gathered: Gathered, states: Mapping[str, MemberState], settings: Settings, roster: Roster
) -> None:
    """Count who is left out and need not be decided about, without looking anybody up who has a reason."""
    for reason, sample in gathered.outside.items():
        plan.left_out.add_sample(reason, sample, settings)
    plan.left_out.add_sample(INACTIVE_USER, gathered.deactivated, settings)
    everyone, names = unfiltered(settings), fields_judged(settings)
    reasons: dict[str, str | None] = {}
    for crm_id, row in gathered.idle.items():
        if crm_id not in gathered.rows:
            matches = gathered.matches.get(crm_id, frozenset[str]()) | everyone
            frozen = gathered.is_frozen(crm_id)
            reasons[crm_id] = evaluate(fields_of(row, names), matches, settings, frozen=frozen).reason
    # Nothing in Salesforce stands against them, so the roster has to know why.
    unexplained = {states[crm_id].member: crm_id for crm_id, reason in reasons.items() if reason is None}
    for member_id, member in roster.members(settings.organization, unexplained).items():
        reasons[unexplained[member_id]] = None if member.active else member.inactive_reason
    for crm_id, why in reasons.items():
        if why:
            fields = fields_of(gathered.idle[crm_id], fields_to_read(settings))
            plan.left_out.add(why, left_out.who(crm_id, fields, settings))


def _is_counted(change: UserChange, gathered: Gathered, states: Mapping[str, MemberState]) -> bool:
    """Whether reading counted the user among the inactive ones whom nobody has to decide about."""
    unchanged = change.crm_id in gathered.digests and not is_active(change.fields)
    return unchanged and not states[change.crm_id].active


def _count_if_left_out(
    plan: Plan, change: UserChange, known: Known, decision: Decision, settings: Settings
) -> None:
    reason = left_out.reason_of(decision, known)
    if reason:
        who = left_out.who(change.crm_id, change.fields, settings)
        plan.left_out.add(reason, who | left_out.blocking(decision.unchanged))
