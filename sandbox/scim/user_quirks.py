"""What is wrong with a call about users: creating, replacing, deleting, and those who have left."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.scim.protocol import Answer, Call, Json, Refused, is_active

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp


def gone(call: Call, app: "ScimApp") -> Answer | None:
    """Answer as if who is inactive were not there."""
    if app.quirks.inactive == "gone" and call.kind == "User" and call.id is not None:
        user = app.directory.peek("User", call.id)
        if user is not None and not is_active(user):
            raise Refused(404, f"User {call.id!r} not found")
    return None


def taken_names(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a new user or group under a name that only the app knows to be taken."""
    name = call.object.get("userName" if call.kind == "User" else "displayName")
    taken = {each.casefold() for each in app.quirks.taken}
    if call.creates and str(name).casefold() in taken:
        raise Refused(409, "The name is already in use", "uniqueness")
    return None


def upsert(call: Call, app: "ScimApp") -> Answer | None:
    """Replace the user of the same name, where a POST finds one."""
    if app.quirks.post_existing == "upserts" and call.creates and call.kind == "User":
        found = app.directory.named("User", str(call.object.get("userName")))
        if found:
            call.method, call.id, call.success = "PUT", found[0]["id"], 200
    return None


def put_left_out(call: Call, app: "ScimApp") -> Answer | None:
    """Have a PUT mean something else by what it leaves out."""
    if call.method != "PUT" or call.kind is None or not isinstance(call.body, dict):
        return None
    match app.quirks.put_left_out:
        case "kept":
            current = app.directory.peek(call.kind, str(call.id)) or {}
            call.body = {key: value for key, value in current.items() if key != "meta"} | call.body
        case "activates" if call.kind == "User":
            call.body = {"active": True} | call.body
        case "deactivates" if call.kind == "User":
            call.body = {"active": False} | call.body
    return None


def delete_deactivates(call: Call, app: "ScimApp") -> Answer | None:
    """Close an account that was to be deleted."""
    if app.quirks.delete == "deactivates" and call.method == "DELETE" and call.kind == "User":
        current = app.directory.peek("User", str(call.id))
        if current is not None:
            call.method, call.success = "PUT", app.quirks.delete_status
            call.body = current | {"active": False}
    return None


def text_booleans(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse "False" for false."""
    if app.quirks.text_booleans == "refused" and any(isinstance(each, str) for each in _actives(call)):
        raise Refused(400, "active must be a boolean", "invalidValue")
    return None


def _actives(call: Call) -> list[object]:
    found = [call.object.get("active")]
    for operation in call.operations():
        value = operation.get("value")
        found.append(value.get("active") if isinstance(value, dict) else None)
        if str(operation.get("path")).casefold() == "active":
            found.append(value)
    return found


def empty_lists(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse an attribute that is an empty list."""
    if app.quirks.refuses_empty_lists and call.kind == "User":
        values: list[Json] = [call.object, *(each for each in call.operations())]
        if any(value == [] for each in values for value in each.values()):
            raise Refused(400, "An attribute must not be an empty list", "invalidValue")
    return None


RULES: tuple[Callable[[Call, "ScimApp"], Answer | None], ...] = (
    gone,
    taken_names,
    upsert,
    text_booleans,
    empty_lists,
    put_left_out,
    delete_deactivates,
)
