"""Turns what was gathered into a plan: each user's decision, in the order of applying (I1, A9, A10). Pure.

Who waited for somebody who leaves comes after all others, and who is served from a line comes last.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.errors import Problem
from muster.imports import left_out
from muster.imports.known_roster import KnownRoster
from muster.imports.known_users import KnownUsers
from muster.imports.left_out import LeftOut
from muster.imports.ordering import Candidate, candidate
from muster.imports.plan_items import ARRIVING, Item, item_of
from muster.imports.seating import Seating
from muster.imports.selecting import Selected
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.eligibility import is_active
from muster.roster.links import bucket, keys_of, own_keys_of
from muster.roster.manager_hierarchy import reports_to
from muster.roster.member import Member
from muster.roster.reasons import INACTIVE_USER, WAITING_REASONS
from muster.roster.seats import Pool, Pools
from muster.roster.writing_user_changes import given_up
from muster.runs.guard import EVERYONE
from muster.settings import Settings, assignment_order
from muster.settings.assignment_order import unfiltered
from muster.settings.mappings import fields_to_read
from muster.sources.salesforce_users import fields_of
from muster.sources.user_changes import UserChange

# Decisions kept in memory to apply them in the same invocation; a first import may make many more.
MOST_KEPT = 5_000


@dataclass(slots=True)
class Plan:
    """What to do, and what deciding found along the way.

    `active` counts active members before the plan, by assignment, and all of them under `""`. `pools` are
    the seats after the plan. `problems` are users who cannot be decided about, by CRM id. `decisions`
    are those that can be written as they are, by CRM id. `joining` maps match keys that members will have
    once the plan is applied to these members (ids); `linking` are those by which a user of Vault CRM is
    linked to members who are new or have other names.
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


def make_plan(selected: Selected, known: KnownRoster, settings: Settings, now: datetime, run: str) -> Plan:
    """Return the plan for what was gathered; `now` is when gathering began, `run` is for the history."""
    plan = Plan(pools=known.pools, problems=list(selected.problems))
    _count_the_unchanged(plan, selected, known, settings)
    _count_the_outsiders(plan, selected, known, settings)
    planning = _Planning(plan, selected, settings, now, known.sought_in_line())
    for each, what in planning.each_with(selected.candidates, known.users):
        planning.decide(each, what)
    planning.decide_who_waits(known)
    # There is nothing to do about them yet, but their manager is about to join or to come back.
    new = {item.user for item in plan.items if item.outcome in ARRIVING}
    plan.items += [item for item in planning.quiet if _reports_to(item, new)]
    for item in plan.items:
        if _reports_to(item, new):
            plan.decisions.pop(item.user, None)
    in_line = planning.standing | known.members
    seating = Seating(settings, known.lines, in_line, plan.in_line, plan.pools, now, run)
    plan.seated = list(seating.items())
    plan.pools = seating.pools
    return plan


@dataclass(slots=True)
class _Planning:
    """A plan in the making.

    `sought` are members (ids) who may be served from a line; those of them who are met are in `standing`, as
    they were. `free` are the match keys that members have no more need of; `moved` the members (by id) as
    they will be once the plan is applied, where somebody may wait for them; `waiting` who waits, to be
    decided again.
    """

    plan: Plan
    selected: Selected
    settings: Settings
    now: datetime
    sought: Collection[str]
    standing: dict[str, Member] = field(default_factory=dict)
    quiet: list[Item] = field(default_factory=list)
    free: set[str] = field(default_factory=set)
    moved: dict[str, Member] = field(default_factory=dict)
    waiting: list[tuple[Candidate, Known]] = field(default_factory=list)

    def each_with(
        self, candidates: Sequence[Candidate], users: KnownUsers
    ) -> Iterator[tuple[Candidate, Known]]:
        """Yield each user with what the roster knew of it."""
        wanted = [(each.crm_id, each.wanted) for each in candidates]
        for each, known in zip(candidates, users.of(wanted), strict=True):
            if self.sought:
                members = (known.member, known.former, *known.namesakes)
                self.standing |= {each.id: each for each in members if each and each.id in self.sought}
            yield each, known

    def decide(self, candidate: Candidate, known: Known, *, again: bool = False) -> None:
        """Decide about one user, as if what is planned already were done; put off who waits, but once."""
        plan, change = self.plan, candidate.change
        known = replace(known, manager=plan.turned.get(reports_to(change) or "", known.manager))
        after_all = self._after_all(known)
        verdict = candidate.verdict_with(known, self.settings)
        decision = salesforce_lifecycle.decide(
            change, after_all, self.settings, plan.pools, self.now, verdict
        )
        if decision.outcome is Outcome.WAITING and not again:
            self.waiting.append((candidate, known))
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

    def decide_who_waits(self, known: KnownRoster) -> None:
        """Decide about those who waited before or came to wait now, once everybody else is decided about.

        Of those who were looked up because somebody might leave, only where that is what happens (A14).
        """
        free = frozenset(map(bucket, self.free))
        others = [candidate(each.change, self.settings) for each in known.waiting]
        let_in = {each.change.crm_id for each in known.waiting if not free.isdisjoint(map(bucket, each.keys))}
        self.waiting += [
            (each, what)
            for each, what in self.each_with(others, known.waiting_users)
            if each.crm_id in let_in
        ]
        for each, what in self.waiting:
            self.decide(each, what, again=True)

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
        if change.frozen and person and person.active:
            self.plan.frozen.append(change.crm_id)
        if before and before.active and self.selected.everyone:
            self.plan.active[EVERYONE] += 1
            if before.assignment:
                self.plan.active[before.assignment] += 1
        if not _is_counted(change, self.selected):
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


def _count_the_unchanged(plan: Plan, selected: Selected, known: KnownRoster, settings: Settings) -> None:
    """Count the active members about whom nothing is decided, and those of them who are frozen."""
    gathered = selected.gathered
    if not selected.everyone:
        plan.active = Counter(known.state.active)
        return
    unchanged = gathered.digests.keys() - gathered.rows.keys()
    frozen = unchanged & (gathered.frozen or frozenset())
    plan.frozen = sorted(each for each in frozen if selected.states[each].active)
    everyone, none = unfiltered(settings), frozenset[str]()
    names: dict[frozenset[str], str | None] = {}
    for crm_id, state in selected.states.items():
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


def _count_the_outsiders(plan: Plan, selected: Selected, known: KnownRoster, settings: Settings) -> None:
    """Count who is left out and need not be decided about."""
    gathered = selected.gathered
    for reason, sample in gathered.outside.items():
        plan.left_out.add_sample(reason, sample, settings)
    plan.left_out.add_sample(INACTIVE_USER, gathered.deactivated, settings)
    for crm_id, found in selected.idle.items():
        if why := found or known.idle.get(crm_id):
            fields = fields_of(gathered.idle[crm_id], fields_to_read(settings))
            plan.left_out.add(why, left_out.who(crm_id, fields, settings))


def _is_counted(change: UserChange, selected: Selected) -> bool:
    """Whether reading counted the user among the inactive ones whom nobody has to decide about."""
    unchanged = change.crm_id in selected.gathered.digests and not is_active(change.fields)
    return unchanged and not selected.states[change.crm_id].active


def _count_if_left_out(
    plan: Plan, change: UserChange, known: Known, decision: Decision, settings: Settings
) -> None:
    reason = left_out.reason_of(decision, known)
    if reason:
        who = left_out.who(change.crm_id, change.fields, settings)
        plan.left_out.add(reason, who | left_out.blocking(decision.unchanged))
