"""The functions of a stack found and invoked: by CloudFormation, STS and Lambda, each event once."""

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pytest

from muster_cli.asking import DeployedFunctions
from muster_cli.deployment import Deployment
from muster_cli.failures import Failure

QUERY = "RosterQueryFunction"
ANSWER = {"status": "succeeded", "organization": "acme", "message": "Well."}
SESSION = boto3.Session(
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",  # noqa: S106
)


type Reply = Callable[[BaseHTTPRequestHandler], None]


def answers(body: object, **headers: str) -> Reply:
    """Return what answers an invocation with that, as Lambda does."""

    def reply(request: BaseHTTPRequestHandler) -> None:
        payload = json.dumps(body).encode()
        request.send_response(200)
        for name, value in {"x-amzn-RequestId": "request-1", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    return reply


def says(status: int, document: str) -> Reply:
    """Return what answers a question to CloudFormation or STS with that XML."""

    def reply(request: BaseHTTPRequestHandler) -> None:
        payload = document.encode()
        request.send_response(status)
        request.send_header("Content-Type", "text/xml")
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    return reply


def refuses(status: int, code: str) -> Reply:
    """Return what refuses an invocation."""

    def reply(request: BaseHTTPRequestHandler) -> None:
        payload = json.dumps({"message": "No.", "__type": code}).encode()
        request.send_response(status)
        request.send_header("x-amzn-ErrorType", code)
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    return reply


def loses(request: BaseHTTPRequestHandler) -> None:
    """Break the connection off before the answer."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()


def breaks_off(request: BaseHTTPRequestHandler) -> None:
    """Break the connection off in the middle of the answer."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"status": "suc')
    request.wfile.flush()
    loses(request)


@contextmanager
def aws_that(reply: Reply) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of an AWS that replies so, and the bodies that have come to it."""
    bodies: list[bytes] = []

    class Aws(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.close_connection = True
            reply(self)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def finish(self) -> None:
            """Take it that a connection may be gone."""
            try:
                super().finish()
            except (OSError, ValueError):
                return

    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", bodies
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def lambda_that(reply: Reply) -> Iterator[tuple[DeployedFunctions, list[bytes]]]:
    """Yield the functions of a stack whose Lambda replies so, and the events that have come to it."""
    with aws_that(reply) as (address, bodies):
        yield DeployedFunctions(Deployment("muster", SESSION, address, {QUERY: "query"})), bodies


FOUND = """<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>muster</StackName>
<StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-11-20T08:15:31Z</CreationTime><Outputs>
<member><OutputKey>RosterQueryFunction</OutputKey><OutputValue>muster-RosterQuery-0a1b</OutputValue></member>
<member><OutputKey>RosterTable</OutputKey><OutputValue>roster</OutputValue></member>
</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
NOT_THERE = """<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>
<Message>Stack with id mustre does not exist</Message></Error></ErrorResponse>"""
DENIED = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>not authorized to perform: cloudformation:DescribeStacks</Message></Error></ErrorResponse>"""
JANE = """<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/Admin/jane@acme.example</Arn>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_functions_are_found_in_the_outputs_of_the_stack() -> None:
    with aws_that(says(200, FOUND)) as (address, bodies):
        found = Deployment("muster", SESSION, address)
        assert found.function(QUERY) == "muster-RosterQuery-0a1b"
        with pytest.raises(Failure, match="The stack muster has no output PreflightFunction"):
            found.function("PreflightFunction")
        assert dict(found.functions) == {QUERY: "muster-RosterQuery-0a1b"}
    [asked] = bodies
    assert b"StackName=muster" in asked


@pytest.mark.parametrize(
    ("document", "message", "remedy"),
    [
        (NOT_THERE, "There is no stack mustre in us-east-1.", "Say which it is with --stack"),
        (DENIED, "AWS does not let you do this: not authorized", "AdministratorsPolicy"),
    ],
    ids=["not there", "denied"],
)
def test_a_stack_that_is_not_found_is_told(document: str, message: str, remedy: str) -> None:
    with aws_that(says(400, document)) as (address, _), pytest.raises(Failure) as told:
        Deployment("mustre", SESSION, address).function(QUERY)

    assert message in told.value.message
    assert remedy in told.value.remedy


def test_who_asks_is_the_aws_identity_in_use() -> None:
    with aws_that(says(200, JANE)) as (address, _):
        functions = DeployedFunctions(Deployment("muster", SESSION, address))
        assert functions.caller == "jane@acme.example"


def test_an_event_is_answered() -> None:
    with lambda_that(answers(ANSWER)) as (functions, events):
        assert functions.ask(QUERY, {"organization": "acme", "why": "Łódź"}) == ANSWER
    assert [json.loads(event) for event in events] == [{"organization": "acme", "why": "Łódź"}]


FAULT = {
    "errorType": "Misconfigured",
    "errorMessage": "no secret muster/acme",
    "stackTrace": ["x"],
}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (loses, "RosterQueryFunction has not answered"),
        (breaks_off, "RosterQueryFunction has not answered"),
        (refuses(429, "TooManyRequestsException"), "AWS refused: No."),
        (refuses(500, "ServiceException"), "AWS refused: No."),
        (refuses(403, "AccessDeniedException"), "AWS does not let you do this: No."),
        (refuses(403, "ExpiredTokenException"), "AWS does not accept your credentials: No."),
        (
            answers(FAULT, X_Amz_Function_Error="Unhandled"),
            "RosterQueryFunction failed: Misconfigured: no secret muster/acme (request request-1)",
        ),
        (answers(["what"]), "does not answer as a function of Muster"),
    ],
    ids=["lost", "broken off", "throttled", "fault of AWS", "denied", "expired", "fault", "another function"],
)
def test_whatever_becomes_of_an_event_it_is_sent_once(reply: Reply, said: str) -> None:
    with lambda_that(reply) as (functions, events), pytest.raises(Failure) as told:
        functions.ask(QUERY, {"organization": "acme"})

    assert said in told.value.message
    assert len(events) == 1


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    functions = DeployedFunctions(Deployment("muster", SESSION, f"http://127.0.0.1:{port}", {QUERY: "query"}))

    with pytest.raises(Failure, match="AWS cannot be asked"):
        functions.ask(QUERY, {})
