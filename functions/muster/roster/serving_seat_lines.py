"""A freed seat goes to the first in line (A9).

Free seats are counted anew each time, so the next run finishes what an interrupted one could not.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count

from muster.lease import Lease
from muster.roster import salesforce_lifecycle, seats
from muster.roster.counting_seats import SeatCount
from muster.roster.ports import Roster
from muster.roster.seats import Pool
from muster.settings import Settings

# How many members in line are served at a time, and how many times a seat's line is read for it where time
# is short: a run serves all of it.
SERVED_AT_ONCE = 25
ROUNDS = 8


class SeatLineServer:
    """Gives free seats to those who wait for them; counts them in `outcomes`.

    A run's writes are fenced with its lease. `now` is aware.
    """

    def __init__(self, settings: Settings, roster: Roster, now: datetime, lease: Lease | None = None) -> None:
        self.outcomes: Counter[str] = Counter()
        self._settings = settings
        self._roster = roster
        self._now = now
        self._lease = lease
        self._count = SeatCount(settings, roster)

    def serve_lines(self, run: str, check: Callable[[], None] | None = None) -> None:
        """Give every free seat to the first in line for it; `run` is for the history.

        With `check`, called after each few, a line is served to its end, or until that raises. Raises
        `Unavailable`, and `Stale` when the lease is lost.
        """
        self._count.forget()
        for seat in self._settings.seats:
            for _ in count() if check else range(ROUNDS):
                if not self._serve(seat, run):
                    break
                if check:
                    check()

    def _serve(self, seat: str, run: str) -> bool:
        """Serve the first few in line, and return whether there may be more to serve.

        After a conflict the line is read again, for somebody else may be first now.
        """
        organization = self._settings.organization
        free = seats.free(seat, self._settings, self._count.pools())
        if not free or not self._count.pools().get(seat, Pool()).waiting:
            return False
        first = self._roster.line(organization, seat, int(min(free, SERVED_AT_ONCE)))
        members = self._roster.members(organization, first)
        served = False
        for member in (members[name] for name in first if name in members):
            decision = salesforce_lifecycle.seat(
                member, seat, self._settings, self._count.pools(), self._now, run
            )
            if decision is None:
                continue
            if self._roster.write(organization, [decision], self._now.timestamp(), self._lease):
                self._count.forget()
                return True
            self._count.count(decision)
            self.outcomes[decision.outcome] += 1
            served = True
        return served
