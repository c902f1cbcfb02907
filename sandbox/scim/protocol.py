"""A call and its answer as the quirks see them: parsed, and of HTTP only what matters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scim2_models import SCIMException
from werkzeug.datastructures import Headers

BASE = "/scim/v2"
SCIM_JSON = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GONG = "urn:ietf:params:scim:schemas:extension:Gong:2.0:User"
KINDS = {"Users": "User", "Groups": "Group"}
DISCOVERY = ("ServiceProviderConfig", "ServiceProviderConfigs", "ResourceTypes", "Schemas")

type Json = dict[str, Any]


@dataclass
class Call:
    """One call: `endpoint` is Users, Groups or another first part of the path, `id` the part after it."""

    method: str
    endpoint: str
    id: str | None
    query: dict[str, str]
    headers: Headers
    body: Any
    raw: bytes  # the body where it is not JSON
    base_url: str
    no_effect: bool = False
    success: int | None = None  # the status that a success has, where it is not the usual one
    version: str | None = None  # of the resource before the call
    doubled: list[str] = field(default_factory=list)  # members added who are members already

    @property
    def kind(self) -> str | None:
        """User or Group, or None where it is about neither."""
        return KINDS.get(self.endpoint)

    @property
    def is_list(self) -> bool:
        """Whether it asks for a list of users or groups."""
        return self.method == "GET" and self.kind is not None and self.id is None

    @property
    def path(self) -> str:
        """The path below the base."""
        return "/" + "/".join(part for part in (self.endpoint, self.id) if part)

    @property
    def creates(self) -> bool:
        """Whether it makes a user or group."""
        return self.method == "POST" and self.kind is not None and self.id is None

    @property
    def object(self) -> Json:
        """The body, where it is an object."""
        return self.body if isinstance(self.body, dict) else {}

    def operations(self) -> list[Json]:
        """Return the operations of a PATCH; none where they are not well formed."""
        if self.method != "PATCH":
            return []
        found = next((value for key, value in self.object.items() if key.casefold() == "operations"), None)
        given = found if isinstance(found, list) else []
        return [each for each in given if isinstance(each, dict)]


@dataclass
class Answer:
    """What is answered: an object to be sent as JSON, a text as it is, or nothing."""

    status: int
    body: Json | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = SCIM_JSON

    @property
    def rows(self) -> list[Json]:
        """The resources that it shows."""
        if not isinstance(self.body, dict) or self.status >= 400:
            return []
        if "Resources" in self.body:
            return list(self.body["Resources"])
        return [self.body] if "id" in self.body else []


class Refused(SCIMException):
    """A call that is answered with an error, whatever the server itself makes of it."""

    def __init__(self, status: int, detail: str, scim_type: str = "") -> None:
        """Take what the error says."""
        super().__init__(detail=detail)
        self.status, self.scim_type = status, scim_type

    @property
    def answer(self) -> "Answer":
        """The answer that says so."""
        return Answer(self.status, error(self.status, self.detail, self.scim_type))


def error(status: int, detail: str, scim_type: str = "") -> Json:
    """Return the body of an error."""
    kind = {"scimType": scim_type} if scim_type else {}
    return {"schemas": [ERROR], "status": str(status), **kind, "detail": detail}


def attribute_of(path: str) -> str:
    """Return the attribute that a path begins with: `emails` for `emails[type eq "work"].value`."""
    plain = re.split(r"[\[]", path)[0]
    plain = plain.rpartition(":")[2] if plain.casefold().startswith("urn:") else plain
    return plain.split(".")[0]


def is_about(path: str, name: str) -> bool:
    """Whether a path begins with this attribute, in whatever case."""
    return attribute_of(path).casefold() == name.casefold()


def touched(operation: Json) -> Iterator[str]:
    """Yield the attributes that an operation of a PATCH names, those inside an extension included."""
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and not path.endswith(":User"):
        yield attribute_of(path)
        return
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key.casefold().startswith("urn:") and isinstance(inner, dict):
            yield from inner
        else:
            yield attribute_of(key)


def member_ids(value: object) -> list[str]:
    """Return the ids in a list of members; one member may come without a list."""
    members = value if isinstance(value, list) else [value]
    return [str(each["value"]) for each in members if isinstance(each, dict) and "value" in each]


def primary_email(user: Json) -> str | None:
    """Return the address that is marked as primary, else the first."""
    emails = user.get("emails") or []
    chosen = next((each for each in emails if each.get("primary")), emails[0] if emails else {})
    value = chosen.get("value")
    return str(value) if value is not None else None


def is_active(user: Json) -> bool:
    """Whether a user may log in; who was made without `active` may."""
    return user.get("active") is not False
