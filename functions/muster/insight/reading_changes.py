"""Read the history entries of a period, newest first, and no more than a call may read."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from muster.errors import Problem, Rejected
from muster.roster import history
from muster.roster.member import Json
from muster.roster.ports import RosterViews

MOST_CHANGES = 10_000
_HISTORY_PAGE = 100
_PLACE = re.compile(r"[0-9T:.Z-]{24}\|[^|]{1,200}\|[0-9]{8,}", re.ASCII)

type Matches = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Read:
    """How far was read; `cursor` leads to the entries before, if there are more.

    `cut_at` is when the last was made that was looked at, where all that a call may read was read.
    """

    cursor: str | None = None
    cut_at: str | None = None


def read(
    found: Iterable[Json], matches: Matches, people_at_most: int | None, take: Callable[[Json], None]
) -> Read:
    """Hand those of the entries found that match to `take`: of so many people, or of all (`None`).

    One by one, because ten thousand entries of people who join are more than a function should hold.
    """
    people: set[str] = set()
    last: Json | None = None
    for looked_at, entry in enumerate(found):
        is_next = len(people) == people_at_most and entry["member"] not in people
        if last is not None and (looked_at == MOST_CHANGES or is_next):
            cursor = base64.urlsafe_b64encode(place_of(last).encode()).decode()
            return Read(cursor, last["at"] if looked_at == MOST_CHANGES else None)
        last = entry
        if matches(entry):
            people.add(entry["member"])
            take(entry)
    return Read()


def about(value: str) -> Matches:
    """Return what tells whether an entry has a value before or after, or changes an attribute named so."""
    wanted = value.strip().casefold()

    def is_about(change: Json) -> bool:
        field = change["field"].casefold()
        values = (str(change[each]).casefold() for each in ("before", "after"))
        return f".{wanted}." in f".{field}." or wanted in values

    return lambda entry: any(map(is_about, entry["changes"]))


def of_member(views: RosterViews, organization: str, member: str, since: str, until: str) -> Iterator[Json]:
    """Yield one member's entries from `since` on and before `until`, newest first, from its own history.

    `since` and `until` are timestamps or places of entries.
    """
    cursor = None
    while True:
        some, cursor = views.history(organization, member, _HISTORY_PAGE, cursor)
        for entry in some:
            if place_of(entry) < since:
                return
            if place_of(entry) < until:
                yield entry
        if cursor is None:
            return


def place_of(entry: Json) -> str:
    """Return the place of an entry among those of its organization (`history.place`)."""
    return history.place(entry["at"], entry["member"], entry["version"])


def before(cursor: str) -> str:
    """Return the place that a cursor stands for; raises `Rejected` for one that was not handed out."""
    try:
        place = base64.urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        place = ""
    if not _PLACE.fullmatch(place):
        raise Rejected(
            Problem("cursor", "is not one that was handed out", "Leave it out to start at the beginning.")
        )
    return place
