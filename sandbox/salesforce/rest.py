"""The REST API under `/services/data`: versions, limits, describe, records and queries."""

import json
import re
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.salesforce.describe import describe
from sandbox.salesforce.errors import SalesforceError, malformed, not_found
from sandbox.salesforce.organization import Organization
from sandbox.salesforce.query import attributes
from sandbox.salesforce.schema import SObject

VERSIONS = {
    "60.0": "Spring '24",
    "61.0": "Summer '24",
    "62.0": "Winter '25",
    "63.0": "Spring '25",
    "64.0": "Summer '25",
    "65.0": "Winter '26",
    "66.0": "Spring '26",
    "67.0": "Summer '26",
}
# In the environment of a sub-request that is no API call of its own.
FREE = "sandbox.is_no_api_call"
_PAGE_SIZE = re.compile(r"batchSize\s*=\s*(\d{1,6})", re.IGNORECASE)


def version_paths() -> Blueprint:
    """Return the list of versions: open to anyone, and no API call by Salesforce's count."""
    paths = Blueprint("versions", __name__)

    @paths.get("/services/data")
    @paths.get("/services/data/")
    def versions() -> Any:
        return jsonify(
            [
                {"label": label, "url": f"/services/data/v{version}", "version": version}
                for version, label in VERSIONS.items()
            ]
        )

    return paths


def data_paths(organization: Organization) -> Blueprint:
    """Return the paths of one version, all of which need a session."""
    paths = Blueprint("data", __name__, url_prefix="/services/data/v<version>")

    @paths.before_request
    def admit() -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"} or not organization.sessions.is_open(token.strip()):
            raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if FREE not in request.environ:
            organization.api_limit.count()
        if (request.view_args or {}).get("version") not in VERSIONS:
            raise not_found()

    @paths.after_request
    def show_usage(answer: Response) -> Response:
        answer.headers["Sforce-Limit-Info"] = organization.api_limit.header()
        return answer

    @paths.get("/limits")
    @paths.get("/limits/")
    def limits(version: str) -> Any:
        return jsonify(organization.api_limit.as_limits())

    _add_records(paths, organization)
    _add_queries(paths, organization)
    return paths


def _add_records(paths: Blueprint, organization: Organization) -> None:
    @paths.get("/sobjects/<name>/describe")
    def describe_object(version: str, name: str) -> Any:
        return jsonify(describe(_sobject(organization, name), version))

    @paths.post("/sobjects/<name>")
    @paths.post("/sobjects/<name>/")
    def create(version: str, name: str) -> Any:
        sobject = writable(organization, name, "insert")
        record_id = organization.users.create(json_body())
        place = attributes(sobject, record_id, version)["url"]
        return jsonify(id=record_id, success=True, errors=[]), 201, {"Location": place}

    @paths.get("/sobjects/<name>/<record_id>")
    def read(version: str, name: str, record_id: str) -> Any:
        fields = request.args.get("fields")
        names = [each.strip() for each in fields.split(",")] if fields is not None else None
        return jsonify(organization.users.read(_sobject(organization, name), record_id, names, version))

    @paths.patch("/sobjects/<name>/<record_id>")
    def update(version: str, name: str, record_id: str) -> Any:
        writable(organization, name, "update")
        organization.users.update(record_id, json_body())
        return "", 204

    @paths.delete("/sobjects/<name>/<record_id>")
    def delete(version: str, name: str, record_id: str) -> Any:
        raise _refused(_sobject(organization, name), "delete")


def _add_queries(paths: Blueprint, organization: Organization) -> None:
    @paths.get("/query")
    @paths.get("/query/")
    @paths.get("/queryAll")
    @paths.get("/queryAll/")
    def query(version: str) -> Any:
        soql = request.args.get("q")
        if not soql:
            raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
        return jsonify(organization.queries.run(soql, version, _page_size()))

    @paths.get("/query/<place>")
    @paths.get("/queryAll/<place>")
    def query_more(version: str, place: str) -> Any:
        return jsonify(organization.queries.more(place, version, _page_size()))


def error_page(path: str, status: int) -> tuple[str, bytes]:
    """Return the content type and body of an error with this status, for a fault that is switched on."""
    known = {
        401: ("INVALID_SESSION_ID", "Session expired or invalid"),
        403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        404: ("NOT_FOUND", "The requested resource does not exist"),
        503: ("SERVER_UNAVAILABLE", "The server is currently unavailable. Try again later."),
    }
    code, message = known.get(status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
    if path.startswith("/services/oauth2/"):
        body: object = {"error": code.lower(), "error_description": message}
    else:
        body = SalesforceError(status, code, message).as_json()
    return "application/json;charset=UTF-8", json.dumps(body).encode()


def _sobject(organization: Organization, name: str) -> SObject:
    sobject = organization.schema.object(name)
    if sobject is None:
        raise not_found()
    return sobject


def writable(organization: Organization, name: str, operation: str) -> SObject:
    """Return an object whose records can be created and changed. Raises SalesforceError."""
    sobject = _sobject(organization, name)
    if not sobject.createable:
        raise _refused(sobject, operation)
    return sobject


def _refused(sobject: SObject, operation: str) -> SalesforceError:
    message = f"entity type {sobject.name} does not support {operation}"
    return SalesforceError(400, "INVALID_TYPE_FOR_OPERATION", message)


def json_body() -> dict[str, Any]:
    """Return the request's body, a JSON object. Raises SalesforceError."""
    if request.mimetype != "application/json":
        message = f"Content type {request.mimetype or 'none'} not supported: use application/json"
        raise SalesforceError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise malformed("The HTTP entity body is not valid JSON") from None
    if not isinstance(body, dict):
        raise malformed("The HTTP entity body is required, and must be a JSON object")
    return body


def _page_size() -> int | None:
    match = _PAGE_SIZE.search(request.headers.get("Sforce-Query-Options", ""))
    return int(match[1]) if match else None
