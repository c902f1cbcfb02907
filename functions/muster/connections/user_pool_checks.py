"""Checks of a Cognito user pool: that it may be read, and that members are found in it (O4, U1). Pure.

Nobody is disabled to see whether that is allowed. The stack allows it of the same pools that it allows to be
read, those of its parameter `UserPoolArns`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from muster.checks import Check, Read, Result, judged, unread
from muster.errors import FilterRefused, Misconfigured, MusterError
from muster.settings.user_pool_connection import UserPoolConnection

# Nobody is called that, nor has it as an address or sub.
NOBODY = "muster.preflight.nobody@muster.invalid"
RIGHTS = "The ARN is on the pool's page in the console of Cognito; parameters are in samconfig.toml."


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolFound:
    """What was found in a pool.

    `users` is how many users a page shows, and how many of them have what members are known by. `overlooks`:
    whether a filter that fits nobody shows somebody. `read` is what is shown of a user who is not there.
    """

    users: Read[tuple[int, int]]
    overlooks: Read[bool]
    read: Read[object]


def checks(connection: UserPoolConnection, found: UserPoolFound) -> Iterator[Check]:
    """Yield every check of a pool."""
    yield _may("users listed", "ListUsers is allowed", found.users)
    yield _may("users read", "AdminGetUser is allowed", found.read)
    yield _found_by(connection, found.overlooks)
    yield _known(connection, found.users)


def _may(check: str, words: str, answer: Read[object]) -> Check:
    if isinstance(answer, Misconfigured):
        return Check(check, Result.FAILED, str(answer), "Do what the error says, then run preflight again.")
    return unread(check, answer) if isinstance(answer, MusterError) else Check(check, Result.PASSED, words)


def _found_by(connection: UserPoolConnection, overlooks: Read[bool]) -> Check:
    attribute = connection.known_by.attribute
    check = f"found by {attribute}"
    remedy = f"Choose another attribute in connections.{connection.key}.known_by."
    if isinstance(overlooks, FilterRefused):
        return Check(check, Result.FAILED, f"Cognito refuses to find users by {attribute}", remedy)
    if isinstance(overlooks, MusterError):
        return unread(check, overlooks)
    words = "overlooks a filter for" if overlooks else "finds users by"
    return judged(check, f"Cognito {words} {attribute}", remedy, holds=not overlooks)


def _known(connection: UserPoolConnection, users: Read[tuple[int, int]]) -> Check:
    attribute = connection.known_by.attribute
    check = f"users have {attribute}"
    if isinstance(users, MusterError):
        return unread(check, users)
    shown, known = users
    words = f"{known} of the first {shown} users of the pool have {attribute}"
    if known or not shown:
        return Check(check, Result.PASSED, words)
    remedy = (
        f"See in the console of Cognito what users have, and correct connections.{connection.key}.known_by."
    )
    return Check(check, Result.WARNING, words, remedy)
