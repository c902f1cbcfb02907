"""Makes a sandbox misbehave on demand, and counts the calls it received.

Every sandbox uses it as it is. A fault is a rule over a path prefix:

    {"path": "/services/data", "fault": "status", "status": 503, "after": 0, "count": 1}

fault        the caller sees                                             the call takes effect
status       an error of the system's own shape, `status` (503)          no
delay        the true answer, `delay_s` (2) seconds later                yes, after the delay
truncate     the true headers and half of the body, then a hang-up       yes (no body: nothing at all is sent)
html         a login page of a proxy, `status` (200)                     no
empty        `status` (200) and no body                                  no
expire       whatever follows from every session having just ended       as the system decides
lose_answer  a hang-up instead of an answer                              yes

`after` calls to the prefix pass first, then `count` calls are hit. The first rule that is due hits a call.
Where a system has `CallFault`s of its own, `method` makes a rule about calls of that method only.

A system adds faults of its own. Some answer a call themselves, or tell the system through the WSGI
environment what to do wrong (`CallFault`). Others change what a true answer says (`AnswerFaults`): only
answers that such a fault can change count as calls to it, and only if no rule of the other kinds hit them.

The paths under `/sandbox/` are the sandbox's own: never hit, never counted, open to this machine only.
"""

import dataclasses
import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # waitress ships no types
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL = "/sandbox/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KINDS = ("status", "delay", "truncate", "html", "empty", "expire", "lose_answer")
KEYS = ("path", "fault", "status", "delay_s", "after", "count")
FIELD = "field"  # a key of those faults that are about one field of an answer
OWN_KEYS = (
    "method",
    "error",
    "rows",
    "record",
)  # keys where a system has faults of its own that act on calls
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


@dataclass
class Fault:
    """One rule: what happens to which calls. None and the empty text stand for the fault's own default."""

    path: str
    fault: str
    method: str | None = None
    status: int | None = None
    delay_s: float = 2.0
    after: int = 0
    count: int = 1
    field: str = ""
    error: str = ""
    rows: int = 1
    record: str = ""
    seen: int = 0
    hit: int = 0
    lifted: Event = dataclasses.field(default_factory=Event)

    def is_about(self, method: str, path: str) -> bool:
        """Whether a call counts for this rule."""
        return path.startswith(self.path) and self.method in {None, method}

    def due(self) -> bool:
        """Whether the call just seen is one to hit."""
        return self.seen > self.after and self.hit < self.count

    def as_json(self) -> dict[str, Any]:
        """Return the rule and how often it was hit so far."""
        optional = {"method": self.method, FIELD: self.field, "error": self.error}
        given = {key: value for key, value in optional.items() if value}
        return {key: getattr(self, key) for key in (*KEYS, "hit")} | given


@dataclass(frozen=True)
class AnswerFaults:
    """The faults of one system that change what its JSON answers say.

    `parts` finds the parts of an answer that they apply to; `kinds` are the faults by name: each changes a
    part in place, and is given the rule's `field`, which the faults in `about_a_field` need and others lack.
    """

    parts: Callable[[Any], list[Any]]
    kinds: Mapping[str, Callable[[Any, str], None]]
    about_a_field: Collection[str] = ()


# A fault that acts on the call: it answers itself, or marks the WSGI environment and returns None.
type CallFault = Callable[[Fault, "WSGIEnvironment"], Response | None]


