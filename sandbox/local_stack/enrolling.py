"""Makes the organization `acme`, and has Muster install its webhook in Salesforce, as admins do."""

import json
from typing import Any
from urllib.parse import urlsplit

from sandbox.local_stack.deploying import MAIL_FROM
from sandbox.local_stack.stack import ORGANIZATION, LocalStack

_BY = "local-stack@acme.example"


def enrol(stack: LocalStack, salesforce_organization_id: str) -> str:
    """Save credentials and settings of the organization, return the webhook's URL.

    Raises RuntimeError if Muster refuses the settings.
    """
    # What an admin does in AWS before the first settings, which are checked against Salesforce itself.
    for connection, credentials in stack.facts["credentials"].items():
        stack.client("secretsmanager").create_secret(
            Name=secret_name(connection), SecretString=json.dumps(credentials)
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
    who_and_why = {"by": _BY, "why": "the local stack starts"}
    saved = stack.invoke("OrganizationSettingsFunction", action="put", settings=settings, **who_and_why)
    if saved["status"] != "succeeded":
        raise RuntimeError(f"OrganizationSettingsFunction answered {saved}")
    return str(saved["webhook"]["url"])


def install_webhook(stack: LocalStack) -> None:
    """Have Muster put its outbound message and its flow into Salesforce.

    Raises RuntimeError, with Muster's answer, unless every link from there to here holds then.
    """
    said = stack.invoke("WebhookSetupFunction", action="install", by=_BY)
    if said["status"] != "succeeded":
        raise RuntimeError(f"WebhookSetupFunction answered {said}")


def secret_name(connection: str) -> str:
    """Return where the organization's credentials for a connection are kept."""
    return f"muster/{ORGANIZATION}/{connection}"
