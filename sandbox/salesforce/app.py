"""The sandbox as one WSGI application, and the way to run it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, jsonify, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sandbox.faults import FaultSwitch, controls
from sandbox.salesforce.composite import add_composite
from sandbox.salesforce.control import control_paths
from sandbox.salesforce.delivery import DeliverySettings
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.metadata_rest import add_metadata
from sandbox.salesforce.oauth import oauth_paths
from sandbox.salesforce.organization import TOKEN_LIFE_S, Organization
from sandbox.salesforce.query_faults import QUERY_FAULTS
from sandbox.salesforce.rest import data_paths, error_page, version_paths
from sandbox.salesforce.sobject_collections import add_collections
from sandbox.serving import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST_URI = 16_384


class _Json(DefaultJSONProvider):
    sort_keys = False
    mimetype = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class RunningSandbox:
    """Where a running sandbox is and how to log in."""

    url: str
    organization_id: str
    client_id: str
    client_secret: str
    username: str  # of the integration user


@contextmanager
def running(  # noqa: PLR0913 - each is an option of the sandbox, with a default
    *,
    data: str = ":memory:",
    client_id: str | None = None,
    client_secret: str | None = None,
    organization_id: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token_life_s: float = TOKEN_LIFE_S,
    delivery: DeliverySettings | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[RunningSandbox]:
    """Run a Salesforce organization that answers over HTTP while the block runs.

    `data` is an SQLite file; what is not given is taken from it, else made up. A reset goes back to the
    settings in `delivery`. `clock` dates records, sessions and date literals.
    """
    organization = Organization(
        data=data,
        client_id=client_id,
        client_secret=client_secret,
        organization_id=organization_id,
        token_life_s=token_life_s,
        delivery=delivery,
        clock=clock,
    )
    switch = fault_switch(organization)
    client = organization.client
    try:
        with serve(application(organization, switch), host=host, port=port) as url:
            organization.sender.start()
            yield RunningSandbox(
                url, organization.id, client.client_id, client.client_secret, client.username
            )
            switch.reset()  # lets delayed calls go, so that the server can stop
    finally:
        organization.close()


def fault_switch(organization: Organization) -> FaultSwitch:
    """Return a switch for the faults of this system, all of them off."""
    return FaultSwitch(error_page, organization.sessions.expire, QUERY_FAULTS)


def application(organization: Organization, switch: FaultSwitch) -> "WSGIApplication":
    """Return the organization's paths, behind the faults and the limit on the length of a request.

    It needs no server: a test can call it in its own process. Nothing is sent before the organization's
    sender is started.
    """
    app = Flask("sandbox.salesforce")
    app.json = _Json(app)
    oauth = oauth_paths(
        organization.client, organization.sessions, organization.clock, lambda: organization.jwt_key
    )
    app.register_blueprint(oauth)
    app.register_blueprint(version_paths())
    data = data_paths(organization)
    add_collections(data, organization)
    add_composite(data, organization)
    add_metadata(data, organization)
    app.register_blueprint(data)
    app.register_blueprint(control_paths(organization))
    app.register_blueprint(controls(switch, organization.reset))

    @app.errorhandler(SalesforceError)
    def refused(error: SalesforceError) -> Any:
        return jsonify(error.as_json()), error.status

    @app.errorhandler(404)
    def unknown_path(error: HTTPException) -> Any:
        return refused(not_found())

    @app.errorhandler(405)
    def wrong_method(error: HTTPException) -> Any:
        allowed = ",".join(sorted(getattr(error, "valid_methods", None) or []))
        message = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
        return refused(SalesforceError(405, "METHOD_NOT_ALLOWED", message))

    return switch.wrap(_limited(app))


def _uri(environ: "WSGIEnvironment") -> str:
    """Return the path and the query as sent; only a server keeps the former as it was."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    return f"{quote(path, encoding='latin-1')}?{query}"


def _limited(app: "WSGIApplication") -> "WSGIApplication":
    """Refuses a URI, or a URI with its headers, of more than 16,384 bytes, as Salesforce's edge does."""

    def limited(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        uri = len(environ.get("REQUEST_URI") or _uri(environ))
        headers = sum(len(name) + len(value) for name, value in environ.items() if name.startswith("HTTP_"))
        if uri > LONGEST_URI:
            return Response("URI Too Long", 414)(environ, start_response)
        if uri + headers > LONGEST_URI:
            return Response("Request Header Fields Too Large", 431)(environ, start_response)
        return app(environ, start_response)

    return limited
