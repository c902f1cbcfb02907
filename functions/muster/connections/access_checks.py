"""Checks that all connections share: secret, host, login, right place, expiry, API, limits (U1, U5). Pure.

Each check takes what was found (`Read`): a value, or the error of reading it, which is reported as
`could_not_check`, never as passed. `salesforce_checks` and `vault_checks` have the rest; `checking` reads.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from muster.checks import Check, NotAsked, Read, Result, judged, unread
from muster.connections.credential_expiry import EXPIRES_ON, WARNING_DAYS
from muster.errors import (
    ApiCallsUsedUp,
    Downtime,
    LoginUnderWay,
    Misconfigured,
    MusterError,
    NotServed,
    Rejected,
    Unavailable,
    WrongSystem,
)


@dataclass(frozen=True, slots=True)
class SecretFound:
    """A secret's keys that have a value, and its `credential_expiry.days_left`; never its values."""

    keys: frozenset[str]
    days_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFound:
    """How far the credentials led: the secret, the host, the login.

    `answered` is the first read from the host, of which only a failure to answer matters.
    """

    secret: Read[SecretFound]
    answered: Read[object]
    login: Read[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionProfile:
    """What the shared checks need to know of a connection, and the remedies they name.

    `secret` is the secret's name, `needs` the keys it must have. `place` is the name of the check for the
    right org or vault. `login_remedy` is for a refused login, `place_remedy` for the wrong place, `renewal`
    for credentials that expire soon, `not_served` for a host that serves nothing there.
    """

    connection: str
    secret: str | None
    needs: Sequence[str]
    place: str
    login_remedy: str
    place_remedy: str
    renewal: str
    not_served: str = ""


def lacking(secret: Read[SecretFound], needs: Iterable[str]) -> tuple[str, ...]:
    """Return the needed keys that a secret lacks, in order; none if the secret could not be read."""
    return () if isinstance(secret, MusterError) else tuple(key for key in needs if key not in secret.keys)


def access(profile: ConnectionProfile, found: AccessFound) -> Iterator[Check]:
    """Yield the checks of a connection's secret, host, login and place."""
    yield _secret(profile, found.secret)
    yield _reachable(profile, found.answered)
    yield _login(profile, found.login)
    yield _place(profile, found.login)


def _secret(profile: ConnectionProfile, secret: Read[SecretFound]) -> Check:
    missing = lacking(secret, profile.needs)
    if isinstance(secret, Misconfigured):
        return Check("secret", Result.FAILED, str(secret), secret_instructions(profile))
    if isinstance(secret, MusterError):
        return unread("secret", secret)
    words = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(profile.needs)}"
    return judged(
        "secret", f"the secret {profile.secret} {words}", secret_instructions(profile), holds=not missing
    )


def secret_instructions(profile: ConnectionProfile) -> str:
    """Return instructions for writing the connection's secret."""
    example = json.dumps(dict.fromkeys(profile.needs, "…"), ensure_ascii=False)
    return (
        f'Write {example} into secret.json, every value in quotes (with "{EXPIRES_ON}": "2027-01-31" beside'
        " them where the credentials end some day), then run: aws secretsmanager"
        f" put-secret-value --secret-id {profile.secret} --secret-string file://secret.json"
        f" (a secret that is not there yet: create-secret --name {profile.secret}), in the stack's region."
    )


def _reachable(profile: ConnectionProfile, answered: Read[object]) -> Check:
    host = f"connections.{profile.connection}.host"
    if isinstance(answered, NotAsked | ApiCallsUsedUp | LoginUnderWay):
        return unread("reachable", answered)
    if isinstance(answered, Downtime):
        return Check("reachable", Result.FAILED, str(answered), "Wait for its end; then run preflight again.")
    if isinstance(answered, Unavailable):
        remedy = f"Check {host}. If it is right, run preflight again once the system answers again."
        return Check("reachable", Result.FAILED, str(answered), remedy)
    return Check("reachable", Result.PASSED, f"the host of {host} answers")


