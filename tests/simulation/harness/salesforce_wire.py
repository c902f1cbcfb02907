"""How the sandbox Salesforce's answers break on the wire, besides what breaks any call.

html     a page of a proxy, with status 200
cut      cut off in the middle
short    without the last row, or without the last part of a batch, and otherwise as if it were whole
empty    as if there were no rows at all, well-formed
ended    the session has ended: refused once with 401
failed   an error of the server, though the call has taken effect
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.test import Client

from tests.doubles.salesforce_in_process import SalesforceInProcess
from tests.simulation.harness.http_wire import Answer, Ask, Breaking, Site, cut, html

SERVICE = "salesforce"
# Answers that cannot be trusted; the first four say nothing of it with their status.
UNTRUSTWORTHY = ("html", "cut", "short", "empty")
HTTP_KINDS = (*UNTRUSTWORTHY, "ended")

_BUSY = b'[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]'
_ENDED = b'[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]'
_FAILED = b'[{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred."}]'
_JSON = {"Content-Type": "application/json;charset=UTF-8"}


def site(salesforce: SalesforceInProcess) -> Site:
    """Return the host of an organization."""
    return Site(SERVICE, Client(salesforce.wire.application), _BREAKING)


def _busy(_: Ask, __: int) -> Answer:
    return 503, _JSON, _BUSY


def _failed(ask: Ask, _: int) -> Answer:
    ask()
    return 500, _JSON, _FAILED


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


_BREAKING: Mapping[str, Breaking] = {
    "busy": _busy,
    "html": html,
    "cut": cut,
    "ended": _ended,
    "failed": _failed,
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
