"""Acme, with a Salesforce of its own: what its admins can do, and what they see."""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import organization_settings
import roster_query
import scheduled_import
import user_change_worker
from muster import bootstrap
from muster.adapters.aws import change_queue
from muster.adapters.aws.roster_keys import to_member
from muster.roster.reasons import ERASED
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.versions import StoredSettings
from muster.webhook.messages import QueuedChange, QueuedMessage
from tests.integration.beginnings import Acme
from tests.simulation.harness.strict_aws import rows_of

SALES = {
    "name": "Sales",
    "filter": "Department = 'Sales'",
    "seats": ["gong"],
    "workspaces": {"EMEA": "Team member"},
    "data_capture": {"record_web_conferences": "enabled", "import_emails": "prevented"},
}
SUPPORT = {"name": "Support", "filter": "Department = 'Support'", "update_mode": "manual", "seats": ["gong"]}
# Whatever takes something from more than one member has to be approved.
STRICT = {"floor": 1, "count": 0, "percent": 0}


@dataclass
class Company(Acme):
    """Acme as its admins see it: they save settings, start runs and look at what has become of them."""

    document: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def put(self, **sections: Any) -> dict[str, Any]:
        """Save settings with these sections changed."""
        self.document = {**self.document, **copy.deepcopy(sections)}
        said: dict[str, Any] = organization_settings.handler(
            {"organization": "acme", "action": "put", "by": "jane", "settings": self.document}, self.context
        )
        return said

    def put_and_approve(self, **sections: Any) -> dict[str, Any]:
        """Save settings with these sections changed; what waits for approval is approved."""
        said = self.put(**sections)
        if said["status"] != "parked":
            return said
        event = {"organization": "acme", "action": "approve", "run_id": said["run_id"], "by": "joe"}
        approved: dict[str, Any] = organization_settings.handler(event, self.context)
        assert approved["saved"], approved
        return approved

    def run(self, mode: str | None = "full", **event: Any) -> dict[str, Any]:
        """Invoke the import; raises what it raises."""
        asked = {"organization": "acme", "by": "jane", **({"mode": mode} if mode else {}), **event}
        said: dict[str, Any] = scheduled_import.handler(asked, self.context)
        return said

    def hear(self, *users: dict[str, str], received_at: datetime | None = None) -> int:
        """Have the worker follow one outbound message of these users; returns how many messages come back.

        It was taken in now, by the worker's clock, unless `received_at` says otherwise.
        """
        # Nothing comes twice: what was followed before would not be followed again.
        changes = tuple(QueuedChange(f"04l{next(self.numbers):012d}AAA", fields) for fields in users)
        now: datetime = user_change_worker.datetime.now(UTC)  # type: ignore[attr-defined]
        message = QueuedMessage("acme", "salesforce", received_at or now, changes)
        records = [
            {"messageId": str(number), "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(change_queue.encode(message))
        ]
        answer = user_change_worker.handler({"Records": records}, self.context)
        return len(answer["batchItemFailures"])

    def ask(self, action: str, **event: Any) -> dict[str, Any]:
        """Ask RosterQueryFunction."""
        asked = {"organization": "acme", "action": action, **event}
        said: dict[str, Any] = roster_query.handler(asked, self.context)
        return said

    def have_seconds(self, *seconds: float) -> None:
        """Let this much be left of the invocation each time it is asked; at the end, the last for ever."""
        values, last = iter(seconds), seconds[-1]

        def left() -> int:
            return int(next(values, last) * 1000)

        self.context.get_remaining_time_in_millis = left  # type: ignore[method-assign]  # a test's own context

    def record(self, run_id: str) -> Run:
        """Return the record of a run."""
        run = bootstrap.run_table().run("acme", run_id)
        assert run is not None
        return run

    def latest(self) -> Run:
        """Return the record of the run that began last."""
        (run,), _ = bootstrap.run_table().runs("acme", 1, None)
        return run

    def change(self, assignment: str, number: int, **fields: Any) -> list[str]:
        """Change so many users of an assignment in Salesforce; returns their ids."""
        roster = self.roster()
        some = sorted(crm_id for crm_id, member in roster.items() if member["assignment"] == assignment)
        for crm_id in some[:number]:
            self.salesforce.update(crm_id, **fields)
        return some[:number]

    def roster(self) -> dict[str, dict[str, Any]]:
        """Return every member by CRM id; those who are erased have none."""
        members = (to_member(row) for row in rows_of("roster") if row["sk"]["S"].startswith("MEMBER#"))
        return {
            member.crm["salesforce"]["id"] or "": member.to_json()
            for member in members
            if member.inactive_reason != ERASED
        }

    def active(self) -> set[str]:
        """Return the CRM ids of the active members."""
        return {crm_id for crm_id, member in self.roster().items() if member["active"]}

    def items(self) -> list[dict[str, Any]]:
        """Return everything in the table that is the roster's: no runs, leases, error log or receipts."""
        apart = ("#RUNS", "#ERRORS")
        passing = ("LEASE", "IMPORT", "WEBHOOK_RECEIVED", "FOLLOWED", "API_CALLS", "LOSSES")
        return [
            item for item in table() if not item["pk"]["S"].endswith(apart) and item["sk"]["S"] not in passing
        ]

    def errors(self) -> list[dict[str, Any]]:
        """Return the error log, newest first."""
        return list(bootstrap.roster_views().error_log("acme"))

    def history(self, crm_id: str) -> list[dict[str, Any]]:
        """Return a member's history, newest first."""
        entries, _ = bootstrap.roster_views().history("acme", self.roster()[crm_id]["id"], 100, None)
        return entries

    def end_lease(self) -> None:
        """Let the lease of a run that died run out."""
        bootstrap._dynamodb().update_item(
            TableName="roster",
            Key={"pk": {"S": "ORG#acme"}, "sk": {"S": "LEASE"}},
            UpdateExpression="SET #until = :past",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":past": {"N": "1"}},
        )

    def snapshot(self) -> Any:
        """Return all that there is, to go back to."""
        return super().snapshot(), self.document

    def go_back_to(self, then: Any) -> None:
        """Make everything what it was."""
        everything, self.document = then
        super().go_back_to(everything)


def table() -> list[dict[str, Any]]:
    """Return everything in the table, in the order of its keys."""
    return sorted(rows_of("roster"), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def store(document: dict[str, Any]) -> Settings:
    """Store settings as the newest version, whatever Salesforce would say of them; returns them."""
    organization = document["organization"]
    current = bootstrap.settings_table().current(organization)
    stored = StoredSettings(
        organization=organization,
        version=current.version + 1 if current else 1,
        document=document,
        by="jane@acme.example",
        at="2026-11-20T08:16:00Z",
        why="",
        attempt=token_hex(),
    )
    bootstrap.settings_table().save(stored, None)
    return stored.settings
