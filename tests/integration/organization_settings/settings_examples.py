"""Acme with a Salesforce of its own, as its settings' admins see it."""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import organization_settings
import scheduled_import
from muster import bootstrap
from muster.runs.run import Run
from tests.integration import beginnings

DATA = "/services/data/v66.0"
SALES = {"name": "Sales", "filter": "Department = 'Sales'", "seats": ["gong"]}
OTHERS = {"name": "Others", "filter": "Department != 'Sales'"}
# Only who is in Leeds stays: nobody, unless a test sends someone there.
LEEDS = {"name": "Sales", "filter": "Department = 'Sales' AND City = 'Leeds'", "seats": ["gong"]}


@dataclass
class Acme(beginnings.Acme):
    """The organization: settings that are put, imports that run, and what has become of them."""

    late_by: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """Return the time on the settings function's clock."""
        return datetime.now(UTC) + self.late_by

    def document(self, **sections: Any) -> dict[str, Any]:
        """Return settings with two assignments, and these sections changed."""
        plain = {
            "organization": "acme",
            "connections": {"salesforce": self.salesforce.connection},
            "auto_provision": {"require_call_center": False},
            "seats": {"gong": {}},
            "assignments": [SALES, OTHERS],
            "guard": {"floor": 1},
        }
        return copy.deepcopy({**plain, **sections})

    def invoke(self, action: str, **event: Any) -> dict[str, Any]:
        """Invoke OrganizationSettingsFunction as jane."""
        event = {"organization": "acme", "action": action, "by": "jane@acme.example"} | event
        said: dict[str, Any] = organization_settings.handler(event, self.context)
        answer: dict[str, Any] = json.loads(json.dumps(said))  # Lambda too answers JSON
        return answer

    def put(self, approve: str | None = None, **sections: Any) -> dict[str, Any]:
        """Put settings with these sections changed."""
        event = {"approve": approve} if approve else {}
        return self.invoke("put", settings=self.document(**sections), **event)

    def run(self, mode: str = "full") -> dict[str, Any]:
        """Import."""
        asked = {"organization": "acme", "mode": mode, "by": "jane@acme.example"}
        said: dict[str, Any] = scheduled_import.handler(asked, self.context)
        return said

    def version(self) -> int:
        """Return the version in force, 0 for none."""
        current = bootstrap.settings_table().current("acme")
        return current.version if current else 0

    def runs(self) -> list[Run]:
        """Return every run, newest first."""
        found, _ = bootstrap.run_table().runs("acme", 50, None)
        return found

    def run_of(self, said: dict[str, Any]) -> Run:
        """Return the run that an answer is about."""
        found = bootstrap.run_table().run("acme", said["run_id"])
        assert found is not None
        return found

    def active(self) -> int:
        """Return how many members are active."""
        return sum(state.active for state in bootstrap.roster_table().states("acme"))


def error_of(said: dict[str, Any]) -> tuple[str, str, str]:
    """Return place, message and remedy of the one fault of a rejected event."""
    assert said["status"] == "rejected", said
    [error] = said["errors"]
    return error["where"], error["message"], error["remedy"]


def down(path: str, count: int = 99) -> dict[str, Any]:
    """Return the fault of an org that answers 503 on a path."""
    return {"path": path, "fault": "status", "status": 503, "count": count}
