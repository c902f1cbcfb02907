"""The second read of an undo: what the roster knows of whom the run changed, kept in the archive (I1, Q4).

It is read after whom the run changed. Who else is looked up is bounded by them, so the cost follows the run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from muster.edits.member_edits import MOST_LEVELS
from muster.imports.looking_up import members_named, users_known
from muster.roster import seats
from muster.roster.decisions import Known
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.seats import Pool, Pools
from muster.settings import Settings
from muster.sources.ports import Parts
from muster.undo.touched import Touched
from muster.undo.undo_basis import USERS, UndoBasis, wanted


@dataclass(frozen=True, slots=True)
class UndoLookingUp:
    """Looks up for one attempt of one undo; raises `Unavailable`."""

    settings: Settings
    roster: Roster
    parts: Parts

    def look_up(self, people: Sequence[Touched], at: datetime) -> UndoBasis:
        """Return all that deciding about these members needs, and may need; `at` is the moment of it."""
        organization, names = self.settings.organization, list(self.settings.seats)
        members: dict[str, Member] = {}

        def note(_: str, known: Known) -> None:
            if known.member:
                members[known.member.id] = known.member

        users = users_known(
            self.roster, organization, self.parts, USERS, list(wanted(people, self.settings).items()), note
        )
        pools = self.roster.pools(organization, names) if names else {}
        lines = self._lines(members, pools)
        others = {name: None for line in lines.values() for name in line if name not in members}
        return UndoBasis(
            people=people,
            at=at,
            users=users,
            pools=pools,
            above=read_above(people, self.settings, self.roster),
            lines=lines,
            in_line=members_named(self.roster, organization, others),
        )

    def _lines(self, members: Mapping[str, Member], pools: Pools) -> dict[str, Sequence[str]]:
        """Return as much of the line for each seat as may be served, if all of these members give it up (A9).

        Those of them who stand in the line may leave it.
        """
        lines: dict[str, Sequence[str]] = {}
        for seat in self.settings.seats:
            places = [member.seats[seat].state for member in members.values() if seat in member.seats]
            free = seats.free(seat, self.settings, pools) + places.count(seats.HELD)
            if served := int(min(free, pools.get(seat, Pool()).waiting)):
                most = served + places.count(seats.WAITING)
                lines[seat] = self.roster.line(self.settings.organization, seat, most)
        return lines


def read_above(people: Iterable[Touched], settings: Settings, roster: Roster) -> dict[str, Member]:
    """Return who would be the manager of one of these again, with those above them, by id (A10).

    Nobody is read where managers are not chosen by hand. Raises `Unavailable`.
    """
    found: dict[str, Member] = {}
    if not settings.ignore_organizational_structure:
        return found
    names = {name for each in people if (name := each.manager_before)}
    for _ in range(MOST_LEVELS + 1):
        level = members_named(roster, settings.organization, sorted(names - found.keys()))
        found |= level
        names = {member.manager for member in level.values() if member.manager}
    return found
