"""One call to a Salesforce org: session, retries, API limits, and what a refusal means.

    SalesforceCalls    the base class of the clients of an org: login, one call, describe
    fault_of           the error for a call that was not answered with 200

Every answer shows how many of the day's API calls are used; the last few per cent are left to the
customer's other integrations. Messages carry Salesforce's error codes and, for a refused query, its
explanation; never a query, a URL, a token or a row.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from urllib3.util import Retry

from muster.adapters.http_calls import HttpAnswer, Unreached, decoded, retry_after, session_for
from muster.adapters.salesforce.login import SALESFORCE, Login
from muster.crm.pages import CursorLost
from muster.errors import (
    ApiCallsUsedUp,
    Misconfigured,
    MusterError,
    NotServed,
    OutcomeUnknown,
    Problem,
    Rejected,
    TooLarge,
    Unavailable,
)

if TYPE_CHECKING:
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.sections import SalesforceConnection


TRIES = 3
# How long the count of used API calls is trusted. After that one call is let through to refresh it.
USAGE_HOLDS_S = 300

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")  # not per-app-api-usage, which may be there as well
_ERROR_CODE = re.compile(r"[A-Z0-9_]{1,80}")
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


class SalesforceCalls:
    """Calls one org in the integration user's name.

    Calls with the methods in `_retried` are retried where the connection fails or Salesforce answers 500
    to 504: three tries with exponential, jittered waits, so a call can take three times the time-outs.
    Every other call is sent once, or again after a new login if its session had ended: then nothing of it
    was processed.
    """

    _retried: ClassVar[tuple[str, ...]]

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

        A given `session` is used as it is, with its own adapters. `timeout` is for connecting and for
        waiting for an answer, in seconds; `backoff_s` is the unit of the waits between tries, none of
        them over `longest_wait_s`, whatever Retry-After says. No call is made while more than
        `usage_limit` of the org's API calls are used.
        """
        self._base = SALESFORCE.base_url(connection.host)
        self._version = connection.api_version
        self._session = (
            _session(self._base, self._retried, backoff_s, longest_wait_s) if session is None else session
        )
        self._timeout = timeout
        self._login = Login(connection, secrets, self._session, timeout, clock)
        self._usage_limit = usage_limit
        self._clock = clock
        self._usage = 0.0
        self._usage_read_at = 0.0
        # Used and allowed API calls of 24 hours, by the last answer that had them.
        self.calls_used: tuple[int, int] | None = None

    def log_in(self) -> None:
        """Log in anew with the secret, even if there is a token; raises as any call does."""
        self.calls_used = None
        self._login.forget()
        self._login.token()

    def describe(self, sobject: str = "User") -> dict[str, Any]:
        """Return Salesforce's description of an object: its `fields`, each with `name`, `type` and more."""
        if not re.fullmatch(r"[A-Za-z]\w*", sobject, re.ASCII):
            raise Rejected(Problem("sobject", "is not the API name of an object", "Write it like User."))
        path = f"/services/data/v{self._version}/sobjects/{sobject}/describe"
        described: dict[str, Any] | None = decoded(self._call("GET", path, {}))
        if isinstance(described, dict) and isinstance(described.get("fields"), list):
            return described
        raise Unavailable("Salesforce answered something that is not the description of an object")

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
        """Return the body of the answer to one read; raises unless it is 200."""
        answer = self._answer(method, path, headers, body)
        if answer.status_code != HTTPStatus.OK:
            raise fault_of(answer.status_code, decoded(answer.content), "query", retry_after(answer))
        return answer.content

    def _answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        writes: bool = False,
    ) -> HttpAnswer:
        """Return the answer to one call, retried after one new login if the session had ended.

        Raises `OutcomeUnknown` if the answer to a call that `writes` is lost.
        """
        answer = self._send(method, path, headers, body, writes)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._login.forget()
            answer = self._send(method, path, headers, body, writes)
        return answer

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, writes: bool
    ) -> HttpAnswer:
        self._check_usage()
        headers = {"Authorization": f"Bearer {self._login.token()}", **headers}
        url = f"{self._base}{path}"
        try:
            answer = SALESFORCE.send(self._session, method, url, self._timeout, headers=headers, data=body)
        except Unreached:
            raise
        except Unavailable as error:
            if not writes:
                raise
            raise OutcomeUnknown(f"{error}; what was sent may have taken effect") from error
        if used := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            self.calls_used = int(used[1]), int(used[2])
            self._usage = int(used[1]) / max(int(used[2]), 1)
            self._usage_read_at = self._clock()
        return answer

    def _check_usage(self) -> None:
        """Raise `Unavailable` while the org's API calls are nearly used up."""
        rest = self._usage_read_at + USAGE_HOLDS_S - self._clock()
        if self._usage > self._usage_limit and rest > 0:
            raise ApiCallsUsedUp(
                f"{self._usage:.0%} of the Salesforce org's API calls of 24 hours are used; the rest is left"
                " to other integrations. Find out what uses them (Setup > Company Information), or buy more",
                retry_after=rest,
            )


