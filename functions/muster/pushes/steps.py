"""What any push does: gather who is due, decide, send, read the outcome (P1, P5, O2).

`runs.work` leads through it; what the system does that the push is to is its `Target`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from muster.checks import Check
from muster.pushes.blocked import blocked_by
from muster.pushes.ports import Item, Target
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.parking import SHOWN
from muster.runs.ports import Runs
from muster.runs.reasons import Reason
from muster.runs.run import Run
from muster.settings import Settings


@dataclass(slots=True)
class PushJob[I: Item, Shown]:
    """One invocation's part of a push, with the settings it decides by."""

    target: Target[I, Shown]
    settings: Settings
    runs: Runs
    has_summary: bool = field(default=True, init=False)

    @property
    def progress(self) -> Progress:
        """What came of sending since it was last recorded."""
        return self.target.progress

    def plan(self, run: Run, *, resumed: bool) -> Planned[I]:
        """Gather who is due and decide; it is blocked if a check fails that sending depends on (U6)."""
        due = self.target.due(run)
        plan = self.target.plan(run, self.target.look(run, due, resumed=resumed))
        failed = self.target.failed_checks() if any(item.is_sent for item in plan.items) else ()
        active = self.runs.state(run.organization).active
        reasons = [*guard.tripped(plan.items, active, self.settings), *plan.reasons]
        changes = [item.shown() for item in plan.items if item.is_shown]
        return Planned(
            items=plan.items,
            counts=plan.counts,
            plan_hash=plan.plan_hash,
            shown=PlanShown(changes=changes[:SHOWN]),
            reasons=reasons,
            blocked=f"the push is {blocked_by(failed, self.target.name)}" if failed else None,
            summary={"read": plan.read, **plan.summary},
            errors=plan.errors,
            entries=plan.entries,
            standing=plan.standing,
            note=self._note(failed, reasons) + plan.note,
            details={"blocked_by": [asdict(check) for check in failed]},
        )

    def written(self, items: Sequence[I]) -> bytes:
        """Return items as a part of the plan's file."""
        return self.target.written(items)

    def read(self, part: bytes) -> Sequence[I]:
        """Return the items of a part of the plan's file."""
        return self.target.read(part)

    def applying(self, run: Run, items: Sequence[I], *, resumed: bool) -> "_Sending[I, Shown]":
        """Return what sends the plan; raises what the target raises."""
        self.target.begin(run, items, resumed=resumed)
        return _Sending(self.target, run, resumed)

    def after(self, run: Run, items: Sequence[I], summary: Mapping[str, Any]) -> None:
        """Read what has come of what was sent."""
        self.target.outcome(run, items, summary)

    def ending(self, run: Run, items: Sequence[I], summary: Mapping[str, Any]) -> Ending:
        """Return how the push ends: all that is to be said of it is counted."""
        return Ending()

    def _note(self, failed: Sequence[Check], reasons: Sequence[Reason]) -> str:
        if failed:
            return f" It would be {blocked_by(failed, self.target.name)}."
        return "" if reasons else " Nothing blocks it: it is safe to push now."


@dataclass(slots=True)
class _Sending[I: Item, Shown]:
    """One invocation's share of sending a plan.

    `in_doubt`: the invocation before may have sent the first chunk, and died before it recorded that.
    """

    target: Target[I, Shown]
    run: Run
    in_doubt: bool

    def chunks(self, items: Sequence[I]) -> Iterable[Sequence[I]]:
        """Return the items in order, in chunks; after each, progress is recorded."""
        return self.target.chunks(items)

    def apply(self, items: Sequence[I]) -> None:
        """Send one chunk, but for what has arrived already."""
        in_doubt, self.in_doubt = self.in_doubt, False
        left = self.target.arrived(self.run, items) if in_doubt else items
        if left:
            self.target.send(self.run, left)

    def finish(self, record: Callable[[], None]) -> None:
        """Do what comes once all is sent."""
        self.target.all_sent(self.run)
