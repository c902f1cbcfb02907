"""What Salesforce's setup may answer, and what is made of it: refusals, other shapes, parts (U7, P5)."""

import json
from collections.abc import Callable, Mapping
from functools import partial

import pytest
from werkzeug.wrappers import Response

from muster.adapters.salesforce.metadata_client import SalesforceMetadata
from muster.errors import (
    Misconfigured,
    MusterError,
    NotFound,
    NotServed,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from tests.doubles.metadata_packages import NAME
from tests.doubles.salesforce_host import SalesforceHost, setup_client_at
from tests.integration.adapters.salesforce.setup_examples import DEPLOYMENT, REQUESTS, TOKEN, URL

QUERY = "/services/data/v66.0/tooling/query"
FLOW_ID = "300000000000001AAA"
client_at = partial(setup_client_at, client_secret=TOKEN)


ASKS: dict[str, Callable[[SalesforceMetadata], object]] = {
    "me": lambda client: client.me(),
    "message": lambda client: client.message(NAME),
    "messages": lambda client: client.messages(),
    "flow": lambda client: client.flow(NAME),
    "deploy": lambda client: client.deploy(b"zip"),
    "deployment": lambda client: client.deployment(DEPLOYMENT),
    "cancel": lambda client: client.cancel(DEPLOYMENT),
    "activate": lambda client: client.activate(FLOW_ID, 1),
}
WRITES = ("deploy", "cancel", "activate")


def error(code: str, message: str = f"no: {URL} there") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, error("INVALID_OPERATION"), Rejected, r"token=… there"),
        (400, error("INVALID_INPUT", ""), Rejected, "is refused with INVALID_INPUT"),
        (400, error("UNABLE_TO_LOCK_ROW"), Unavailable, "UNABLE_TO_LOCK_ROW"),
        (400, error("INVALID_TYPE"), Misconfigured, "View Setup and Configuration"),
        (400, error("INSUFFICIENT_ACCESS_OR_READONLY"), Misconfigured, "View Setup and Configuration"),
        (400, "<html>Access Declined</html>", Unavailable, "400"),
        (401, error("INVALID_SESSION_ID", "Session expired"), Unavailable, "401"),
        (401, error("INVALID_SESSION_ID", "This session is not valid for use with"), Misconfigured, "scope"),
        (403, error("REQUEST_LIMIT_EXCEEDED"), Unavailable, "buy more"),
        (403, error("API_DISABLED_FOR_ORG"), Misconfigured, "API Enabled"),
        (403, error("INSUFFICIENT_ACCESS"), Misconfigured, "View Setup and Configuration"),
        (404, "<html></html>", NotServed, r"salesforce\.api_version"),
        (410, error("UNSUPPORTED_API_VERSION"), NotServed, r"salesforce\.api_version"),
        (429, "<html></html>", Unavailable, "429"),
    ],
)
def test_a_refusal_says_what_to_do_and_that_nothing_happened(
    host: SalesforceHost, ask: str, status: int, body: object, kind: type[MusterError], said: str
) -> None:
    host.say(body, status=status)
    with pytest.raises(kind, match=said) as refused:
        ASKS[ask](client_at(host))
    assert type(refused.value) is kind
    assert TOKEN not in str(refused.value)
    assert len(host.calls) == (2 if status == 401 else 1)


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(("status", "kind"), [(302, Unavailable), (308, Misconfigured)])
def test_no_redirect_is_followed(
    host: SalesforceHost, ask: str, status: int, kind: type[MusterError]
) -> None:
    host.say("", status=status, headers={"Location": f"https://{TOKEN}.example"})
    with pytest.raises(kind) as refused:
        ASKS[ask](client_at(host))
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("ask", WRITES)
@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_write_that_a_server_gave_up_on_is_of_unknown_outcome(
    host: SalesforceHost, ask: str, status: int
) -> None:
    host.say(error("UNKNOWN_EXCEPTION"), status=status, headers={"Retry-After": "7"})
    with pytest.raises(OutcomeUnknown) as lost:
        ASKS[ask](client_at(host))
    assert lost.value.retry_after == 7
    assert len(host.calls) == (2 if ask == "activate" else 1)


@pytest.mark.parametrize("ask", WRITES)
@pytest.mark.parametrize(
    "body", ["<html>", "{}", "[]", "null", '{"id": 5}', '{"id": "0Af1"}', '{"deployResult": {}}', b"\xff"]
)
def test_a_write_that_is_not_answered_as_it_should_be_is_of_unknown_outcome(
    host: SalesforceHost, ask: str, body: str | bytes
) -> None:
    host.say(body, status=201)
    with pytest.raises(OutcomeUnknown):
        ASKS[ask](client_at(host))


def test_what_is_named_and_not_there_is_told_from_a_version_that_is_not_served(host: SalesforceHost) -> None:
    host.say(error("NOT_FOUND"), status=404)
    for ask in ("deployment", "cancel", "activate"):
        with pytest.raises(NotFound):
            ASKS[ask](client_at(host))
    for ask in ("me", "message", "flow", "deploy"):
        with pytest.raises(NotServed):
            ASKS[ask](client_at(host))


