"""What runs need of the run table and the run archive."""

from collections.abc import Iterable
from typing import Any, Protocol

from muster.lease import Lease
from muster.runs.run import ImportState, Run, Status


class Leases(Protocol):
    """Whoever extends a lease; `adapters.run_table` is the real one."""

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        """Return the lease, extended; raises `Stale`."""


class EndedRuns(Protocol):
    """What ending a run needs of the run table; `adapters.run_table` is the real one."""

    def save(self, run: Run, lease: Lease) -> None:
        """Record the run; raises `Stale`."""

    def finish(self, run: Run, lease: Lease, state: ImportState | None) -> None:
        """Record the run's end and give the lease back; raises `Stale`."""

    def save_without_lease(self, run: Run, expected: Status) -> None:
        """Record the status of a run nobody works on; raises `Stale`."""

    def runs(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
        """Return runs, newest first."""

    def state(self, organization: str) -> ImportState:
        """Return what imports remember."""


class Runs(EndedRuns, Protocol):
    """What runs need of the run table; `adapters.run_table` is the real one."""

    def take(self, organization: str, run: str, now: float, seconds: float) -> Lease:
        """Return the organization's lease; raises `LeaseHeld`."""

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        """Return the lease, extended; raises `Stale`."""

    def release(self, lease: Lease) -> None:
        """Give the lease back."""

    def run(self, organization: str, run: str) -> Run | None:
        """Return a run."""


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
