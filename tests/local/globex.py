"""Globex: a company of 61 people, an organization of its own over the same Salesforce as acme."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import company
from sandbox.company import CONTRACTORS_DOMAIN, DOMAIN, PARTNERS_DOMAIN, Person
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack, Mail
from sandbox.local_stack.waiting import wait_until
from tests.local import conftest
from tests.local.conftest import PATIENCE_S, People, Roster

type Answer = dict[str, Any]
type Rows = dict[tuple[str, str], Any]

GLOBEX = "globex"
MESSAGE = "Globex"
ADMIN = "hank@globex.example"
EVERYONE = company.people(1)
# Fewer than are wanted, so that there is a line for each.
LIMITS = {"gong": 28, "forecast": 2}
SECTIONS: Answer = {
    "domains": {"primary": DOMAIN, "company": [DOMAIN], "additional": [CONTRACTORS_DOMAIN]},
    "seats": {
        "gong": {"limit": LIMITS["gong"]},
        "forecast": {"limit": LIMITS["forecast"], "requires": ["gong"]},
    },
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [
        {
            "name": "Contractors",
            "filter": f"Email LIKE '%@{CONTRACTORS_DOMAIN}'",
            "require_call_center": False,
            "data_capture": {"record_web_conferences": "prevented"},
        },
        {
            "name": "Field sales",
            "filter": "Profile.Name = 'Sales' AND Country IN ('DE', 'GB') AND Department = 'Sales'",
            "require_call_center": False,
            "seats": ["gong", {"field": "Extra_Seat__c", "map": {"Forecast": "forecast"}}],
            "workspaces": {"EMEA": {"field": "Title", "map": {"Sales Manager": "Manager"}}},
            "data_capture": {
                "record_web_conferences": "enabled",
                "import_emails": {
                    "field": "Import_Emails__c",
                    "map": {"true": "enabled", "false": "prevented"},
                },
            },
        },
        {
            "name": "Support",
            "filter": "Department = 'Support'",
            "update_mode": "manual",
            "seats": ["gong"],
            "data_capture": {"record_web_conferences": "enabled"},
        },
        {
            "name": "Visitors",  # those whom a test makes for itself; they want no seats
            "filter": "Department = 'Visitors'",
            "require_call_center": False,
            "data_capture": {"import_emails": "enabled"},
        },
    ],
    "managers": {"notify": True, "may_toggle_capture": True},
}


def assignment_of(person: Person) -> str | None:
    """Return the assignment that a person should get by what they are, `None` for who is left out."""
    if not person.is_active or not person.first_name or person.domain == PARTNERS_DOMAIN:
        return None
    if person.domain == CONTRACTORS_DOMAIN:
        return "Contractors"
    if person.profile == "Sales" and person.country in ("DE", "GB"):
        return "Field sales"
    return "Support" if person.department == "Support" and person.in_call_center else None


def visitor(people: People, **fields: Any) -> conftest.Person:
    """Make a user who wants no seat, and of whom acme, which wants a call center, knows nothing."""
    return people.new(Department="Visitors", CallCenterId=None, **fields)


@dataclass(frozen=True)
class Globex:
    """What the company's admins do, in Salesforce and in Muster; and how all was after the first import.

    `settings` is the document in force, `at_first` the members by username.
    """

    stack: LocalStack
    salesforce: SalesforceAdmin
    settings: Answer
    webhook_url: str = ""
    first_run: Answer = field(default_factory=dict, repr=False)
    first_mails: list[Mail] = field(default_factory=list, repr=False)
    at_first: dict[str, Answer] = field(default_factory=dict, repr=False)

    @property
    def roster(self) -> Roster:
        return Roster(self.stack, GLOBEX)

    def member(self, reference: str) -> Answer:
        member: Answer = self.roster.ask("member", member=reference)["member"]
        return member

    def members(self, *, active: bool = True) -> dict[str, Answer]:
        """Return the members by username."""
        page = self.roster.ask("list", filter={"active": active}, limit=500)
        assert page["cursor"] is None
        return {member["username"]: member for member in page["members"]}

    def of(self, assignment: str) -> list[Answer]:
        """Return the active members of an assignment by username: tests take the same people each time."""
        everyone = sorted(self.members().items())
        return [member for _, member in everyone if member["assignment"] == assignment]

    def line(self, seat: str) -> list[Answer]:
        """Return who waits for a seat."""
        line: list[Answer] = self.roster.ask("seats")["seats"][seat]["line"]
        return line

    def invoke(self, function: str, **event: Any) -> Answer:
        """Invoke a function as an admin does, unless the event says otherwise."""
        return self.stack.invoke(function, **{"organization": GLOBEX, "by": ADMIN, **event})

    def run(self, **event: Any) -> Answer:
        """Run an import as an admin does."""
        return self.invoke("ScheduledImportFunction", **event)

    def put(self, **sections: Any) -> Answer:
        """Save the settings with these sections changed."""
        settings = {**self.settings, **sections}
        return self.invoke("OrganizationSettingsFunction", action="put", settings=settings)

    def scheduled_run(self, mode: str) -> Answer:
        """Run the state machine, which imports every organization; return what became of this one."""
        outcomes = self.stack.run_state_machine("ScheduledImport", mode=mode)["organizations"]
        [outcome] = [each for each in outcomes if each["organization"] == GLOBEX]
        run: Answer = self.roster.ask("run", run_id=outcome["run_id"])["run"]
        assert run["status"] == outcome["status"]
        return run

    def change(self, members: Sequence[Answer], **fields: Any) -> None:
        """Change these members' users in Salesforce, in one call."""
        records = [{"Id": member["crm"]["salesforce"]["id"], **fields} for member in members]
        company.save(self.stack, self.salesforce, records)

    def settle(self) -> None:
        """Wait until all that Salesforce had to send has been applied."""
        wait_until(self.stack.is_settled, "everything delivered and applied", seconds=PATIENCE_S)

    def rows(self) -> Rows:
        """Return everything that the table holds of the company, but for the records of runs."""
        pages = (
            self.stack.client("dynamodb").get_paginator("scan").paginate(TableName=self.stack.facts["table"])
        )
        items = {(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page["Items"]}
        return {
            (pk, sk): item
            for (pk, sk), item in items.items()
            if pk.startswith(f"ORG#{GLOBEX}") and not pk.endswith("#RUNS") and sk not in ("LEASE", "IMPORT")
        }


@contextmanager
def imported(stack: LocalStack, salesforce: SalesforceAdmin) -> Iterator[Globex]:
    """Yield the company after its first import; messages, which none of its people came by, come from now on.

    At the end, schedules and messages are acme's alone again.
    """
    acme = stack.invoke("OrganizationSettingsFunction", action="get")
    # It has no Vault CRM.
    connections = {"salesforce": acme["settings"]["connections"]["salesforce"]}
    document = {"organization": GLOBEX, "connections": connections, **SECTIONS}
    credentials = json.dumps(stack.facts["credentials"]["salesforce"])
    stack.client("secretsmanager").create_secret(Name=f"muster/{GLOBEX}/salesforce", SecretString=credentials)
    globex = Globex(stack, salesforce, document)
    salesforce.delivery(hold=True)
    try:
        company.load(stack, EVERYONE)
        webhook_url = globex.put()["webhook"]["url"]
        mails_before = len(stack.mails())
        first_run = globex.scheduled_run("full")
        first_mails = stack.mails()[mails_before:]
        fields = acme["effective"]["auto_provision"]["fields"]
        salesforce.put_outbound_message(MESSAGE, webhook_url, fields)
        salesforce.delivery(hold=False)
        yield replace(
            globex,
            webhook_url=webhook_url,
            first_run=first_run,
            first_mails=first_mails,
            at_first=globex.members(),
        )
    finally:
        salesforce.delivery(hold=False)
        salesforce.remove_outbound_message(MESSAGE)
        globex.put(auto_provision={"enabled": False})
