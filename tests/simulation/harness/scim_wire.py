"""How the sandbox SCIM app's answers break on the wire, besides what breaks any call.

An app is asked without urllib3's retries: what its client tries again is a call of its own here.

    html       a page of a proxy, with status 200; the call does not arrive
    busy       the app answers 503; the call does not arrive
    failed     an error of the server, though the call has taken effect
    slow_down  429: one call too many, and nothing was processed
    full       403: no licence is left, and nothing was processed
    refused    400: what was sent is not taken
    cut        cut off in the middle
    short      a list without its last row, which counts it all the same
    hidden     a list as if it were empty, or 404 for what is there
    unshown    a write that has taken effect, answered without a body
"""

import json
from collections.abc import Mapping

from werkzeug.test import Client

from sandbox.scim.protocol import BASE, SCIM_JSON
from tests.doubles.scim_in_process import ScimInProcess
from tests.simulation.harness.http_wire import Answer, Ask, Breaking, Site, cut, html

SERVICE = "scim_app"
HOST = "127.0.0.1:8004"
USERS, GROUPS = f"{BASE}/Users", f"{BASE}/Groups"
READS = ("html", "slow_down", "cut", "short", "hidden")
WRITES = ("html", "failed", "slow_down", "refused", "cut", "unshown")

_JSON = {"Content-Type": SCIM_JSON}


def site(scim: ScimInProcess) -> Site:
    """Return the host of an app."""
    return Site(SERVICE, Client(scim.http.application), _BREAKING)


def _error(status: int, detail: str, **headers: str) -> Answer:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    return status, {**_JSON, **headers}, json.dumps(body).encode()


def _busy(_: Ask, __: int) -> Answer:
    return _error(503, "busy")


def _failed(ask: Ask, _: int) -> Answer:
    ask()
    return _error(500, "An unexpected error occurred")


def _slow_down(_: Ask, __: int) -> Answer:
    return _error(429, "Too many requests", **{"Retry-After": "1"})


def _full(_: Ask, __: int) -> Answer:
    return _error(403, "No licences are left")


def _refused(_: Ask, __: int) -> Answer:
    return _error(400, "The value is not taken")


def _short(ask: Ask, _: int) -> Answer:
    status, headers, body = ask()
    said = json.loads(body)
    if "Resources" in said:
        said["Resources"] = said["Resources"][:-1]
    return status, headers, json.dumps(said).encode()


def _hidden(ask: Ask, _: int) -> Answer:
    status, headers, body = ask()
    said = json.loads(body)
    if "Resources" not in said:
        return _error(404, "Not found")
    return status, headers, json.dumps({**said, "Resources": [], "totalResults": 0}).encode()


def _unshown(ask: Ask, _: int) -> Answer:
    status, headers, _body = ask()
    return (204, headers, b"") if status < 300 else (status, headers, _body)


_BREAKING: Mapping[str, Breaking] = {
    "busy": _busy,
    "html": html,
    "failed": _failed,
    "slow_down": _slow_down,
    "full": _full,
    "refused": _refused,
    "cut": cut,
    "short": _short,
    "hidden": _hidden,
    "unshown": _unshown,
}
