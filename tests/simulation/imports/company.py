"""Acme: people in a Salesforce of its own, and everything that schedules, admins and messages bring about.

company.begin()                         settings saved, nobody there yet
company.hire("ada", Department="Sales") a Salesforce user; people go by their first names
company.run_import()                    what the schedule starts
company.tell("ada")                     Salesforce sends an outbound message about ada
"""

import copy
import json
from datetime import timedelta
from typing import Any

import member_settings
import organization_settings
import scheduled_import
from muster.errors import MusterError
from muster.runs.running import SCHEDULE
from tests.simulation.harness import invariants
from tests.simulation.harness.invariants import Roster
from tests.simulation.harness.messages import Notification, user
from tests.simulation.harness.strict_aws import Row
from tests.simulation.harness.subject import DIED, ENDED_WELL, Moment, Said
from tests.simulation.harness.world import GLOBEX, Violation, World

SALES = {
    "name": "Sales",
    "filter": "Department = 'Sales'",
    "seats": ["gong"],
    "workspaces": {"EMEA": "Team member"},
    "data_capture": {"record_web_conferences": "enabled", "import_emails": "prevented"},
}
SUPPORT = {"name": "Support", "filter": "Department = 'Support'", "update_mode": "manual", "seats": ["gong"]}
DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "auto_provision": {"require_call_center": False},
    "seats": {"gong": {"limit": 2}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [SALES, SUPPORT],
    "managers": {"notify": True, "may_toggle_capture": True},
}
# Longer than a lease holds, and than the time between two scheduled imports.
A_WHILE = 20
# A dead run's place is free by then, a parked one approved, and the next import has nothing left to do.
MOST_IMPORTS = 6
# Rows of runs, not of the roster.
_OF_RUNS = ("#RUNS", "#ERRORS", "#NEWCOMERS", "#OUTBOX")


