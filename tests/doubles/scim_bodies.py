"""Judges each body that Muster sends to a SCIM target; whatever test sends a malformed one fails.

scim2-models is the judge, as it is behind the sandbox's app. But it reads leniently: it takes texts and
numbers for booleans, names in any case, null, empty lists, no `schemas` or an extension without its own, and
any value in a PATCH. So a body also has to be, to the letter, what scim2-models itself would write of it, and
each value of a PATCH has to be one that its attribute takes.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from pydantic import ValidationError

from muster.adapters.scim.answers import Answer
from muster.adapters.scim.calls import Calls
from muster.crm.scim_attributes import ENTERPRISE, GROUP, USER, Json
from muster.crm.scim_patches import PATCH

if TYPE_CHECKING:
    from scim2_models import Context, Path


@contextmanager
def judged() -> Iterator[None]:
    """Let every client in this process fail at the first malformed body, before it is sent."""
    call = Calls.call

    def judge(self: Calls, method: str, path: str, body: Json | None = None) -> Answer:
        if body is not None:
            found = faults(method, path.partition("/")[0], body)
            assert not found, f"{method} {path}: {'; '.join(found)}\n{json.dumps(body, indent=2)}"
        return call(self, method, path, body)

    with patch.object(Calls, "call", judge):
        yield


def faults(method: str, kind: str, body: Json) -> list[str]:
    """Return what is wrong with the body of a POST, PUT or PATCH of Users or Groups."""
    return list(_of_patch(kind, body) if method == "PATCH" else _of_resource(method, kind, body))


def _of_resource(method: str, kind: str, body: Json) -> Iterator[str]:
    from scim2_models import Context  # here: half a second, which most tests need not wait

    foreign = {key: value for key, value in body.items() if _is_foreign(key)}
    rest = {key: value for key, value in body.items() if key not in foreign}
    base = {"Users": USER, "Groups": GROUP}[kind]
    extensions = [key for key in body if key.startswith("urn:")]
    if sorted(body.get("schemas", ())) != sorted([base, *extensions]):
        yield f"schemas are {body.get('schemas')}, and not those of the attributes: {[base, *extensions]}"
    yield from _empty(body)
    if method == "POST":
        yield from (f"{name} is the target's own" for name in ("id", "meta") if name in body)
    of_extensions = (inner for value in foreign.values() for inner in value.values())
    yield from (f"{value!r} is no text" for value in of_extensions if not isinstance(value, str))
    schemas = [each for each in rest.get("schemas", ()) if each not in foreign]
    creates = Context.RESOURCE_CREATION_REQUEST if method == "POST" else Context.RESOURCE_REPLACEMENT_REQUEST
    yield from _unlike(_model(kind), rest | {"schemas": schemas}, creates)


def _of_patch(kind: str, body: Json) -> Iterator[str]:
    from scim2_models import Context, PatchOp

    if body.get("schemas") != [PATCH]:
        yield f"schemas are {body.get('schemas')}, and not [{PATCH}]"
    yield from _empty(body)
    operations = body.get("Operations")
    if not isinstance(operations, list) or not operations:
        yield "there are no Operations"
        return
    foreign = [each for each in operations if _is_foreign(str(each.get("path", "")))]
    known = [each for each in operations if each not in foreign]
    values = (each["value"] for each in foreign if "value" in each)
    yield from (f"{value!r} is no text" for value in values if not isinstance(value, str))
    if known:
        model: Any = PatchOp
        whole = body | {"Operations": known}
        found = list(_unlike(model[_model(kind)], whole, Context.RESOURCE_PATCH_REQUEST))
        writing = [each for each in known if each.get("op") != "remove"]
        yield from found or (fault for each in writing for fault in _of_value(kind, each))


def _of_value(kind: str, operation: Json) -> Iterator[str]:
    """Yield what is wrong with the value of an operation: it has to fit at its place in a user or group."""
    from scim2_models import Context
    from scim2_models import Path as AnyPath

    path: Any = AnyPath
    value = operation["value"]
    if "path" in operation:
        value = _placed(path[_model(kind)](operation["path"]), value)
    if not isinstance(value, dict):
        yield f"{value!r} has no path, and names no attributes"
        return
    extensions = [key for key in value if key.startswith("urn:")]
    made = {"schemas": [{"Users": USER, "Groups": GROUP}[kind], *extensions], **value}
    yield from _unlike(_model(kind), made, Context.DEFAULT)


def _placed(path: "Path[Any]", value: object) -> Json:
    """Return a part of a user or group with a value at a path."""
    binding = path.resolve()
    *above, name = path.parts
    placed: Json = {name: value}
    if above:
        several = binding is not None and binding.is_multivalued
        placed = {above[0]: [placed] if several else placed}
    return {path.schema: placed} if path.schema not in (None, USER, GROUP) else placed


def _unlike(model: Any, body: Json, context: "Context") -> Iterator[str]:
    """Yield why a body is no such model, or that the model would write it in another way."""
    from scim2_models import Context

    text = json.dumps(body)
    try:
        model.model_validate_json(text, scim_ctx=context)
    except ValidationError as error:
        yield from (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return
    # In any other context, what is read-only is not written; and a PUT may name the id.
    written = model.model_validate_json(text, scim_ctx=Context.DEFAULT).model_dump(scim_ctx=Context.DEFAULT)
    if _sorted(written) != _sorted(body):
        yield f"scim2-models would write {json.dumps(written)}"


def _sorted(body: Json) -> str:
    # As text: in Python, 1 and True are equal.
    return json.dumps(body | {"schemas": sorted(body.get("schemas", ()))}, sort_keys=True)


def _empty(value: object, where: str = "") -> Iterator[str]:
    """Yield where there is null, or something empty: what is empty is left out."""
    if value is None or value in ("", [], {}):
        yield f"{where or 'the body'} is {value!r}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _empty(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _empty(inner, where)


def _is_foreign(name: str) -> bool:
    """Whether an attribute or a path is of an extension that scim2-models does not know."""
    return name.startswith("urn:") and not name.startswith((ENTERPRISE, USER, GROUP))


@cache
def _model(kind: str) -> Any:
    from scim2_models import EnterpriseUser, Group, User

    return User[EnterpriseUser] if kind == "Users" else Group
