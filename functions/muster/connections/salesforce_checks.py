"""Checks of what the Salesforce integration user needs (U4). Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from muster.checks import Check, Read, Result, unread
from muster.connections.access_checks import (
    AccessFound,
    ConnectionProfile,
    access,
    api_access,
    calls_left,
    expiry,
    version,
)
from muster.crm import soql
from muster.errors import MusterError, Problem
from muster.settings import Settings, trial_queries
from muster.settings.mappings import fields_to_read
from muster.settings.sections import SalesforceConnection

# Salesforce answers with the number of users and no rows.
COUNT_OF_USERS = soql.select(["COUNT()"])
_LEAST_CALLS = 0.2
_EXPIRY = "credentials expiry"
_NO_DAY = "the secret names no day on which the credentials end; with expires_on in it, Muster warns in time"

_SECRET_KEYS = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt_bearer": ("client_id", "username", "private_key"),
}
_LOGIN_REMEDIES = {
    "client_credentials": (
        "Setup > External Client App Manager > the app: enable the Client Credentials Flow, name the"
        " integration user under Run As, and copy consumer key and secret into the secret as client_id and"
        " client_secret."
    ),
    "jwt_bearer": (
        "Setup > External Client App Manager > the app: enable the JWT Bearer Flow, upload the certificate of"
        " private_key, and pre-authorize the integration user, whose username is in the secret."
    ),
}
_RENEWALS = {
    "client_credentials": (
        "Setup > External Client App Manager > the app: rotate the consumer secret, and write it into the"
        " secret as client_secret."
    ),
    "jwt_bearer": (
        "Make a new key with its certificate, upload the certificate to the app (Setup > External Client App"
        " Manager), and write the key into the secret as private_key."
    ),
}
_VIEW_ALL_USERS = (
    "Setup > Permission Sets > the integration user's > System Permissions: tick View All Users. Setup >"
    " Users, view All Users, shows how many there are."
)

_MANAGE_USERS = (
    "Setup > Permission Sets > the integration user's > System Permissions: tick Manage Users. Without it,"
    " Muster goes on and does not know who is frozen."
)
# One row is enough to see whether Salesforce answers.
WHO_IS_FROZEN = f"{soql.frozen()} LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceFound:
    """What was found in an org.

    `fields` are the names of User's fields; `refusals` say, for each of `trial_queries.queries`, why it is
    refused; `users` is how many Salesforce shows now, `users_before` how many the last full import read;
    `calls_used` is (used, limit); `no_logins` is why Salesforce does not show who is frozen, if it does not.
    """

    access: AccessFound
    versions: Read[Sequence[str]]
    fields: Read[Sequence[str]]
    refusals: Read[Sequence[str | None]]
    users: Read[int]
    users_before: Read[int | None]
    calls_used: tuple[int, int] | None
    no_logins: Read[str | None]


def secret_keys(connection: SalesforceConnection) -> tuple[str, ...]:
    """Return the keys that the secret needs for the login flow in the settings."""
    return _SECRET_KEYS[connection.login]


def checks(settings: Settings, connection: SalesforceConnection, found: SalesforceFound) -> Iterator[Check]:
    """Yield every check of the connection."""
    profile = _profile(connection)
    yield from access(profile, found.access)
    yield expiry(_EXPIRY, profile, found.access) or Check(_EXPIRY, Result.PASSED, _NO_DAY)
    yield version("salesforce", connection.api_version, found.versions)
    yield api_access(
        found.fields,
        "Setup > Permission Sets > the integration user's > System Permissions: tick API Enabled; and give"
        " the app the scope api.",
    )
    yield _all_users(found.users, found.users_before)
    yield _frozen(settings, found.no_logins)
    yield from _fields(settings, found)
    yield from _filters(settings, found.refusals)
    left = (found.calls_used[1] - found.calls_used[0], found.calls_used[1]) if found.calls_used else None
    yield calls_left(
        "daily API calls",
        left,
        _LEAST_CALLS,
        "Find out what uses them (Setup > Company Information, API Requests), or buy more. At 95 % Muster"
        " stops asking.",
    )


def _profile(connection: SalesforceConnection) -> ConnectionProfile:
    return ConnectionProfile(
        connection="salesforce",
        secret=connection.secret,
        needs=secret_keys(connection),
        place="right organization",
        login_remedy=_LOGIN_REMEDIES[connection.login],
        place_remedy=(
            "Setup > Company Information has the org's id, Setup > My Domain its host: write them into"
            " connections.salesforce.organization_id and host, or the credentials of that org's app into the"
            " secret."
        ),
        renewal=_RENEWALS[connection.login],
    )


def _all_users(users: Read[int], before: Read[int | None]) -> Check:
    """Return the check that all users are shown: none is ever deleted, so fewer than before is not all."""
    name = "reads all users"
    if isinstance(users, MusterError):
        return unread(name, users)
    if isinstance(before, MusterError):
        return unread(name, before)
    shown = f"Salesforce shows {users:,} users"
    if users <= 1:
        words = "Salesforce shows no user but the integration user itself"
        return Check(name, Result.FAILED, words, _VIEW_ALL_USERS)
    if before is None:
        found = f"{shown}; no full import has read them yet, so there is nothing to compare with"
        return Check(name, Result.WARNING, found, f"Check that these are all. If not: {_VIEW_ALL_USERS}")
    found = f"{shown}; the last full import read {before:,}"
    return (
        Check(name, Result.PASSED, found)
        if users >= before
        else Check(name, Result.FAILED, found, _VIEW_ALL_USERS)
    )


def _frozen(settings: Settings, no_logins: Read[str | None]) -> Check:
    """Return the check that it can be seen who is frozen; only where frozen users leave does it have to."""
    name = "frozen users"
    if isinstance(no_logins, MusterError):
        return unread(name, no_logins)
    if no_logins is None:
        return Check(name, Result.PASSED, "Salesforce shows which users are frozen")
    needed = settings.auto_provision.frozen_users == "inactive"
    goes_on = "nobody leaves for it" if needed else "nobody is told of them"
    return Check(
        name,
        Result.FAILED if needed else Result.COULD_NOT_CHECK,
        f"Salesforce does not show which users are frozen, so {goes_on}: {no_logins}",
        _MANAGE_USERS,
    )


def _fields(settings: Settings, found: SalesforceFound) -> Iterator[Check]:
    """Yield a failed check for each field that cannot be read, or one passed check if all can."""
    if isinstance(found.fields, MusterError):
        yield unread("fields", found.fields)
        return
    names = fields_to_read(settings)
    known = {name.lower() for name in found.fields}
    refusals = found.refusals
    if isinstance(refusals, MusterError):
        # The trial queries failed: judge by the description alone, which lacks fields that are hidden.
        hidden = any(name.lower() not in known for name in names)
        refusals = ["" if hidden else None, *([None] * (len(trial_queries.queries(settings)) - 1))]
    problems = [each for each in _problems(settings, refusals, found.fields) if not _is_of_filter(each)]
    for problem in problems:
        yield Check(f"field at {problem.where}", Result.FAILED, problem.message, problem.remedy)
    if not problems:
        yield Check("fields", Result.PASSED, f"all {len(names)} fields that the settings name can be read")


def _filters(settings: Settings, refusals: Read[Sequence[str | None]]) -> Iterator[Check]:
    """Yield a check of each filter."""
    refused: dict[str, Problem] = {}
    if not isinstance(refusals, MusterError):
        refused = {each.where: each for each in _problems(settings, refusals, ())}
    for position, assignment in enumerate(settings.assignments):
        if assignment.filter is None:
            continue
        name = f"filter of {assignment.name}"
        problem = refused.get(f"assignments[{position}].filter")
        if isinstance(refusals, MusterError):
            yield unread(name, refusals)
        elif problem:
            yield Check(name, Result.FAILED, f"{problem.where} {problem.message}", problem.remedy)
        else:
            yield Check(name, Result.PASSED, "Salesforce takes it")


def _problems(settings: Settings, refusals: Sequence[str | None], fields: Sequence[str]) -> list[Problem]:
    return trial_queries.problems(settings, refusals, fields)


def _is_of_filter(problem: Problem) -> bool:
    return problem.where.startswith("assignments[") and problem.where.endswith("].filter")
