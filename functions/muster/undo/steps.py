"""What an undo does: gather, decide, apply (I1, Q2); `runs.work` leads through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from typing import Any

from muster.errors import Incomplete
from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.imports.seating import Seating
from muster.presentation import undoings
from muster.roster import seats
from muster.roster.decisions import Known
from muster.roster.ports import LOOKED_UP_AT_ONCE
from muster.roster.seats import Pool
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.kinds import PUSH
from muster.runs.parking import SHOWN
from muster.runs.run import Run
from muster.settings import Settings
from muster.undo import touched
from muster.undo.gathering import PART, UndoGatherer
from muster.undo.ports import Ports
from muster.undo.reversal import Asked
from muster.undo.reversing import ManagerChains, UndoApplier, nobody, wanted_for
from muster.undo.touched import Touched
from muster.undo.undo_plan import HELD_BACK, UndoPlan, make_plan


@dataclass(slots=True)
class UndoJob:
    """One invocation's part of an undo, with the settings it decides by."""

    ports: Ports
    clock: RunClock
    settings: Settings
    has_summary: bool = field(default=False, init=False)
    progress: Progress = field(default_factory=Progress, init=False)

    def plan(self, run: Run, *, resumed: bool) -> Planned[Item]:
        """Gather and decide; raises `Incomplete` where the run that is undone is no longer recorded."""
        people = self._gatherer(run).gathered(resumed=resumed)
        plan = self._planned(run, people)
        counts = plan.counts()
        items = plan.items
        active = self.ports.runs.state(run.organization).active
        return Planned(
            items=items,
            counts=counts,
            plan_hash=plan_items.plan_hash([item for item in items if item.outcome != HELD_BACK]),
            shown=self._shown(items),
            reasons=guard.tripped(items, active, self.settings),
            details={"undoes": run.undoes},
        )

    def written(self, items: Sequence[Item]) -> bytes:
        """Return items as a part of the plan's file."""
        return plan_items.written(items)

    def read(self, part: bytes) -> Sequence[Item]:
        """Return the items of a part of the plan's file."""
        return plan_items.read(part)

    def applying(self, run: Run, items: Sequence[Item], *, resumed: bool) -> UndoApplier:
        """Return what applies the plan; an item that was applied before changes nothing."""
        parts = AttemptParts(self.ports.archive, run).parts(PART)
        people = {each.user: each for each in chain.from_iterable(map(touched.read, parts))}
        return UndoApplier(
            self.settings,
            self.ports.roster,
            self.clock,
            run,
            items,
            nobody,
            self.progress,
            {},
            people,
            _asked(run),
        )

    def after(self, run: Run, items: Sequence[Item], summary: Mapping[str, Any]) -> None:
        """Do nothing more: the next push sends the requests, and the next import mails the managers."""

    def ending(self, run: Run, items: Sequence[Item], summary: Mapping[str, Any]) -> Ending:
        """Return how the undo ends."""
        shown = self._shown(items)
        details = {"undoes": run.undoes, "changes": shown.changes, "tally": shown.tally}
        first = undoings.first_words(run.undoes or "", changes=any(item.operations for item in items))
        return Ending(shown=shown, named=True, first=first, details=details)

    def _gatherer(self, run: Run) -> UndoGatherer:
        target = self.ports.runs.run(run.organization, run.undoes or "")
        if target is None:
            raise Incomplete("the run that is undone is no longer recorded")
        return UndoGatherer(self.ports, self.settings, self.clock, run, target)

    def _planned(self, run: Run, people: Sequence[Touched]) -> UndoPlan:
        organization, now = run.organization, self.clock.now()
        known: dict[str, Known] = {}
        for some in batched((each for each in people if each.user), LOOKED_UP_AT_ONCE, strict=False):
            wanted = {each.user: wanted_for(each, self.settings) for each in some}
            known |= self.ports.roster.gather(organization, wanted)
        names = list(self.settings.seats)
        pools = self.ports.roster.pools(organization, names) if names else {}
        above = ManagerChains(self.ports.roster, organization).above
        plan = make_plan(people, known, pools, above, self.settings, now, _asked(run))
        lines = self._lines(plan)
        stored = self.ports.roster.members(
            organization, sorted({each for line in lines.values() for each in line})
        )
        seating = Seating(self.settings, lines, stored, plan.changed, plan.pools, now, f"run:{run.id}")
        return replace(plan, items=[*plan.items, *seating.items()])

    def _lines(self, plan: UndoPlan) -> dict[str, list[str]]:
        """Return, for each seat that the plan leaves free, who of the others is first in line (A9)."""
        lines = {}
        for seat in self.settings.seats:
            free = min(seats.free(seat, self.settings, plan.pools), plan.pools.get(seat, Pool()).waiting)
            if free:
                # Whoever the plan changes may be in the stored line, and leave it.
                first = self.ports.roster.line(
                    self.settings.organization, seat, int(free) + len(plan.changed)
                )
                lines[seat] = [name for name in first if name not in plan.changed][: int(free)]
        return lines

    def _shown(self, items: Sequence[Item]) -> PlanShown:
        return PlanShown(changes=plan_items.first_shown(items, SHOWN), tally=plan_items.tally(items))


def _asked(run: Run) -> Asked:
    return Asked(run.by or "", f"run:{run.id}", of_a_push=run.undoes_kind == PUSH.name)
