"""What questions need of the outside world, beside the roster and its runs."""

from datetime import datetime
from typing import IO, Protocol

from muster.roster.member import Json


class Organizations(Protocol):
    """The organizations with settings; the adapter is `adapters.aws.settings_table`."""

    def organizations(self, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Return up to `limit` organizations by name, and the name to continue after (`None`: no more)."""


class QueueCounts(Protocol):
    """How many messages wait on the queues; the adapter is `adapters.aws.queue_counts`."""

    def changes(self) -> int:
        """Return how many messages wait to be followed, those at work included."""

    def changes_given_up(self) -> int:
        """Return how many messages are in their dead-letter queue."""

    def starts_given_up(self) -> int:
        """Return how many scheduled starts are in theirs."""


class Received(Protocol):
    """When messages arrived; the adapter is `adapters.aws.webhook_journal`."""

    def received_at(self, organization: str) -> str | None:
        """Return when a message last arrived."""


class ExportFiles(Protocol):
    """Files for people to fetch; the adapter is `adapters.aws.export_files`."""

    def put(self, organization: str, name: str, file: IO[bytes], now: datetime) -> tuple[str, str]:
        """Store a file; returns a link to it, and until when that works (ISO 8601)."""
