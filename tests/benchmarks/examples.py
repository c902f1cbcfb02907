"""What the benchmarks work on: a full outbound message, and the settings it is received under."""

import json
from typing import Any

from muster.adapters.aws import webhook_registry
from muster.webhook import tokens
from muster.webhook.tokens import Token, WebhookRegistration
from tests.doubles import outbound_messages
from tests.simulation.harness import messages
from tests.simulation.harness.messages import Notification, user

NOTIFICATIONS = 100
FIELDS = 27
TOKEN = tokens.issue()
# Fields of User beyond those of the settings' default list, up to the number that was measured with.
_MORE = {
    "Alias": "ada",
    "City": "London",
    "CompanyName": "Acme",
    "Country": "GB",
    "CreatedDate": "2024-01-02T09:30:00.000Z",
    "Department": "Sales",
    "EmployeeNumber": "1001",
    "Region__c": "EMEA",
}
SETTINGS: dict[str, Any] = {
    "organization": "acme",
    "auto_provision": {"read_back": False},
    "connections": {
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": outbound_messages.ORGANIZATION_ID}
    },
}


def users(second: int, **fields: str | None) -> list[dict[str, str]]:
    """Return a message's worth of different users as of that second."""
    people = []
    for number in range(NOTIFICATIONS):
        own = {
            "Id": f"005000000000{number:03d}AAA",
            "Username": f"u{number}@acme.example",
            "Email": f"u{number}@acme.example",
        }
        people.append({**user(second, **{**own, **fields}), **_MORE})
    return [dict(list(fields.items())[:FIELDS]) for fields in people]


def body() -> bytes:
    """Return an outbound message of a hundred notifications with 27 fields each."""
    found = [Notification(f"04l000000000{number:03d}AAA", fields) for number, fields in enumerate(users(1))]
    return messages.body(found)


def webhook_item() -> dict[str, Any]:
    """Return the item that says who may call."""
    registration = WebhookRegistration(outbound_messages.ORGANIZATION_ID, (), (Token(tokens.digest(TOKEN)),))
    return webhook_registry.to_item("acme", registration, 1)


def settings_item() -> dict[str, Any]:
    """Return the item of the settings in force."""
    doc = {"settings": SETTINGS, "by": "jane", "at": "2024-05-06T08:00:00+00:00", "why": "", "attempt": ""}
    return {
        "pk": {"S": "ORG#acme"},
        "sk": {"S": "SETTINGS"},
        "version": {"N": "1"},
        "doc": {"S": json.dumps(doc)},
    }
