"""What an undo does: gather, decide, apply (I1, Q2); `runs.work` leads through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from muster.errors import Incomplete
from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.presentation import undoings
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.parking import SHOWN
from muster.runs.run import Run
from muster.settings import Settings
from muster.times import timestamp
from muster.undo import touched, undo_basis
from muster.undo.deciding import decide
from muster.undo.gathering import UndoGatherer
from muster.undo.looking_up import UndoLookingUp
from muster.undo.ports import Ports
from muster.undo.reversal import Asked
from muster.undo.reversing import UndoApplier, nobody
from muster.undo.touched import PART
from muster.undo.undo_basis import UndoBasis


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
        basis = self._gathered(run, resumed=resumed)
        plan = decide(basis, self.settings, Asked.by_run(run))
        counts = plan.counts()
        items = plan.items
        active = self.ports.runs.state(run.organization).active
        return Planned(
            items=items,
            counts=counts,
            plan_hash=plan.hash(),
            shown=self._shown(items),
            reasons=guard.tripped(items, active, self.settings),
            summary={"read": len(basis.people)},
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
        people = {each.user: each for each in touched.gathered(parts)}
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
            Asked.by_run(run),
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

    def _gathered(self, run: Run, *, resumed: bool) -> UndoBasis:
        """Read whom the run changed and what the roster knows of them, and keep both in the archive."""
        parts = AttemptParts(self.ports.archive, run)
        people = self._gatherer(run).gathered(resumed=resumed)
        # As the archive keeps it: to the millisecond.
        at = datetime.fromisoformat(timestamp(self.clock.now()))
        basis = UndoLookingUp(self.settings, self.ports.roster, parts).look_up(people, at)
        parts.put_decided_with(undo_basis.keep(basis, self.settings, parts))
        return basis

    def _shown(self, items: Sequence[Item]) -> PlanShown:
        return PlanShown(changes=plan_items.first_shown(items, SHOWN), tally=plan_items.tally(items))
