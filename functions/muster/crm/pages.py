"""Pages of records as Salesforce's and Vault's queries return them, checked before use (I4).

An answer that cannot be read as a page is `Unavailable`, never `Rejected`: a proxy's HTML page or a
truncated body is not a wrong input, and an unreadable source is not an empty one. Error messages hold
nothing of the body, which is personal data.

A page of a vault with few rows need not be the last: a vault under load shrinks its pages. Only a
missing `next_page` is the end, and only rows that add up to `total` are complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from muster.crm import canonical_text
from muster.errors import Incomplete, Unavailable

# The one shape of a `nextRecordsUrl`. Anything that could lead elsewhere (a host, dot segments, a backslash,
# an escape, a query) is refused (T3).
_SALESFORCE_NEXT = re.compile(r"/services/data/v[0-9]{2,3}\.[0-9](?:/[A-Za-z0-9_-]+)+")


class CursorLost(Unavailable):
    """The cursor of the next page has expired; only running the query again helps."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query's result.

    `body` is the answer as received, for the run archive; `records` are its rows with the
    `attributes` that Salesforce puts into each; `total` is how many rows the query has on all pages;
    `next` is the path of the next page, `None` on the last.
    """

    body: bytes
    records: list[dict[str, Any]]
    total: int
    next: str | None


def read_salesforce_page(body: bytes) -> Page:
    """Return the page that an answer of the REST API's query resource holds; raises `Unavailable`."""
    try:
        answer = canonical_text.read_json(body)
    except ValueError:
        # Its exception carries the whole body, so it is not chained.
        raise _not_a_salesforce_page() from None
    return salesforce_page_of(answer, body)


def salesforce_page_of(answer: object, body: bytes = b"") -> Page:
    """Return the page that a decoded answer holds; raises `Unavailable`."""
    if not isinstance(answer, dict):
        raise _not_a_salesforce_page()
    total, records, path = answer.get("totalSize"), answer.get("records"), answer.get("nextRecordsUrl")
    if not isinstance(total, int) or isinstance(total, bool) or not isinstance(records, list):
        raise _not_a_salesforce_page()
    if len(records) > total or not all(isinstance(record, dict) for record in records):
        raise _not_a_salesforce_page()
    match answer.get("done"), path:
        case (True, None) | (False, str()) if path is None or is_salesforce_next(path):
            return Page(body, records, total, path)
    raise _not_a_salesforce_page()


def is_salesforce_next(path: str) -> bool:
    """Whether a query's next page can be at this path: one of the REST API, without a host."""
    return _SALESFORCE_NEXT.fullmatch(path) is not None


def _not_a_salesforce_page() -> Unavailable:
    return Unavailable("Salesforce answered something that is not a page of records")


# The one shape of a next page's path. Anything that could lead elsewhere (dot segments, a backslash, an
# escape, a fragment) is refused (T3).
_VAULT_NEXT = re.compile(r"/api/v[0-9]{2}\.[0-9]/query/[A-Za-z0-9_-]+(?:\?[A-Za-z0-9_=&.-]*)?")


def read_vault_page(body: bytes) -> Page:
    """Return the page that a query's answer holds; raises `Unavailable` for anything else.

    Its `next` is as the vault wrote it; `vault_page_path` makes a path of it.
    """
    try:
        answer = canonical_text.read_json(body)
    except ValueError:
        # Its exception carries the whole body, so it is not chained.
        raise _not_a_vault_page() from None
    match answer:
        case {
            "responseStatus": "SUCCESS" | "WARNING",
            "responseDetails": {"total": int(total)} as details,
            "data": list(records),
        } if len(records) <= total and all(isinstance(record, dict) for record in records):
            following = details.get("next_page")
            agrees = details.get("size", len(records)) == len(records)
            if agrees and (following is None or isinstance(following, str)):
                return Page(body, records, total, following or None)
    raise _not_a_vault_page()


def vault_page_path(next_page: str, base: str, version: str) -> str:
    """Return the path of a next page, from any of the forms it is written in.

    The forms are a URL on the same host, a path with or without a version, and what follows the version.
    Raises `Unavailable` for a page on another host, or outside the query resource.
    """
    path = next_page.removeprefix(base)
    if not path.startswith("/"):
        path = f"/{path}"
    if not path.startswith("/api/"):
        path = f"/api/{version}{path}"
    if not _VAULT_NEXT.fullmatch(path):
        raise Unavailable("a vault's next page is not where its queries are; nothing was called")
    return path


class Tally:
    """Adds up the pages of one query and raises `Incomplete` where rows are missing or come twice (I4).

    Only rows that have an `id` can be seen to come twice.
    """

    def __init__(self) -> None:
        """Start before the first page."""
        self._total: int | None = None
        self._next: str | None = None
        self._ids: set[str] = set()
        self.rows = 0

    def add(self, page: Page) -> None:
        """Count a page, which follows the last one that was added."""
        if self._total is not None and page.total != self._total:
            raise Incomplete(
                f"the vault announced {self._total:,} rows, and then {page.total:,}: they changed meanwhile"
            )
        ids = [str(row["id"]) for row in page.records if "id" in row]
        if len(set(ids)) < len(ids) or not self._ids.isdisjoint(ids):
            raise Incomplete("the vault showed a record twice")
        self._ids.update(ids)
        self._total, self._next = page.total, page.next
        self.rows += len(page.records)
        if self.rows > page.total:
            raise self._short()

    def close(self) -> None:
        """Raise `Incomplete` unless every row has been counted and no page follows."""
        if self._total is None or self._next is not None or self.rows != self._total:
            raise self._short()

    def _short(self) -> Incomplete:
        return Incomplete(f"the vault announced {self._total or 0:,} rows and showed {self.rows:,}")


def single(value: Any) -> str | None:
    """Return the text in a field of a row, also from a picklist's array of one; `None` where it is empty.

    Raises `Incomplete` for several values, or for one that is not a text.
    """
    if isinstance(value, list):
        if len(value) > 1:
            raise Incomplete("a vault's field that should have one value has several")
        value = value[0] if value else None
    if value is None or isinstance(value, str):
        return value or None
    raise Incomplete("a vault's field that should be a text is none")


def _not_a_vault_page() -> Unavailable:
    return Unavailable("the vault answered something that is not a page of records")
