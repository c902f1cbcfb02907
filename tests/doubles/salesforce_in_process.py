"""A sandbox Salesforce without a socket: its WSGI application answers what `requests` would send.

    with salesforce_in_process() as org:
        org.create(FirstName="Ada", …)          a user, as through the REST API
        org.connection                          for the settings: where it is, which organization

Whoever uses `requests` in the process reaches it under the address of `connection`.
"""

import io
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # waitress ships no types
from werkzeug.test import Client, EnvironBuilder

from sandbox.faults import FaultSwitch
from sandbox.salesforce.app import application, fault_switch
from sandbox.salesforce.organization import Organization

HOST = "127.0.0.1:8001"
_numbers = itertools.count(1)


def _answer_with(answer: requests.Response, body: bytes) -> None:
    """Give an answer a body that is yet to be read."""
    answer.raw = HTTPResponse(io.BytesIO(body), preload_content=False, status=answer.status_code)


class InProcess(BaseAdapter):
    """Sends requests to a WSGI application; `before` is asked about each, and may raise."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.application = app
        self._client = Client(app)
        self.before: Callable[[requests.PreparedRequest], None] = lambda request: None
        self.after: Callable[[requests.PreparedRequest, requests.Response], None] = lambda request, answer: (
            None
        )
        self.calls: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Answer a request."""
        self.before(request)
        url = urlsplit(str(request.url))
        self.calls.append((str(request.method), url.path))
        body = request.body.encode() if isinstance(request.body, str) else request.body
        builder = EnvironBuilder(
            path=url.path,
            base_url=f"http://{url.netloc}",
            query_string=url.query,
            method=str(request.method),
            headers=list(request.headers.items()),
            data=body,
        )
        try:
            given = self._client.open(builder, buffered=True)
        except ClientDisconnected:
            raise requests.ConnectionError(request=request) from None
        answer = requests.Response()
        answer.status_code = given.status_code
        answer.headers = requests.structures.CaseInsensitiveDict(given.headers)
        _answer_with(answer, given.data)
        answer.request, answer.url = request, str(request.url)
        answer.encoding = "utf-8"
        self.after(request, answer)
        if vars(answer)["_content"] is not False:
            # Somebody has looked at the body, or put another there.
            _answer_with(answer, answer.content)
        return answer

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class SalesforceInProcess:
    """The running organization."""

    organization: Organization
    switch: FaultSwitch
    wire: InProcess
    _token: str = field(default="", init=False)

    @property
    def connection(self) -> dict[str, Any]:
        """The section `connections.salesforce` of settings, which leaves nothing to be warned of."""
        return self.before_the_webhook | {"action_ids": ["04k000000000001AAA"]}

    @property
    def before_the_webhook(self) -> dict[str, Any]:
        """The same as long as nobody knows the ActionId of an outbound message."""
        return {"host": HOST, "organization_id": self.organization.id}

    @property
    def secret(self) -> str:
        """What Secrets Manager holds."""
        client = self.organization.client
        return json.dumps({"client_id": client.client_id, "client_secret": client.client_secret})

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call a path as an admin does, past everything that watches Muster's own calls."""
        client = Client(self.wire.application)
        if not self._token:
            secret = json.loads(self.secret) | {"grant_type": "client_credentials"}
            self._token = client.post("/services/oauth2/token", data=secret).get_json()["access_token"]
        given = client.open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {self._token}"}
        )
        if given.status_code == 401:
            self._token = ""
            return self.call(method, path, body)
        assert given.status_code < 300, given.text
        return given.get_json(silent=True)

    def deploy(self, archive: bytes) -> dict[str, Any]:
        """Deploy a package of metadata; returns the result."""
        here = "/services/data/v66.0/metadata/deployRequest"
        self.call("GET", "/services/data/v66.0/limits")  # logs in, if need be
        options = json.dumps({"deployOptions": {"singlePackage": True, "rollbackOnError": True}})
        given = Client(self.wire.application).post(
            here,
            data={"json": options, "file": (io.BytesIO(archive), "deploy.zip", "application/zip")},
            headers={"Authorization": f"Bearer {self._token}"},
        )
        assert given.status_code == 201, given.text
        answer = self.call("GET", f"{here}/{given.get_json()['id']}?includeDetails=true")
        result: dict[str, Any] = answer["deployResult"]
        return result

    def create(self, **fields: Any) -> str:
        """Create an active user of the company; returns the id."""
        number = next(_numbers)
        name = fields.get("FirstName", "Ada").lower()
        user = {
            "FirstName": "Ada",
            "LastName": f"Lovelace{number}",
            "Username": f"{name}{number}@acme.example",
            "Email": f"{name}{number}@acme.example",
            "IsActive": True,
            **fields,
        }
        return str(self.call("POST", "/services/data/v66.0/sobjects/User", self._complete(user))["id"])

    def create_many(self, number: int, **fields: list[Any]) -> list[str]:
        """Create so many users; each field goes round its list of values."""
        users = [
            self._complete(
                {
                    "FirstName": f"F{each}",
                    "LastName": f"L{each}",
                    "Username": f"u{each}@acme.example",
                    "Email": f"u{each}@acme.example",
                    "IsActive": True,
                    "attributes": {"type": "User"},
                    **{name: values[each % len(values)] for name, values in fields.items()},
                }
            )
            for each in itertools.islice(_numbers, number)
        ]
        made: list[str] = []
        for some in itertools.batched(users, 200, strict=False):
            body = {"allOrNone": True, "records": some}
            made += [
                each["id"] for each in self.call("POST", "/services/data/v66.0/composite/sobjects", body)
            ]
        return made

    def update(self, crm_id: str, **fields: Any) -> None:
        """Change a user."""
        self.call("PATCH", f"/services/data/v66.0/sobjects/User/{crm_id}", fields)

    def faults(self, *faults: dict[str, Any]) -> None:
        """Misbehave so; none: behave."""
        self.call("POST", "/sandbox/faults", list(faults))

    @staticmethod
    def _complete(user: dict[str, Any]) -> dict[str, Any]:
        return {
            "Alias": "user",
            "CommunityNickname": user["Username"][:40],
            "TimeZoneSidKey": "Europe/London",
            "LocaleSidKey": "en_GB",
            "LanguageLocaleKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "ProfileId": "00e000000000003AAA",
            **user,
        }


@contextmanager
def salesforce_in_process(
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[SalesforceInProcess]:
    """Open an organization of its own, which every `requests` session of the process reaches meanwhile."""
    with (
        organization_in_process(clock) as salesforce,
        patch.object(requests.Session, "get_adapter", lambda session, url: salesforce.wire),
    ):
        yield salesforce


@contextmanager
def organization_in_process(
    clock: Callable[[], datetime], organization_id: str | None = None
) -> Iterator[SalesforceInProcess]:
    """Open an organization of its own that nobody reaches yet but through `call`."""
    organization = Organization(data=":memory:", organization_id=organization_id, delivery=None, clock=clock)
    switch = fault_switch(organization)
    try:
        yield SalesforceInProcess(organization, switch, InProcess(application(organization, switch)))
    finally:
        organization.close()
