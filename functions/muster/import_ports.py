"""What imports need of the world outside."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from muster import settling
from muster.decisions import MemberState
from muster.gathering import Salesforce
from muster.model import LogEntry
from muster.running import Runs
from muster.settings import Settings
from muster.vault_gathering import Vault


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
    """The world outside of imports. `notify` tells managers about new members, as many as it can (N1).

    `vault` is Vault CRM, where there is one.
    """

    runs: Runs
    archive: Archive
    roster: Roster
    salesforce: Salesforce
    notify: Callable[[Settings, str], None]
    vault: Vault | None = None