def test_a_deployment_is_sent_as_the_metadata_api_takes_it(host: SalesforceHost) -> None:
    host.say({"id": DEPLOYMENT}, status=201)
    assert client_at(host).deploy(b"PK zip \r\n--", check_only=True) == DEPLOYMENT
    (call,) = host.calls
    assert (call.method, call.path) == ("POST", REQUESTS)
    with call:  # closes what it keeps of the file
        sent = call.files["file"]
        assert (sent.read(), sent.mimetype) == (b"PK zip \r\n--", "application/zip")
    assert call.form.keys() == {"json"}
    assert '"checkOnly":true' in call.form["json"]
    assert "testLevel" not in call.form["json"]
    assert b'name="json"\r\nContent-Type: application/json\r\n' in call.get_data()


def rows(*records: Mapping[str, object], **changes: object) -> Response:
    page = {"size": len(records), "totalSize": len(records), "done": True, "records": records}
    return Response(json.dumps(page | changes))


METADATA = {"endpointUrl": URL, "integrationUser": "i@acme.example", "apiVersion": 66, "fields": None}
MESSAGE = {"Id": "04k000000000001AAA", "FullName": f"User.{NAME}", "Metadata": METADATA}
OTHER = MESSAGE | {"Id": "04k000000000002AAB", "FullName": f"Account.{NAME}"}
DEFINITION = {"Id": FLOW_ID, "DeveloperName": NAME, "ActiveVersionId": None, "NamespacePrefix": None}
VERSION = {"Id": "301000000000001AAA", "VersionNumber": 1}


def test_a_message_of_another_object_with_the_same_name_is_passed_over(host: SalesforceHost) -> None:
    host.answers = [rows(OTHER, MESSAGE), rows(OTHER), rows(MESSAGE)]
    found = client_at(host).message(NAME)
    assert found is not None
    assert (found.id, found.fields, found.api_version) == (MESSAGE["Id"], (), "66.0")
    assert (found.include_session_id, found.endpoint_url) == (False, URL)
    host.answers = [rows(OTHER), rows(OTHER)]
    assert client_at(host).message(NAME) is None


def test_a_message_that_goes_while_it_is_read_is_not_there(host: SalesforceHost) -> None:
    host.answers = [rows(MESSAGE), rows()]
    assert client_at(host).message(NAME) is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"Metadata": each} for each in (None, {}, METADATA | {"endpointUrl": None})),
        *({"Metadata": METADATA | {"fields": each}} for each in ("Id", [None])),
        {"Metadata": METADATA | {"apiVersion": "66"}},
        {"Id": None},
    ],
    ids=str,
)
def test_what_is_no_message_is_unavailable(host: SalesforceHost, changes: dict[str, object]) -> None:
    host.answers = [rows(MESSAGE), rows(MESSAGE | changes)]
    with pytest.raises(Unavailable, match="not an outbound message") as unread:
        client_at(host).message(NAME)
    assert TOKEN not in str(unread.value)


@pytest.mark.parametrize("page", [{"totalSize": 2}, {"done": False, "nextRecordsUrl": f"{QUERY}/x-1"}])
def test_a_part_of_the_setup_is_not_taken_for_the_whole(
    host: SalesforceHost, page: dict[str, object]
) -> None:
    host.answers = [rows(MESSAGE, **page)]
    for ask in ("message", "flow"):
        with pytest.raises(Unavailable):
            ASKS[ask](client_at(host))


def test_a_flow_of_an_installed_package_is_passed_over(host: SalesforceHost) -> None:
    host.answers = [rows(DEFINITION | {"NamespacePrefix": "acme"})]
    assert client_at(host).flow(NAME) is None


def test_a_flow_without_versions_has_none(host: SalesforceHost) -> None:
    host.answers = [rows(DEFINITION), rows()]
    found = client_at(host).flow(NAME)
    assert found is not None
    assert (found.active_version, found.versions, found.latest, found.active) == (None, (), {}, None)


@pytest.mark.parametrize(
    "answers",
    [
        [rows(DEFINITION | {"Id": "x"})],
        [rows(DEFINITION | {"ActiveVersionId": "301000000000009AAA"}), rows(VERSION)],
        [rows(DEFINITION), rows(VERSION | {"VersionNumber": "1"})],
        [rows(DEFINITION), rows(VERSION), rows()],
        [rows(DEFINITION), rows(VERSION), rows(VERSION | {"Metadata": None})],
        [rows(DEFINITION | {"DeveloperName": None}), rows(VERSION), rows(VERSION | {"Metadata": {}})],
    ],
)
def test_what_is_no_flow_is_unavailable(host: SalesforceHost, answers: list[Response]) -> None:
    host.answers = list(answers)
    with pytest.raises(Unavailable):
        client_at(host).flow(NAME)
    assert len(host.calls) == len(answers)


@pytest.mark.parametrize("user", [{}, {"Id": "005000000000001AAA", "Username": "i@acme.example"}, []])
def test_what_is_no_user_is_unavailable(host: SalesforceHost, user: object) -> None:
    host.say(user)
    with pytest.raises(Unavailable, match="not a user"):
        client_at(host).me()
