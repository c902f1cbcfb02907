"""What an undo was decided with, and its documents in the run archive (I1, Q4).

With whom the run changed (`touched`), it is all that a plan is made from, so that it can be made again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from muster import __version__
from muster.imports.known_users import KnownUsers, document_of, members_of
from muster.roster.decisions import Known, Wanted
from muster.roster.member import Member
from muster.roster.seats import Pool, Pools
from muster.runs.archive import keep_list, kept_bodies, kept_list
from muster.settings import Settings
from muster.sources.ports import Parts
from muster.times import timestamp
from muster.undo.touched import Touched, wanted_for

# The names of its parts in an attempt's folder.
USERS = "known"
_ABOVE, _IN_LINE = "known_above", "known_in_line"
_A_PART = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoBasis:
    """Whom the run changed, by id, and what the roster knew of them `at` that moment.

    `users` is what was known of their users (`wanted` names them), `pools` the seats' numbers. `above` are
    members, by id, who would be somebody's manager again, with those above them. `lines` are the first in
    line for each seat that may become free, `in_line` those of them whom the run has not changed, by id.
    """

    people: Sequence[Touched]
    at: datetime
    users: KnownUsers = field(default_factory=KnownUsers)
    pools: Pools = field(default_factory=dict)
    above: Mapping[str, Member] = field(default_factory=dict)
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    in_line: Mapping[str, Member] = field(default_factory=dict)

    def known(self, settings: Settings) -> dict[str, Known]:
        """Return what was known of each user."""
        users = wanted(self.people, settings)
        return dict(zip(users, self.users.of(list(users.items())), strict=True))


def wanted(people: Sequence[Touched], settings: Settings) -> dict[str, Wanted]:
    """Return what has to be looked up of each member's user, of those who are linked to one."""
    return {each.user: wanted_for(each, settings) for each in people if each.user}


def keep(basis: UndoBasis, settings: Settings, parts: Parts) -> dict[str, Any]:
    """Keep in the archive what is not there yet; returns the document about it.

    The people and what was known of their users were kept as they were gathered.
    """
    counts = {
        name: keep_list(parts, name, _documents(members), _A_PART)
        for name, members in ((_ABOVE, basis.above), (_IN_LINE, basis.in_line))
    }
    return {
        "version": __version__,
        "at": timestamp(basis.at),
        "settings": settings.model_dump(mode="json"),
        "pools": {seat: [pool.used, pool.waiting] for seat, pool in basis.pools.items()},
        "lines": basis.lines,
        "parts": {USERS: len(basis.users.parts), **counts},
    }


def kept(document: Mapping[str, Any], people: Sequence[Touched], parts: Parts) -> UndoBasis:
    """Return what an undo was decided with, by the document and the parts in the archive."""
    counts = document["parts"]
    above, in_line = (members_of(kept_list(parts, name, counts[name])) for name in (_ABOVE, _IN_LINE))
    return UndoBasis(
        people=people,
        at=datetime.fromisoformat(document["at"]),
        users=KnownUsers(kept_bodies(parts, USERS, counts[USERS])),
        pools={seat: Pool(*numbers) for seat, numbers in document["pools"].items()},
        above=above,
        lines=document["lines"],
        in_line=in_line,
    )


def _documents(members: Mapping[str, Member]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, document_of(member)) for name, member in members.items())
