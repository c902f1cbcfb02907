"""The sandbox as one WSGI application, and the way to run it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, request
from flask.typing import ResponseReturnValue

from sandbox.faults import FaultSwitch, controls
from sandbox.scim.control import control_paths
from sandbox.scim.protocol import BASE, SCIM_JSON, error
from sandbox.scim.scim_app import ScimApp
from sandbox.scim.scim_faults import LIST_FAULTS, NO_EFFECT, call_faults
from sandbox.scim.wire import read_call, sent
from sandbox.serving import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
TITLE = "A SCIM app"
PAGE = "/sandbox/page"


@dataclass(frozen=True)
class RunningSandbox:
    """Where a running sandbox is, where its SCIM endpoints begin, and the token that opens them."""

    url: str
    path: str
    token: str


@contextmanager
def running(
    *,
    data: str = ":memory:",
    token: str | None = None,
    quirks: object = None,
    title: str = TITLE,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[RunningSandbox]:
    """Run an app that answers over HTTP while the block runs.

    `data` is an SQLite file; what is not given is taken from it, else made up. `quirks` is what
    `POST /sandbox/quirks` takes, `title` what the page is called. `clock` dates resources and all that waits.
    """
    opened = ScimApp(data=data, token=token, quirks=quirks, clock=clock)
    switch = fault_switch(opened)
    try:
        with serve(application(opened, switch, title), host=host, port=port) as url:
            yield RunningSandbox(url, BASE, opened.token)
            switch.reset()  # lets delayed calls go, so that the server can stop
            opened.directory.put_quirks(opened.quirks)  # and writes that wait
    finally:
        opened.close()


def fault_switch(app: ScimApp) -> FaultSwitch:
    """Return a switch for the faults of this system, all of them off."""
    return FaultSwitch(error_page, app.expire_token, LIST_FAULTS, call_faults=call_faults(app))


def error_page(path: str, status: int) -> tuple[str, bytes]:
    """Return an error as SCIM has it."""
    return SCIM_JSON, orjson.dumps(error(status, "The sandbox was told to refuse this call"))


def application(app: ScimApp, switch: FaultSwitch, title: str = TITLE) -> "WSGIApplication":
    """Return the app's paths, behind the faults. It needs no server: a test can call it in its process."""
    flask = Flask("sandbox.scim")
    flask.register_blueprint(control_paths(app, title))
    flask.register_blueprint(controls(switch, app.reset))

    @flask.route(f"{BASE}/<path:path>", methods=METHODS)
    def answer(path: str) -> ResponseReturnValue:
        call = read_call(request, path)
        call.no_effect = NO_EFFECT in request.environ
        return sent(app.answer(call), app.quirks)

    wrapped = switch.wrap(flask)

    def outermost(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/":
            environ["PATH_INFO"] = PAGE  # the sandbox's own: for this machine only, not counted

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            # Below, an answer that names no type would be given one.
            return start_response(status, [each for each in headers if each != ("Content-Type", "")], *more)

        return wrapped(environ, start)

    return outermost
