"""Who is served from the lines once a plan is applied, in the order of serving (A9, I5).

It is part of the plan: whoever is given a seat is named, counted as a grant and guarded. Applying does not
follow these items one by one: it serves the lines (`roster.serving_seat_lines`), which are these.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from muster.imports.plan_items import Item, item_of
from muster.roster import salesforce_lifecycle, seats
from muster.roster.member import Member
from muster.roster.seats import Pool, Pools
from muster.settings import Settings


class Seating:
    """Plans who is served; `lines` are the first in line for each seat, `stored` those who are met there.

    `changed` are members as the rest of the plan leaves them, by id. `pools` are the seats as it leaves them,
    and afterwards as serving does.
    """

    def __init__(
        self,
        settings: Settings,
        lines: Mapping[str, Sequence[str]],
        stored: Mapping[str, Member],
        changed: Mapping[str, Member],
        pools: Pools,
        now: datetime,
        run: str,
    ) -> None:
        self.pools = pools
        self._settings = settings
        self._lines = lines
        self._stored = stored
        self._members = dict(changed)
        self._now = now
        self._run = run

    def items(self) -> Iterator[Item]:
        """Yield an item for each seat that a member in line is given."""
        for seat in self._settings.seats:
            yield from self._of_seat(seat)

    def _of_seat(self, seat: str) -> Iterator[Item]:
        free = seats.free(seat, self._settings, self.pools)
        waiting = self.pools.get(seat, Pool()).waiting
        if not free or not waiting:
            return
        for member in self._first(seat, int(min(free, waiting))):
            decision = salesforce_lifecycle.seat(
                member, seat, self._settings, self.pools, self._now, self._run
            )
            if decision is None or decision.after is None:
                continue
            self._members[member.id] = decision.after
            self.pools = seats.moved(self.pools, seats.moves(member.seats, decision.after.seats))
            yield item_of(None, decision)

    def _first(self, seat: str, number: int) -> list[Member]:
        """Return the first so many in line, as if the rest of the plan were applied."""
        here = [member for member in self._members.values() if _waits(member, seat)]
        # Whoever the plan changes may be in the stored line and leave it, or stand elsewhere in it.
        unchanged = [name for name in self._lines.get(seat, ()) if name not in self._members][:number]
        found = (self._stored[name] for name in unchanged if name in self._stored)
        here += [member for member in found if _waits(member, seat)]
        return sorted(here, key=lambda member: _place(member, seat))[:number]


def _waits(member: Member, seat: str) -> bool:
    return seat in member.seats and member.seats[seat].state == seats.WAITING


def _place(member: Member, seat: str) -> tuple[int, str, str]:
    place = member.seats[seat]
    return place.rank or 0, place.since or "", member.id
