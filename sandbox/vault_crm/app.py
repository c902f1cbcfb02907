"""The sandbox as one WSGI application, and the way to run it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, jsonify, request
from flask.json.provider import JSONProvider
from flask.wrappers import Response
from werkzeug.exceptions import HTTPException

from sandbox.faults import FaultSwitch, controls
from sandbox.serving import serve
from sandbox.vault_crm.admission import add_headers
from sandbox.vault_crm.api import api_paths
from sandbox.vault_crm.control import control_paths
from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.vault import Vault
from sandbox.vault_crm.vault_faults import CALL_FAULTS, QUERY_FAULTS, WRITE_FAULTS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

API = "/api/"


class _Json(JSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, content_type="application/json;charset=UTF-8")


@dataclass(frozen=True)
class RunningSandbox:
    """Where a running sandbox is and how to log in."""

    url: str
    username: str
    password: str
    vault_id: int


@contextmanager
def running(
    *,
    data: str = ":memory:",
    username: str | None = None,
    password: str | None = None,
    vault: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[RunningSandbox]:
    """Run a vault that answers over HTTP while the block runs.

    `data` is an SQLite file; what is not given is taken from it, else made up. `vault` is its kind, `crm` or
    `align`. `clock` dates records, sessions, windows and what the Engage server does.
    """
    opened = Vault(data=data, username=username, password=password, kind=vault, clock=clock)
    switch = fault_switch(opened)
    try:
        with serve(application(opened, switch), host=host, port=port) as url:
            yield RunningSandbox(url, opened.username, opened.password, opened.id)
            switch.reset()  # lets delayed calls go, so that the server can stop
            opened.burst.reset()
    finally:
        opened.close()


def fault_switch(vault: Vault) -> FaultSwitch:
    """Return a switch for the faults of this system, all of them off."""
    return FaultSwitch(error_page, vault.sessions.expire, QUERY_FAULTS, WRITE_FAULTS, call_faults=CALL_FAULTS)


def error_page(path: str, status: int) -> tuple[str, bytes]:
    """Return the page of Vault's edge: what the API processes itself is always answered with 200."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return "text/html; charset=utf-8", page.encode()


def application(vault: Vault, switch: FaultSwitch) -> "WSGIApplication":
    """Return the vault's paths, behind the faults. It needs no server: a test can call it in its process."""
    app = Flask("sandbox.vault_crm")
    app.json = _Json(app)
    app.register_blueprint(api_paths(vault))
    app.register_blueprint(control_paths(vault))
    app.register_blueprint(controls(switch, vault.reset))

    @app.errorhandler(VaultError)
    def refused(error: VaultError) -> Any:
        return jsonify(error.as_json())

    @app.errorhandler(404)
    @app.errorhandler(405)
    def not_served(error: HTTPException) -> Any:
        if not request.path.startswith(API):
            return error
        if error.code == 405:
            return refused(VaultError("METHOD_NOT_SUPPORTED", f"{request.method} is not supported here"))
        return refused(VaultError("MALFORMED_URL", "The resource cannot be found"))

    @app.after_request
    def with_headers(answer: Response) -> Response:
        if request.path.startswith(API) and answer.is_json:
            add_headers(vault, answer)
        return answer

    return switch.wrap(app)
