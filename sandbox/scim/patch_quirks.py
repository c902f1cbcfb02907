"""The dialects of PATCH."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.scim.protocol import Answer, Call, Json, Refused, attribute_of, touched
from sandbox.scim.quirks import names_it

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp


def strict(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a PATCH without schemas, and members that are more than an id."""
    if not app.quirks.strict_patch or call.method != "PATCH":
        return None
    values = [each.get("value") for each in call.operations()]
    shown = any(isinstance(each, dict) and "display" in each for value in values for each in _many(value))
    if "schemas" not in call.object or shown:
        raise Refused(422, "The body is not what this endpoint takes")
    return None


def _many(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def paths(call: Call, app: "ScimApp") -> Answer | None:
    """Ask for paths, or for none."""
    for operation in call.operations():
        path, value = operation.get("path"), operation.get("value")
        several = isinstance(value, dict) and len(value) > 1
        match app.quirks.patch_paths:
            case "required" if path is None:
                raise Refused(400, "An operation needs a path", "noTarget")
            case "one_attribute" if path is None and several:
                raise Refused(400, "Without a path an operation has one attribute", "invalidSyntax")
            case "refused" if path is not None:
                raise Refused(400, "An operation has no path here", "invalidPath")
    return None


def only(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse to change most attributes of users."""
    allowed = app.quirks.patch_only
    if allowed is None or call.kind != "User":
        return None
    for operation in call.operations():
        for attribute in touched(operation):
            if not names_it(allowed, "User", attribute):
                raise Refused(400, f"{attribute} cannot be changed by PATCH", "mutability")
    return None


def ignored(call: Call, app: "ScimApp") -> Answer | None:
    """Leave out what is to have no effect; a PATCH of nothing else is answered as if it had worked."""
    if not app.quirks.patch_ignores or call.kind is None or not call.operations():
        return None
    names, kind = app.quirks.patch_ignores, call.kind
    kept = [rest for each in call.operations() if (rest := _without(each, kind, names))]
    if kept:
        call.body = {key: each for key, each in call.object.items() if key.casefold() != "operations"}
        call.body["Operations"] = kept
        return None
    if app.directory.peek(call.kind, str(call.id)) is None:
        return None
    return Answer(204)


def _without(operation: Json, kind: str, names: tuple[str, ...]) -> Json | None:
    if isinstance(operation.get("path"), str):
        return None if any(names_it(names, kind, each) for each in touched(operation)) else operation
    value = operation.get("value")
    if not isinstance(value, dict):
        return operation
    rest = {key: each for key, each in value.items() if not names_it(names, kind, attribute_of(key))}
    return operation | {"value": rest} if rest else None


def note_version(call: Call, app: "ScimApp") -> Answer | None:
    """Remember the version, to tell afterwards whether anything changed."""
    if app.quirks.patch_answer == "body_unless_unchanged" and call.method == "PATCH" and call.kind:
        current = app.directory.peek(call.kind, str(call.id)) or {}
        call.version = current.get("meta", {}).get("version")
    return None


RULES: tuple[Callable[[Call, "ScimApp"], Answer | None], ...] = (strict, paths, only, note_version, ignored)


def answer(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Answer a PATCH that worked in the way the quirks ask for."""
    is_plain = app.quirks.patch_answer == "empty"
    if is_plain or call.method != "PATCH" or call.kind is None or answer.status >= 300:
        return
    current = app.server.read(call)
    version = (current or {}).get("meta", {}).get("version")
    match app.quirks.patch_answer:
        case "braces":
            answer.status, answer.body = 200, {}
        case "body_unless_unchanged" if version == call.version:
            answer.status, answer.body = 204, None
        case "body" | "body_unless_unchanged" if current is not None:
            answer.status, answer.body = 200, current
