"""Values that must not turn up where they have no business: a made-up one in every field."""

import io
import json
import traceback

import pytest

import user_change_worker
from tests.examples import USER
from tests.simulation.harness.messages import Notification, user
from tests.simulation.harness.world import World
from tests.simulation.imports.company import Company

SESSION = "00Dcanary!session-id"
# Fields whose values have a form of their own, and are not personal.
_PLAIN = {"Id", "SystemModstamp", "LastModifiedDate", "IsActive"}

FIELDS = {name: f"canary-{name.lower()}" for name in USER if name not in _PLAIN} | {
    "Username": "canary-username@canary.example",
    "Email": "canary-email@canary.example",
    "Unlisted__c": 'canary-unlisted\n{"level": "canary"}',
}


def send_canaries(world: World) -> None:
    """Send one message in which everything that can be is a canary: a user, and others that are parked."""
    world.post(
        [
            Notification("04l000000000081AAA", user(1, **FIELDS)),
            Notification("04l000000000082AAA", user(2, **FIELDS, IsActive="canary-active")),
            Notification("04l000000000083AAA", {**user(3, **FIELDS), "Id": "001000000000001AAA"}, "Account"),
        ],
        session=SESSION,
    )


def hire_canaries(company: Company) -> None:
    """Hire people of whom everything that an import reads is a canary, and a manager who is notified."""
    texts = ("Title", "Phone", "MobilePhone", "Extension", "FirstName", "LastName")
    canaries = {name: f"canary-{name.lower()}" for name in texts if name not in ("Phone", "MobilePhone")}
    company.hire("canary-grace", Department="Support", **canaries)
    for name in ("canary-ada", "canary-bob", "canary-carol"):
        company.hire(name, Department="Sales", manager="canary-grace", **canaries)


class Told:
    """Everything the functions have said so far."""

    def __init__(
        self, logs: io.StringIO, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self._logs, self._capsys, self._caplog = logs, capsys, caplog
        self.exceptions: list[str] = []

    def note_failures(self) -> None:
        """Keep what the worker's last batch raised, causes included."""
        self.exceptions += [
            "".join(traceback.format_exception(*raised)) for raised in user_change_worker.processor.exceptions
        ]

    def text(self) -> str:
        """Return it as one text."""
        printed = self._capsys.readouterr()
        return "\n".join(
            [self._logs.getvalue(), printed.out, printed.err, self._caplog.text, *self.exceptions]
        )


def leaked(text: str, canaries: list[str]) -> list[str]:
    """Return the canaries that a text holds, as they are or as JSON writes them."""
    escaped = {canary: json.dumps(canary)[1:-1] for canary in canaries}
    return [canary for canary in canaries if canary in text or escaped[canary] in text]
