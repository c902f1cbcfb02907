"""A small week at acme on a stack of its own: what the ten questions are asked about (Q5).

Thirteen people, by name: eight in field sales, two of them hired in the week, four in support, three of
them hired in the week, and one whom no assignment takes. All goes through the public doors.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox import company
from sandbox.company import Person
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.vault_admin import VaultAdmin
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S

type Answer = dict[str, Any]

# Two who look after Muster; neither may approve what they began themselves.
JANE, OMAR = "jane@acme.example", "omar@acme.example"
GROUP, ONLINE = "UK Field Force", "UK Remote"
PROMOTED = "Senior Account Executive"
SECTIONS: Answer = {
    "domains": {"primary": company.DOMAIN, "company": [company.DOMAIN]},
    "auto_provision": {"require_call_center": False},
    "seats": {"gong": {"limit": 6}, "forecast": {"limit": 1, "requires": ["gong"]}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [
        {
            "name": "Field sales",
            "filter": "Department = 'Sales'",
            "seats": ["gong", {"field": "Extra_Seat__c", "map": {"Forecast": "forecast"}}],
            "workspaces": {"EMEA": "Team member"},
            "data_capture": {"record_web_conferences": "enabled"},
            "engage": {"group": GROUP},
        },
        {
            "name": "Support",
            "filter": "Department = 'Support'",
            "update_mode": "manual",
            "seats": ["gong"],
            "data_capture": {"record_web_conferences": "enabled"},
        },
    ],
    # Whoever leaves for another reason than Salesforce's own waits for a word; three may lose what they have.
    "guard": {
        "floor": 0,
        "percent": 10,
        "operations": {"revoke": {"floor": 3}},
        "second_person": True,
    },
}

_GRACE = Person("Grace", "Hopper", "Sales Manager", "Sales", "Sales", "GB")
_HUGH = Person("Hugh", "Finch", "Support Manager", "Support", "Service", "GB")
_REP, _AGENT = replace(_GRACE, title="Account Executive"), replace(_HUGH, title="Support Agent")


def _like(one: Person, first: str, last: str, manager: Person | None = None) -> Person:
    return replace(one, first_name=first, last_name=last, manager=manager.username if manager else None)


ADA = replace(_like(_REP, "Ada", "Lovelace", _GRACE), extra_seat="Forecast")
BOB, CLARA = _like(_REP, "Bob", "Stone", _GRACE), _like(_REP, "Clara", "Ng", _GRACE)
DAN, EVE = _like(_REP, "Dan", "Brook", _GRACE), _like(_REP, "Eve", "Park", _GRACE)
KIM = Person("Kim", "Lee", "Engineer", "Engineering", "Standard User", "DE")
FIRST = (_GRACE, ADA, BOB, CLARA, DAN, EVE, _HUGH, KIM)
# Hired one by one later, before anybody has said who their manager is: who is first in line is certain.
IVY, JACK, LOU = (_like(_AGENT, *name) for name in (("Ivy", "Lane"), ("Jack", "Moss"), ("Lou", "Reyes")))
FAY, GUS = (_like(_REP, *name) for name in (("Fay", "Wong"), ("Gus", "Hall")))


@dataclass
class Week:
    """What people do in the week.

    `users` are the ids in Salesforce by username; `night` is when Tuesday ended (ISO 8601), `thursday` the
    import that was approved on Thursday.
    """

    stack: LocalStack
    salesforce: SalesforceAdmin
    vault: VaultAdmin
    users: dict[str, str] = field(default_factory=dict)
    night: str = ""
    thursday: str = ""

    def staged(self) -> "Week":
        """Have the week happen, and return it."""
        self._monday_the_company_is_imported()
        self._tuesday_support_grows_and_licences_are_pushed()
        self._wednesday_people_come_go_and_move()
        self._thursday_an_import_waits_and_is_approved()
        self._friday_settings_change_and_a_group_is_asked_for()
        return self

    def settings(self) -> Answer:
        """Return the settings in force."""
        settings: Answer = self.stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
        return settings

    def question(self, **asked: Any) -> Answer:
        """Return what Muster answers to a question about the roster."""
        return self.stack.invoke("RosterQueryFunction", **asked)

    def _monday_the_company_is_imported(self) -> None:
        self.salesforce.delivery(hold=True)
        self._hire(*FIRST)
        settings = self.settings()
        settings["connections"]["vault_crm"] |= {
            "manage_features": ["engage", "engage_connect"],
            "match": "email",
        }
        why = "Field sales and support"
        self._done("OrganizationSettingsFunction", action="put", settings=settings | SECTIONS, why=why)
        self._done("WebhookSetupFunction", action="refresh")
        self.vault.settle(0)
        self.vault.put_group(GROUP, 4)
        self.vault.put_group(ONLINE, None, feature="engage_connect")
        people = [each for each in FIRST if each is not KIM]
        ids = dict(zip(people, self.vault.create_users(map(_in_vault, people)), strict=True))
        self.vault.set_up_in_connect(ids[_HUGH], done=False)
        outcomes = self.stack.run_state_machine("ScheduledImport", mode="full")["organizations"]
        assert [each["status"] for each in outcomes] == ["succeeded"], outcomes
        self.salesforce.delivery(hold=False)
        self._settle()

    def _tuesday_support_grows_and_licences_are_pushed(self) -> None:
        for person in (IVY, JACK, LOU):
            self._join(person)
        request = {
            "member": _HUGH.username,
            "action": "assign",
            "feature": "engage_connect",
            "group": ONLINE,
        }
        self._done("GroupAssignmentFunction", requests=[request])
        self._push()

    def _wednesday_people_come_go_and_move(self) -> None:
        self.night = datetime.now(UTC).isoformat()
        for person in (FAY, GUS):
            self._join(person)
        self._change(BOB, IsActive=False)
        self._change(CLARA, Title=PROMOTED, Extra_Seat__c="Forecast")
        edit = {"member": JACK.username, "data_capture": {"record_web_conferences": "prevented"}}
        self._done("MemberSettingsFunction", changes=[edit])

    def _thursday_an_import_waits_and_is_approved(self) -> None:
        for person in (DAN, EVE):
            self._change(person, Department="Marketing")
        parked = self.stack.invoke("ScheduledImportFunction", mode="incremental", by=JANE)
        assert parked["status"] == "parked", parked
        self.thursday = parked["run_id"]
        self._done("ScheduledImportFunction", approve=self.thursday, by=OMAR)
        self._push()

    def _friday_settings_change_and_a_group_is_asked_for(self) -> None:
        settings = self.settings()
        settings["seats"]["gong"]["limit"] = 7
        self._done("OrganizationSettingsFunction", action="put", settings=settings, why="One more was bought")
        self._done("ScheduledImportFunction", mode="incremental")
        request = {"member": IVY.username, "action": "assign", "feature": "engage", "group": GROUP}
        self._done("GroupAssignmentFunction", requests=[request])

    def _done(self, function: str, **event: Any) -> Answer:
        """Invoke a function as Jane does, unless the event says otherwise; it has to succeed."""
        said = self.stack.invoke(function, **{"by": JANE, **event})
        assert said["status"] == "succeeded", said
        return said

    def _push(self) -> None:
        """Push as the schedule does; somebody is refused something each time."""
        outcomes = self.stack.run_state_machine("ScheduledPush")["organizations"]
        assert [each["status"] for each in outcomes] == ["succeeded_with_errors"], outcomes

    def _hire(self, *people: Person) -> None:
        hired = company.load(self.stack, people)
        assert len(hired) == len(people)
        self.users |= hired

    def _join(self, person: Person) -> None:
        """Have somebody come, and let the message about them arrive."""
        self.vault.create_users([_in_vault(person)])
        self._hire(person)
        self._settle()

    def _change(self, person: Person, **fields: Any) -> None:
        """Change somebody in Salesforce, and let the message about it arrive."""
        self.salesforce.change_user(self.users[person.username], **fields)
        self._settle()

    def _settle(self) -> None:
        wait_until(self.stack.is_settled, "everything delivered and applied", seconds=PATIENCE_S)


def _in_vault(person: Person) -> dict[str, str]:
    return {
        "username__sys": person.username,
        "email__sys": person.username,
        "first_name__sys": str(person.first_name),
        "last_name__sys": person.last_name,
    }
