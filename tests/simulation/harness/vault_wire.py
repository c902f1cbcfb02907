"""How the sandbox Vault CRM's answers break on the wire, besides what breaks any call.

A vault is asked without urllib3's retries: what its client tries again is a call of its own here.

    html     a page of a proxy, with status 200; the call does not arrive
    busy     the edge of the vault answers 503; the call does not arrive
    ended    the session has ended: refused with INVALID_SESSION_ID, and nothing was processed
    cut      cut off in the middle
    short    without its last row, otherwise as if it were whole
    swapped  the first and the last row in each other's place
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.test import Client

from tests.doubles.vault_in_process import VaultInProcess
from tests.simulation.harness.http_wire import Answer, Ask, Breaking, Site, cut, html

SERVICE = "vault_crm"
HOST = "127.0.0.1:8002"
WRITE = "PUT /api/"
VAULT_KINDS = ("html", "cut", "short", "swapped", "ended")

_JSON = {"Content-Type": "application/json;charset=UTF-8"}
_ENDED = b'{"responseStatus":"FAILURE","errors":[{"type":"INVALID_SESSION_ID","message":"Invalid session."}]}'


def site(vault: VaultInProcess) -> Site:
    """Return the host of a vault."""
    return Site(SERVICE, Client(vault.http.application), _BREAKING)


def _busy(_: Ask, __: int) -> Answer:
    return 503, {"Content-Type": "text/html"}, b"busy"


def _ended(_: Ask, __: int) -> Answer:
    return 200, _JSON, _ENDED


def _short(ask: Ask, _: int) -> Answer:
    return _with_rows(ask(), lambda rows: rows[:-1])


def _swapped(ask: Ask, _: int) -> Answer:
    return _with_rows(ask(), lambda rows: [*rows[-1:], *rows[1:-1], *rows[:1]] if len(rows) > 1 else rows)


_BREAKING: Mapping[str, Breaking] = {
    "busy": _busy,
    "html": html,
    "cut": cut,
    "ended": _ended,
    "short": _short,
    "swapped": _swapped,
}


def _with_rows(answer: Answer, change: Callable[[list[Any]], list[Any]]) -> Answer:
    status, headers, body = answer
    said = json.loads(body)
    if isinstance(said.get("data"), list):
        said["data"] = change(said["data"])
    return status, headers, json.dumps(said).encode()
