"""Pages of members by name: one pass over all of them, keeping no more than a page. Pure."""

import base64
import binascii
import heapq
import json
from collections.abc import Iterable
from operator import itemgetter

from muster.errors import Problem, Rejected
from muster.insight.member_filters import folded
from muster.roster.member import Member

# A page is by name, which no index is, so the roster is read whole: so many members at the most.
MOST_READ = 200_000


def page_by_name(
    members: Iterable[Member], limit: int, cursor: str | None
) -> tuple[list[Member], str | None]:
    """Return the first `limit` members by name after the cursor, and the cursor of the next page.

    All are looked at. `None`: there is no next page. Raises `Rejected` for what is no cursor.
    """
    after = _position(cursor)
    placed = ((place_of(member), member) for member in members)
    later = (each for each in placed if after is None or each[0] > after)
    found = heapq.nsmallest(limit + 1, later, key=itemgetter(0))
    following = _cursor(found[limit - 1][0]) if len(found) > limit else None
    return [member for _, member in found[:limit]], following


def place_of(member: Member) -> tuple[str, str]:
    """Return the key by which members are sorted: by name, whatever its case and accents."""
    return folded(member.name or member.username or member.email or ""), member.id


def _cursor(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _position(cursor: str | None) -> tuple[str, str] | None:
    """Return the place of the last member that was shown; raises `Rejected`."""
    if cursor is None:
        return None
    try:
        name, member = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError):
        name = member = None
    if not (isinstance(name, str) and isinstance(member, str)):
        remedy = "Leave it out to start at the beginning."
        raise Rejected(Problem("cursor", "is not one that was handed out", remedy))
    return name, member
