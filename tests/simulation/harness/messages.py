"""Outbound messages of the simulated Salesforce: which users they carry, and their bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests import examples
from tests.doubles import outbound_messages
from tests.doubles.outbound_messages import HEAD, ORGANIZATION_ID

__all__ = ["ORGANIZATION_ID", "Notification", "about", "api_event", "body", "user"]

NO_SESSION = '<SessionId xsi:nil="true"/>'


@dataclass(frozen=True, slots=True)
class Notification:
    """One record of an outbound message; without `fields` it was deleted before delivery."""

    id: str
    fields: Mapping[str, str]
    object: str = "User"


def user(second: int = 31, **fields: str | None) -> dict[str, str]:
    """Return the example user as of that second, long enough ago for any clock this may run under."""
    moment = f"2024-05-06T08:15:{second:02d}.000Z"
    return examples.user(second, **{"SystemModstamp": moment, "LastModifiedDate": moment, **fields})


def about(fields: Mapping[str, str]) -> Notification:
    """Return the notification of a user's change; its id is made of the user and the second."""
    return Notification(f"04l00000000{fields['Id'][13:15]}{fields['SystemModstamp'][17:19]}AAA", fields)


def body(notifications: Iterable[Notification], session: str | None = None) -> bytes:
    """Return the body of an outbound message."""
    head = HEAD if session is None else HEAD.replace(NO_SESSION, f"<SessionId>{session}</SessionId>")
    return outbound_messages.message("".join(map(_xml, notifications)), head=head).encode()


def api_event(organization: str, token: str, content: bytes) -> dict[str, Any]:
    """Return what API Gateway hands the webhook."""
    return outbound_messages.event(
        content,
        pathParameters={"organization": organization, "provider": "salesforce"},
        queryStringParameters={"token": token},
        multiValueQueryStringParameters={"token": [token]},
    )


def _xml(notification: Notification) -> str:
    fields = "".join(f"<sf:{name}>{escape(value)}</sf:{name}>" for name, value in notification.fields.items())
    record = outbound_messages.record(fields, f'xsi:type="sf:{notification.object}"')
    return f"<Notification><Id>{notification.id}</Id>{record}</Notification>"
