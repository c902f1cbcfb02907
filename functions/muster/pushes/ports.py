"""What pushes need of the world outside."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from muster.checks import Check
from muster.crm.vault_records import Written
from muster.error_log import LogEntry
from muster.roster import ports as roster_ports
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.runs.ports import Archive, Runs
from muster.sources import ports as sources_ports


class Roster(roster_ports.Roster, Protocol):
    """What pushes need of the roster; `adapters.roster_table` is the real one."""

    def due(self, organization: str, today: date) -> Iterable[tuple[str, Due]]:
        """Return the members (ids) whom a push has to look at by that day, and for what; a hint."""

    def licence_lines(self, organization: str) -> tuple[list[tuple[str, Place]], Counter[tuple[str, str]]]:
        """Return who waits for a licence (member id, place), the first first, and how many are free."""

    def offered(self, organization: str, counts: Mapping[tuple[str, str], int]) -> None:
        """Take so many off the counts of free licences: the lines have been offered them."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> None:
        """Add to the error log."""


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
