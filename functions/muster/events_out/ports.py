"""What telling events needs of the outside world; the adapters are in `adapters.aws`."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from muster.events_out.bus_events import BusEvent
from muster.roster.member import Json


class EventBus(Protocol):
    """The bus that events go on; the adapter is `event_bus`."""

    @property
    def source(self) -> str:
        """What events of this stack say they come from."""

    def put(self, events: Sequence[BusEvent]) -> list[str | None]:
        """Put up to ten events on the bus; return for each why it was not taken, `None`: it was.

        Raises `Unavailable` or `Misconfigured`; then any of them may have been taken.
        """


class GivenUp(Protocol):
    """Where entries are kept that nobody can read; the adapter is `failure_queue`."""

    def keep(self, organization: str, key: str) -> None:
        """Keep the key of a history entry; raises `Unavailable` or `Misconfigured`."""


class History(Protocol):
    """History entries in the order in which they came about; the adapter is `journal`."""

    def oldest_first(self, organization: str, since: str, until: str) -> Iterator[Json]:
        """Yield the entries after `since` and before `until`: timestamps, or places of entries."""

    def of_member(self, organization: str, member: str, above: int) -> Iterator[Json]:
        """Yield a member's entries above a version."""
