"""What questions need of the outside world, beside the roster and its runs."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Protocol

from muster.roster.member import Json
from muster.runs.ports import Runs
from muster.runs.run import Run
from muster.settings.versions import StoredSettings


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

    def events_given_up(self) -> int:
        """Return how many times changes could not be told on the event bus (O1)."""


class Received(Protocol):
    """When messages arrived; the adapter is `adapters.aws.webhook_journal`."""

    def received_at(self, organization: str) -> str | None:
        """Return when a message last arrived."""


class ExportFiles(Protocol):
    """Files for people to fetch; the adapter is `adapters.aws.export_files`."""

    def put(self, organization: str, name: str, file: IO[bytes], now: datetime) -> tuple[str, str]:
        """Store a file; returns a link to it, and until when that works (ISO 8601)."""


class Journal(Protocol):
    """Changes of members and the error log, by time; the adapter is `adapters.aws.journal`."""

    def changes(self, organization: str, since: str, until: str, expected: int) -> Iterator[Json]:
        """Yield the history entries from `since` on and before `until`, newest first."""

    def begins(self, organization: str) -> str | None:
        """Return when the first change was recorded that can be read by time."""

    def errors(self, organization: str, since: str, until: str) -> Iterator[Json]:
        """Yield the entries of the error log from the second `since` to the second `until`, newest first."""


class RunLog(Runs, Protocol):
    """Runs, by time as well; the adapter is `adapters.aws.run_table`."""

    def runs_from(self, organization: str, first: str, before: str | None) -> Iterator[Run]:
        """Yield the runs whose id is `first` or later, and earlier than `before` if given, newest first."""


class SettingsLog(Protocol):
    """The versions of the settings; the adapter is `adapters.aws.settings_table`."""

    def version(self, organization: str, version: int) -> StoredSettings | None:
        """Return one version."""

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return up to `limit` versions, newest first."""
