"""Every call of the code under test, to AWS or a sandbox: counted, noted, and broken where a test says so.

A fault belongs to one call, retries included:

    before   the process dies before the call
    after    the process dies once the call has taken effect
    lost     the call takes effect, its answer is lost, and the client tries again by itself
    mute     the same, but no try is ever answered: the caller cannot know the outcome
    down     no try reaches the service
    busy     the service refuses the call for now
    gone     the answer is lost, and from then on nothing reaches the service

`http_wire` brings the calls to sandboxes here; for those to AWS there are three traps. `Crash` is
no `Exception`, or botocore would take it for something to retry. The handler that loses answers comes
last on exactly `before-send`: on `before-send.*` it would run before moto, and the call would never take
effect. And `before-call` comes once a call, whatever the retries.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

DEATHS = ("before", "after")
SWEPT = ("before", "after", "lost")
KINDS = (*SWEPT, "mute", "down", "busy")
GONE = "gone"

_PARAMETERS = "parameters_of_the_call"
_BUSY = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "sqs": "RequestThrottled",
}


class Crash(BaseException):
    """The execution environment is gone: no handler, no `finally` of a later call, no answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the code under test made it; `number` counts from 1."""

    number: int
    service: str
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to happen to the call of that number."""

    call: int
    kind: str


type Plan = Callable[[Call], str | None]


def nothing(_: Call) -> None:
    """Break no call."""


def these(*faults: Fault) -> Plan:
    """Break these calls and no others."""
    kinds = {fault.call: fault.kind for fault in faults}
    gone: set[str] = set()

    def plan(call: Call) -> str | None:
        if kinds.get(call.number) == GONE:
            gone.add(call.service)
            return "lost"
        return kinds.get(call.number) or ("down" if call.service in gone else None)

    return plan


class _Current(threading.local):
    """The call to AWS that a thread is in."""

    kind: str | None = None
    sent: int = 0


class Wire:
    """The clients under test, seen from behind; `watch` adds one.

    `plan` says what becomes of each call; `on_call`, where given, is called before each is made.
    """

    def __init__(self, *clients: BaseClient) -> None:
        self.plan: Plan = nothing
        self.on_call: Callable[[Call], None] | None = None
        self.calls: list[Call] = []
        self._current = _Current()
        for client in clients:
            self.watch(client)

    def watch(self, client: BaseClient) -> None:
        """Have a client's calls pass through here."""
        events = client.meta.events
        events.register("provide-client-params", _keep_parameters)
        events.register("before-call", self._before_call)
        events.register_first("before-send", self._before_send)
        events.register_last("before-send", self._after_send)
        events.register("after-call", self._after_call)

    def begin(self, service: str, operation: str, parameters: dict[str, Any]) -> str | None:
        """Note a call and return what is to become of it; raises `Crash` where it is not to begin at all."""
        call = Call(len(self.calls) + 1, service, operation, parameters)
        self.calls.append(call)
        if self.on_call:
            self.on_call(call)
        kind = self.plan(call)
        if kind == "before":
            raise Crash(f"before call {call.number}")
        return kind

    def _before_call(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        service = model.service_model.service_name
        is_json = isinstance(params["body"], bytes | str) and service != "s3"
        parameters = json.loads(params["body"]) if is_json else params["context"][_PARAMETERS]
        self._current.kind, self._current.sent = self.begin(service, model.name, parameters), 0
        if self._current.kind == "busy":
            code = _BUSY.get(service, "ThrottlingException")
            return _Refused(), {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {}}
        return None

    def _before_send(self, request: Any, **_: Any) -> None:
        if self._current.kind == "down":
            raise ConnectTimeoutError(endpoint_url=request.url)

    def _after_send(self, request: Any, **_: Any) -> None:
        self._current.sent += 1
        if self._current.kind == "mute" or (self._current.kind == "lost" and self._current.sent == 1):
            raise ReadTimeoutError(endpoint_url=request.url)

    def _after_call(self, **_: Any) -> None:
        if self._current.kind == "after":
            raise Crash("after a call")


def _keep_parameters(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # S3 takes them apart into path, headers and body.
    context[_PARAMETERS] = {name: value for name, value in params.items() if name != "Body"}


class _Refused:
    status_code = 400
