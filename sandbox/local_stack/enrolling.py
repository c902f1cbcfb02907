"""Makes the organization `acme` and points the sandbox's outbound message at its webhook, as admins do."""

import json
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.local_stack.deploying import MAIL_FROM
from sandbox.local_stack.stack import ORGANIZATION, LocalStack


def enrol(stack: LocalStack, salesforce_organization_id: str) -> str:
    """Save credentials and settings of the organization, set up Salesforce, return the webhook's URL.

    Raises RuntimeError if Muster refuses the settings, requests.HTTPError if the sandbox refuses the message.
    """
    # What an admin does in AWS before the first settings, which are checked against Salesforce itself.
    for connection, credentials in stack.facts["credentials"].items():
        stack.client("secretsmanager").create_secret(
            Name=f"muster/{ORGANIZATION}/{connection}", SecretString=json.dumps(credentials)
        )
    stack.client("sesv2").create_email_identity(EmailIdentity=MAIL_FROM)
    settings: dict[str, Any] = {
        "organization": ORGANIZATION,
        "time_zone": "Europe/London",
        "connections": {
            "salesforce": {
                "host": urlsplit(stack.salesforce).netloc,
                "organization_id": salesforce_organization_id,
            },
            # No Engage feature is managed, so nothing is pushed unless somebody asks for it.
            "vault_crm": {"host": urlsplit(stack.vault_crm).netloc},
        },
    }
    who_and_why = {"by": "local-stack@acme.example", "why": "the local stack starts"}
    saved = stack.invoke("OrganizationSettingsFunction", action="put", settings=settings, **who_and_why)
    if saved["status"] != "succeeded":
        raise RuntimeError(f"OrganizationSettingsFunction answered {saved}")
    effective = stack.invoke("OrganizationSettingsFunction", action="get")["effective"]["auto_provision"]
    message = {
        "object": "User",
        "url": saved["webhook"]["url"],
        "fields": [*effective["fields"], *effective["custom_fields"]],
    }
    requests.put(f"{stack.salesforce}/sandbox/outbound-message", json=message, timeout=30).raise_for_status()
    return str(saved["webhook"]["url"])
