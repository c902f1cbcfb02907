"""Builds outbound messages, and the events that API Gateway makes of them, for the tests."""

import base64
import json
from pathlib import Path
from typing import Any

ORGANIZATION_ID = "00D000000000062EAA"
ACTION_ID = "04k000000000001AAA"
TOKEN = "tests-must-know-the-token-to-get-in-as-well"  # noqa: S105 - of the tests' own organization
SAMPLE = json.loads((Path(__file__).parents[2] / "events" / "outbound_user_webhook.json").read_text())

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

HEAD = (
    f"<OrganizationId>{ORGANIZATION_ID}</OrganizationId><ActionId>{ACTION_ID}</ActionId>"
    '<SessionId xsi:nil="true"/><EnterpriseUrl>https://a.example/c</EnterpriseUrl>'
    "<PartnerUrl>https://a.example/u</PartnerUrl>"
)
FIELDS = (
    "<sf:Id>005000000000001AAA</sf:Id><sf:IsActive>true</sf:IsActive>"
    "<sf:LastName>Lovelace</sf:LastName><sf:SystemModstamp>2026-11-20T08:15:31.000Z</sf:SystemModstamp>"
)
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def record(fields: str = FIELDS, attributes: str = 'xsi:type="sf:User"') -> str:
    return f'<sObject {attributes} xmlns:sf="{SOBJECT}">{fields}</sObject>'


def notification(content: str | None = None, number: int = 1) -> str:
    content = record() if content is None else content
    return f"<Notification><Id>04l00000000{number:04}AAA</Id>{content}</Notification>"


def message(notifications: str | None = None, *, head: str = HEAD, prolog: str = DECLARATION) -> str:
    notifications = notification() if notifications is None else notifications
    return (
        f'{prolog}<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsi="{XSI}"><soapenv:Body>'
        f'<notifications xmlns="{OUTBOUND}">{head}{notifications}</notifications>'
        "</soapenv:Body></soapenv:Envelope>"
    )


def user(fields: str) -> str:
    return message(notification(record(fields)))


def event(body: bytes | str | None, /, **changed: Any) -> dict[str, Any]:
    """Return the event for a body: bytes travel in Base64, as the API is set up, a string as it is."""
    event: dict[str, Any] = SAMPLE | called("acme", TOKEN)
    event["isBase64Encoded"] = isinstance(body, bytes)
    event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event | changed


def called(organization: str, token: str, provider: str = "salesforce") -> dict[str, Any]:
    """Return what an event says of the address that was called."""
    return {
        "pathParameters": {"organization": organization, "provider": provider},
        "queryStringParameters": {"token": token},
        "multiValueQueryStringParameters": {"token": [token]},
    }


def long_message(records: int) -> dict[str, Any]:
    """Return the event for a message of 30 KB a record."""
    content = record(FIELDS + f"<sf:A>{'x' * 30_000}</sf:A>")
    return event(message("".join(notification(content, number) for number in range(records))).encode())
