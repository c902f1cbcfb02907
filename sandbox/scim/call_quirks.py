"""What can be wrong with a call before it is understood: where it is sent, how, and how often."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.scim.protocol import BASE, DISCOVERY, SCIM_JSON, Answer, Call, Refused, error

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp

NOT_FOUND_PAGE = "<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>"


def moved(call: Call, app: "ScimApp") -> Answer | None:
    """Send the caller elsewhere."""
    if app.quirks.moved_to is None:
        return None
    place = f"{app.quirks.moved_to}{BASE}{quote(call.path)}"
    return Answer(app.quirks.moved_status, "", {"Location": place}, "text/html; charset=utf-8")


def without_user_agent(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a call that does not say who calls."""
    if app.quirks.needs_user_agent and not call.headers.get("User-Agent"):
        raise Refused(403, "Request forbidden: a User-Agent is required")
    return None


def too_often(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a call over the limit."""
    rate = app.quirks.rate
    if rate is None or app.takes_place_in_window(rate):
        return None
    return throttled(app, rate.per_s)


def throttled(app: "ScimApp", seconds: float) -> Answer:
    """Return a 429 that says when to come back, in the way the quirks ask for."""
    headers = {}
    if app.quirks.retry_after == "seconds":
        headers["Retry-After"] = str(max(1, round(seconds)))
    elif app.quirks.retry_after == "date":
        headers["Retry-After"] = format_datetime(app.clock() + timedelta(seconds=seconds), usegmt=True)
    return Answer(429, error(429, "Too many requests"), headers)


def media_types(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a body or an answer in the wrong type."""
    sent = (call.headers.get("Content-Type") or "").partition(";")[0]
    wanted = {"scim_only": SCIM_JSON, "json_only": "application/json"}.get(app.quirks.request_type)
    if call.body is not None and wanted is not None and sent != wanted:
        raise Refused(415, f"The Content-Type must be {wanted}")
    accept = call.headers.get("Accept") or "*/*"
    if app.quirks.accept == "scim_only" and SCIM_JSON not in accept:
        raise Refused(406, f"Accept must be {SCIM_JSON}")
    if app.quirks.accept == "none_on_delete" and call.method == "DELETE" and SCIM_JSON in accept:
        raise Refused(400, "DELETE has no answer to accept", "invalidValue")
    return None


def refused_methods(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse what the app does not offer."""
    names = {call.method, f"{call.method} /{call.endpoint}"}
    if names & set(app.quirks.refuses):
        raise Refused(app.quirks.refused_status, f"{call.method} is not supported at /{call.endpoint}")
    return None


def discovery(call: Call, app: "ScimApp") -> Answer | None:
    """Have discovery elsewhere or nowhere."""
    if call.endpoint not in DISCOVERY:
        return None
    is_old = call.endpoint == "ServiceProviderConfigs"
    match app.quirks.discovery:
        case "missing":
            return Answer(404, NOT_FOUND_PAGE, content_type="text/html; charset=utf-8")
        case "old_names" if is_old:
            call.endpoint = "ServiceProviderConfig"
        case "old_names" if call.endpoint == "ServiceProviderConfig":
            raise Refused(404, "Not found")
    return None


def extensions(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a user or group with an extension."""
    if app.quirks.extensions == "refused" and any(key.casefold().startswith("urn:") for key in call.object):
        raise Refused(400, "Unknown extension", "invalidSyntax")
    return None


def if_match(call: Call, app: "ScimApp") -> Answer | None:
    """Overlook the condition on a write."""
    if app.quirks.ignores_if_match:
        call.headers.remove("If-Match")
    return None


RULES: tuple[Callable[[Call, "ScimApp"], Answer | None], ...] = (
    moved,
    without_user_agent,
    too_often,
    media_types,
    discovery,
    refused_methods,
    extensions,
    if_match,
)
