"""What imports need of the world outside."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from muster import settling
from muster.decisions import MemberState
from muster.gathering import Salesforce
from muster.model import LogEntry
from muster.runs import ImportState, Lease, Run, Status
from muster.settings import Settings


class Runs(Protocol):
    """What imports need of the run table; `adapters.run_table` is the real one."""

    def take(self, organization: str, run: str, now: float, seconds: float) -> Lease:
        """Return the organization's lease; raises `LeaseHeld`."""

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        """Return the lease, extended; raises `Stale`."""

    def release(self, lease: Lease) -> None:
        """Give the lease back."""

    def save(self, run: Run, lease: Lease) -> None:
        """Record the run; raises `Stale`."""

    def finish(self, run: Run, lease: Lease, state: ImportState | None) -> None:
        """Record the run's end and give the lease back; raises `Stale`."""

    def save_without_lease(self, run: Run, expected: Status) -> None:
        """Record the status of a run nobody works on; raises `Stale`."""

    def run(self, organization: str, run: str) -> Run | None:
        """Return a run."""

    def runs(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
        """Return runs, newest first."""

    def state(self, organization: str) -> ImportState:
        """Return what imports remember."""


class Archive(Protocol):
    """What imports need of the run archive; `adapters.run_archive` is the real one."""

    def put(self, organization: str, run: str, attempt: int, name: str, number: int, body: bytes) -> None:
        """Keep a part."""

    def parts(self, organization: str, run: str, attempt: int, name: str) -> Iterable[bytes]:
        """Return the parts in order."""

    def part(self, organization: str, run: str, attempt: int, name: str, number: int) -> bytes:
        """Return one part."""

    def put_document(
        self, organization: str, run: str, attempt: int, name: str, document: dict[str, Any]
    ) -> None:
        """Keep a document."""

    def document(self, organization: str, run: str, attempt: int, name: str) -> dict[str, Any]:
        """Return a document."""


class Roster(settling.Roster, Protocol):
    """What imports need of the roster; `adapters.roster_table` is the real one."""

    def states(self, organization: str) -> Iterable[MemberState]:
        """Return what the index shows of every member linked to Salesforce."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> None:
        """Add to the error log."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside of imports. `notify` tells managers about new members, as many as it can (N1)."""

    runs: Runs
    archive: Archive
    roster: Roster
    salesforce: Salesforce
    notify: Callable[[Settings, str], None]
