"""The error log: what failed, for which record, and what to do about it (I8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from muster.errors import Downtime, MusterError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the error log.

    `at` is a timestamp, `system` where it happened, `record` the id there, `notification` the message or run
    in which it happened. `member` is the roster's id of whom it is about, where that is known. Admins look up
    `code` in docs/operations.md.
    """

    at: str
    system: str
    record: str | None
    notification: str
    code: str
    message: str
    remedy: str
    member: str | None = None


def what_to_do(error: MusterError) -> str:
    """Return what to do first about an error that a system is to blame for, as the beginning of a remedy."""
    return "Wait for its end" if isinstance(error, Downtime) else "Correct what it names"


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
    """Return the log entry of a problem; its message names the place, and the member (id) if given."""
    suffix = f" (member {member})" if member else ""
    return LogEntry(
        at=at,
        system=system,
        record=record,
        notification=notification,
        code=code,
        message=f"{problem.where} {problem.message}".strip() + suffix,
        remedy=problem.remedy,
        member=member,
    )


# So many entries of one code, made at one time, are listed one by one; more tell nobody anything new.
SINGLY = 20


def at_most(entries: Iterable[LogEntry], singly: int = SINGLY) -> list[LogEntry]:
    """Return the first entries of each code, and one instead of all its others, which says how many.

    That one has no record, and is otherwise like the first that is left out.
    """
    by_code: dict[str, list[LogEntry]] = {}
    for entry in entries:
        by_code.setdefault(entry.code, []).append(entry)
    listed = []
    for same in by_code.values():
        listed += same[:singly]
        if others := same[singly:]:
            message = f"{len(others):,} more like those of the same moment, which are not listed one by one"
            listed.append(replace(others[0], record=None, message=message))
    return listed
