"""Acme's Salesforce as far as it sends users to Muster, and WebhookSetupFunction asked by an admin (U7).

setup.begin()                   settings saved, nothing in Salesforce yet
setup.ask("install")            what an admin sends
setup.held()                    the token of the address that Salesforce sends to at this moment
setup.moment()                  how to make everything as it was, in AWS and in Salesforce
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import organization_settings
import webhook_setup
from muster.adapters.aws import webhook_registry
from muster.errors import MusterError
from muster.webhook import tokens
from muster.webhook.tokens import Token
from tests.doubles.metadata_packages import manifest, outbound_message, workflow, zipped
from tests.simulation.harness import quick_moto
from tests.simulation.harness.faults import Call
from tests.simulation.harness.subject import DIED, Moment, Said, Watch
from tests.simulation.harness.world import Violation, World

NAME = "Muster_acme"
ENDPOINT = (
    "https://api.example.com/v2/features/agent-auto-provision/organizations/acme/integrations/salesforce"
    "/webhook"
)
# How long a claim holds at most, and as long as an admin waits before asking again.
A_CLAIM = timedelta(minutes=20)
A_MINUTE = timedelta(minutes=1)
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class SetupCompany:
    """One organization in a world, whose Salesforce can be set up."""

    def __init__(self, world: World) -> None:
        """Take the world; `begin` has to come first."""
        self.world = world
        self.document: Said = {}

    # ── What happens ─────────────────────────────────────────────────────────────────────────────

    def begin(self, **sections: Any) -> None:
        """Begin anew: settings are saved, and Salesforce has neither message nor flow."""
        salesforce = self.world.salesforce
        salesforce.call("POST", "/sandbox/custom-fields", {"name": "Area__c", "type": "Text", "length": 20})
        self.document = {
            "organization": "acme",
            "connections": {"salesforce": salesforce.before_the_webhook},
            **sections,
        }
        self.world.reset(self.document)

    def ask(self, action: str, **event: Any) -> Said:
        """Invoke WebhookSetupFunction as an admin; one that died answers the status "died"."""
        signed = {} if action == "status" else {"by": "jane@acme.example"}
        asked = {"organization": "acme", "action": action, **signed, **event}
        said = self.world.invoke("WebhookSetupFunction", webhook_setup.handler, asked, MusterError)
        if found := _SECRET.search(json.dumps(said)):
            raise Violation(f"an answer holds what may be a token or its digest: {found[0][:4]}…")
        return DIED if said is None else said

    def settings(self, action: str, **event: Any) -> Said:
        """Invoke OrganizationSettingsFunction as an admin."""
        asked = {"organization": "acme", "action": action, "by": "joe@acme.example", **event}
        handler = organization_settings.handler
        said = self.world.invoke("OrganizationSettingsFunction", handler, asked, MusterError)
        return DIED if said is None else said

    def put(self, **sections: Any) -> Said:
        """Save settings with these sections changed."""
        self.document = {**self.document, **sections}
        return self.settings("put", settings=self.document)

    def control(self, path: str, **body: Any) -> None:
        """Tell Salesforce how to be."""
        self.world.salesforce.call("PUT", f"/sandbox/{path}", body)

    def change_message(self, *fields: str) -> None:
        """Change the fields of the outbound message, as an admin does in Salesforce."""
        message = self.message()
        assert message is not None
        changed = outbound_message(
            message["endpointUrl"], message["integrationUser"], *fields, fullName=NAME, name=NAME
        )
        files = {
            "package.xml": manifest(("WorkflowOutboundMessage", f"User.{NAME}")),
            "workflows/User.workflow": workflow(changed),
        }
        result = self.world.salesforce.deploy(zipped(files))
        assert result["success"] is True, result

    # ── What there is ────────────────────────────────────────────────────────────────────────────

    def message(self) -> Said | None:
        """Return what Salesforce holds of the outbound message."""
        rows = self.world.salesforce_rows(
            'SELECT Metadata FROM "WorkflowOutboundMessage" WHERE Name = ?', NAME
        )
        found: Said | None = json.loads(str(rows[0][0])) if rows else None
        return found

    def held(self) -> str | None:
        """Return the token that Salesforce sends with, `None` where it sends nothing to this stack."""
        message = self.message()
        base, _, token = (message["endpointUrl"] if message else "").partition("?token=")
        return token if base == ENDPOINT else None

    def flow(self) -> tuple[Said | None, int]:
        """Return what the flow's version that runs does, `None` where none runs, and how many there are."""
        rows = self.world.salesforce_rows(
            'SELECT Metadata, Status FROM "Flow" WHERE DefinitionId ='
            ' (SELECT Id FROM "FlowDefinition" WHERE DeveloperName = ?) ORDER BY VersionNumber',
            NAME,
        )
        running = [json.loads(str(metadata)) for metadata, status in rows if status == "Active"]
        return (running[0] if running else None), len(rows)

    def deployments(self) -> int:
        """Return how many deployments Salesforce has taken."""
        [(count,)] = self.world.salesforce_rows("SELECT count(*) FROM deploy_request")
        assert isinstance(count, int)
        return count

    def registered(self) -> tuple[Token, ...]:
        """Return the tokens of those who may call."""
        item = _item("WEBHOOK#acme", "WEBHOOK")
        return webhook_registry.from_item(item).tokens if item else ()

    def recorded(self) -> Said:
        """Return what is recorded of the latest setup, nothing where there was none."""
        item = _item("ORG#acme", "WEBHOOK_SETUP")
        found: Said = json.loads(item["doc"]["S"]) if item else {}
        return found

    def lasting(self) -> set[str]:
        """Return the digests of the tokens that are accepted without an end."""
        return {token.sha256 for token in self.registered() if token.expires_at is None}

    def accepts(self, token: str, at: datetime | None = None) -> bool:
        """Tell whether the webhook takes a token."""
        return tokens.matches(token, self.registered(), at or self.world.clock.moment)

    # ── Going back ───────────────────────────────────────────────────────────────────────────────

    def moment(self) -> Moment:
        """Return how to make everything what it is now, in AWS and in Salesforce's setup."""
        world, document = self.world.moment(), dict(self.document)

        def go_back() -> None:
            world()
            self.document = dict(document)

        return go_back


