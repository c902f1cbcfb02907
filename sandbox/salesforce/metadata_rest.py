"""The Metadata API's REST resource deployRequest, and what of the Tooling API reads and switches flows.

Source: Metadata API developer guide, "Deploy Metadata with Apex Testing Using REST", its status check and its
cancellation; Tooling API, WorkflowOutboundMessage, Flow and FlowDefinition.
"""

import json
from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError, malformed, not_found
from sandbox.salesforce.metadata_objects import FLOW_DEFINITION, Problem
from sandbox.salesforce.organization import Organization
from sandbox.salesforce.query import attributes
from sandbox.salesforce.rest import json_body
from sandbox.salesforce.store import find
from sandbox.salesforce.values import to_json

TOOLING = "/tooling"
CANCELING = {"deployResult": {"status": "Canceling"}}
_ONE_ROW = (
    "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more"
    " than one row for retrieval. Result size: {size}"
)


def add_metadata(paths: Blueprint, organization: Organization) -> None:
    """Add deployments and the Tooling API to the paths of one version."""
    deploys = organization.deploys

    @paths.before_request
    def settle() -> None:
        # What is due by now took effect before this call.
        deploys.settle()

    @paths.post("/metadata/deployRequest")
    def deploy(version: str) -> Any:
        answer = deploys.queue(_options(), _archive())
        place = f"/services/data/v{version}/metadata/deployRequest/{answer['id']}"
        return jsonify(answer | {"url": request.host_url.rstrip("/") + place}), 201, {"Location": place}

    @paths.get("/metadata/deployRequest/<deploy_id>")
    def check(version: str, deploy_id: str) -> Any:
        details = request.args.get("includeDetails", "").lower() == "true"
        return jsonify(deploys.check(deploy_id, details=details) | {"url": request.url})

    @paths.patch("/metadata/deployRequest/<deploy_id>")
    def cancel(version: str, deploy_id: str) -> Any:
        if json_body() != CANCELING:
            raise malformed(f"The body of a cancellation is {json.dumps(CANCELING)}")
        return jsonify(deploys.cancel(deploy_id) | {"url": request.url}), 202

    _add_tooling(paths, organization)


def _add_tooling(paths: Blueprint, organization: Organization) -> None:
    @paths.get("/tooling/query")
    @paths.get("/tooling/query/")
    def tooling_query(version: str) -> Any:
        soql = request.args.get("q")
        if not soql:
            raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
        page = organization.tooling_queries.run(soql, version, None)
        records = page["records"]
        if len(records) > 1 and not _WHOLE.isdisjoint(records[0]):
            raise SalesforceError(400, "MALFORMED_QUERY", _ONE_ROW.format(size=page["totalSize"]))
        return jsonify({"size": len(records)} | page)

    @paths.get("/tooling/query/<place>")
    def tooling_query_more(version: str, place: str) -> Any:
        return jsonify(organization.tooling_queries.more(place, version, None))

    @paths.get("/tooling/sobjects/<name>/<record_id>")
    def tooling_read(version: str, name: str, record_id: str) -> Any:
        sobject = organization.tooling.object(name)
        if sobject is None:
            raise not_found()
        row = _found(organization, sobject.name, record_id)
        record: dict[str, Any] = {"attributes": attributes(sobject, str(row["Id"]), version, TOOLING)}
        return jsonify(record | {each.name: to_json(each, row[each.name]) for each in sobject.fields})

    @paths.patch("/tooling/sobjects/FlowDefinition/<record_id>")
    def activate(version: str, record_id: str) -> Any:
        row = _found(organization, FLOW_DEFINITION.name, record_id)
        metadata = json_body().get("Metadata")
        if not isinstance(metadata, dict) or not set(metadata) <= _DEFINITION:
            raise malformed(f"Metadata is an object with some of {', '.join(sorted(_DEFINITION))}")
        number = metadata.get("activeVersionNumber")
        try:
            organization.activate_flow(str(row["DeveloperName"]), 0 if number is None else number)
        except Problem as problem:
            raise SalesforceError(400, "INVALID_INPUT", str(problem)) from None
        return "", 204


_WHOLE = frozenset({"Metadata", "FullName"})
_DEFINITION = frozenset({"activeVersionNumber", "description", "masterLabel", "urls"})


def _found(organization: Organization, object_name: str, record_id: str) -> dict[str, Any]:
    try:
        record_id = ids.canonical(record_id)
    except ValueError:
        raise SalesforceError(400, "MALFORMED_ID", f"malformed id {record_id}", ["Id"]) from None
    with organization.store.transaction() as db:
        row = find(db, object_name, record_id)
    if row is None:
        raise not_found()
    return row


def _options() -> object:
    """Return the deployOptions of the part that is JSON, whatever its name."""
    parts = [
        *request.form.values(),
        *(each.read() for each in request.files.values() if _is_json(each.mimetype)),
    ]
    if len(parts) != 1:
        raise malformed("The body is multipart/form-data: one part of JSON, and the zip in the part file")
    try:
        body = json.loads(parts[0])
    except (ValueError, RecursionError):
        raise malformed("The part with the options is not valid JSON") from None
    return body.get("deployOptions") if isinstance(body, dict) else None


def _archive() -> bytes:
    found = request.files.get("file")
    if found is None:
        raise malformed("The zip is missing: a part named file, with a file name")
    archive: bytes = found.read()
    return archive


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json"
