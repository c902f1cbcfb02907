"""An organization with a Salesforce of its own, and the import's handler against both."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
import roster_query
import scheduled_import
import user_change_worker
from muster import bootstrap
from muster.adapters.aws import change_queue
from muster.runs.run import Run
from muster.webhook.messages import QueuedChange, QueuedMessage
from tests.salesforce_in_process import SalesforceInProcess, salesforce_in_process
from tests.simulation.strict_aws import strict

SALES = {
    "name": "Sales",
    "filter": "Department = 'Sales'",
    "seats": ["gong"],
    "workspaces": {"EMEA": "Team member"},
    "data_capture": {"record_web_conferences": "enabled", "import_emails": "prevented"},
}
SUPPORT = {"name": "Support", "filter": "Department = 'Support'", "update_mode": "manual", "seats": ["gong"]}


@dataclass
class Company:
    """Acme: what its admins can do, and what they see."""

    salesforce: SalesforceInProcess
    aws: SimpleNamespace
    context: LambdaContext
    document: dict[str, Any] = field(default_factory=dict)

    def put(self, **sections: Any) -> dict[str, Any]:
        """Save settings with these sections changed."""
        self.document = {**self.document, **copy.deepcopy(sections)}
        said: dict[str, Any] = organization_settings.handler(
            {"organization": "acme", "action": "put", "by": "jane", "settings": self.document}, self.context
        )
        return said

    def run(self, mode: str | None = "full", **event: Any) -> dict[str, Any]:
        """Invoke the import; raises what it raises."""
        asked = {"organization": "acme", **({"mode": mode} if mode else {}), **event}
        said: dict[str, Any] = scheduled_import.handler(asked, self.context)
        return said

    def hear(self, *users: dict[str, str]) -> int:
        """Have the worker follow one outbound message of these users; returns how many messages come back."""
        changes = tuple(
            QueuedChange(f"04l{number:012d}AAA", fields) for number, fields in enumerate(users, 1)
        )
        message = QueuedMessage("acme", "salesforce", datetime.now(UTC), changes)
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
        """Return every member by CRM id."""
        members, _ = bootstrap.roster_views().members("acme", None, 500, None)
        return {member.crm["salesforce"]["id"] or "": member.to_json() for member in members}

    def active(self) -> set[str]:
        """Return the CRM ids of the active members."""
        return {crm_id for crm_id, member in self.roster().items() if member["active"]}

    def items(self) -> list[dict[str, Any]]:
        """Return everything in the table that is the roster's: no runs, leases, error log or receipts."""
        found = self.aws.dynamodb.scan(TableName="roster")["Items"]
        apart, passing = ("#RUNS", "#ERRORS"), ("LEASE", "IMPORT", "WEBHOOK_RECEIVED")
        return sorted(
            (
                item
                for item in found
                if not item["pk"]["S"].endswith(apart) and item["sk"]["S"] not in passing
            ),
            key=lambda item: (item["pk"]["S"], item["sk"]["S"]),
        )

    def errors(self) -> list[dict[str, Any]]:
        """Return the error log, newest first."""
        entries, _ = bootstrap.roster_views().errors("acme", 100, None)
        return entries

    def history(self, crm_id: str) -> list[dict[str, Any]]:
        """Return a member's history, newest first."""
        entries, _ = bootstrap.roster_views().history("acme", self.roster()[crm_id]["id"], 100, None)
        return entries


@pytest.fixture(autouse=True)
def _strict(aws: SimpleNamespace) -> Iterator[None]:
    """Make moto as strict as AWS, which is quicker, too."""
    with strict() as rules:
        rules.page_size = 1_000  # tests look at the table with one scan
        yield


@pytest.fixture
def now() -> SimpleNamespace:
    """Return Salesforce's clock; a test moves it."""
    return SimpleNamespace(time=datetime.now(UTC))


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return what moves the functions' clock on; Salesforce's stays where it is."""
    passed = timedelta()
    clock = SimpleNamespace(now=lambda zone: datetime.now(zone) + passed)

    def move(by: timedelta) -> None:
        nonlocal passed
        passed += by

    for function in (scheduled_import, user_change_worker):
        monkeypatch.setattr(function, "datetime", clock)
    return move


def metrics(printed: str) -> dict[str, float]:
    """Return the metrics that were printed, added up by name."""
    found: dict[str, float] = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for each in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in each["Metrics"]:
                name = metric["Name"]
                found[name] = found.get(name, 0) + sum(document[name])
    return found


@pytest.fixture
def company(aws: SimpleNamespace, context: LambdaContext, now: SimpleNamespace) -> Iterator[Company]:
    """Return Acme, with two assignments and five seats; nobody works there yet."""
    with salesforce_in_process(lambda: now.time) as salesforce:
        boto3.client("secretsmanager").create_secret(
            Name="muster/acme/salesforce", SecretString=salesforce.secret
        )
        acme = Company(salesforce, aws, context)
        acme.have_seconds(900)
        said = acme.put(
            organization="acme",
            connections={"salesforce": salesforce.connection},
            auto_provision={"require_call_center": False},
            seats={"gong": {"limit": 5}},
            seat_required={"record_web_conferences": "gong"},
            assignments=[SALES, SUPPORT],
        )
        assert said["status"] == "succeeded", said
        yield acme


# Whatever takes something from more than one member has to be approved.
STRICT = {"floor": 1, "count": 0, "percent": 0}


@pytest.fixture
def guarded(company: Company) -> Company:
    """Return Acme with a strict guard; six are in Sales and six in Support, and all hold a seat."""
    company.salesforce.create_many(12, Department=["Sales", "Support"], Division=["G"])
    own = {"seats": [{"field": "Division", "map": {"G": "gong"}}], "update_mode": "automatic"}
    guests = {"name": "Guests", "filter": "Department = 'Guests'"}
    company.put(guard=STRICT, seats={"gong": {}}, assignments=[SALES | own, SUPPORT | own, guests | own])
    assert company.run()["counts"] == {"created": 12}
    return company
