"""The sandbox without a server: its WSGI application under requests, in one process and one thread."""

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # waitress ships no types
from werkzeug.wrappers import Response

from sandbox.salesforce.app import application, fault_switch
from sandbox.salesforce.organization import Organization
from tests.doubles.salesforce_over_http import new_user

HOST = "http://127.0.0.1:8123"
VERSION = f"{HOST}/services/data/v66.0"


class InProcess(BaseAdapter):
    """Hands a request of `requests` to a WSGI application, with the least that WSGI asks for."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # the options are for sockets
        url = urlsplit(str(request.url))
        body = request.body or b""
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote(url.path),
            "QUERY_STRING": url.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8123",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body.encode() if isinstance(body, str) else body),
        } | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
        try:
            answer = Response.from_app(self.app, environ, buffered=True)
        except ClientDisconnected:
            raise requests.ConnectionError(request=request) from None
        found = requests.Response()
        found.status_code = answer.status_code
        found.headers.update(answer.headers)
        found.raw = HTTPResponse(BytesIO(answer.data), preload_content=False)
        return found

    def close(self) -> None:
        pass


@pytest.fixture
def organization() -> Iterator[Organization]:
    with closing(Organization()) as organization:
        yield organization


@pytest.fixture
def http(organization: Organization) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount(HOST, InProcess(application(organization, fault_switch(organization))))
        client = organization.client
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        granted = session.post(f"{HOST}/services/oauth2/token", data=form).json()
        assert granted["instance_url"] == HOST
        session.headers["Authorization"] = f"Bearer {granted['access_token']}"
        yield session


def test_everything_works_without_a_server(http: requests.Session) -> None:
    records = [{"attributes": {"type": "User"}} | new_user() for _ in range(3)]
    created = http.post(f"{VERSION}/composite/sobjects", json={"records": records}).json()
    assert [each["success"] for each in created] == [True] * 3
    parts = [{"method": "GET", "url": "/services/data/v66.0/query?q=SELECT Id FROM User", "referenceId": "r"}]
    answer = http.post(f"{VERSION}/composite", json={"compositeRequest": parts}).json()
    found = answer["compositeResponse"][0]["body"]["records"]
    assert [each["Id"] for each in found] == [each["id"] for each in created]
    assert http.get(f"{VERSION}/query", params={"q": "SELECT Id FROM User"}).json()["totalSize"] == 3


def test_the_control_paths_are_open_to_the_own_process(http: requests.Session) -> None:
    assert http.post(f"{HOST}/sandbox/reset").json() == {"status": "reset"}
    assert http.get(f"{HOST}/sandbox/requests").json() == []


def test_a_lost_answer_is_a_hang_up(http: requests.Session) -> None:
    fault = {"path": "/services/data", "fault": "lose_answer"}
    http.post(f"{HOST}/sandbox/faults", json=[fault]).raise_for_status()
    with pytest.raises(requests.ConnectionError):
        http.post(f"{VERSION}/sobjects/User", json=new_user())
    assert http.get(f"{VERSION}/query", params={"q": "SELECT Id FROM User"}).json()["totalSize"] == 1


def test_a_faulty_answer_is_changed(http: requests.Session) -> None:
    http.post(f"{VERSION}/sobjects/User", json=new_user()).raise_for_status()
    http.post(f"{HOST}/sandbox/faults", json=[{"path": "/services/data", "fault": "no_rows"}])
    assert http.get(f"{VERSION}/query", params={"q": "SELECT Id FROM User"}).json()["totalSize"] == 0


def test_a_long_uri_is_refused_here_too(http: requests.Session) -> None:
    assert http.get(f"{VERSION}/query", params={"q": "x" * 15_000}).status_code == 400  # a wrong query
    assert http.get(f"{VERSION}/query", params={"q": "x" * 16_300}).status_code == 431  # with its headers
    assert http.get(f"{VERSION}/query", params={"q": "x" * 16_400}).status_code == 414


def test_nothing_is_sent_before_the_sender_starts(http: requests.Session, organization: Organization) -> None:
    organization.outbound_messages.install("Muster_User", "http://127.0.0.1:1/webhook", ["Email"], "User")
    http.post(f"{VERSION}/sobjects/User", json=new_user()).raise_for_status()
    report = organization.sender.report(bodies=False)
    assert (report["pending"], report["attempts"]) == (1, [])
