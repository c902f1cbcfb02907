"""How many of each seat are taken, as a use case writes: moved along, and read again after a conflict."""

from dataclasses import dataclass

from muster.roster import seats
from muster.roster.decisions import Decision
from muster.roster.ports import Roster
from muster.roster.seats import Pools
from muster.settings import Settings


@dataclass(slots=True)
class SeatCount:
    """The pools of an organization's seats, as if every decision counted so far were written."""

    settings: Settings
    roster: Roster
    _pools: Pools | None = None

    def pools(self) -> Pools:
        """Return how many of each seat are taken; reads them where they are not known."""
        if self._pools is None:
            names = list(self.settings.seats)
            self._pools = self.roster.pools(self.settings.organization, names) if names else {}
        return self._pools

    def count(self, decision: Decision) -> None:
        """Move the pools by what a decision changes."""
        before = decision.before.seats if decision.before else {}
        if decision.after and (moves := seats.moves(before, decision.after.seats)):
            self._pools = seats.moved(self.pools(), moves)

    def forget(self) -> None:
        """Read the pools again when they are next needed."""
        self._pools = None
