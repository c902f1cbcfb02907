"""Checks of a connection: what was checked, the result, what was found, and what to do (U1).

A value that could not be read is the error that said so (`Read`); checks that rest on it are
`could_not_check`, never passed.
"""

from dataclasses import dataclass
from enum import StrEnum

from muster.errors import MusterError, Rejected, Unavailable

type Read[T] = T | MusterError


class Result(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a connection: its name, what came of it, what was found, and what to do about it."""

    check: str
    result: Result
    found: str
    remedy: str = ""


class NotAsked(MusterError):
    """Something was not read, because what it rests on did not come about."""


def judged(check: str, found: str, remedy: str, *, holds: bool) -> Check:
    """Return a check that passed where it holds, and else failed."""
    return Check(check, Result.PASSED, found) if holds else Check(check, Result.FAILED, found, remedy)


def unread(check: str, error: MusterError, again: str = "run preflight again") -> Check:
    """Return a check that could not be made, for something could not be read; `again` is how it is asked."""
    match error:
        case NotAsked():
            remedy = f"Mend what failed above, then {again}."
        case Rejected():
            remedy = error.problems[0].remedy
        case Unavailable():
            remedy = f"{again[:1].upper()}{again[1:]} in some minutes."
        case _:
            remedy = f"Do what it says, then {again}."
    return Check(check, Result.COULD_NOT_CHECK, str(error), remedy)
