"""Acme's app while people leave: the table's stream as Lambda hands it on, and all calls to break at.

world.leave("ada")            in Salesforce, and the worker hears of it
world.follow()                what the stream has is handed over until all of it is done, as Lambda does
world.open()                  who is let in by the app
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import deprovisioning
from tests.integration.provisioning.apps import Apps
from tests.simulation.harness.strict_aws import rows_of

type Json = dict[str, Any]

BATCH = 10
# Whoever is looked at is this person; the others work on.
ADA = "ada"


class Crashed(BaseException):
    """The function's environment is gone; nothing of the function catches it."""


@dataclass
class Leaving:
    """Acme, its app and its people by name, and what the stream has not handed over yet."""

    apps: Apps
    people: dict[str, str] = field(default_factory=dict)
    records: list[Json] = field(default_factory=list)
    _seen: dict[tuple[str, str], str] = field(default_factory=dict)
    _number: int = 100_000

    # ── People ───────────────────────────────────────────────────────────────────────────────────────

    def join(self, *names: str) -> None:
        """Let people begin to work; imports bring them into the roster."""
        for name in names:
            self.people[name] = self.apps.person(name)

    def leave(self, name: str) -> None:
        """Let somebody leave, and the worker hear of it."""
        self._heard(name, IsActive=False)

    def come_back(self, name: str, **fields: object) -> None:
        """Let somebody come back, and the worker hear of it."""
        self._heard(name, IsActive=True, **fields)

    def _heard(self, name: str, **fields: object) -> None:
        self.apps.company.salesforce.update(self.people[name], **fields)
        assert self.apps.company.hear({"Id": self.people[name]}) == 0

    def open(self) -> set[str]:
        """Return who is let in by the app."""
        return {name for name, active in self.apps.truth().items() if active}

    # ── The stream ───────────────────────────────────────────────────────────────────────────────────

    def written(self) -> list[Json]:
        """Return the records of members who are not active, of what has been written since the last time."""
        found = []
        for row in sorted(rows_of("roster"), key=lambda row: row["sk"]["S"]):
            key = row["pk"]["S"], row["sk"]["S"]
            if not key[1].startswith("MEMBER#") or self._seen.get(key) == row["revision"]["N"]:
                continue
            self._seen[key] = row["revision"]["N"]
            if not row["active"]["BOOL"]:
                found.append(self.record_of(row))
        return found

    def record_of(self, row: Json, written_at: float | None = None) -> Json:
        """Return the record of an item's write, `written_at` in epoch seconds, else now."""
        self._number += 1
        now: datetime = deprovisioning.datetime.now(UTC)  # type: ignore[attr-defined]  # a test may move it
        change = {
            "SequenceNumber": str(self._number),
            "ApproximateCreationDateTime": now.timestamp() if written_at is None else written_at,
            "Keys": {name: row[name] for name in ("pk", "sk")},
            "NewImage": row,
        }
        return {"eventName": "MODIFY", "dynamodb": change}

    def hand_over(self, batch: Sequence[Json]) -> list[Json]:
        """Hand a batch to the function once; return what is left of it to be tried again."""
        if not batch:
            return []
        said = deprovisioning.handler({"Records": [*batch]}, self.apps.company.context)
        failed = [each["itemIdentifier"] for each in json.loads(json.dumps(said))["batchItemFailures"]]
        places = [each["dynamodb"]["SequenceNumber"] for each in batch]
        return [*batch[min(map(places.index, failed)) :]] if failed else []

    def follow(self, most: int = 40) -> int:
        """Hand all over until nothing is left, as Lambda does; returns how often the function was called."""
        tries = 0
        self.records += self.written()
        while self.records:
            tries += 1
            assert tries <= most, "the stream does not come to an end"
            batch, rest = self.records[:BATCH], self.records[BATCH:]
            self.records = self.hand_over(batch) + rest
            self.records += self.written()
        return tries

    # ── Calls ────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def watched(self, on_call: Callable[[str], None]) -> Iterator[None]:
        """Have this told before and after each call; it may raise."""
        rules, wire = self.apps.company.rules, self.apps.wire
        process = rules.process

        def processed(stubber: Any, request: Any) -> Any:
            on_call("before")
            answer = process(stubber, request)
            on_call("after")
            return answer

        rules.process = processed  # type: ignore[method-assign]  # a test's own
        wire.before = lambda request: on_call("before")
        wire.after = lambda request, answer: on_call("after")
        try:
            yield
        finally:
            del rules.process
            wire.before = lambda request: None
            wire.after = lambda request, answer: None

    # ── Again ────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self) -> Callable[[], None]:
        """Return what makes everything what it is now."""
        then, changes = self.apps.company.snapshot(), self.apps.scim.app.directory.changes
        seen, records, people = dict(self._seen), list(self.records), dict(self.people)

        def go_back() -> None:
            self.apps.company.go_back_to(then)
            self.apps.scim.app.directory.undo(changes)
            self.apps.scim.control("POST", "faults", [])
            self._seen, self.records, self.people = dict(seen), list(records), dict(people)
            self.apps.calls()

        return go_back
