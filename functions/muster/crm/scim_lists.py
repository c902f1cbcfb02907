"""Lists of a SCIM target, read to an end that holds whatever its counts say.

Totals are those of the page or plainly wrong, `startIndex` is overlooked or wraps round at the end. So a list
ends with the page that shows nobody new; and however whole it looks, nobody's absence from it means anything
(O2).
"""

from __future__ import annotations

from dataclasses import dataclass

from muster.crm.scim_attributes import at
from muster.crm.scim_resources import Resource, read_resource
from muster.errors import Unavailable

# Beyond this a list is taken for one without an end.
MOST_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page: its resources, how many rows it has, and the total that it claims, `None` if it does not."""

    resources: list[Resource]
    rows: int
    total: int | None


def read_page(answer: object) -> ListPage | None:
    """Return the page in a decoded answer, `None` if there is none in it."""
    rows, total = at(answer, "Resources"), at(answer, "totalResults")
    count = int(total) if isinstance(total, int | str) and str(total).isdecimal() else None
    if rows is None and count is not None:
        rows = []  # where nobody is found the list may be left out
    if not isinstance(rows, list):
        return None
    read = [read_resource(each) for each in rows]
    return ListPage([each for each in read if each], len(rows), count)


class Walk:
    """Reads a list page by page, until one shows nobody new."""

    def __init__(self, *, trusts_total: bool) -> None:
        """Begin before the first page; `trusts_total`: as many rows as are announced are enough."""
        self._trusts_total = trusts_total
        self._seen: set[str] = set()
        self.start = 1
        self.ended = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody has been shown so far."""
        return not self._seen

    def add(self, page: ListPage) -> list[Resource]:
        """Return who is new on a page; afterwards `start` is where the next one begins, unless it `ended`."""
        new = {each.id: each for each in page.resources if each.id not in self._seen}
        self._seen |= new.keys()
        self.start += page.rows
        enough = self._trusts_total and page.total is not None and len(self._seen) >= page.total
        self.ended = not new or enough
        if len(self._seen) > MOST_ROWS:
            raise Unavailable(f"the SCIM target lists more than {MOST_ROWS:,}, which has no end")
        return list(new.values())