class Company:
    """One company in a world."""

    def __init__(self, world: World) -> None:
        """Take the world; `begin` has to come first."""
        self.world = world
        # First name → CRM id.
        self.people: dict[str, str] = {}
        self.document: dict[str, Any] = {}
        # What there is of another organization, which nothing here concerns (I12).
        self.others: list[Row] = []

    # ── Salesforce ───────────────────────────────────────────────────────────────────────────────

    def hire(self, name: str, **fields: Any) -> str:
        """Create a user; a `manager` is named."""
        address = f"{name}@acme.example"
        values = {"FirstName": name.title(), "LastName": "Example", "Username": address, "Email": address}
        self.people[name] = self.world.salesforce.create(**{**values, **self._by_id(fields)})
        return self.people[name]

    def change(self, name: str, **fields: Any) -> None:
        """Change a user, some time after the last change."""
        self.world.clock.advance(seconds=2)
        self.world.salesforce.update(self.people[name], **self._by_id(fields))

    def leave(self, name: str) -> None:
        """Deactivate a user."""
        self.change(name, IsActive=False)

    def users(self) -> dict[str, Said]:
        """Return what Salesforce holds, by first name."""
        query = "SELECT Id, IsActive, FirstName, LastName, Title, Email, Department, ManagerId FROM User"
        path: str | None = f"/services/data/v66.0/query?q={query.replace(' ', '+')}"
        found: dict[str, Said] = {}
        while path:
            page = self.world.salesforce.call("GET", path)
            found |= {row["Id"]: row for row in page["records"]}
            path = page.get("nextRecordsUrl")
        return {name: found[crm_id] for name, crm_id in self.people.items()}

    def tell(self, *names: str) -> None:
        """Send one outbound message about these users; what it says of them is not true, only the ids are."""
        stamp = self.world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.world.post(
            Notification(
                f"04l{int(self.world.clock.moment.timestamp() * 1000) % 10**12:012}AAA",
                {"Id": self.people[name], "SystemModstamp": stamp, "IsActive": "true", "Title": "Forged"},
            )
            for name in names
        )

    def claim(self, name: str, **fields: str) -> None:
        """Send one outbound message about a user that says so, stamped as late as a message may be."""
        ahead = (self.world.clock.now() + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        address = f"{name}@acme.example"
        said = {"Id": self.people[name], "FirstName": name.title(), "LastName": "Example"}
        of_theirs = {"Username": address, "Email": address, "SystemModstamp": ahead}
        self.world.post([Notification("04l000000000099AAA", {**said, **of_theirs, **fields})])

    def _by_id(self, fields: dict[str, Any]) -> dict[str, Any]:
        manager = fields.pop("manager", "")
        if manager == "":
            return fields
        return {**fields, "ManagerId": self.people[manager] if manager else None}

    # ── Schedules and admins ─────────────────────────────────────────────────────────────────────

    def begin(self, **sections: Any) -> None:
        """Begin anew, with these sections of the settings changed and nobody there."""
        self.people.clear()
        self.world.reset(GLOBEX)
        with self.world.salesforce.organization.store.transaction() as database:
            for query in ('DELETE FROM "User"', 'DELETE FROM "UserLogin"', "DELETE FROM id_counter"):
                database.execute(query)
            # The first id is the integration user's own.
            database.execute("INSERT INTO id_counter VALUES ('005', 1)")
        self.world.send(user(1), organization="globex")
        self.world.work()
        self.others = self.rows_of("globex")
        self.document = {
            **copy.deepcopy(DOCUMENT),
            "connections": {"salesforce": self.world.salesforce.connection},
        }
        said = self.put(**sections)
        self.world.tokens["acme"] = said["webhook"]["token"]

    def put(self, *, approve: str | None = None, **sections: Any) -> Said:
        """Save settings with these sections changed."""
        self.document = {**self.document, **copy.deepcopy(sections)}
        event = {"organization": "acme", "action": "put", "by": "jane", "settings": self.document}
        return self._invoke(
            "OrganizationSettingsFunction",
            organization_settings.handler,
            {**event, "approve": approve} if approve else event,
        )

    def run_import(self, mode: str | None = "full", by: str = SCHEDULE, **event: Any) -> Said:
        """Invoke the import."""
        asked = {"organization": "acme", "by": by, **({"mode": mode} if mode else {}), **event}
        return self._invoke("ScheduledImportFunction", scheduled_import.handler, asked)

    def resume(self, run: str) -> Said:
        """Go on with a run."""
        return self._invoke(
            "ScheduledImportFunction", scheduled_import.handler, {"organization": "acme", "run_id": run}
        )

    def edit(self, *changes: Said, by: str = "jane") -> Said:
        """Edit members as an admin; each change names its member."""
        asked = [{**change, "member": self.people[change["member"]]} for change in changes]
        return self._invoke(
            "MemberSettingsFunction",
            member_settings.handler,
            {"organization": "acme", "by": by, "changes": asked},
        )

    def edit_by_file(self, header: str, *lines: str) -> Said:
        """Edit members by a CSV file; each line begins with who it is about."""
        named = [f"{self.people[who]},{rest}" for who, _, rest in (line.partition(",") for line in lines)]
        return self._invoke(
            "MemberSettingsFunction",
            member_settings.handler,
            {"organization": "acme", "by": "jane", "csv": "\n".join([header, *named])},
        )

    def _invoke(self, function: str, handler: Any, event: Said) -> Said:
        said: Said | None = self.world.invoke(function, handler, event, MusterError)
        self.world.clock.advance(seconds=1)
        return DIED if said is None else said

    def mend(self, mode: str = "full") -> Said:
        """Let faults be over and time go by: messages come again, and imports, until one ends well."""
        self.world.settle()
        for _ in range(MOST_IMPORTS):
            self.world.clock.advance(minutes=A_WHILE)
            said = self.run_import(mode)
            if said["status"] == "parked":
                said = self.run_import(None, by="jane", approve=said["run_id"])
            if said["status"] in ENDED_WELL:
                return said
        raise Violation(f"without any fault imports do not end well: {said}")

    # ── What comes of it ─────────────────────────────────────────────────────────────────────────

    def roster(self) -> Roster:
        """Return what is in the table."""
        return invariants.read(self.world.rows()).get("acme", Roster())

    def saved(self) -> tuple[int, Said]:
        """Return the number of the settings in force, and the settings."""
        key = {"pk": {"S": "ORG#acme"}, "sk": {"S": "SETTINGS"}}
        [row] = [row for row in self.world.rows() if row["pk"] == key["pk"] and row["sk"] == key["sk"]]
        return int(row["version"]["N"]), json.loads(row["doc"]["S"])["settings"]

    def rows_of_roster(self) -> list[Row]:
        """Return the rows that an import of an unchanged source must not write (I9), receipts aside."""
        rows = [row for row in self.rows_of("acme") if row["sk"]["S"] != "FOLLOWED"]
        return [row for row in rows if not row["pk"]["S"].endswith(_OF_RUNS)]

    def rows_of(self, organization: str) -> list[Row]:
        """Return an organization's rows in the order of their keys, without its settings and its lease."""
        mine = f"ORG#{organization}#"
        rows = [row for row in self.world.rows() if row["pk"]["S"].startswith(mine)]
        return sorted(rows, key=lambda row: (row["pk"]["S"], row["sk"]["S"]))

    def name_of(self, crm_id: str | None) -> str | None:
        """Return whose CRM id that is."""
        return next((name for name, known in self.people.items() if known == crm_id), crm_id)

    # ── Going back ───────────────────────────────────────────────────────────────────────────────

    def moment(self) -> Moment:
        """Return how to make everything what it is now."""
        world, people = self.world.moment(), dict(self.people)
        document, others = copy.deepcopy(self.document), self.others

        def go_back() -> None:
            world()
            self.people, self.document, self.others = dict(people), copy.deepcopy(document), others

        return go_back
