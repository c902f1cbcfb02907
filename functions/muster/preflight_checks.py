"""What every connection is checked for: its secret, whether it answers, the login, the right place (U1, U5).

A check is a pure judgement of what was found; what could not be read is the error that said so (`Read`),
and is told as `could_not_check`, never as passed. `preflight_salesforce` and `preflight_vaults` judge the
rest, `checking` asks.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from muster.errors import Misconfigured, MusterError, NotServed, Rejected, Unavailable, WrongSystem

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How far the credentials led.

    `keys` are the keys of the secret that hold something. `answered` is whatever was asked of the host
    first; only its not answering counts.
    """

    keys: Read[frozenset[str]]
    answered: Read[object]
    login: Read[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What an entrance is judged by: the connection's settings, in words.

    `place` is what the check of the right org or vault is called; the remedies say what to do about a
    refused login and about the wrong place.
    """

    connection: str
    secret: str | None
    needs: Sequence[str]
    place: str
    login_remedy: str
    place_remedy: str


def judged(check: str, found: str, remedy: str, *, holds: bool) -> Check:
    """Return a check that passed where it holds, and else failed."""
    return Check(check, Result.PASSED, found) if holds else Check(check, Result.FAILED, found, remedy)


def unread(check: str, error: MusterError) -> Check:
    """Return a check that could not be made, for something could not be read."""
    match error:
        case NotAsked():
            remedy = "Mend what failed above, then run preflight again."
        case Rejected():
            remedy = error.problems[0].remedy
        case Unavailable():
            remedy = "Run preflight again in some minutes."
        case _:
            remedy = "Do what it says, then run preflight again."
    return Check(check, Result.COULD_NOT_CHECK, str(error), remedy)


def lacking(keys: Read[frozenset[str]], needs: Iterable[str]) -> tuple[str, ...]:
    """Return which keys a secret that could be read lacks, in their order."""
    return () if isinstance(keys, MusterError) else tuple(key for key in needs if key not in keys)


def entrance(door: Door, found: Entrance) -> Iterator[Check]:
    """Yield the checks of a connection's secret, host, login and place."""
    yield _secret(door, found.keys)
    yield _reachable(door, found.answered)
    yield _login(door, found.login)
    yield _place(door, found.login)


def _secret(door: Door, keys: Read[frozenset[str]]) -> Check:
    missing = lacking(keys, door.needs)
    if isinstance(keys, Misconfigured):
        return Check("secret", Result.FAILED, str(keys), recipe(door))
    if isinstance(keys, MusterError):
        return unread("secret", keys)
    words = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(door.needs)}"
    return judged("secret", f"the secret {door.secret} {words}", recipe(door), holds=not missing)


def recipe(door: Door) -> str:
    """Return how the connection's secret is written."""
    example = json.dumps(dict.fromkeys(door.needs, "…"), ensure_ascii=False)
    return (
        f"Write {example} into secret.json, every value in quotes, then run: aws secretsmanager"
        f" put-secret-value --secret-id {door.secret} --secret-string file://secret.json"
        f" (a secret that is not there yet: create-secret --name {door.secret}), in the stack's region."
    )


def _reachable(door: Door, answered: Read[object]) -> Check:
    host = f"connections.{door.connection}.host"
    if isinstance(answered, NotAsked):
        return unread("reachable", answered)
    if isinstance(answered, Unavailable):
        remedy = f"Check {host}. If it is right, the system is down or busy: run preflight again later."
        return Check("reachable", Result.FAILED, str(answered), remedy)
    return Check("reachable", Result.PASSED, f"the host of {host} answers")


def _login(door: Door, login: Read[None]) -> Check:
    if isinstance(login, Misconfigured) and not isinstance(login, WrongSystem):
        return Check("login", Result.FAILED, str(login), f"{door.login_remedy} {recipe(door)}")
    if isinstance(login, MusterError) and not isinstance(login, WrongSystem):
        return unread("login", login)
    return Check("login", Result.PASSED, f"the credentials in the secret {door.secret} are accepted")


def _place(door: Door, login: Read[None]) -> Check:
    if isinstance(login, WrongSystem):
        return Check(door.place, Result.FAILED, str(login), door.place_remedy)
    if isinstance(login, MusterError):
        return unread(door.place, _nothing(login))
    return Check(door.place, Result.PASSED, "the login leads where the settings say")


def version(connection: str, wanted: str, served: Read[Sequence[str]]) -> Check:
    """Return whether the system serves the version of its API that the settings name."""
    if isinstance(served, MusterError):
        return unread("version", served)
    newest = ", ".join(served[-3:]) or "none"
    return judged(
        "version",
        f"{wanted} is served" if wanted in served else f"{wanted} is not served; the newest are {newest}",
        f"Write one of the versions that are served into connections.{connection}.api_version.",
        holds=wanted in served,
    )


def api_access(first: Read[object], remedy: str) -> Check:
    """Return whether the API answers who is logged in; `first` is what was asked first after the login."""
    refused = isinstance(first, Misconfigured) and not isinstance(first, NotServed)
    if isinstance(first, MusterError) and not isinstance(first, Rejected) and not refused:
        return unread("API access", first)
    found = str(first) if isinstance(first, MusterError) else "the API answers the integration user"
    return judged("API access", found, remedy, holds=not refused)


def calls_left(check: str, left: tuple[int, int] | None, least: float, remedy: str) -> Check:
    """Return whether so large a part of a limit on calls is left; `left` is how many of how many."""
    if left is None:
        words = "no answer said how many calls are left"
        return Check(check, Result.COULD_NOT_CHECK, words, "Run preflight again in some minutes.")
    remaining, limit = left
    found = f"{remaining:,} of {limit:,} calls are left"
    if remaining < least * limit:
        return Check(check, Result.WARNING, found, remedy)
    return Check(check, Result.PASSED, found)


def _nothing(login: MusterError) -> MusterError:
    """Return why what a login would have told is not known, without repeating why it failed."""
    return login if isinstance(login, NotAsked) else NotAsked("was not asked, for the login did not succeed")
