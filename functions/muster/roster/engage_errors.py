"""Entries for the error log about requests of Engage groups and users of Vault CRM, with remedies (P3, G3).

Whoever sees first what became of a request tells it, push or import. Pure.
"""

from collections.abc import Iterator, Mapping

from muster.crm import engage_features
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.roster.member import Member

_NAMED = {engage_features.ENGAGE: "Engage", engage_features.CONNECT: "Engage Connect"}
_THEN_RETRY = "then ask for a retry with GroupAssignmentFunction"
_FAILURES: Mapping[str, tuple[str, str]] = {
    engage_features.NO_LICENSES_REMAINING: (
        "found no licence; the member waits in line",
        "Nothing to do: the first in line is sent when a licence becomes free. Or add licences to the group.",
    ),
    engage_features.INVALID_GROUP_NAME: (
        "names a group that the Engage server does not have",
        "Assign a group that the server has, spelled as there, with GroupAssignmentFunction.",
    ),
    engage_features.USER_NOT_IN_CONNECT: (
        "was refused: the user is not set up for Engage Connect",
        f"Set the user up for Engage Connect in Vault CRM, {_THEN_RETRY}.",
    ),
    engage_features.USER_CREATE_FAILED: (
        "was refused: the Engage Connect user could not be created",
        f"Check name, e-mail address, country and user type of the user in Vault CRM, {_THEN_RETRY}.",
    ),
    engage_features.USER_UPDATE_FAILED: (
        "was refused: the Engage Connect user could not be updated",
        f"Check name, e-mail address, country and user type of the user in Vault CRM, {_THEN_RETRY}.",
    ),
    engage_features.REQUEST_FAILED: (
        "was refused by the Engage server",
        f"Check the user's groups in Vault CRM, {_THEN_RETRY}. If it keeps failing, ask Veeva's support.",
    ),
}
_UNKNOWN = (
    "has a status that the settings do not know",
    "Add it to connections.vault_crm.statuses, or check the user in Vault CRM.",
)


def failures(before: Member, after: Member, at: str, run: str) -> Iterator[LogEntry]:
    """Yield an entry for each request that failed between `before` and `after`; `at` is now (ISO 8601)."""
    for feature in engage_features.FEATURES:
        status = getattr(after, feature)["status"]
        if status is None or status == getattr(before, feature)["status"]:
            continue
        if status in engage_features.FAILED or status not in engage_features.STATUSES[feature]:
            what, remedy = _FAILURES.get(status, _UNKNOWN)
            code = status if status in engage_features.FAILED else "unknown_status"
            problem = Problem(_NAMED[feature], f"request {what}", remedy)
            vault_id = after.crm.get(engage_features.CONNECTION, {}).get("id") or ""
            yield user_entry(at, vault_id, code, problem, after.id, run)


def user_not_seen(member: Member, at: str, run: str) -> LogEntry:
    """Return the entry for a member whose user Vault CRM does not show; `at` is now (ISO 8601)."""
    problem = Problem(
        "user__sys",
        "does not show the user to the integration user, so nothing was sent",
        "Let the integration user read the user, or import from Vault CRM to link another.",
    )
    vault_id = member.crm[engage_features.CONNECTION]["id"] or ""
    return user_entry(at, vault_id, "user_not_seen", problem, member.id, run)


def user_entry(
    at: str, vault_id: str, code: str, problem: Problem, member: str | None = None, run: str = ""
) -> LogEntry:
    """Return an entry about a Vault CRM user and the member (id) it is linked to."""
    return entry_of(
        problem,
        at=at,
        system=engage_features.CONNECTION,
        code=code,
        notification=run,
        record=vault_id,
        member=member,
    )
