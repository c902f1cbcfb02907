"""The bodies of the composite resources: a body that Salesforce would not parse is refused as a whole."""

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce.errors import SalesforceError, malformed

MOST_SUBREQUESTS = 25
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
OLDEST_BATCH_VERSION = 34.0
# Those of the outer request hold for the sub-requests.
_NO_HEADERS_OF_THEIR_OWN = frozenset({"accept", "authorization", "content-type"})
_COMPOSITE_PATH = re.compile(r"/services/data/v\d+\.\d/.+", re.DOTALL)
_BATCH_PATH = re.compile(r"v(\d+\.\d)/.+", re.DOTALL)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)


@dataclass(frozen=True)
class Subrequest:
    """A call within a call. `path` is the whole one, with its query; only composite has reference ids."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    reference_id: str = ""


@dataclass(frozen=True)
class CompositeRequest:
    """What `composite` is asked to do."""

    subrequests: tuple[Subrequest, ...]
    is_all_or_none: bool


@dataclass(frozen=True)
class BatchRequest:
    """What `composite/batch` is asked to do."""

    subrequests: tuple[Subrequest, ...]
    halts_on_error: bool


def read_composite(body: dict[str, Any]) -> CompositeRequest:
    """Return what a body asks for, however many sub-requests it has. Raises SalesforceError."""
    _known(body, "allOrNone", "collateSubrequests", "compositeRequest")
    _flag(body, "collateSubrequests")
    subrequests = tuple(_composite_part(each) for each in _parts(body, "compositeRequest"))
    ids = [each.reference_id for each in subrequests]
    twice = next((each for each in ids if ids.count(each) > 1), None)
    if twice is not None:
        raise malformed(f"Duplicate referenceId: {twice}")
    return CompositeRequest(subrequests, _flag(body, "allOrNone"))


def read_batch(body: dict[str, Any], version: str) -> BatchRequest:
    """Return what a body asks for; `version` is that of the call. Raises SalesforceError."""
    _known(body, "batchRequests", "haltOnError")
    parts = _parts(body, "batchRequests")
    if len(parts) > MOST_SUBREQUESTS:
        message = f"The batch can\u2019t contain more than {MOST_SUBREQUESTS} requests."
        raise SalesforceError(400, "LIMIT_EXCEEDED", message)
    return BatchRequest(tuple(_batch_part(each, version) for each in parts), _flag(body, "haltOnError"))


def _composite_part(part: dict[str, Any]) -> Subrequest:
    _known(part, "method", "url", "body", "httpHeaders", "referenceId")
    url, reference_id, headers = part.get("url"), part.get("referenceId"), part.get("httpHeaders", {})
    if not isinstance(reference_id, str):
        raise malformed("Required field is missing: referenceId")
    if not _REFERENCE_ID.fullmatch(reference_id):
        raise malformed(
            f"Provided referenceId ('{reference_id}') must start with a letter or a number, and it can"
            " contain only letters, numbers and underscores ('_')."
        )
    if not isinstance(url, str) or not _COMPOSITE_PATH.fullmatch(url):
        raise malformed("url must be a path with a version, as in /services/data/v66.0/sobjects/User")
    if not isinstance(headers, dict) or not all(_is_header(*each) for each in headers.items()):
        raise malformed("httpHeaders must be an object of header names and texts")
    if any(name.lower() in _NO_HEADERS_OF_THEIR_OWN for name in headers):
        raise malformed("httpHeaders can't hold Accept, Authorization or Content-Type")
    return Subrequest(_method(part), url, part.get("body"), headers, reference_id)


def _batch_part(part: dict[str, Any], version: str) -> Subrequest:
    _known(part, "method", "url", "richInput")
    url = part.get("url")
    found = _BATCH_PATH.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        raise malformed("url must begin with a version, as in v66.0/sobjects/User")
    if not OLDEST_BATCH_VERSION <= float(found[1]) <= float(version):
        raise malformed(
            f"The version in a url must be from {OLDEST_BATCH_VERSION} to that of the batch, {version}"
        )
    return Subrequest(_method(part), f"/services/data/{url}", part.get("richInput"))


def _parts(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not parts or not all(isinstance(each, dict) for each in parts):
        raise malformed(f"{name} must be an array of one or more objects")
    return parts


def _is_header(name: str, value: object) -> bool:
    return _HEADER_NAME.fullmatch(name) is not None and isinstance(value, str) and value.isprintable()


def _method(part: dict[str, Any]) -> str:
    method = part.get("method")
    if method not in METHODS:
        raise malformed(f"method must be one of {', '.join(METHODS)}")
    return str(method)


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise malformed(f"{name} must be true or false")
    return value


def _known(body: dict[str, Any], *names: str) -> None:
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise malformed(f'Unrecognized field "{unknown[0]}"; allowed are {", ".join(names)}')
