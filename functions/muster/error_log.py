"""The error log: what could not be done, for whom, and what to do about it (I8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the error log: what could not be done, for whom, and what to do about it (I8)."""

    at: str
    system: str
    record: str | None
    notification: str
    code: str
    message: str
    remedy: str


class ErrorLog(Protocol):
    """Where what an admin has to look at is kept; `adapters.roster_table` is the real one."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> None:
        """Add to the error log."""
