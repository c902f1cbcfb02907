"""The composite resources: several calls of the REST API in one.

composite        up to 25 sub-requests, at most 5 of them queries or collections; a later one may use the
                 answer of an earlier one: `@{ada.id}`; one API call
composite/batch  up to 25 sub-requests that know nothing of each other; each is an API call of its own

Every sub-request goes through the same paths as a call of its own would. Source: REST API Developer Guide,
Composite and Composite Batch.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from sandbox.salesforce.composite_bodies import (
    MOST_SUBREQUESTS,
    BatchRequest,
    CompositeRequest,
    Subrequest,
    read_batch,
    read_composite,
)
from sandbox.salesforce.composite_references import UnresolvedError, resolved
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.organization import Organization
from sandbox.salesforce.rest import FREE, json_body

MOST_QUERIES = 5
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
_COMPOSITE_RESOURCE = re.compile(
    r"/services/data/v\d+\.\d/(sobjects|query|queryAll|composite/sobjects)(?=[/?]|$)"
)
_BATCH_RESOURCE = re.compile(r"/services/data/v\d+\.\d/(limits|sobjects|query|queryAll)(?=[/?]|$)")


@dataclass(frozen=True)
class Result:
    """The answer to a sub-request. `body` is None where there is none."""

    status: int
    body: Any
    location: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it rolls an allOrNone request back: by its status, or by one record of a collection."""
        records = self.body if isinstance(self.body, list) else []
        return self.status >= 400 or any(record.get("success") is False for record in records)


class _RolledBackError(Exception):
    """Leaves a transaction that must not be committed."""


def add_composite(paths: Blueprint, organization: Organization) -> None:
    """Add `composite` and `composite/batch` to the paths of one version."""

    @paths.get("/composite")
    @paths.get("/composite/")
    def resources(version: str) -> Any:
        place = f"/services/data/v{version}/composite"
        return jsonify(batch=f"{place}/batch", sobjects=f"{place}/sobjects")

    @paths.post("/composite")
    @paths.post("/composite/")
    def composite(version: str) -> Any:
        asked = read_composite(json_body())
        refusal = _beyond_limits(asked)
        if refusal is not None:
            return jsonify(compositeResponse=[_shown(None, _refused(refusal))])
        results = _all_or_none(organization, asked) if asked.is_all_or_none else _each(asked)
        ids = [each.reference_id for each in asked.subrequests]
        return jsonify(compositeResponse=[_shown(*pair) for pair in zip(ids, results, strict=True)])

    @paths.post("/composite/batch")
    @paths.post("/composite/batch/")
    def batch(version: str) -> Any:
        results = _batch(read_batch(json_body(), version))
        shown = [{"statusCode": result.status, "result": result.body} for result in results]
        return jsonify(hasErrors=any(result.status >= 400 for result in results), results=shown)


def _beyond_limits(asked: CompositeRequest) -> SalesforceError | None:
    resources = [found[1] for each in asked.subrequests if (found := _COMPOSITE_RESOURCE.match(each.path))]
    if len(asked.subrequests) > MOST_SUBREQUESTS:
        message = f"The request can\u2019t contain more than {MOST_SUBREQUESTS} operations."
    elif sum(name != "sobjects" for name in resources) > MOST_QUERIES:
        message = f"The request can\u2019t contain more than {MOST_QUERIES} query or collection operations."
    else:
        return None
    return SalesforceError(400, "LIMIT_EXCEEDED", message)


def _all_or_none(organization: Organization, asked: CompositeRequest) -> list[Result]:
    """Run the sub-requests until one fails, which undoes them all."""
    results: list[Result] = []
    try:
        with organization.store.transaction():
            results += _each(asked)
            if results[-1].has_failed:
                raise _RolledBackError
    except _RolledBackError:
        halted = _refused(SalesforceError(400, "PROCESSING_HALTED", _ROLLED_BACK))
        place = len(results) - 1
        return [results[place] if at == place else halted for at in range(len(asked.subrequests))]
    return results


def _each(asked: CompositeRequest) -> list[Result]:
    """Run the sub-requests one after the other; with allOrNone, no further than the first that fails."""
    results: list[Result] = []
    answers: dict[str, Any] = {}
    for subrequest in asked.subrequests:
        try:
            result = _run(resolved(subrequest, answers), _COMPOSITE_RESOURCE, is_free=True)
        except UnresolvedError as error:
            result = _refused(SalesforceError(400, "PROCESSING_HALTED", str(error)))
        if result.status < 400:
            answers[subrequest.reference_id] = result.body
        results.append(result)
        if asked.is_all_or_none and result.has_failed:
            break
    return results


def _batch(asked: BatchRequest) -> list[Result]:
    results: list[Result] = []
    for subrequest in asked.subrequests:
        if asked.halts_on_error and any(result.status >= 400 for result in results):
            message = (
                "The request was not processed: an earlier one of the batch failed, and haltOnError is true."
            )
            results.append(_refused(SalesforceError(412, "BATCH_PROCESSING_HALTED", message)))
        else:
            results.append(_run(subrequest, _BATCH_RESOURCE, is_free=False))
    return results


def _run(subrequest: Subrequest, resources: re.Pattern[str], *, is_free: bool) -> Result:
    """Send a sub-request through the application, behind the faults and the counter of calls."""
    if not resources.match(subrequest.path):
        return _refused(not_found())
    headers = {**subrequest.headers, "Authorization": request.headers["Authorization"]}
    has_body = subrequest.method in {"POST", "PATCH", "PUT"}
    builder = EnvironBuilder(
        path=subrequest.path,
        base_url=request.host_url,
        method=subrequest.method,
        headers=Headers(headers),
        data=json.dumps(subrequest.body) if has_body else None,
        content_type="application/json" if has_body else None,
        environ_base={FREE: True} if is_free else {},
    )
    answer = Response.from_app(current_app.wsgi_app, builder.get_environ(), buffered=True)
    body = answer.get_json() if answer.is_json and answer.data else None
    return Result(answer.status_code, body, answer.headers.get("Location"))


def _refused(error: SalesforceError) -> Result:
    return Result(error.status, error.as_json())


def _shown(reference_id: str | None, result: Result) -> dict[str, Any]:
    return {
        "body": result.body,
        "httpHeaders": {"Location": result.location} if result.location else {},
        "httpStatusCode": result.status,
        "referenceId": reference_id,
    }
