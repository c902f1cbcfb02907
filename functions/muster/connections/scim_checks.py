"""Checks of what a SCIM target has to answer, and of what its profile presumes (O2, U1). Pure.

Nothing is written, so whether the token may write is shown by the first push alone. What the target says of
itself is compared with the profile, and nothing rests on it: many say nothing, or what is not so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from muster.checks import Check, Read, Result, judged, unread
from muster.connections.access_checks import AccessFound, ConnectionProfile, access, api_access, expiry
from muster.crm import scim_attributes
from muster.errors import FilterRefused, MusterError
from muster.settings.scim_connection import ScimConnection

SECRET_KEYS = ("token",)
# Nobody is called that, so whoever is shown for it is shown for no filter at all.
NOBODY = "muster.preflight.nobody@muster.invalid"
RIGHTS = (
    "In the app, give the token's user, or the token, the right to read and write users and groups by SCIM."
)
_PROFILE = "Choose another profile in connections.scim; docs/settings.md says what each presumes."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimFound:
    """What was found in a target.

    `users` and `groups` are the first read of each. `found_by` says, by attribute, whether a filter that fits
    nobody finds nobody. `discovery` is what the target says of itself, `None` if nothing.
    """

    access: AccessFound
    users: Read[object]
    groups: Read[object]
    found_by: Mapping[str, Read[bool]]
    discovery: Read[Mapping[str, Any] | None]


def checks(connection: ScimConnection, found: ScimFound) -> Iterator[Check]:
    """Yield every check of a target."""
    profile = _profile(connection)
    yield from access(profile, found.access)
    if (expires := expiry("credentials expiry", profile, found.access)) is not None:
        yield expires
    yield api_access(found.users, RIGHTS)
    yield _groups(found.groups)
    for attribute, answer in found.found_by.items():
        yield _found_by(attribute, answer)
    yield from _discovery(found.discovery)


def push_checks(users: Read[object], groups: Read[object], rights: str) -> Iterator[Check]:
    """Yield the checks that a push depends on, given the first reads of users and groups (U6).

    `rights` says what to do where the app refuses them.
    """
    yield api_access(users, rights)
    yield _groups(groups)


def filters(connection: ScimConnection) -> list[str]:
    """Return the attributes by which users are found, as the profile has it."""
    wanted = (scim_attributes.USER_NAME, scim_attributes.EXTERNAL_ID)
    return [name for name in wanted if name in connection.dialect.filterable]


def _profile(connection: ScimConnection) -> ConnectionProfile:
    return ConnectionProfile(
        connection=f"scim.{connection.name}",
        secret=connection.secret,
        needs=SECRET_KEYS,
        place="SCIM endpoint",
        login_remedy="Make a new token in the app's settings for SCIM provisioning.",
        place_remedy="Correct host and path.",
        renewal="Make a new token in the app, and write it into the secret.",
        not_served=f"Correct host and path of connections.scim.{connection.name}; Users is below them.",
    )


def _groups(groups: Read[object]) -> Check:
    if isinstance(groups, MusterError):
        return unread("groups", groups)
    return Check("groups", Result.PASSED, "groups are shown")


def _found_by(attribute: str, answer: Read[bool]) -> Check:
    check = f"found by {attribute}"
    if isinstance(answer, FilterRefused):
        words = f"the target refuses to find users by {attribute}"
        if attribute == scim_attributes.EXTERNAL_ID:
            remedy = f"Accounts are found by userName alone then, which works as well. {_PROFILE}"
            return Check(check, Result.WARNING, words, remedy)
        remedy = f"Without it an account that is there is only met as a conflict. {_PROFILE}"
        return Check(check, Result.WARNING, words, remedy)
    if isinstance(answer, MusterError):
        return unread(check, answer)
    if not answer:
        words = f"the target overlooks a filter by {attribute}, and shows everybody"
        remedy = "Muster picks out who fits, at the cost of reading everybody; ask the app's support."
        return Check(check, Result.WARNING, words, remedy)
    return judged(check, f"the target finds users by {attribute}", "", holds=True)


def _discovery(discovery: Read[Mapping[str, Any] | None]) -> Iterator[Check]:
    check = "what it says of itself"
    if isinstance(discovery, MusterError):
        yield unread(check, discovery)
    elif discovery is None:
        yield Check(check, Result.PASSED, "it says nothing of itself, and nothing rests on that")
    elif _denies(discovery, "patch"):
        words = "it says that it takes no PATCH"
        remedy = "If that is so, Muster changes users by PUT. See in the first push that nothing is cleared."
        yield Check(check, Result.WARNING, words, remedy)
    else:
        yield Check(check, Result.PASSED, "it takes PATCH")


def _denies(discovery: Mapping[str, Any], what: str) -> bool:
    said = discovery.get(what)
    return isinstance(said, dict) and said.get("supported") is False