def _session(base: str, retried: tuple[str, ...], backoff_s: float, longest_wait_s: int) -> requests.Session:
    """Return a session that can call `base` and nothing else."""
    retries = Retry(
        total=TRIES - 1,
        allowed_methods=retried,
        # For errors that urllib3 cannot classify, such as a broken TLS connection, it ignores the method.
        other=None if "POST" in retried else 0,
        status_forcelist=(500, 502, 503, 504),
        raise_on_status=False,
        backoff_factor=backoff_s,
        backoff_jitter=backoff_s,
        backoff_max=longest_wait_s,
        retry_after_max=longest_wait_s,
    )
    # Logins are never retried automatically: refused ones count against the integration user.
    return session_for({f"{base}/services/data/": retries, f"{base}/services/oauth2/": 0})


def fault_of(status: int, answer: object, where: str, retry_after: float | None = None) -> MusterError:
    """Return the error for a call that was not answered with 200; `where` names the query at fault."""
    code, message = first_error(answer)
    summary = f"Salesforce answered {status} {code}".rstrip()
    if code == "INVALID_QUERY_LOCATOR":
        return CursorLost(f"{summary}: the cursor of the next page has expired")
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _over_limit(summary, message, retry_after)
    if code in _BUSY or status >= 500:
        return Unavailable(
            f"{summary}: it is busy or in maintenance, or the query takes too long", retry_after
        )
    if status in (404, 410):
        return NotServed(
            f"{summary}: it does not serve connections.salesforce.api_version, or"
            " connections.salesforce.host is not the org's My Domain host; PreflightFunction says which"
        )
    if code.startswith("INSUFFICIENT_ACCESS"):
        # Of one object: whether it matters is for who asked to say.
        return Rejected(Problem(where, _explanation(message) or f"is refused with {code}", _REMEDY))
    # A 401 right after a login: an admin may have just ended the session, or it may never be usable.
    if status == 403 or (status == 401 and "not valid for use" in message):
        return Misconfigured(
            f"{summary}: give the integration user the permission API Enabled, and its app the scope api"
        )
    if status in (414, 431):
        return TooLarge(too_long("is too long for Salesforce", where))
    # Without a code it is not from the API: Salesforce's edge answers bursts of calls with an HTML page.
    if status == 400 and code:
        return Rejected(Problem(where, _explanation(message) or f"is refused with {code}", _REMEDY))
    return Unavailable(summary, retry_after)


def _over_limit(summary: str, message: str, retry_after: float | None) -> Unavailable:
    if "Concurrent" in message:
        return Unavailable(f"{summary}: too many long calls are under way in the org", retry_after)
    return Unavailable(
        f"{summary}: the org's API calls of 24 hours are used up. Find out what uses them"
        " (Setup > Company Information), or buy more",
        retry_after,
    )


def first_error(answer: object) -> tuple[str, str]:
    """Return the code and message of a REST API error, an array of one; empty texts if it is not one."""
    match answer:
        case [{"errorCode": str(code), "message": str(message)}, *_] if _ERROR_CODE.fullmatch(code):
            return code, message
    return "", ""


def _explanation(message: str) -> str:
    """Return Salesforce's explanation of a query error, without the query that it quotes first."""
    lines = [line.strip() for line in message.splitlines()]
    after = [index + 1 for index, line in enumerate(lines) if line.startswith("ERROR at Row:")]
    words = " ".join(lines[max(after, default=0) :])
    return "".join(character for character in words if character.isprintable()).strip()[:500]


def too_long(message: str, where: str = "query") -> Problem:
    """Return the problem of a query that is too long."""
    return Problem(where, message, "Shorten the filter; a formula field in Salesforce can help.")
