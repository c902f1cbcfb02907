"""Checks of a connection: what was checked, the result, what was found, and what to do (U1).

A value that could not be read is kept as the error (`Read`); checks that depend on it are
`could_not_check`, never passed.
"""

from dataclasses import dataclass
from enum import StrEnum

from muster.errors import MusterError, Rejected, Unavailable

type Read[T] = T | MusterError


class Result(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a connection: its name, the result, what was found, and what to do about it."""

    check: str
    result: Result
    found: str
    remedy: str = ""


class NotAsked(MusterError):
    """Something was not read, because a check that it depends on failed."""


def judged(check: str, found: str, remedy: str, *, holds: bool) -> Check:
    """Return a check that passed if it holds, and failed otherwise."""
    return Check(check, Result.PASSED, found) if holds else Check(check, Result.FAILED, found, remedy)


def unread(check: str, error: MusterError, again: str = "run preflight again") -> Check:
    """Return a check that could not be made because of an error; `again` says how to repeat it."""
    match error:
        case NotAsked():
            remedy = f"Correct what failed above, then {again}."
        case Rejected():
            remedy = error.problems[0].remedy
        case Unavailable():
            remedy = f"{again[:1].upper()}{again[1:]} in some minutes."
        case _:
            remedy = f"Do what the error says, then {again}."
    return Check(check, Result.COULD_NOT_CHECK, str(error), remedy)
