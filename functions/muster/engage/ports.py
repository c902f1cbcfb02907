"""What pushes need from the outside world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.checks import Check
from muster.crm.vault_records import Field, Written
from muster.roster.ports import Roster
from muster.runs.ports import Archive, RunPorts, Runs
from muster.sources import ports as sources_ports


class Vault(sources_ports.Vault, Protocol):
    """What pushes need from Vault CRM and Align; `adapters.vault.client` is the real one."""

    def update(self, name: str, records: Sequence[Mapping[str, Any]]) -> list[Written]:
        """Write up to 500 records; raises `OutcomeUnknown` if they may or may not have been written."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of a push. `wait` sleeps for a number of seconds.

    `preflight` returns the failed ones of the Vault CRM checks that sending depends on (U6), `fields` the
    fields of Vault CRM's users. `align` is the
    Align vault, `None` where it is not connected, and `align_preflight` the same for it (G9). `users` returns
    the ids of the integration users in whose name the connections have been called (U5).
    """

    runs: Runs
    archive: Archive
    roster: Roster
    vault: Vault
    preflight: Callable[[], Sequence[Check]]
    fields: Callable[[], Sequence[Field]]
    wait: Callable[[float], None]
    align: Vault | None = None
    align_preflight: Callable[[], Sequence[Check]] = tuple
    users: Callable[[], Mapping[str, str]] = dict

    @property
    def of_runs(self) -> RunPorts:
        """What any run needs of it."""
        return RunPorts(self.runs, self.archive, self.roster, self.users)
