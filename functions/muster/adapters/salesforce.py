"""Salesforce's REST API as far as Muster reads it: queries, batches of queries, describe.

Everything here only reads, so every call under `/services/data/` may be made again: three tries where
the connection fails or Salesforce answers 500 to 504, with growing, jittered waits. A whole call can
so take three times the time-outs. What is left of the day's API calls is watched in every answer, and
the last part of it is left to the customer's other integrations.

Messages carry Salesforce's error codes and, for a refused query, its explanation; never a query, a
URL, a token or a row.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import batched
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import orjson
import requests
from urllib3.util import Retry

from muster.adapters.outgoing import decoded, retry_after, session_for
from muster.adapters.salesforce_login import SALESFORCE, Login
from muster.crm_pages import CursorLost, Page, is_next, page_of, read_page
from muster.errors import Misconfigured, MusterError, NotServed, Problem, Rejected, TooLarge, Unavailable

if TYPE_CHECKING:
    from muster.adapters.secrets import Secrets
    from muster.settings.sections import SalesforceConnection

ROWS_A_PAGE = 2_000
QUERIES_A_BATCH = 25
# Salesforce takes 16,384 bytes of URI and headers together, and the token is one of the headers.
LONGEST_URL = 8_000
TRIES = 3
# How long an answer's count of used API calls is believed. Then one call is let through to learn anew.
USAGE_HOLDS_S = 300

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")  # not the per-app-api-usage that may stand beside it
_ERROR_CODE = re.compile(r"[A-Z0-9_]{1,80}")
_SELECTED = re.compile(r"\s*SELECT\s(.*?)\sFROM\s", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_REMEDY = (
    "Correct the filter or the name of the field; the integration user must be allowed to read each field"
    " (field-level security)."
)
_BUSY = frozenset(
    {
        "BATCH_PROCESSING_HALTED",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "UNABLE_TO_LOCK_ROW",
    }
)


class Salesforce:
    """Reads one org in the integration user's name.

    Every method raises `Rejected` for a query that Salesforce refuses, `Misconfigured` where the
    connection's settings, credentials or permissions are wrong, and `Unavailable` for the rest.
    """

    def __init__(
        self,
        connection: SalesforceConnection,
        secrets: Secrets,
        *,
        session: requests.Session | None = None,
        timeout: tuple[float, float] = (5, 60),
        backoff_s: float = 1,
        longest_wait_s: int = 20,
        usage_limit: float = 0.95,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect as the settings say; nothing is called yet.

        A `session` that is given is used as it is, with its own adapters. `timeout` is that of
        connecting and of waiting for an answer, in seconds; `backoff_s` is the unit of the waits
        between tries, none of them over `longest_wait_s`, whatever Retry-After says. No call is
        made once more than `usage_limit` of the org's API calls are used.
        """
        self._base = SALESFORCE.base_url(connection.host)
        self._version = connection.api_version
        self._session = _session(self._base, backoff_s, longest_wait_s) if session is None else session
        self._timeout = timeout
        self._login = Login(connection, secrets, self._session, timeout, clock)
        self._usage_limit = usage_limit
        self._clock = clock
        self._usage = 0.0
        self._usage_read_at = 0.0
        # How many of how many API calls of 24 hours are used, by the last answer that said so.
        self.calls_used: tuple[int, int] | None = None

    def log_in(self) -> None:
        """Log in with the secret as it is, whatever token is there; raises as any call does."""
        self.calls_used = None
        self._login.forget()
        self._login.token()

    def versions(self) -> list[str]:
        """Return the versions of the API that the org serves, like 66.0; takes no login and no API call."""
        url = f"{self._base}/services/data/"
        answer = SALESFORCE.send(self._session, "GET", url, self._timeout)
        if answer.status_code != HTTPStatus.OK:
            raise _fault(answer.status_code, decoded(answer.content), "versions", retry_after(answer))
        match decoded(answer.content):
            case [_, *_] as found if all(isinstance(each, dict) and "version" in each for each in found):
                return [str(each["version"]) for each in found]
        raise Unavailable("Salesforce answered something that is not the list of its versions")

    def query(self, soql: str) -> Iterator[Page]:
        """Yield all pages of a query's result, in order, each of up to 2,000 rows.

        Whether they add up to `total` is for the caller to say, who may have read some of them before.
        Raises `TooLarge` for a query of more than 8,000 bytes as a URL, before anything is called.
        """
        path = f"/services/data/v{self._version}/query?q={quote_plus(soql)}"
        if (size := len(self._base) + len(path)) > LONGEST_URL:
            raise TooLarge(_too_long(f"is {size:,} bytes long as a URL, over {LONGEST_URL:,}"))
        return self._pages(path)

    def more(self, next_url: str) -> Iterator[Page]:
        """Yield the pages from a page's `next` on; raises `CursorLost` where Salesforce forgot the place."""
        if not is_next(next_url):
            raise Unavailable("what should be the path of a next page is none; nothing was called")
        return self._pages(next_url)

    def batch(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return the rows of each query, all of them; 25 queries a call, none with more than 2,000 rows.

        A query that Salesforce refuses raises `Rejected` at `query[0]` or whichever it is.
        """
        rows = []
        for index, (status, result) in enumerate(self._results(queries)):
            if status != HTTPStatus.OK:
                raise _fault(status, result, f"query[{index}]")
            rows.append(_all_rows(result))
        return rows

    def refusals(self, queries: Sequence[str]) -> list[str | None]:
        """Return per query why Salesforce refuses it, in Salesforce's words, or `None` where it takes it.

        A query that works but whose rows lack a field it selects counts as refused. Give queries a
        `LIMIT 1`: their rows do not matter. Faults other than a refusal raise.
        """
        return [
            _refusal(query, status, result)
            for query, (status, result) in zip(queries, self._results(queries), strict=True)
        ]

    def describe(self, sobject: str = "User") -> dict[str, Any]:
        """Return what Salesforce says of an object: its `fields`, with `name`, `type`, `length` and more."""
        if not re.fullmatch(r"[A-Za-z]\w*", sobject, re.ASCII):
            raise Rejected(Problem("sobject", "is not the API name of an object", "Write it like User."))
        path = f"/services/data/v{self._version}/sobjects/{sobject}/describe"
        described: dict[str, Any] | None = decoded(self._call("GET", path, {}))
        if isinstance(described, dict) and isinstance(described.get("fields"), list):
            return described
        raise Unavailable("Salesforce answered something that is not the description of an object")

    def _pages(self, path: str | None) -> Iterator[Page]:
        read: set[str] = set()
        while path is not None:
            if path in read:
                raise Unavailable("Salesforce sent a page's reader round in a circle")
            read.add(path)
            page = read_page(self._call("GET", path, {"Sforce-Query-Options": f"batchSize={ROWS_A_PAGE}"}))
            yield page
            path = page.next

    def _results(self, queries: Sequence[str]) -> Iterator[tuple[int, object]]:
        """Yield the status and the decoded answer of each query, asked in batches."""
        for some in batched(queries, QUERIES_A_BATCH, strict=False):
            results = self._asked_at_once(some)
            if any(status == HTTPStatus.UNAUTHORIZED for status, _ in results):
                self._login.forget()  # the session ended in the middle of the batch
                results = self._asked_at_once(some)
            yield from results

    def _asked_at_once(self, queries: Sequence[str]) -> list[tuple[int, object]]:
        parts = [{"method": "GET", "url": f"v{self._version}/query?q={quote_plus(soql)}"} for soql in queries]
        path = f"/services/data/v{self._version}/composite/batch"
        body = orjson.dumps({"batchRequests": parts, "haltOnError": False})
        answer = self._call("POST", path, {"Content-Type": "application/json"}, body)
        return _results_of(decoded(answer), len(queries))

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
        """Return the answer to one call, made anew after one new login if the session has ended."""
        answer = self._send(method, path, headers, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._login.forget()
            answer = self._send(method, path, headers, body)
        if answer.status_code != HTTPStatus.OK:
            raise _fault(answer.status_code, decoded(answer.content), "query", retry_after(answer))
        return answer.content

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> requests.Response:
        self._spare_the_rest()
        headers = {"Authorization": f"Bearer {self._login.token()}", **headers}
        url = f"{self._base}{path}"
        answer = SALESFORCE.send(self._session, method, url, self._timeout, headers=headers, data=body)
        if used := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            self.calls_used = int(used[1]), int(used[2])
            self._usage = int(used[1]) / max(int(used[2]), 1)
            self._usage_read_at = self._clock()
        return answer

    def _spare_the_rest(self) -> None:
        """Raise `Unavailable` while the org's API calls are nearly used up."""
        rest = self._usage_read_at + USAGE_HOLDS_S - self._clock()
        if self._usage > self._usage_limit and rest > 0:
            raise Unavailable(
                f"{self._usage:.0%} of the Salesforce org's API calls of 24 hours are used; the rest is left"
                " to other integrations. Find out what uses them (Setup > Company Information), or buy more",
                retry_after=rest,
            )


def _session(base: str, backoff_s: float, longest_wait_s: int) -> requests.Session:
    """Return a session that can call `base` and nothing else."""
    reads = Retry(
        total=TRIES - 1,
        allowed_methods=("GET", "POST"),  # every POST below is a batch of queries
        status_forcelist=(500, 502, 503, 504),
        raise_on_status=False,
        backoff_factor=backoff_s,
        backoff_jitter=backoff_s,
        backoff_max=longest_wait_s,
        retry_after_max=longest_wait_s,
    )
    # A login is never made twice by itself: refused ones count against the integration user.
    return session_for({f"{base}/services/data/": reads, f"{base}/services/oauth2/": 0})


def _results_of(answer: object, expected: int) -> list[tuple[int, object]]:
    """Return the status and answer of each part of a batch; raises `Unavailable` unless all are there."""
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
    page = page_of(result)
    if page.next is not None or len(page.records) != page.total:
        raise Unavailable(
            f"Salesforce answered {len(page.records):,} of {page.total:,} rows to a query of a batch;"
            " ask for fewer rows at once"
        )
    return page.records


def _refusal(soql: str, status: int, result: object) -> str | None:
    if status != HTTPStatus.OK:
        fault = _fault(status, result, "query")
        if not isinstance(fault, Rejected):
            raise fault
        return fault.problems[0].message
    missing = {name for row in page_of(result).records for name in _selected(soql) if not _has(row, name)}
    if not missing:
        return None
    return (
        f"Salesforce leaves out {', '.join(sorted(missing))}; let the integration user read it"
        " (field-level security)"
    )


def _selected(soql: str) -> list[str]:
    """Return the plain fields that a query selects, relationship fields included."""
    match = _SELECTED.match(soql)
    names = [name.strip() for name in match[1].split(",")] if match else []
    return [name for name in names if _FIELD.fullmatch(name)]


def _has(row: Mapping[str, Any], name: str) -> bool:
    """Tell whether a row holds a field, however it is spelled; one of a parent that is not there is held."""
    first, _, rest = name.lower().partition(".")
    for key, value in row.items():
        if key.lower() == first:
            return not rest or value is None or (isinstance(value, dict) and _has(value, rest))
    return False


def _fault(status: int, answer: object, where: str, retry_after: float | None = None) -> MusterError:
    """Return what it means that a call was not answered with 200; `where` names the query at fault."""
    code, message = _first_error(answer)
    said = f"Salesforce answered {status} {code}".rstrip()
    if code == "INVALID_QUERY_LOCATOR":
        return CursorLost(f"{said}: the place to go on reading at has expired")
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _over_limit(said, message, retry_after)
    if code in _BUSY or status >= 500:
        return Unavailable(f"{said}: it is busy or in maintenance, or the query takes too long", retry_after)
    if status in (404, 410):
        return NotServed(
            f"{said}: it does not serve connections.salesforce.api_version, or"
            " connections.salesforce.host is not the org's My Domain host"
        )
    # A session that just began and is refused may be ended by an admin right now, or be of no use at all.
    if status == 403 or (status == 401 and "not valid for use" in message):
        return Misconfigured(
            f"{said}: give the integration user the permission API Enabled, and its app the scope api"
        )
    if status in (414, 431):
        return TooLarge(_too_long("is too long for Salesforce", where))
    # Without a code it is not from the API: Salesforce's edge declines bursts of calls with a page.
    if status == 400 and code:
        return Rejected(Problem(where, _explanation(message) or f"is refused with {code}", _REMEDY))
    return Unavailable(said, retry_after)


def _over_limit(said: str, message: str, retry_after: float | None) -> Unavailable:
    if "Concurrent" in message:
        return Unavailable(f"{said}: too many long calls are under way in the org", retry_after)
    return Unavailable(
        f"{said}: the org's API calls of 24 hours are used up. Find out what uses them"
        " (Setup > Company Information), or buy more",
        retry_after,
    )


def _first_error(answer: object) -> tuple[str, str]:
    """Return code and message of the REST API's error, an array of one; empty texts where it is none."""
    match answer:
        case [{"errorCode": str(code), "message": str(message)}, *_] if _ERROR_CODE.fullmatch(code):
            return code, message
    return "", ""


def _explanation(message: str) -> str:
    """Return what is wrong with a query, without the piece of it that Salesforce quotes before."""
    lines = [line.strip() for line in message.splitlines()]
    after = [index + 1 for index, line in enumerate(lines) if line.startswith("ERROR at Row:")]
    words = " ".join(lines[max(after, default=0) :])
    return "".join(character for character in words if character.isprintable()).strip()[:500]


def _too_long(message: str, where: str = "query") -> Problem:
    return Problem(where, message, "Shorten the filter; a formula field in Salesforce can help.")
