"""The error log: what could not be done, for whom, and what to do about it (I8)."""

from __future__ import annotations

from dataclasses import dataclass

from muster.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the error log.

    `at` is a timestamp, `system` where it happened, `record` the id there, `notification` the message or run
    in which it happened. `code` is what an admin looks up in docs/operations.md.
    """

    at: str
    system: str
    record: str | None
    notification: str
    code: str
    message: str
    remedy: str


def entry_of(
    problem: Problem,
    *,
    at: str,
    system: str,
    code: str,
    notification: str,
    record: str | None = None,
    member: str | None = None,
) -> LogEntry:
    """Return the entry of a problem; its message names the place, and the member (id) where one is given."""
    who = f" (member {member})" if member else ""
    return LogEntry(
        at=at,
        system=system,
        record=record,
        notification=notification,
        code=code,
        message=f"{problem.where} {problem.message}".strip() + who,
        remedy=problem.remedy,
    )
