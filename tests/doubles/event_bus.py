"""An EventBridge client as strict as the service, which fails as it is told; and what was delivered."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

type Json = dict[str, Any]
# What becomes of one call, given its entries: the places of those that fail. It may raise.
type Fault = Callable[[list[Json]], set[int]]

_MOST_ENTRIES, _MOST_BYTES = 10, 256 * 1024


class Crashed(BaseException):
    """The function's environment is gone; nothing of the function catches it."""


class StrictBus:
    """`put_events` of the client; `faults` are of the calls to come, one each, `None` for none.

    `told` are the entries that the bus has taken, in order, whatever the caller was told.
    """

    def __init__(self, name: str = "muster-members") -> None:
        """Take events for the bus of that name."""
        self.name = name
        self.faults: list[Fault | None] = []
        self.told: list[Json] = []
        self.calls: list[int] = []

    def put_events(self, *, Entries: list[Json]) -> Json:
        """Take entries, or some of them; those that fail come with status 200, too."""
        assert 0 < len(Entries) <= _MOST_ENTRIES
        assert sum(map(_size, Entries)) <= _MOST_BYTES
        assert {entry["EventBusName"] for entry in Entries} == {self.name}
        assert not any(entry["Source"].startswith("aws.") for entry in Entries)
        assert all(isinstance(json.loads(entry["Detail"]), dict) for entry in Entries)
        self.calls.append(len(Entries))
        fault = self.faults.pop(0) if self.faults else None
        failed = fault(Entries) if fault else set()
        self.told += [entry for place, entry in enumerate(Entries) if place not in failed]
        results = [
            {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
            if place in failed
            else {"EventId": f"event-{place}"}
            for place in range(len(Entries))
        ]
        return {"FailedEntryCount": len(failed), "Entries": results}

    def details(self) -> list[Json]:
        """Return the details of what was taken."""
        return [json.loads(entry["Detail"]) for entry in self.told]

    # ── Faults ───────────────────────────────────────────────────────────────────────────────────

    def fails(self, *places: int) -> Fault:
        """Return what fails these entries of a call, as far as there are so many, and takes the others."""
        return lambda entries: {min(place, len(entries) - 1) for place in places}

    def throttled(self, entries: list[Json]) -> set[int]:
        """Turn a whole call away."""
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutEvents")

    def lost(self, entries: list[Json]) -> set[int]:
        """Take a whole call, and answer nothing."""
        self.told += entries
        raise ReadTimeoutError(endpoint_url="https://events.eu-west-1.amazonaws.com")

    def crashes(self, entries: list[Json]) -> set[int]:
        """Take a whole call, and let the function die before it can say how far it came."""
        self.told += entries
        raise Crashed


def _size(entry: Json) -> int:
    return 14 + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
