"""What pushes need of the world outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.checks import Check
from muster.crm.vault_records import Written
from muster.roster.ports import Roster
from muster.runs.ports import Archive, Runs
from muster.sources import ports as sources_ports


class Vault(sources_ports.Vault, Protocol):
    """What pushes need of Vault CRM, and of Align; `adapters.vault` is the real one."""

    def update(self, name: str, records: Sequence[Mapping[str, Any]]) -> list[Written]:
        """Write up to 500 records; raises `OutcomeUnknown` where it cannot be told what came of it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside of pushes. `wait` lets so many seconds go by.

    `preflight` returns the checks of Vault CRM that failed, of those that sending rests on (U6). `align` is
    where admins keep the roster, if not in Muster (G9).
    """

    runs: Runs
    archive: Archive
    roster: Roster
    vault: Vault
    preflight: Callable[[], Sequence[Check]]
    wait: Callable[[float], None]
    align: Vault | None = None
