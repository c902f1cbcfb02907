"""The sandbox Salesforce at the end of the real HTTP client: requests, urllib3 and its retries, no socket.

What is replaced is one try of urllib3 to send a request. So what the code under test has set up
(which addresses it may call, how often, what is tried again) is as it is in production, and a fault
meets a try as the network would. `wire` counts and breaks the calls; besides its kinds, an answer can be

    html     a page of a proxy, with status 200
    cut      cut off in the middle
    short    without the last row, or without the last part of a batch, and otherwise as if it were whole
    empty    as if there were no rows at all, well-formed
    ended    the session has ended: refused once with 401
"""

import io
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError, ReadTimeoutError
from urllib3.util.retry import Retry
from werkzeug.test import Client

from tests.salesforce_in_process import HOST, SalesforceInProcess
from tests.simulation.faults import Crash, Wire

# The service under which calls to other hosts are noted.
ELSEWHERE = "elsewhere"
# Answers that cannot be trusted; the first four say nothing of it with their status.
UNTRUSTWORTHY = ("html", "cut", "short", "empty")
HTTP_KINDS = (*UNTRUSTWORTHY, "ended")

_PAGE = b"<!DOCTYPE html><html><body>Please sign in.</body></html>"
_BUSY = b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]'
_ENDED = b'[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]'
_JSON = {"Content-Type": "application/json;charset=UTF-8"}
# As it is before moto looks for AWS in what requests sends.
_send = HTTPAdapter.send

type Answer = tuple[int, Mapping[str, str], bytes]


class _Current(threading.local):
    """The call to Salesforce that a thread is in."""

    kind: str | None = None
    answered: int = 0


class SalesforceWire:
    """Answers each try; a call is the first try and its retries."""

    def __init__(self, wire: Wire, salesforce: SalesforceInProcess) -> None:
        self._wire = wire
        self._client = Client(salesforce.wire.application)
        self._current = _Current()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put this in the place of the network."""
        make = self.make_request

        def make_request(
            pool: HTTPConnectionPool, _: object, method: str, url: str, **given: Any
        ) -> urllib3.HTTPResponse:
            return make(pool, method, url, **given)

        patch.setattr(HTTPConnectionPool, "_make_request", make_request)
        patch.setattr(HTTPAdapter, "send", _send)
        # Waiting before another try is not what is tested.
        patch.setattr(Retry, "sleep", lambda *_: None)

    def make_request(
        self,
        pool: HTTPConnectionPool,
        method: str,
        url: str,
        *,
        body: bytes | str | None,
        headers: Mapping[str, str],
        retries: Retry,
        **_: Any,
    ) -> urllib3.HTTPResponse:
        """Answer one try."""
        if f"{pool.host}:{pool.port}" != HOST:
            self._wire.begin(ELSEWHERE, pool.host, {"url": url})
            raise NewConnectionError(None, "there is no such host")  # type: ignore[arg-type]  # no connection
        current = self._current
        if not retries.history:
            path = urlsplit(url).path
            current.kind, current.answered = (
                self._wire.begin("salesforce", f"{method} {path}", {"url": url}),
                0,
            )
        if current.kind == "down":
            raise NewConnectionError(None, "unreachable")  # type: ignore[arg-type]  # no connection
        answer = _BROKEN.get(current.kind or "", _whole)(
            lambda: self._asked(method, url, headers, body), current.answered
        )
        current.answered += 1
        if current.kind == "after":
            raise Crash("after a call to Salesforce")
        if current.kind == "mute" or (current.kind == "lost" and current.answered == 1):
            raise ReadTimeoutError(pool, url, "no answer")
        return _response(answer, method, url)

    def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None) -> Answer:
        given = self._client.open(
            url, base_url=f"http://{HOST}", method=method, headers=dict(headers), data=body
        )
        return given.status_code, dict(given.headers), given.data


type Ask = Callable[[], Answer]


def _whole(ask: Ask, _: int) -> Answer:
    return ask()


def _busy(ask: Ask, _: int) -> Answer:
    return 503, _JSON, _BUSY


def _html(ask: Ask, _: int) -> Answer:
    return 200, {"Content-Type": "text/html"}, _PAGE


def _cut(ask: Ask, _: int) -> Answer:
    status, headers, body = ask()
    return status, headers, body[: len(body) // 2]


def _ended(ask: Ask, answered: int) -> Answer:
    return ask() if answered else (401, _JSON, _ENDED)


def _short(ask: Ask, _: int) -> Answer:
    return _with_rows(ask(), lambda rows: rows[:-1])


def _empty(ask: Ask, _: int) -> Answer:
    status, headers, body = _with_rows(ask(), lambda _: [])
    answer = json.loads(body)
    for page in _pages(answer):
        page.update(totalSize=0, done=True)
        page.pop("nextRecordsUrl", None)
    return status, headers, json.dumps(answer).encode()


_BROKEN: Mapping[str, Callable[[Ask, int], Answer]] = {
    "busy": _busy,
    "html": _html,
    "cut": _cut,
    "ended": _ended,
    "short": _short,
    "empty": _empty,
}


def _with_rows(answer: Answer, change: Callable[[list[Any]], list[Any]]) -> Answer:
    status, headers, body = answer
    said = json.loads(body)
    for page in _pages(said):
        page["records"] = change(page["records"])
    return status, headers, json.dumps(said).encode()


def _pages(answer: Any) -> list[dict[str, Any]]:
    """Return the pages of rows in an answer: it is one, or a batch of them, or none."""
    parts = [part.get("result") for part in answer.get("results", ())] if isinstance(answer, dict) else []
    return [part for part in (answer, *parts) if isinstance(part, dict) and "records" in part]


def _response(answer: Answer, method: str, url: str) -> urllib3.HTTPResponse:
    status, headers, body = answer
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return urllib3.HTTPResponse(
        io.BytesIO(body),
        headers=urllib3.HTTPHeaderDict(kept),
        status=status,
        preload_content=False,
        request_method=method,
        request_url=url,
    )
