"""Acme with a Salesforce that nothing is set up in yet, and WebhookSetupFunction against it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import webhook_setup
from muster import bootstrap
from muster.settings.versions import StoredSettings
from muster.webhook import tokens
from muster.webhook.tokens import Token, WebhookRegistration
from tests.doubles.metadata_packages import zipped
from tests.integration import beginnings

ACME = "acme"
NAME = "Muster_acme"
BASE = "https://api.example.com/v2"
ENDPOINT = f"{BASE}/features/agent-auto-provision/organizations/acme/integrations/salesforce/webhook"
TOOLING = "/services/data/v66.0/tooling"

type Answer = dict[str, Any]


@dataclass
class Acme(beginnings.Acme):
    """The organization, its Salesforce, and what WebhookSetupFunction says."""

    version: int = field(default=0, init=False)
    slept: list[float] = field(default_factory=list, init=False)

    def put(self, **sections: Any) -> None:
        """Store settings, whatever Salesforce would say of them, and with the first a token."""
        connections = {"salesforce": self.salesforce.before_the_webhook}
        document = {"organization": ACME, "connections": connections, **sections}
        self.version += 1
        stored = StoredSettings(
            ACME, self.version, document, "jane", "2026-11-21T08:00:00Z", "", str(self.version)
        )
        assert stored.settings
        first = WebhookRegistration(
            self.salesforce.organization.id, (), (Token(tokens.digest("first" * 8), issued_to="jane"),)
        )
        bootstrap.settings_table().save(stored, (None, first) if self.version == 1 else None)

    def ask(self, action: str, **event: Any) -> Answer:
        """Invoke the function as Jane; returns its answer as Lambda would."""
        signed = {} if action == "status" else {"by": "jane@acme.example"}
        said = webhook_setup.handler(
            {"organization": ACME, "action": action, **signed, **event}, self.context
        )
        answer: Answer = json.loads(json.dumps(said))
        return answer

    def control(self, path: str, body: object, method: str = "PUT") -> Any:
        """Tell the sandbox how to be."""
        return self.salesforce.call(method, f"/sandbox/{path}", body)

    def deploy(self, files: dict[str, str]) -> None:
        """Deploy a package as another tool of the org's admins does."""
        result = self.salesforce.deploy(zipped(files))
        assert result["success"] is True, result

    def message(self, name: str = NAME) -> dict[str, Any] | None:
        """Return the outbound message as Salesforce has it."""
        rows = self.tooling(f"SELECT Id, Metadata FROM WorkflowOutboundMessage WHERE Name = '{name}'")  # noqa: S608
        return rows[0]["Metadata"] | {"id": rows[0]["Id"]} if rows else None

    def versions(self) -> list[tuple[int, str]]:
        """Return number and status of each version of the flow."""
        rows = self.tooling("SELECT VersionNumber, Status FROM Flow ORDER BY VersionNumber")
        return [(row["VersionNumber"], row["Status"]) for row in rows]

    def tooling(self, soql: str) -> list[dict[str, Any]]:
        """Return the rows of a query of the Tooling API."""
        records: list[dict[str, Any]] = self.salesforce.call("GET", f"{TOOLING}/query?q={quote_plus(soql)}")[
            "records"
        ]
        return records

    def token(self) -> str:
        """Return the token in the address that Salesforce sends to."""
        message = self.message()
        assert message is not None
        return str(message["endpointUrl"]).partition("?token=")[2]

    def registration(self) -> WebhookRegistration:
        """Return who may call."""
        found = bootstrap.webhook_registry().find(ACME)
        assert found is not None
        return found

    def accepts(self, token: str, at: datetime | None = None) -> bool:
        """Tell whether the webhook takes a token."""
        return tokens.matches(token, self.registration().tokens, at or datetime.now(UTC))

    def deploys(self) -> int:
        """Return how many deployments Muster has asked for since this was asked last."""
        calls = [
            call for call in self.salesforce.wire.calls if call[0] == "POST" and "deployRequest" in call[1]
        ]
        self.salesforce.wire.calls.clear()
        return len(calls)


def links(said: Answer) -> dict[str, str]:
    """Return the result of each link of the chain."""
    for row in said["checks"]:
        assert row["found"]
        assert bool(row["remedy"]) is (row["result"] != "passed"), row
    return {row["check"]: row["result"] for row in said["checks"]}


def amiss(said: Answer) -> set[str]:
    """Return the links that do not hold."""
    return {name for name, result in links(said).items() if result in ("failed", "could_not_check")}
