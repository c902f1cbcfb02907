"""Commands to paste, with the stack's own values, for who keeps it (KEEP=1)."""

import json
from typing import Any

from rich.console import Console

from sandbox.demo.licences import KEY_ACCOUNTS
from sandbox.local_stack.salesforce_admin import API, SalesforceAdmin
from sandbox.local_stack.stack import APP, ORGANIZATION, LocalStack


def show(stack: LocalStack, console: Console) -> None:
    """Print what can be tried."""
    console.print("\n[bold]It stays up. Try it by hand:[/bold]")
    for what, command in commands(stack).items():
        # As plain text, in one line, so that it can be copied.
        console.print(f"{what}:")
        print(f"  {command}")


def commands(stack: LocalStack) -> dict[str, str]:
    """Return what can be tried, and the command for a shell that does it."""
    salesforce = SalesforceAdmin(stack)
    [user] = salesforce.query(
        "SELECT Id, Name, Username FROM User WHERE Title = 'Account Executive' AND Country = 'GB'"
        " AND IsActive = true ORDER BY Name LIMIT 1"
    )
    promoted = json.dumps({"Title": "Sales Manager"})
    return {
        f"Promote {user['Name']} in Salesforce": (
            f"curl -s -X PATCH -H 'Authorization: Bearer {salesforce.token}'"
            f" -H 'Content-Type: application/json' -d '{promoted}'"
            f" {stack.salesforce}{API}/sobjects/User/{user['Id']}"
        ),
        f"Ask Muster why {user['Name']} has what they have": _invoke(
            stack, "RosterQueryFunction", action="explain", member=user["Username"]
        ),
        "Check the connections": _invoke(stack, "PreflightFunction"),
        "See whether every link from Salesforce to Muster holds": _invoke(
            stack, "WebhookSetupFunction", action="status"
        ),
        "List who is in the roster": _invoke(stack, "RosterQueryFunction", action="list"),
        "Import everyone now": _invoke(stack, "ScheduledImportFunction", mode="full", by="you@acme.example"),
        f"Put {user['Name']} into a group of Engage": _invoke(
            stack,
            "GroupAssignmentFunction",
            by="you@acme.example",
            requests=[
                {"member": user["Username"], "action": "assign", "feature": "engage", "group": KEY_ACCOUNTS}
            ],
        ),
        "Push what is pending to Vault CRM": _invoke(stack, "ScheduledPushFunction", by="you@acme.example"),
        "See the groups of the Engage server": f"curl -s {stack.vault_crm}/sandbox/engage/engage/groups",
        "Push to the app": _invoke(
            stack, "ScheduledPushFunction", connections=[f"scim.{APP}"], by="you@acme.example"
        ),
        "See who is in the app, also as a page at its address": f"curl -s {stack.app}/sandbox/directory",
        "See the settings": _invoke(stack, "OrganizationSettingsFunction", action="get"),
        "Send a forged message": f"curl -s -i -d '<x/>' '{stack.webhook_url.partition('?')[0]}?token=guess'",
        "End it": f"make down STACK={stack.folder.name}",
    }


def _invoke(stack: LocalStack, function: str, **event: Any) -> str:
    address = (
        f"{stack.facts['endpoint_url']}/2015-03-31/functions/{stack.facts['functions'][function]}/invocations"
    )
    sent = json.dumps({"organization": ORGANIZATION, **event})
    return (
        f"curl -s --aws-sigv4 aws:amz:{stack.facts['region']}:lambda --user test:test -d '{sent}' {address}"
    )