def _login(profile: ConnectionProfile, login: Read[None]) -> Check:
    if isinstance(login, NotServed):
        # Credentials were not looked at.
        version = (
            f"Correct connections.{profile.connection}: its api_version (see the check version) or host."
        )
        return Check("login", Result.FAILED, str(login), profile.not_served or version)
    if isinstance(login, Misconfigured) and not isinstance(login, WrongSystem):
        return Check(
            "login", Result.FAILED, str(login), f"{profile.login_remedy} {secret_instructions(profile)}"
        )
    if isinstance(login, MusterError) and not isinstance(login, WrongSystem):
        return unread("login", login)
    return Check("login", Result.PASSED, f"the credentials in the secret {profile.secret} are accepted")


def _place(profile: ConnectionProfile, login: Read[None]) -> Check:
    if isinstance(login, WrongSystem):
        return Check(profile.place, Result.FAILED, str(login), profile.place_remedy)
    if isinstance(login, MusterError):
        return unread(profile.place, _nothing(login))
    return Check(profile.place, Result.PASSED, "the login leads where the settings say")


def expiry(check: str, profile: ConnectionProfile, found: AccessFound) -> Check | None:
    """Return the check of the secret's `expires_on`, `None` if it has none (N2).

    A day in the past is no failure while the login works: Salesforce accepts an expired certificate.
    """
    secret = found.secret
    if isinstance(secret, MusterError) or lacking(secret, profile.needs):
        return unread(check, NotAsked("was not asked, because the secret is not as it has to be"))
    if EXPIRES_ON not in secret.keys:
        return None
    day = f"{EXPIRES_ON} in the secret {profile.secret}"
    days = secret.days_left
    if days is None:
        remedy = f'Write it like "{EXPIRES_ON}": "2027-01-31": year, month and day, in quotes.'
        return Check(check, Result.FAILED, f"{day} cannot be read as a day", remedy)
    renewal = f"{profile.renewal} {secret_instructions(profile)}"
    if days >= 0:
        result = Result.WARNING if days < WARNING_DAYS else Result.PASSED
        words = f"{day} is {f'{_days(days)} from now' if days else 'today'}"
        return Check(check, result, words, renewal if result is Result.WARNING else "")
    past = f"{day} was {_days(-days)} ago"
    if isinstance(found.login, Misconfigured) and not isinstance(found.login, WrongSystem):
        return Check(check, Result.FAILED, f"{past}, and the login is refused", renewal)
    remedy = f"Were the credentials renewed since, write the new day. If not: {renewal}"
    return Check(check, Result.WARNING, past, remedy)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"


def version(connection: str, wanted: str, served: Read[Sequence[str]]) -> Check:
    """Return the check that the system serves the API version in the settings."""
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
    """Return the check that the API answers the integration user; `first` is the first read after login."""
    refused = isinstance(first, Misconfigured) and not isinstance(first, NotServed)
    if isinstance(first, MusterError) and not isinstance(first, Rejected) and not refused:
        return unread("API access", first)
    found = str(first) if isinstance(first, MusterError) else "the API answers the integration user"
    return judged("API access", found, remedy, holds=not refused)


def calls_left(check: str, left: tuple[int, int] | None, least: float, remedy: str) -> Check:
    """Return the check that enough API calls are left: `left` is (remaining, limit), `least` a fraction."""
    if left is None:
        words = "no answer said how many calls are left"
        return Check(check, Result.COULD_NOT_CHECK, words, "Run preflight again in some minutes.")
    remaining, limit = left
    found = f"{remaining:,} of {limit:,} calls are left"
    if remaining < least * limit:
        return Check(check, Result.WARNING, found, remedy)
    return Check(check, Result.PASSED, found)


def _nothing(login: MusterError) -> MusterError:
    """Return the error of a read that depends on the login, without repeating why that failed."""
    return login if isinstance(login, NotAsked) else NotAsked("was not asked, because the login failed")
