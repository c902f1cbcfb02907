"""scim2-server behind plain calls and answers: the app as it would be without any quirk of the wire."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import orjson
from scim2_models import ResourceType, Schema, SchemaExtension, SCIMException, ScimProvider, Uniqueness
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from sandbox.scim.directory import Directory
from sandbox.scim.protocol import GONG, Answer, Call, Json
from sandbox.scim.quirks import Quirks

_USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class _Service(ScimService):
    def resource_location(self, base_url: str, resource_type: ResourceType, resource_id: str) -> str:
        return super().resource_location(base_url, resource_type, quote(resource_id, safe=""))


class Server:
    """Answers calls from a directory. What a call may not do is an answer too, never an exception."""

    def __init__(self, data: str, clock: Callable[[], datetime], quirks: Quirks) -> None:
        """Open or make the directory in an SQLite file."""
        provider = _provider()
        self.directory = Directory(data, provider, clock, quirks)
        self._service = _Service(provider)
        self._handler = ScimHandler(self._service, self.directory)

    def answer(self, call: Call) -> Answer:
        """Carry out a call."""
        request = ScimRequest(
            method=call.method,
            base_url=call.base_url,
            path=call.path,
            query=call.query,
            headers=list(call.headers.items()),
            body=call.raw if call.body is None else orjson.dumps(call.body),
        )
        try:
            response = self._handler.handle(request)
        except SCIMException as error:
            response = self._service.error_response(error)
        headers = {name: value for name, value in response.headers.items() if name != "Content-Type"}
        answer = Answer(int(response.status), response.body, headers)
        if call.endpoint == "Schemas":
            _say_that_user_names_are_unique(answer.body)
        return answer

    def read(self, call: Call) -> Json | None:
        """Return the user or group that a call is about as it is now, or None."""
        with self.directory.as_admin():
            answer = self.answer(replace(call, method="GET", body=None, raw=b"", query={}))
        return answer.body if answer.status == 200 and isinstance(answer.body, dict) else None

    def count(self, call: Call) -> int:
        """Return how many there are of what a call lists."""
        body = self.answer(replace(call, query=call.query | {"count": "0", "startIndex": "1"})).body
        return int(body["totalResults"]) if isinstance(body, dict) and "totalResults" in body else 0


@cache
def _provider() -> ScimProvider:
    schemas = load_default_schemas() | {GONG: _gong()}
    for attribute in schemas[_USER].attributes or []:
        if attribute.name == "userName":
            # The directory sees to that itself, since it can be told to take a name twice.
            attribute.uniqueness = Uniqueness.none
    types = load_default_resource_types()
    gong = SchemaExtension.model_validate({"schema": GONG, "required": False})
    types["User"].schema_extensions = [*(types["User"].schema_extensions or []), gong]
    config = load_default_service_provider_config()
    return ScimProvider.from_discovery(schemas.values(), types.values(), config=config)


def _say_that_user_names_are_unique(body: Any) -> None:
    for schema in body.get("Resources", [body]) if isinstance(body, dict) else ():
        for attribute in schema.get("attributes", ()) if schema.get("id") == _USER else ():
            if attribute["name"] == "userName":
                attribute["uniqueness"] = "server"


def _gong() -> Schema:
    """Return the extension that Gong documents for Microsoft Entra."""
    names = ("stateOrProvince", "country")
    attributes = [{"name": name, "type": "string", "multiValued": False, "required": False} for name in names]
    return Schema.model_validate({"id": GONG, "name": "Gong User", "attributes": attributes})
