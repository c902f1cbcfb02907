"""Entries for the error log about requests of Engage groups and users of Vault CRM, with remedies (P3, G3).

Whoever sees first what became of a request tells it, push or import. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from muster.crm import engage_features, vault_fields
from muster.crm.engage_features import Feature
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.roster import licence_places, requests_under_way, vault_tries
from muster.roster.member import Member
from muster.times import timestamp

_NAMED = engage_features.NAMES
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
# Told for the record: nothing is wrong any more.
REMOVAL_SUCCEEDED = "removal_succeeded"

_TRIED_AGAIN = "It is tried again by itself: with the next push, six hours after that, then daily."
_AGAIN = f"{_TRIED_AGAIN} To try at once, ask for a retry with GroupAssignmentFunction."
_NOT_DONE = "the user is still in the group, and the licence is not free"
REFUSED = Problem("record", "was refused by Vault CRM", "")
NOT_TAKEN = Problem(
    "record",
    "a removal changed nothing (NO_DATA_CHANGES), and Vault CRM still shows the group",
    "The same was tried once with an empty text. Clear the user's request in Vault CRM if that was in vain.",
)
_UNKNOWN = (
    "has a status that the settings do not know",
    "Add it to connections.vault_crm.statuses, or check the user in Vault CRM.",
)


def failures(before: Member, after: Member, at: str, run: str) -> Iterator[LogEntry]:
    """Yield an entry for each failure of requests between `before` and `after`; `at` is now (ISO 8601).

    What failed alike in both features is one entry, for the error log knows them by code and record. A
    removal is told when it first fails, when it takes more than a week, and when it succeeds after it has
    failed: not each time that it is tried again (G7).
    """
    vault_id = after.crm.get(engage_features.CONNECTION, {}).get("id") or ""
    by_code: dict[str, list[Problem]] = {}
    for feature in engage_features.FEATURES:
        found = (
            _removal_told(before, after, feature)
            if vault_tries.of_removal(before, feature) or vault_tries.of_removal(after, feature)
            else _failure(before, after, feature)
        )
        if found:
            by_code.setdefault(found[0], []).append(found[1])
    for code, problems in by_code.items():
        yield user_entry(at, vault_id, code, _joined(problems), after.id, run)


def _joined(problems: Sequence[Problem]) -> Problem:
    first, *others = problems
    message = "; ".join([first.message, *(f"{each.where} {each.message}" for each in others)])
    return Problem(first.where, message, " ".join(dict.fromkeys(each.remedy for each in problems)))


def _failure(before: Member, after: Member, feature: Feature) -> tuple[str, Problem] | None:
    status = after.feature(feature).status
    if status is None or status == before.feature(feature).status:
        return None
    if status not in engage_features.FAILED and engage_features.is_known(feature, status):
        return None
    waited = _waited(before, feature)
    if status == engage_features.NO_LICENSES_REMAINING and waited and waited == _waited(after, feature):
        # Whoever is in line is tried from time to time, and that there still is no licence is no news (G8).
        return None
    what, remedy = _FAILURES.get(status, _UNKNOWN)
    code = status if status in engage_features.FAILED else "unknown_status"
    return code, Problem(_NAMED[feature], f"request {what}", remedy)


def _waited(member: Member, feature: Feature) -> str | None:
    """Return the group that the member is in line for."""
    groups = {place.feature: place.group for place in licence_places.places(member)}
    return groups.get(feature)


def _removal_told(before: Member, after: Member, feature: Feature) -> tuple[str, Problem] | None:
    was, now = vault_tries.of_removal(before, feature), vault_tries.of_removal(after, feature)
    if now is None:
        if was is None or not was.failed or after.feature(feature).group:
            return None
        done = f"removal succeeded, which had failed since {was.failed}"
        return REMOVAL_SUCCEEDED, Problem(_NAMED[feature], done, "Nothing to do: the licence is free.")
    if not vault_tries.has_news(before, after, feature):
        return None
    if now.overdue and not (was and was.overdue):
        since = f"removal has been tried since {now.since}; {_NOT_DONE}"
        return "removal_overdue", Problem(_NAMED[feature], since, f"Ask Veeva's support. {_AGAIN}")
    status = after.feature(feature).status
    if status not in engage_features.FAILED:
        return "removal_not_done", Problem(_NAMED[feature], f"removal brought nothing: {_NOT_DONE}", _AGAIN)
    what, remedy = _FAILURES[status]
    first = remedy.partition(f", {_THEN_RETRY}")[0].removesuffix(".")
    return status, Problem(_NAMED[feature], f"removal {what}; {_NOT_DONE}", f"{first}. {_AGAIN}")


def not_activated(problem: Problem) -> Problem:
    """Return the problem with a user whom Vault CRM did not make active, with what follows from it (P3)."""
    return Problem(
        problem.where,
        f"was not made active, and is asked no group: {problem.message}",
        "If no licence for users is left, which PreflightFunction says (base licences), make another user"
        f" inactive in Vault CRM, or buy licences. {problem.remedy}".rstrip(),
    )


def tried_again(problem: Problem) -> Problem:
    """Return a problem with a record that is tried again by itself, saying so (G7)."""
    remedy = f"{problem.remedy.removesuffix('.')}. {_TRIED_AGAIN}" if problem.remedy else _TRIED_AGAIN
    return replace(problem, remedy=remedy)


def under_way_too_long(member: Member, now: datetime) -> Iterator[LogEntry]:
    """Yield an entry for each request that has been under way for a day or more, the same each time (P3).

    A removal is told as one that brought nothing, and tried again.
    """
    vault_id = member.crm.get(engage_features.CONNECTION, {}).get("id") or ""
    for feature in engage_features.FEATURES:
        since = requests_under_way.too_long_since(member, feature, now)
        if since is None or vault_tries.of_removal(member, feature):
            continue
        problem = Problem(
            _NAMED[feature],
            f"request has been under way since {timestamp(since)}; the Engage server has not answered",
            f"Look at the user in Vault CRM, {_THEN_RETRY}. If that is in vain, ask Veeva's support.",
        )
        at = timestamp(since + requests_under_way.LONG)
        yield user_entry(at, vault_id, "request_under_way", problem, member.id, feature)


def left_in_group(feature: Feature) -> Problem:
    """Return the problem with a user who was inactivated in a group of a feature that is not managed."""
    return Problem(
        _NAMED[feature],
        "group still has the user, who was inactivated: the feature is not managed, and the licence not free",
        "In Vault CRM make the user active, clear the request, and make the user inactive again. To have that"
        f" done for who leaves next, add {feature} to connections.vault_crm.manage_features.",
    )


def field_not_writable(name: str, now: datetime) -> LogEntry:
    """Return the entry for a field that a custom mapping writes and nobody can, the same all day (G5)."""
    problem = Problem(
        name,
        f"of {vault_fields.OBJECT} is mapped to be written, and is not active, or the integration user may"
        " not edit it: nothing is written to it",
        f"Let its profile edit {name}, or take it out of field_maps.vault_crm.outbound.custom.",
    )
    day = timestamp(now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    return entry_of(
        problem,
        at=day,
        system=engage_features.CONNECTION,
        code="field_not_writable",
        notification=name,
        record=None,
    )


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
