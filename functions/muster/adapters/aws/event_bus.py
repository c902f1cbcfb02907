"""The EventBridge bus that member events go on (O1)."""

from collections.abc import Sequence
from typing import Any

from muster.adapters.aws.aws_errors import translated
from muster.events_out.bus_events import BusEvent


class EventBus:
    """Puts events on one bus; raises `Unavailable` or `Misconfigured` where EventBridge fails."""

    # There are no types for this client.
    def __init__(self, client: Any, name: str, source: str) -> None:
        """Put events on the bus of that name, as coming from that source."""
        self._client = client
        self._name = name
        self.source = source

    def put(self, events: Sequence[BusEvent]) -> list[str | None]:
        """Return for each event the code with which it was not taken; `None`: it was."""
        with translated("EventBridge"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": self.source,
                        "DetailType": event.detail_type,
                        "Time": event.at,
                        "Detail": event.detail,
                    }
                    for event in events
                ]
            )
        # Failed ones come with status 200, in the order of what was sent.
        return [entry.get("ErrorCode") for entry in answer["Entries"]]