def _item(partition: str, sort: str) -> Said | None:
    """Return a row of the table, read past everything that watches the functions' calls."""
    item = quick_moto.dynamodb().get_item("roster", {"pk": {"S": partition}, "sk": {"S": sort}})
    found: Said | None = item.to_json()["Attributes"] if item else None
    return found


class SetupWatch(Watch):
    """Looks between any two calls: whatever Salesforce sends at this moment is accepted (W3).

    A token that gave way to another one in Salesforce is accepted for two days more, for Salesforce goes
    on trying its old address with what is queued.
    """

    def __init__(self, setup: SetupCompany, *, forgets: bool = False) -> None:
        """Watch from now on; with `forgets`, tokens that gave way may end at once, as by rotating twice."""
        self._setup, self._forgets = setup, forgets
        self._held = setup.held()
        # Token that was in use → when it no longer was.
        self._replaced: dict[str, datetime] = {}

    def __call__(self, _: Call | None = None) -> None:
        setup, held, now = self._setup, self._setup.held(), self._setup.world.clock.moment
        if self._held and held and held != self._held and not self._forgets:
            self._replaced[self._held] = now
            self._replaced.pop(held, None)
        self._held = held
        if held and not setup.accepts(held):
            raise Violation("what Salesforce sends is refused")
        for token, since in self._replaced.items() if held else ():
            if now < since + tokens.OVERLAP and not setup.accepts(token):
                raise Violation("what Salesforce has sent before, and tries again, is refused")

    def at_the_end(self) -> None:
        """Look at what is to come, too; raises `Violation`."""
        self()
        for token, since in self._replaced.items() if self._held else ():
            if not self._setup.accepts(token, since + tokens.OVERLAP - A_MINUTE):
                raise Violation("a token that was in use ends before Salesforce stops trying with it")
            if self._setup.accepts(token, since + 10 * tokens.OVERLAP):
                raise Violation("a token that is not in use any more has no end")
