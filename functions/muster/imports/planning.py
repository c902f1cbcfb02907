"""Turns what was gathered into a plan: each user's decision, in the order of applying (I1, A9, A10).

Leavers come first, so that their seats are free for the others. Then, if seats are limited, users go by
rank of their assignment, and managers before their reports. Who is served from a line comes last.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched

from muster.errors import Problem, Rejected
from muster.imports.plan_items import Item, item_of
from muster.imports.seating import Seating
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.eligibility import evaluate
from muster.roster.links import keys_of
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.seats import Pool, Pools
from muster.runs.guard import EVERYONE
from muster.settings import Settings, assignment_order
from muster.settings.assignment_order import unfiltered
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.salesforce_users import change_of
from muster.sources.user_changes import UserChange

# Decisions kept in memory to apply them in the same invocation; a first import may make many more.
MOST_KEPT = 5_000
_NOTHING_TO_DO = frozenset({Outcome.STALE, Outcome.NOT_PROVISIONED})


@dataclass(slots=True)
class Plan:
    """What to do, and what deciding found along the way.

    `active` counts active members before the plan, by assignment, and all of them under `""`. `pools` are
    the seats after the plan. `problems` are users who cannot be decided about, by CRM id. `decisions`
    are those that can be written as they are, by CRM id. `joining` are match keys that members will have
    once the plan is applied. `in_line` are members whom the plan has join, leave or stay in a line, by id,
    as it leaves them; `seated` is who is served from the lines after it.
    """

    items: list[Item] = field(default_factory=list)
    active: Counter[str] = field(default_factory=Counter)
    pools: Pools = field(default_factory=dict)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    joining: set[str] = field(default_factory=set)
    in_line: dict[str, Member] = field(default_factory=dict)
    seated: list[Item] = field(default_factory=list)

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
) -> Plan:
    """Return the plan for what was gathered; `now` is when gathering began."""
    plan = Plan()
    names = list(settings.seats)
    plan.pools = roster.pools(settings.organization, names) if names else {}
    _count_the_unchanged(plan, gathered, states, settings)
    quiet: list[Item] = []
    for change, known in _looked_up(plan, gathered, settings, roster, now, run):
        decision = salesforce_lifecycle.decide(change, known, settings, plan.pools, now)
        before = decision.before or known.member
        if before and before.active:
            plan.active[EVERYONE] += 1
            if before.assignment:
                plan.active[before.assignment] += 1
        if decision.outcome in _NOTHING_TO_DO:
            continue
        if not decision.writes:
            quiet.append(item_of(change, decision))
            continue
        plan.items.append(item_of(change, decision))
        if len(plan.decisions) < MOST_KEPT:
            plan.decisions[change.crm_id] = decision
        if decision.after:
            if keys_of(decision.before) != keys_of(decision.after):
                plan.joining.update(keys_of(decision.after))
            held_before = decision.before.seats if decision.before else {}
            plan.pools = seats.moved(plan.pools, seats.moves(held_before, decision.after.seats))
            plan.note_line(decision)
    # There is nothing to do about them yet, but their manager is about to become a member.
    new = {item.user for item in plan.items if item.outcome in (Outcome.CREATED, Outcome.LINKED)}
    plan.items += [item for item in quiet if _reports_to(item, new)]
    for item in plan.items:
        if _reports_to(item, new):
            plan.decisions.pop(item.user, None)
    seating = Seating(settings, roster, plan.in_line, plan.pools, now, run)
    plan.seated = list(seating.items())
    plan.pools = seating.pools
    return plan


def _stands_in_line(member: Member) -> bool:
    return any(place["state"] == seats.WAITING for place in member.seats.values())


def _reports_to(item: Item, users: set[str]) -> bool:
    return isinstance(item.change, UserChange) and item.change.fields.get("ManagerId") in users


def _looked_up(
    plan: Plan, gathered: Gathered, settings: Settings, roster: Roster, now: datetime, run: str
) -> Iterator[tuple[UserChange, Known]]:
    """Yield each change in the order of applying, with what the roster knows of its user."""
    for some in batched(_in_order(plan, gathered, settings, now, run), LOOKED_UP_AT_ONCE, strict=False):
        wanted = {change.crm_id: salesforce_lifecycle.wanted_for(change, settings) for change in some}
        known = roster.gather(settings.organization, wanted)
        for change in some:
            yield change, known[change.crm_id]


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
        verdict = evaluate(change.fields, change.matches, settings)
        leaves_first = verdict.reason is None
        rank = assignment_order.rank(verdict.assignment, settings) if contested else 0
        key = (leaves_first, rank, gathered.depths.get(crm_id, 0), crm_id)
        keyed.append((key, replace(change, in_loop=gathered.in_loop(crm_id))))
    return [change for _, change in sorted(keyed, key=lambda each: each[0])]


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
