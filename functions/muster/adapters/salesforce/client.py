"""The part of Salesforce's REST API that Muster reads: queries, batches of queries, describe.

Everything here only reads, so every call under `/services/data/` can be retried, even a POST.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import batched
from typing import Any, ClassVar
from urllib.parse import quote_plus

import orjson

from muster.adapters.http_calls import decoded, retry_after
from muster.adapters.salesforce.calls import SalesforceCalls, fault_of, too_long
from muster.adapters.salesforce.login import SALESFORCE
from muster.crm.pages import Page, is_salesforce_next, read_salesforce_page, salesforce_page_of
from muster.errors import Rejected, TooLarge, Unavailable

ROWS_A_PAGE = 2_000
QUERIES_A_BATCH = 25
# Salesforce takes 16,384 bytes of URI and headers together, and the token is one of the headers.
LONGEST_URL = 8_000

_SELECTED = re.compile(r"\s*SELECT\s(.*?)\sFROM\s", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


class Salesforce(SalesforceCalls):
    """Reads one org in the integration user's name.

    Every method raises `Rejected` for a query that Salesforce refuses, `Misconfigured` where the
    connection's settings, credentials or permissions are wrong, and `Unavailable` for the rest.
    """

    _retried: ClassVar = ("GET", "POST")  # every POST below is a batch of queries

    def versions(self) -> list[str]:
        """Return the versions of the API that the org serves, like 66.0; takes no login and no API call."""
        url = f"{self._base}/services/data/"
        answer = SALESFORCE.send(self._session, "GET", url, self._timeout)
        if answer.status_code != HTTPStatus.OK:
            raise fault_of(answer.status_code, decoded(answer.content), "versions", retry_after(answer))
        match decoded(answer.content):
            case [_, *_] as found if all(isinstance(each, dict) and "version" in each for each in found):
                return [str(each["version"]) for each in found]
        raise Unavailable("Salesforce answered something that is not the list of its versions")

    def query(self, soql: str) -> Iterator[Page]:
        """Yield all pages of a query's result, in order, each of up to 2,000 rows.

        The caller checks that they add up to `total`, since it may have read some of them before. Raises
        `TooLarge` for a query of more than 8,000 bytes as a URL, before anything is called.
        """
        path = f"/services/data/v{self._version}/query?q={quote_plus(soql)}"
        if (size := len(self._base) + len(path)) > LONGEST_URL:
            raise TooLarge(too_long(f"is {size:,} bytes long as a URL, over {LONGEST_URL:,}"))
        return self._pages(path)

    def more(self, next_url: str) -> Iterator[Page]:
        """Yield the pages from a page's `next` on; raises `CursorLost` if the cursor has expired."""
        if not is_salesforce_next(next_url):
            raise Unavailable("the next page has no valid path; nothing was called")
        return self._pages(next_url)

    def batch(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return all rows of each query; 25 queries a call, none with more than 2,000 rows.

        A query that Salesforce refuses raises `Rejected` with its place, such as `query[0]`.
        """
        rows = []
        for each in self.tried(queries):
            if isinstance(each, Rejected):
                raise each
            rows.append(each)
        return rows

    def tried(self, queries: Sequence[str]) -> list[list[dict[str, Any]] | Rejected]:
        """Return what `batch` does, and in place of the rows of a query that is refused, the refusal."""
        found: list[list[dict[str, Any]] | Rejected] = []
        for index, (status, result) in enumerate(self._results(queries)):
            if status == HTTPStatus.OK:
                found.append(_all_rows(result))
                continue
            fault = fault_of(status, result, f"query[{index}]")
            if not isinstance(fault, Rejected):
                raise fault
            found.append(fault)
        return found

    def refusals(self, queries: Sequence[str]) -> list[str | None]:
        """Return for each query why Salesforce refuses it, in Salesforce's words, or `None`.

        A query that works but whose rows lack a selected field counts as refused. Give queries a
        `LIMIT 1`: their rows do not matter. Other faults raise.
        """
        return [
            _refusal(query, status, result)
            for query, (status, result) in zip(queries, self._results(queries), strict=True)
        ]

    def _pages(self, path: str | None) -> Iterator[Page]:
        read: set[str] = set()
        while path is not None:
            if path in read:
                raise Unavailable("Salesforce sent a page's reader round in a circle")
            read.add(path)
            page = read_salesforce_page(
                self._call("GET", path, {"Sforce-Query-Options": f"batchSize={ROWS_A_PAGE}"})
            )
            yield page
            path = page.next

    def _results(self, queries: Sequence[str]) -> Iterator[tuple[int, object]]:
        """Yield the status and the decoded answer of each query, sent in batches."""
        for batch in batched(queries, QUERIES_A_BATCH, strict=False):
            results = self._send_batch(batch)
            if any(status == HTTPStatus.UNAUTHORIZED for status, _ in results):
                self._login.forget()  # the session ended in the middle of the batch
                results = self._send_batch(batch)
            yield from results

    def _send_batch(self, queries: Sequence[str]) -> list[tuple[int, object]]:
        parts = [{"method": "GET", "url": f"v{self._version}/query?q={quote_plus(soql)}"} for soql in queries]
        path = f"/services/data/v{self._version}/composite/batch"
        body = orjson.dumps({"batchRequests": parts, "haltOnError": False})
        answer = self._call("POST", path, {"Content-Type": "application/json"}, body)
        return _results_of(decoded(answer), len(queries))


def _results_of(answer: object, expected: int) -> list[tuple[int, object]]:
    """Return the status and answer of each part of a batch; raises `Unavailable` if any is missing."""
    match answer:
        case {"results": list(parts)} if len(parts) == expected:
            results = [
                (part["statusCode"], part.get("result"))
                for part in parts
                if isinstance(part, dict) and isinstance(part.get("statusCode"), int)
            ]
            if len(results) == expected:
                return results
    raise Unavailable("Salesforce answered a batch of queries with something else than their results")


def _all_rows(result: object) -> list[dict[str, Any]]:
    page = salesforce_page_of(result)
    if page.next is not None or len(page.records) != page.total:
        raise Unavailable(
            f"Salesforce answered {len(page.records):,} of {page.total:,} rows to a query of a batch;"
            " ask for fewer rows at once"
        )
    return page.records


def _refusal(soql: str, status: int, result: object) -> str | None:
    if status != HTTPStatus.OK:
        fault = fault_of(status, result, "query")
        if not isinstance(fault, Rejected):
            raise fault
        return fault.problems[0].message
    missing = {
        name for row in salesforce_page_of(result).records for name in _selected(soql) if not _has(row, name)
    }
    if not missing:
        return None
    return (
        f"Salesforce leaves out {', '.join(sorted(missing))}; let the integration user read it"
        " (field-level security)"
    )


def _selected(soql: str) -> list[str]:
    """Return the fields that a query selects, relationship fields included, functions not."""
    match = _SELECTED.match(soql)
    names = [name.strip() for name in match[1].split(",")] if match else []
    return [name for name in names if _FIELD.fullmatch(name)]


def _has(row: Mapping[str, Any], name: str) -> bool:
    """Whether a row holds a field, in any case; a field of a parent that is null counts as held."""
    first, _, rest = name.lower().partition(".")
    for key, value in row.items():
        if key.lower() == first:
            return not rest or value is None or (isinstance(value, dict) and _has(value, rest))
    return False
