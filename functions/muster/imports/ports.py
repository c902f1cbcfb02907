"""What imports need of the world outside."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from muster.error_log import LogEntry
from muster.roster import ports
from muster.runs.ports import Archive, Runs
from muster.settings import Settings
from muster.sources.member_states import MemberState
from muster.sources.ports import Salesforce, Vault


class Roster(ports.Roster, Protocol):
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
