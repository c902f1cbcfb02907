"""Salesforce's answers about its setup, read into values: user, outbound message, flow, deployment.

Answers of any other shape are `Unavailable`, and are not quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from muster.crm import salesforce_ids
from muster.errors import Unavailable
from muster.webhook_setup.metadata import Deployment, InstalledFlow, InstalledMessage, SalesforceUser

# A deployment can fail hundreds of the org's own tests.
MOST_PROBLEMS = 50
_LONGEST_PROBLEM = 500
_DONE = frozenset({"Succeeded", "SucceededPartial", "Failed", "Canceled"})
# In an address, or in one that is encoded inside another, up to the end of the address.
_TOKEN = re.compile(r"(token(?:=|%3d))[^\s\"'<>]*", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return Salesforce's words without tokens (T6), on one line, up to 500 characters."""
    printable = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return _TOKEN.sub(r"\1…", printable)[:_LONGEST_PROBLEM]


def read_user(answer: object) -> SalesforceUser:
    """Return the user of a record."""
    match answer:
        case {"Id": str(user_id), "Username": str(username), "IsActive": bool(active)}:
            return SalesforceUser(user_id, username, active)
    raise _unreadable("a user")


def read_message(row: Mapping[str, Any]) -> InstalledMessage:
    """Return the outbound message of a row of WorkflowOutboundMessage with its Metadata."""
    match row:
        case {
            "Id": str(message_id),
            "FullName": str(full_name),
            "Metadata": {
                "endpointUrl": str(url),
                "integrationUser": str(username),
                "apiVersion": int() | float() as version,
                **rest,
            },
        }:
            fields = rest.get("fields") or []
            if isinstance(fields, list) and all(isinstance(each, str) for each in fields):
                return InstalledMessage(
                    message_id,
                    full_name.partition(".")[2],
                    url,
                    tuple(fields),
                    username,
                    f"{version:.1f}",
                    rest.get("includeSessionId") is True,
                )
    raise _unreadable("an outbound message")


def read_flow(
    definition: Mapping[str, Any],
    versions: Sequence[Mapping[str, Any]],
    whole: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
) -> InstalledFlow:
    """Return the flow of rows of FlowDefinition and Flow; `whole` reads a version's Metadata."""
    numbered = dict(sorted((_number_of(each), each) for each in versions))
    active_id = definition.get("ActiveVersionId")
    active = next((number for number, each in numbered.items() if _same(each.get("Id"), active_id)), None)
    if active is None and active_id is not None:
        raise Unavailable("Salesforce answered a flow whose active version is not among its versions")
    latest = max(numbered, default=None)
    shown = {
        number: _metadata_of(whole(numbered[number])) for number in {active, latest} if number is not None
    }
    match definition:
        case {"Id": str(flow_id), "DeveloperName": str(name)}:
            return InstalledFlow(
                flow_id,
                name,
                active,
                tuple(numbered),
                {} if latest is None else shown[latest],
                None if active is None else shown[active],
            )
    raise _unreadable("a flow")


def _number_of(version: Mapping[str, Any]) -> int:
    match version.get("VersionNumber"):
        case int(number):
            return number
    raise _unreadable("a version of a flow")


def _same(one: object, other: object) -> bool:
    return isinstance(one, str) and isinstance(other, str) and salesforce_ids.same(one, other)


def _metadata_of(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    match row:
        case {"Metadata": dict(metadata)}:
            return metadata
    raise _unreadable("a version of a flow")


def read_deployment(deployment_id: str, answer: object) -> Deployment:
    """Return the state of the deployment with this id.

    The documentation shows true and false as texts, so both forms are accepted. An unknown status counts
    as not done, unless Salesforce says that it is.
    """
    match answer:
        case {"deployResult": {"id": str(shown), "status": str(status), **rest}} if salesforce_ids.same(
            shown, deployment_id
        ):
            done = _is_true(rest.get("done")) or status in _DONE
            success = done and _is_true(rest.get("success")) and status != "SucceededPartial"
            problems = (redacted(each) for each in _problems(rest))
            return Deployment(
                shown, redacted(status), done, success, tuple(dict.fromkeys(problems))[:MOST_PROBLEMS]
            )
    raise _unreadable("the state of a deployment")


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _problems(result: Mapping[Any, Any]) -> Iterator[str]:
    match result.get("errorMessage"):
        case str(message) if message:
            yield message
    details = _dict(result.get("details"))
    for each in _dicts(details.get("componentFailures")):
        named = " ".join(filter(None, (_text(each, "componentType"), _text(each, "fullName"))))
        yield f"{named or 'package'}: {_text(each, 'problem') or 'failed'}"
    tests = _dict(details.get("runTestResult"))
    for each in _dicts(tests.get("failures")):
        yield f"ApexClass {_text(each, 'name')}.{_text(each, 'methodName')}: {_text(each, 'message')}"
    for kind in ("codeCoverageWarnings", "flowCoverageWarnings"):
        yield from (_text(each, "message") for each in _dicts(tests.get(kind)))


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[Mapping[str, Any]]:
    """Return a list's objects; a single one may come without its list, as in JSON converted from XML."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _text(each: Mapping[str, Any], name: str) -> str:
    value = each.get(name)
    return value if isinstance(value, str) else ""


def _unreadable(what: str) -> Unavailable:
    return Unavailable(f"Salesforce answered something that is not {what}")
