"""Sandboxes at the end of the real HTTP client: requests, urllib3 and its retries, no socket.

What is replaced is one try of urllib3 to send a request. So what the code under test has set up
(which addresses it may call, how often, what is tried again) is as it is in production, and a fault
meets a try as the network would. `wire` counts and breaks the calls; besides its kinds, an answer can be
broken in any way that a `Site` knows.
"""

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError, ReadTimeoutError
from urllib3.util.retry import Retry
from werkzeug.test import Client

from tests.simulation.harness.faults import Crash, Wire

# The service under which calls to other hosts are noted.
ELSEWHERE = "elsewhere"
# As it is before moto looks for AWS in what requests sends.
_send = HTTPAdapter.send

type Answer = tuple[int, Mapping[str, str], bytes]
type Ask = Callable[[], Answer]
# Given how to ask, and how many tries of the call were answered already, the answer to this one.
type Breaking = Callable[[Ask, int], Answer]


@dataclass(frozen=True, slots=True)
class Site:
    """What a host serves: a WSGI application, the name that calls to it are noted under, how it can break."""

    service: str
    client: Client
    breaking: Mapping[str, Breaking]


class _Current(threading.local):
    """The call that a thread is in."""

    kind: str | None = None
    answered: int = 0


class HttpWire:
    """Answers each try; a call is the first try and the retries that urllib3 makes of it."""

    def __init__(self, wire: Wire, sites: Mapping[str, Site]) -> None:
        """Serve these hosts, each as `name:port`."""
        self._wire = wire
        self._sites = sites
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
        host = f"{pool.host}:{pool.port}"
        site = self._sites.get(host)
        if site is None:
            self._wire.begin(ELSEWHERE, pool.host, {"url": url})
            raise NewConnectionError(None, "there is no such host")  # type: ignore[arg-type]  # no connection
        current = self._current
        if not retries.history:
            operation = f"{method} {urlsplit(url).path}"
            current.kind, current.answered = self._wire.begin(site.service, operation, {"url": url}), 0
        if current.kind == "down":
            raise NewConnectionError(None, "unreachable")  # type: ignore[arg-type]  # no connection

        def ask() -> Answer:
            given = site.client.open(
                url, base_url=f"http://{host}", method=method, headers=dict(headers), data=body
            )
            return given.status_code, dict(given.headers), given.data

        answer = site.breaking.get(current.kind or "", _whole)(ask, current.answered)
        current.answered += 1
        if current.kind == "after":
            raise Crash(f"after a call to {site.service}")
        if current.kind == "mute" or (current.kind == "lost" and current.answered == 1):
            raise ReadTimeoutError(pool, url, "no answer")
        return _response(answer, method, url)


def _whole(ask: Ask, _: int) -> Answer:
    return ask()


def html(_: Ask, __: int) -> Answer:
    """Answer with the page of a proxy; the call does not arrive."""
    page = b"<!DOCTYPE html><html><body>Please sign in.</body></html>"
    return 200, {"Content-Type": "text/html"}, page


def cut(ask: Ask, _: int) -> Answer:
    """Answer with the first half."""
    status, headers, body = ask()
    return status, headers, body[: len(body) // 2]


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
