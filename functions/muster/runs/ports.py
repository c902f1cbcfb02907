"""What runs need of the run table and the run archive."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.error_log import LogEntry
from muster.lease import Lease
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.import_state import ImportState
from muster.runs.run import Run, Status


class Leases(Protocol):
    """Whoever extends a lease; `adapters.aws.run_table` is the real one."""

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        """Return the lease, extended; raises `Stale`."""


class Runs(Leases, Protocol):
    """The run table: records, the lease, what imports remember; `adapters.aws.run_table` is the real one."""

    def take(self, organization: str, run: str, now: float, seconds: float) -> Lease:
        """Return the organization's lease; raises `LeaseHeld`."""

    def release(self, lease: Lease) -> None:
        """Give the lease back."""

    def run(self, organization: str, run: str) -> Run | None:
        """Return a run."""

    def runs(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
        """Return runs, newest first; raises `Rejected` for a cursor that was not handed out."""

    def add(self, run: Run) -> None:
        """Record a new run that nobody works on."""

    def save(self, run: Run, lease: Lease) -> None:
        """Record the run; raises `Stale`."""

    def save_without_lease(self, run: Run, expected: Status) -> None:
        """Record the status of a run nobody works on; raises `Stale`."""

    def finish(self, run: Run, lease: Lease, state: ImportState | None) -> None:
        """Record the run's end and give the lease back; raises `Stale`."""

    def state(self, organization: str) -> ImportState:
        """Return what imports remember."""

    def change_state(self, organization: str, change: Callable[[ImportState], ImportState]) -> None:
        """Replace what imports remember."""


class Archive(Protocol):
    """The run archive: what runs read and planned; `adapters.aws.run_archive` is the real one."""

    def put(self, organization: str, run: str, attempt: int, name: str, number: int, body: bytes) -> None:
        """Keep a part."""

    def count(self, organization: str, run: str, attempt: int, name: str) -> int:
        """Return how many parts there are."""

    def part(self, organization: str, run: str, attempt: int, name: str, number: int) -> bytes:
        """Return one part."""

    def parts(self, organization: str, run: str, attempt: int, name: str) -> Iterable[bytes]:
        """Return the parts in order."""

    def put_document(
        self, organization: str, run: str, attempt: int, name: str, document: dict[str, Any]
    ) -> None:
        """Keep a document."""

    def document(self, organization: str, run: str, attempt: int, name: str) -> dict[str, Any]:
        """Return a document."""


class ErrorLog(Protocol):
    """The error log; `adapters.aws.roster_table` is the real one."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> int:
        """Add to the error log and return how many entries were new; `now` is in epoch seconds."""


@dataclass(frozen=True, slots=True)
class RunPorts:
    """The outside world of any run.

    `users` returns the ids of the integration users in whose name the connections have been called (U5).
    """

    runs: Runs
    archive: Archive
    log: ErrorLog
    users: Callable[[], Mapping[str, str]] = dict


class Applying[I](Protocol):
    """Applies the plan of one run in one invocation; raises `OutOfTime`, and `Stale` if the lease is lost."""

    def chunks(self, items: Sequence[I]) -> Iterable[Sequence[I]]:
        """Return the items in order, in chunks; after each, progress is recorded."""

    def apply(self, items: Sequence[I]) -> None:
        """Apply one chunk, which an invocation before may have applied already."""

    def finish(self, record: Callable[[], None]) -> None:
        """Do what comes once all items are applied; `record` records progress on the way."""


class Job[I](Protocol):
    """What a run of one kind does, in one invocation; `work` does it step by step.

    `progress` is where it adds what came of it.
    """

    @property
    def progress(self) -> Progress:
        """What came of applying since it was last recorded."""

    @property
    def has_summary(self) -> bool:
        """Whether going on with a plan takes its summary."""

    def plan(self, run: Run, *, resumed: bool) -> Planned[I]:
        """Gather and decide; `resumed`: an invocation before has begun with that."""

    def written(self, items: Sequence[I]) -> bytes:
        """Return items as a part of the plan's file."""

    def read(self, part: bytes) -> Sequence[I]:
        """Return the items of a part of the plan's file."""

    def applying(self, run: Run, items: Sequence[I], *, resumed: bool) -> Applying[I]:
        """Return what applies the plan, which has these items.

        `resumed`: an invocation before may have applied the next chunk, and died before it recorded that.
        """

    def after(self, run: Run, items: Sequence[I], summary: Mapping[str, Any]) -> None:
        """Do what comes after applying; it is repeated if it is interrupted.

        `summary` is what was kept with the plan; empty without `has_summary`.
        """

    def ending(self, run: Run, items: Sequence[I], summary: Mapping[str, Any]) -> Ending:
        """Return how the run ends."""


class Guarded(Protocol):
    """An item of a plan as the guard counts it: grants for `assignment`, what is taken for `former`."""

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that it counts as."""

    @property
    def assignment(self) -> str | None:
        """The assignment that governs the member."""

    @property
    def former(self) -> str | None:
        """The assignment that governed the member so far."""
