"""What an answer looks like when it leaves the app."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.scim.group_quirks import double, hide_members
from sandbox.scim.list_quirks import pending, totals
from sandbox.scim.patch_quirks import answer as answer_of_patch
from sandbox.scim.protocol import ENTERPRISE, ERROR, SCIM_JSON, Answer, Call, Json

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp


def success(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Give a success another status than the RFC has."""
    if answer.status >= 300:
        return
    if call.success is not None:
        answer.status = call.success
        if call.success == app.quirks.delete_status and call.method == "PUT":
            answer.body = None
    elif call.creates:
        answer.status = app.quirks.create_status
    elif call.method == "DELETE":
        answer.status = app.quirks.delete_status


def unknown_ids(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Answer an id that nobody has with another status."""
    if answer.status == 404 and call.kind is not None and call.id is not None:
        _set_status(answer, app.quirks.unknown_id_status)


def conflicts(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Answer a name that is taken with another status."""
    if answer.status == 409:
        _set_status(answer, app.quirks.conflict_status)


def _set_status(answer: Answer, status: int) -> None:
    answer.status = status
    if isinstance(answer.body, dict) and "status" in answer.body:
        answer.body["status"] = str(status)


def discovery(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Say less than the truth about the app."""
    if not isinstance(answer.body, dict):
        return
    if call.endpoint == "ServiceProviderConfig" and app.quirks.says_patch_unsupported:
        answer.body["patch"] = {"supported": False}
    if app.quirks.extensions == "unadvertised" and call.endpoint in {"Schemas", "ResourceTypes"}:
        listed = answer.body.get("Resources", [answer.body])
        kept = [each for each in listed if ":extension:" not in str(each.get("id"))]
        for each in kept:
            each.pop("schemaExtensions", None)
        if "Resources" in answer.body:
            answer.body |= {"Resources": kept, "totalResults": len(kept), "itemsPerPage": len(kept)}
    if app.quirks.discovery == "no_schemas" and call.kind is None:
        for each in [answer.body, *answer.body.get("Resources", [])]:
            each.pop("schemas", None)


def spelling(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Spell booleans, ids and managers in the app's own way."""
    quirks = app.quirks
    for row in answer.rows if call.kind is not None else ():
        if quirks.booleans_as_text and "active" in row:
            row["active"] = str(row["active"])
        if quirks.ids == "numbers" and str(row["id"]).isdigit():
            row["id"] = int(row["id"])
        manager = row.get(ENTERPRISE, {}).get("manager")
        if quirks.manager == "shown_as_text" and isinstance(manager, dict):
            row[ENTERPRISE]["manager"] = manager.get("value")


def left_out(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Leave out of an answer, and of what it lists, what callers may think is always there."""
    if isinstance(answer.body, dict) and answer.status < 400:
        for each in [answer.body, *answer.rows]:
            for name in app.quirks.leaves_out:
                each.pop(name, None)
    if app.quirks.no_location:
        answer.headers.pop("Location", None)
    if app.quirks.lower_case_resources and isinstance(answer.body, dict) and "Resources" in answer.body:
        answer.body["resources"] = answer.body.pop("Resources")


def errors(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Say what is wrong in another shape."""
    said = answer.body
    if not isinstance(said, dict) or ERROR not in said.get("schemas", []):
        return
    shaped: Json | str | None = said
    match app.quirks.errors:
        case "no_scim_type":
            said.pop("scimType", None)
        case "no_status":
            said.pop("status", None)
        case "number":
            said["status"] = answer.status
        case "invented":
            said["scimType"] = "somethingWentWrong"
        case "nested":
            shaped = {"schemas": said["schemas"], "response": said}
        case "text":
            shaped, answer.content_type = str(said.get("detail")), "text/plain; charset=utf-8"
        case "html":
            shaped = f"<!DOCTYPE html><html><body><h1>{answer.status}</h1></body></html>"
            answer.content_type = "text/html; charset=utf-8"
        case "empty":
            shaped = None
    answer.body = shaped


def content_type(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Name another type of content."""
    if answer.content_type == SCIM_JSON:
        answer.content_type = app.quirks.answer_type


RULES: tuple[Callable[[Call, Answer, "ScimApp"], None], ...] = (
    double,
    pending,
    answer_of_patch,
    success,
    unknown_ids,
    conflicts,
    hide_members,
    totals,
    discovery,
    spelling,
    left_out,
    errors,
    content_type,
)
