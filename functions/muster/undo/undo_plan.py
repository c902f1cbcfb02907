"""Makes the plan of an undo: each member's reversal, in the order of applying (I1, A9).

Whoever is closed comes first, so that their seats are free for the others; then managers before their
reports, for reports refer to them. A seat that somebody held before the run is kept for that one as long as
others are decided about. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from muster.crm.engage_features import FEATURES
from muster.imports.plan_items import Item, UndoItem, counts, plan_hash
from muster.roster import seats
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.manager_hierarchy import depths, reports_to
from muster.roster.member import Member
from muster.roster.seats import Pool, Pools
from muster.roster.taken_back import groups_lost, seats_lost
from muster.runs.operations import DEACTIVATE, GRANT, REVOKE, UPDATE
from muster.settings import Settings, assignment_order
from muster.undo import reversal
from muster.undo.by_hand import above_in
from muster.undo.reversal import Asked, Reversal
from muster.undo.topics import SEATS, topics_named
from muster.undo.touched import Touched
from muster.undo.undo_basis import UndoBasis

# What becomes of whom nothing is put back on.
HELD_BACK = "held_back"


@dataclass(slots=True)
class UndoPlan:
    """What to put back; `changed` are the members as the plan leaves them, by id, and `pools` the seats."""

    items: list[Item] = field(default_factory=list)
    changed: dict[str, Member] = field(default_factory=dict)
    pools: Pools = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return how many members there are of each outcome, and of whom something is held back."""
        written = [item for item in self.items if item.outcome != HELD_BACK]
        held = number_held(self.items)
        return {**counts(written), **({HELD_BACK: held} if held else {})}

    def hash(self) -> str:
        """Return what an approval is for: all that is written."""
        return plan_hash([item for item in self.items if item.outcome != HELD_BACK])


def number_held(items: Iterable[Item]) -> int:
    """Return of how many something is held back."""
    return sum(isinstance(item, UndoItem) and bool(item.held) for item in items)


def make_plan(basis: UndoBasis, known: Mapping[str, Known], settings: Settings, asked: Asked) -> UndoPlan:
    """Return the plan for the members that were gathered; `known` is what the roster knew of their users."""
    planning = _Planning(known, basis, settings, asked)
    first = {each.undone.member: planning.decided(each).decision for each in basis.people}
    planning.keep_seats(basis.people, first)
    for each in planning.in_order(basis.people, first):
        planning.add(each)
    return planning.plan


def as_planned(pools: Pools, item: Item, settings: Settings) -> Pools:
    """Return the seats as an item has its member find them.

    What it waits for is not free; for what it is given, whoever came to wait meanwhile is not before it.
    """
    limits = seats.limits(settings)
    found = dict(pools)
    for change in item.changes:
        for topic in topics_named([change.field]):
            pool = pools.get(topic.key, Pool())
            if topic.kind != SEATS or topic.key not in limits:
                continue
            if change.after == seats.WAITING:
                found[topic.key] = Pool(max(pool.used, limits[topic.key]), pool.waiting)
            elif change.after == seats.HELD:
                found[topic.key] = Pool(pool.used)
    return found


class _Planning:
    """A plan in the making: each decision is made as if those before were written already."""

    def __init__(
        self,
        known: Mapping[str, Known],
        basis: UndoBasis,
        settings: Settings,
        asked: Asked,
    ) -> None:
        self.plan = UndoPlan(pools=basis.pools)
        self._before = basis.pools
        self._known = known
        self._above = above_in(basis.above)
        self._settings = settings
        self._now = basis.at
        self._asked = asked
        # CRM id → member, of those decided about; `None` for who is not active then.
        self._active: dict[str, str | None] = {}
        # Seat → members who held it before the run and are not decided about yet.
        self._kept: dict[str, set[str]] = {}

    def keep_seats(self, people: Sequence[Touched], first: Mapping[str, Decision]) -> None:
        for each in people:
            after = first[each.undone.member].after
            lost = [change for change in each.undone.changes if change.before == seats.HELD]
            for topic in topics_named(change.field for change in lost):
                if topic.kind == SEATS and after and topic.key in after.seats:
                    self._kept.setdefault(topic.key, set()).add(each.undone.member)

    def in_order(self, people: Sequence[Touched], first: Mapping[str, Decision]) -> list[Touched]:
        managers = {each.user: reports_to(each.change) if each.change else None for each in people}
        depth = depths(managers)

        def place(each: Touched) -> tuple[bool, int, int, str]:
            decision = first[each.undone.member]
            name = decision.after.assignment if decision.after else None
            return (
                decision.outcome is not Outcome.DEACTIVATED,
                depth.get(each.user, 0),
                assignment_order.rank(assignment_order.named(name, self._settings), self._settings),
                each.undone.member,
            )

        return sorted(people, key=place)

    def add(self, each: Touched) -> None:
        found = self.decided(each)
        for kept in self._kept.values():
            kept.discard(each.undone.member)
        decision = found.decision
        member = decision.before
        if not decision.history and not found.held:
            return
        self.plan.items.append(_item(each, found))
        if member is None or decision.after is None:
            return
        self.plan.changed[member.id] = decision.after
        self.plan.pools = seats.moved(self.plan.pools, seats.moves(member.seats, decision.after.seats))
        self._active[each.user] = member.id if decision.after.active else None

    def decided(self, each: Touched) -> Reversal:
        known = self._known.get(each.user, Known())
        manager = reports_to(each.change) if each.change else None
        if manager in self._active:
            known = replace(known, manager=self._active[manager])
        return reversal.decide(
            each.undone,
            each.change,
            known,
            self._above,
            self._settings,
            self._pools_for(each.undone.member),
            self._now,
            self._asked,
        )

    def _pools_for(self, member: str) -> Pools:
        """Return the seats as a member may have them: what is kept for others is not free.

        Whoever has held a seat is before those whom the plan itself has wait for it.
        """
        pools = dict(self.plan.pools)
        for seat, kept in self._kept.items():
            pool = pools.get(seat, Pool())
            if member in kept:
                pools[seat] = Pool(pool.used, self._before.get(seat, Pool()).waiting)
            else:
                pools[seat] = Pool(pool.used + len(kept), pool.waiting)
        return pools


def _item(each: Touched, found: Reversal) -> UndoItem:
    decision = found.decision
    before, after = decision.before, decision.after
    person = after or before
    governing = before if decision.outcome is Outcome.DEACTIVATED else person
    return UndoItem(
        user=each.user,
        member=each.undone.member,
        name=person.name if person else None,
        outcome=decision.outcome if decision.history else HELD_BACK,
        operations=tuple(_operations(decision)) if decision.history else (),
        assignment=governing.assignment if governing else None,
        former=before.assignment if before else None,
        reason=after.inactive_reason if after and decision.history else None,
        version=before.version if before else 0,
        changes=decision.history.changes if decision.history else (),
        change=None,
        held=found.held,
    )


def _operations(decision: Decision) -> Iterator[str]:
    before, after = decision.before, decision.after
    if before is None or after is None:
        return
    yield DEACTIVATE if decision.outcome is Outcome.DEACTIVATED else UPDATE
    if _has(after) - _has(before):
        yield GRANT
    if seats_lost(before, after) or groups_lost(before, after):
        yield REVOKE


def _has(member: Member) -> frozenset[str]:
    """Return what a member holds: seats, and the features for which a group is requested."""
    asked = (feature for feature in FEATURES if member.feature(feature).request)
    return seats.held(member.seats) | {f"feature:{feature}" for feature in asked}
