"""Pages of records as a CRM's query answers them, checked before anyone believes them (I4).

An answer that cannot be read as a page is `Unavailable`, never `Rejected`: a proxy's HTML page or a
body that broke off is nobody's wrong input, and an unreadable source is not an empty one. Messages
hold nothing of the body, which is personal data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from muster.errors import Unavailable

# The one shape that a `nextRecordsUrl` has. Whatever could lead elsewhere (a host, dot segments, a
# backslash, an escape, a query) is none (T3).
_NEXT = re.compile(r"/services/data/v[0-9]{2,3}\.[0-9](?:/[A-Za-z0-9_-]+)+")


class CursorLost(Unavailable):
    """The place to go on reading at has expired; only the query asked anew helps."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query's result.

    `body` is the answer as received, what the run archive keeps; `records` are its rows with the
    `attributes` that Salesforce puts into each; `total` is how many rows the query has on all pages;
    `next` is the path of the next page, `None` on the last.
    """

    body: bytes
    records: list[dict[str, Any]]
    total: int
    next: str | None


def read_page(body: bytes) -> Page:
    """Return the page that an answer of the REST API's query resource holds; raises `Unavailable`."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        # Its exception carries the whole body, so it is not chained.
        raise _not_a_page() from None
    return page_of(answer, body)


def page_of(answer: object, body: bytes = b"") -> Page:
    """Return the page that a decoded answer holds; raises `Unavailable`."""
    if not isinstance(answer, dict):
        raise _not_a_page()
    total, records, path = answer.get("totalSize"), answer.get("records"), answer.get("nextRecordsUrl")
    if not isinstance(total, int) or isinstance(total, bool) or not isinstance(records, list):
        raise _not_a_page()
    if len(records) > total or not all(isinstance(record, dict) for record in records):
        raise _not_a_page()
    match answer.get("done"), path:
        case (True, None) | (False, str()) if path is None or is_next(path):
            return Page(body, records, total, path)
    raise _not_a_page()


def is_next(path: str) -> bool:
    """Tell whether this is where a query's next page can be: a path of the REST API, without a host."""
    return _NEXT.fullmatch(path) is not None


def _not_a_page() -> Unavailable:
    return Unavailable("Salesforce answered something that is not a page of records")