class FaultSwitch:
    """The faults that are switched on and the calls received, for one sandbox.

    `error_page` gives the content type and body of an error in the system's own shape, for a path and a
    status; `expire_sessions` ends every session. `answer_faults` and `call_faults` are the system's own.
    """

    def __init__(
        self,
        error_page: Callable[[str, int], tuple[str, bytes]],
        expire_sessions: Callable[[], None],
        *answer_faults: AnswerFaults,
        call_faults: Mapping[str, CallFault] | None = None,
    ) -> None:
        """Start with no faults and nothing counted."""
        self._error_page = error_page
        self._expire_sessions = expire_sessions
        self._answer_faults = answer_faults
        self._call_faults = call_faults or {}
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._calls: Counter[tuple[str, str, int | None]] = Counter()

    def put(self, rules: object) -> list[dict[str, Any]]:
        """Replace all faults; an empty list clears them and let delayed calls go on at once.

        Raises ValueError, saying what is allowed.
        """
        if not isinstance(rules, list):
            raise ValueError("the body must be a list of faults, an empty one to clear them")
        faults = [_read(rule, self._answer_faults, self._call_faults) for rule in rules]
        with self._lock:
            for fault in self._faults:
                fault.lifted.set()
            self._faults = faults
        return self.faults()

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are switched on, each with how often it was hit."""
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls received: method, path, status (None where no answer was sent) and count."""
        with self._lock:
            return [
                {"method": method, "path": path, "status": status, "count": count}
                for (method, path, status), count in self._calls.items()
            ]

    def reset(self) -> None:
        """Clear the faults and the count of calls."""
        self.put([])
        with self._lock:
            self._calls.clear()

    def wrap(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the application with the faults in front of it.

        To hang up on a caller it raises waitress' ClientDisconnected, at once or in the middle of a body.
        """

        def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if path.startswith(CONTROL):
                if not _is_local(environ):
                    return Response("Only from this machine.", 403)(environ, start_response)
                return app(environ, start_response)
            method = environ["REQUEST_METHOD"]
            fault = self._take(method, path, (*KINDS, *self._call_faults))
            answer = self._answer(app, environ, path, fault)
            if fault is None:
                self._change(method, path, answer)
            lost = fault is not None and fault.fault == "lose_answer"
            with self._lock:
                self._calls[method, path, None if lost else answer.status_code] += 1
            if lost:
                raise ClientDisconnected  # waitress hangs up without a word
            if fault is not None and fault.fault == "truncate":
                return _truncated(answer, environ, start_response)
            return answer(environ, start_response)

        return application

    def _take(self, method: str, path: str, kinds: Collection[str]) -> Fault | None:
        taken = None
        with self._lock:
            for fault in self._faults:
                if fault.fault in kinds and fault.is_about(method, path):
                    fault.seen += 1
                    if taken is None and fault.due():
                        fault.hit += 1
                        taken = fault
        return taken

    def _answer(
        self, app: "WSGIApplication", environ: "WSGIEnvironment", path: str, fault: Fault | None
    ) -> Response:
        match fault:
            case Fault(fault="status"):
                status = fault.status or 503
                content_type, body = self._error_page(path, status)
                return Response(body, status, content_type=content_type)
            case Fault(fault="html"):
                return Response(LOGIN_PAGE, fault.status or 200, content_type="text/html; charset=utf-8")
            case Fault(fault="empty"):
                return Response(b"", fault.status or 200)
            case Fault(fault="delay"):
                fault.lifted.wait(fault.delay_s)
            case Fault(fault="expire"):
                self._expire_sessions()
            case Fault(fault=kind) if kind in self._call_faults:
                given = self._call_faults[kind](fault, environ)
                if given is not None:
                    return given
        return Response.from_app(app, environ, buffered=True)

    def _change(self, method: str, path: str, answer: Response) -> None:
        """Let a fault that is due change what the answer says."""
        with self._lock:
            waiting = {each.fault for each in self._faults if each.is_about(method, path)}
        if waiting <= {*KINDS, *self._call_faults} or answer.status_code != 200 or not answer.is_json:
            return
        content = answer.get_json()
        for faults in self._answer_faults:
            parts = faults.parts(content)
            fault = self._take(method, path, faults.kinds) if parts else None
            if fault is not None:
                for part in parts:
                    faults.kinds[fault.fault](part, fault.field)
                answer.set_data(json.dumps(content))


def _is_local(environ: "WSGIEnvironment") -> bool:
    address = environ.get("REMOTE_ADDR")  # none where the caller is in this process
    return address is None or ipaddress.ip_address(address).is_loopback


def _truncated(
    answer: Response, environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterator[bytes]:
    body = answer.get_data()
    status, headers = answer.status, answer.get_wsgi_headers(environ).to_wsgi_list()  # with the whole length
    start_response(status, headers)
    yield body[: len(body) // 2]
    raise ClientDisconnected


def _read(
    rule: object, answer_faults: Collection[AnswerFaults], call_faults: Mapping[str, CallFault]
) -> Fault:
    about_a_field = [kind for faults in answer_faults for kind in faults.about_a_field]
    kinds = (*KINDS, *call_faults, *(kind for faults in answer_faults for kind in faults.kinds))
    keys = (*KEYS, *OWN_KEYS) if call_faults else KEYS
    allowed = f"a fault is an object with {', '.join(keys)}; fault is one of {', '.join(kinds)}"
    if not isinstance(rule, dict) or not set(rule) <= {*keys, FIELD}:
        raise ValueError(allowed)
    kind = rule.get("fault")
    if kind not in kinds:
        raise ValueError(f"unknown fault; {allowed}")
    path = rule.get("path")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith(CONTROL):
        raise ValueError(f"path is the beginning of a path, as in /services/data, and not under {CONTROL}")
    _check_values(rule)
    if kind in about_a_field:
        if not isinstance(rule.get(FIELD), str) or not rule[FIELD]:
            raise ValueError(f"{kind} needs field, the name of a field, as in Email")
    elif FIELD in rule:
        takes = ", ".join(about_a_field) or "no fault here"
        raise ValueError(f"field goes with {takes}, not with {kind}")
    return Fault(**rule)


def _check_values(rule: Mapping[str, Any]) -> None:
    for key, least in (("status", 200), ("delay_s", 0), ("after", 0), ("count", 1), ("rows", 1)):
        number = rule.get(key, least)
        numbers = (int, float) if key == "delay_s" else (int,)
        if isinstance(number, bool) or not isinstance(number, numbers) or number < least:
            raise ValueError(f"{key} is a number of at least {least}")
    if rule.get("status", 200) > 599:
        raise ValueError("status is a number of at most 599")
    if not isinstance(rule.get("error", ""), str):
        raise ValueError("error is the type of an error, as in INVALID_SESSION_ID")
    if not isinstance(rule.get("record", ""), str):
        raise ValueError("record is the id of a record")
    if rule.get("method") is not None and rule["method"] not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}")


def controls(switch: FaultSwitch, reset: Callable[[], None]) -> Blueprint:
    """Return the paths that every sandbox has: `/sandbox/reset`, `/sandbox/faults` and `/sandbox/requests`.

    `reset` clears the sandbox's own data.
    """
    paths = Blueprint("controls", __name__, url_prefix=CONTROL)

    @paths.post("/reset")
    def reset_all() -> Any:
        switch.reset()
        reset()
        return jsonify(status="reset")

    @paths.get("/faults")
    def list_faults() -> Any:
        return jsonify(switch.faults())

    @paths.post("/faults")
    def put_faults() -> Any:
        try:
            return jsonify(switch.put(request.get_json(force=True, silent=True)))
        except ValueError as error:
            return jsonify(error=str(error)), 400

    @paths.get("/requests")
    def list_requests() -> Any:
        return jsonify(switch.calls())

    return paths
