"""A stand-in for the webhook: keeps what it gets and answers as it is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from tests.doubles.strict_message import Message, read_message

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class Answer:
    """How to answer one message; `before` runs first."""

    status: str = "200 OK"
    body: bytes = ACK
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml; charset=utf-8"),)
    before: Callable[[], object] | None = None


@dataclass(frozen=True)
class Received:
    """One POST that came in."""

    method: str
    content_type: str
    soap_action: str
    body: bytes
    message: Message


class Receiver:
    """A WSGI application; `answers` are used up first, then every message is acknowledged."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.received: list[Received] = []
        self._changed = Condition()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        received = Received(
            environ["REQUEST_METHOD"],
            environ.get("CONTENT_TYPE", ""),
            environ.get("HTTP_SOAPACTION", ""),
            body,
            read_message(body),
        )
        with self._changed:
            self.received.append(received)
            answer = self.answers.pop(0) if self.answers else Answer()
            self._changed.notify_all()
        if answer.before is not None:
            answer.before()
        start_response(answer.status, list(answer.headers))
        return [answer.body]

    def wait(self, count: int, seconds: float = 10) -> list[Received]:
        """Waits for so many messages and answers all that came."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.received) >= count, seconds)
            assert arrived, f"{len(self.received)} messages came, {count} were expected"
            return list(self.received)

    def messages(self, count: int) -> list[Message]:
        """Waits for exactly so many messages."""
        received = self.wait(count)
        assert len(received) == count
        return [each.message for each in received]

    def wait_for_notifications(self, count: int, seconds: float = 10) -> list[Message]:
        """Waits for so many notifications, in however many messages."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._notifications() >= count, seconds)
            assert arrived, f"{self._notifications()} notifications came, {count} were expected"
            return [each.message for each in self.received]

    def _notifications(self) -> int:
        return sum(len(each.message.notifications) for each in self.received)
