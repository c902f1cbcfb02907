"""Every AWS call of the code under test: counted, noted, and broken where a test says so.

A fault belongs to one call, retries included:

    before   the process dies before the call
    after    the process dies once the call has taken effect
    lost     the call takes effect, its answer is lost, and botocore tries again by itself
    mute     the same, but no try is ever answered: the caller cannot know the outcome
    down     no try reaches the service
    busy     the service refuses the call for now

Three traps. `Crash` is no `Exception`, or botocore would take it for something to retry. The handler
that loses answers comes last on exactly `before-send`: on `before-send.*` it would run before moto,
and the call would never take effect. And `before-call` comes once a call, whatever the retries.
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
    return lambda call: kinds.get(call.number)


class _Current(threading.local):
    """The call that a thread is in."""

    kind: str | None = None
    sent: int = 0


class Wire:
    """The clients under test, seen from behind.

    `plan` says what becomes of each call; `on_call`, where given, is told of each before it is made.
    """

    def __init__(self, *clients: BaseClient) -> None:
        self.plan: Plan = nothing
        self.on_call: Callable[[Call], None] | None = None
        self.calls: list[Call] = []
        self._current = _Current()
        for client in clients:
            events = client.meta.events
            events.register("before-call", self._before_call)
            events.register_first("before-send", self._before_send)
            events.register_last("before-send", self._after_send)
            events.register("after-call", self._after_call)

    def _before_call(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        service = model.service_model.service_name
        call = Call(len(self.calls) + 1, service, model.name, json.loads(params["body"]))
        self.calls.append(call)
        if self.on_call:
            self.on_call(call)
        self._current.kind, self._current.sent = self.plan(call), 0
        match self._current.kind:
            case "before":
                raise Crash(f"before call {call.number}")
            case "busy":
                code = "RequestThrottled" if service == "sqs" else "ProvisionedThroughputExceededException"
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


class _Refused:
    status_code = 400
