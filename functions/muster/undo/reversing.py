"""Applies the plan of an undo: each member is decided about again on what is stored, and written whole (I8).

What was put back before is as it was before the run, so that applying it again changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from muster.imports.applying import PlanApplier
from muster.imports.plan_items import Item
from muster.roster.decisions import Decision, Known, Wanted
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.seats import Pools
from muster.settings import Settings
from muster.sources.user_changes import UserChange
from muster.undo import reversal
from muster.undo.by_hand import above_in
from muster.undo.looking_up import read_above
from muster.undo.reversal import Asked
from muster.undo.touched import Touched, wanted_for
from muster.undo.undo_plan import HELD_BACK, as_planned, number_held


@dataclass(frozen=True, slots=True)
class Reversing:
    """The rules of an undo, as a writer of changes asks them."""

    roster: Roster
    asked: Asked
    # User → what is planned for the member.
    items: Mapping[str, Item]

    def wanted_for(self, change: Touched, settings: Settings) -> Wanted:
        """Return what has to be looked up to decide about the member."""
        return wanted_for(change, settings)

    def decide(
        self, change: Touched, known: Known, settings: Settings, pools: Pools, now: datetime
    ) -> Decision:
        """Return the decision about the member as it is stored."""
        above = above_in(read_above([change], settings, self.roster))
        pools = as_planned(pools, self.items[change.user], settings)
        found = reversal.decide(change.undone, change.change, known, above, settings, pools, now, self.asked)
        return found.decision


@dataclass(slots=True)
class UndoApplier(PlanApplier):
    """One invocation's share of applying an undo; `people` are those of its items, by user."""

    people: Mapping[str, Touched]
    asked: Asked

    def chunks(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Yield the items in order, in chunks."""
        yield from batched(items, LOOKED_UP_AT_ONCE, strict=False)

    def apply(self, items: Sequence[Item]) -> None:
        """Apply one chunk; raises as an import's does."""
        self.progress.outcomes[HELD_BACK] += number_held(items)
        # Nothing is written about whom something is only held back, or who is served from a line.
        writing = [item for item in items if item.operations and item.user in self.people]
        if writing:
            people = [self.people[item.user] for item in writing]
            rules = Reversing(self.roster, self.asked, {item.user: item for item in writing})
            self._write(people, rules, decided=False)

    def finish(self, record: Callable[[], None]) -> None:
        """Serve the lines of the seats that are free now."""
        self.serve_lines(record)


def nobody(_: Sequence[str]) -> Sequence[UserChange]:
    """Read nobody again: who waits for a namesake is let in by an import."""
    return ()
