"""Requests about a member's Engage groups by hand: what may be requested, and its effect (G1, G6, A5).

    assign    the member is to be in a group
    remove    the member is to be in none
    retry     the request that stands is to be sent again

Only for a feature that is pushed, and a member who has not left; an automatic assignment that names the
feature decides alone. Pure: no I/O, no clock.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from muster import validation
from muster.crm import engage_features
from muster.crm.engage_features import Feature, Seen
from muster.edits.csv_lines import Columns
from muster.edits.member_edits import MOST_PROBLEMS
from muster.errors import Problem, Rejected
from muster.references import Reference
from muster.roster import end_dates, engage_groups, entitlements, salesforce_lifecycle, vault_tries
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Attributes, Member
from muster.roster.reasons import EXPLAINED
from muster.settings import Settings, mappings
from muster.settings.sections import EngageFeature
from muster.settings.values import Section
from muster.validation import refused

LONGEST_GROUP = 255
_ONE_LINE = re.compile(r"\S|\S[^\x00-\x1f\x7f]*\S")

_ASSIGN_LATER = "Assign a group once the member is active again."
_ALIGN = "Requests are kept in Align: the next Retry Request there overwrites this one."
_IN_VAULT = (
    "The user is inactive in Vault CRM, and is asked no group: the request stands, and is sent once the user"
    " is active there. With crm_user_status active (MemberSettingsFunction) a push activates the user."
)
_BY_ITSELF = "Until then, the next push takes the member out of both groups."


def _group(value: str) -> str:
    if value and not _ONE_LINE.fullmatch(value):
        raise refused(
            "begins or ends with a blank, or holds a control character",
            "Write the group's name as Vault CRM has it, on one line.",
        )
    return value


type Group = Annotated[
    str, Field(max_length=LONGEST_GROUP, examples=["UK Field Force"]), AfterValidator(_group)
]


class GroupRequest(Section):
    """One request: `member` is an id, e-mail address, username or CRM id; `group` goes with assign alone."""

    member: Reference
    action: Literal["assign", "remove", "retry"]
    feature: EngageFeature
    group: Group | None = None


# As the columns of a CSV file.
COLUMNS = Columns(needed=("member", "action", "feature"), others=("group",))


def read(document: object) -> GroupRequest:
    """Return a request as it was sent; raises `Rejected`; `""` is the place of the request itself."""
    try:
        request = GroupRequest.model_validate(document)
    except ValidationError as error:
        found = validation.problems(error, _schema(), "")[:MOST_PROBLEMS]
    else:
        if request.action == "assign" and not request.group:
            found = [Problem("group", "is empty", "Name the group; to take the member out, use remove.")]
        elif request.action != "assign" and request.group is not None:
            remedy = "Leave it out; to ask for another group, use assign."
            found = [Problem("group", f"does not go with {request.action}", remedy)]
        else:
            return request
    # Not chained: pydantic's error quotes what was sent.
    raise Rejected(*found)


@cache
def _schema() -> dict[str, Any]:
    return GroupRequest.model_json_schema()


def decide(
    member: Member, request: GroupRequest, by: str, settings: Settings, now: datetime, run: str
) -> Decision:
    """Return the decision about a request; raises `Rejected` where it may not be made by hand, or not now.

    A request for what is so already, or under way, is `UNCHANGED`.
    """
    if problem := next(_refusals(member, request, settings, end_dates.today(now, settings.time_zone)), None):
        raise Rejected(problem)
    origin = f"manual:{by}"
    after = replace(member, **_attributes(member, request, origin))
    return salesforce_lifecycle.recorded(member, after, Outcome.UPDATED, settings, now, origin, run)


def note(
    member: Member, feature: Feature, settings: Settings, now: datetime, groups: Iterable[str] = ()
) -> str:
    """Return what the next push will send for a member's feature and why, or why it sends nothing.

    Where admins make requests in Align, it says so (G9); and where the group is none of `groups`, which users
    of Vault CRM were seen in, that nobody is in it, and which has nearly that name.
    """
    note = f"{_next(member, feature, settings, now)}{_unseen(member.feature(feature).request, groups)}"
    return f"{note} {_ALIGN}" if settings.connections.align else note


def _unseen(group: str | None, groups: Iterable[str]) -> str:
    known = sorted(groups)
    if not group or not known or group in known:
        return ""
    close = validation.closest(group, known)
    did_you_mean = f" Did you mean {close!r}?" if close else ""
    return f" Nobody in Vault CRM is in a group named {group!r} yet.{did_you_mean}"


def _next(member: Member, feature: Feature, settings: Settings, now: datetime) -> str:
    mine = member.feature(feature)
    request, status = mine.request, mine.status
    if engage_features.CONNECTION not in member.crm:
        if request is None:
            return "Nothing has to be sent: the person is not in Vault CRM yet."
        return "The person is not in Vault CRM yet: it is sent once an import has linked the member."
    today = end_dates.today(now, settings.time_zone)
    if request and not end_dates.has_left(member, today) and not engage_groups.may_hold(member, today):
        return _IN_VAULT
    if engage_groups.is_unsent(member, feature):
        return _sends(member, feature, settings, today)
    if status == engage_features.REQUEST_SENT:
        return "It has been sent; Vault CRM has not reported the outcome yet."
    if status == engage_features.NO_LICENSES_REMAINING:
        return "No licence is free: the member keeps the place in line, and is tried again when one is."
    if tries := vault_tries.of(member, feature):
        due = f"from {tries.next()} on" if tries.next() else "by the next push"
        what = "request was not saved" if tries.adds else "removal has failed"
        return f"The {what} ({status}), and is tried again {due}; a retry has it sent at once."
    if status in engage_features.FAILED:
        return f"Vault CRM refused it ({status}): correct what is wrong there, then ask for a retry."
    if request == mine.group:
        return "Nothing has to be sent: Vault CRM shows it done."
    shown = f"group {_quoted(mine.group)} and status {status or 'none'}"
    return f"Vault CRM shows {shown}: a retry sends it once more."


def _sends(member: Member, feature: Feature, settings: Settings, today: date) -> str:
    wanted = engage_groups.wanted(member, feature, today)
    seen = Seen(request=engage_groups.seen_request(member, feature), group=member.feature(feature).group)
    if wanted == seen.request:
        has = "has no request" if wanted is None else "holds this request"
        return f"The next push sends Retry Request, because Vault CRM {has} already and would do nothing."
    if wanted is None:
        return "The next push clears the request in Vault CRM, which takes the member out of the group."
    return f"The next push asks Vault CRM for group {_quoted(wanted)}."


def _quoted(group: str | None) -> str:
    return f"{group!r}" if group else "none"


def _attributes(member: Member, request: GroupRequest, origin: str) -> Attributes:
    if request.action == "retry":
        return engage_groups.retry(member, request.feature)
    if _is_so(member, request.feature, request.group):
        return {}
    if changed := engage_groups.request_group(member, request.feature, request.group):
        return {**changed, "origins": {**member.origins, f"{request.feature}.request": origin}}
    # Requested already, but Vault CRM shows something else.
    return engage_groups.retry(member, request.feature)


def _is_so(member: Member, feature: Feature, group: str | None) -> bool:
    """Whether this group is requested, and is on its way, was refused, or is what Vault CRM shows."""
    mine = member.feature(feature)
    if mine.request != group:
        return False
    is_sent = mine.status == engage_features.REQUEST_SENT
    if engage_features.CONNECTION not in member.crm or is_sent or engage_groups.is_unsent(member, feature):
        return True
    shown = (mine.group, engage_groups.seen_request(member, feature))
    return group in shown if group else not any(shown)


def _refusals(member: Member, request: GroupRequest, settings: Settings, today: date) -> Iterator[Problem]:
    """Yield the reasons to refuse the request, the most general first."""
    yield from _not_pushed(request.feature, settings)
    in_no_group = request.action == "retry" and not engage_groups.gives_back(member, request.feature)
    asks = request.action == "assign" or (in_no_group and member.feature(request.feature).request)
    if end_dates.has_left(member, today) and asks:
        yield Problem("member", *_leaving(member))
    if request.action == "retry":
        yield from _nothing_to_retry(member, request.feature, settings)
    elif governor := entitlements.governor(member, request.feature, settings):
        yield Problem(
            "feature",
            f"follows Salesforce through assignment {governor!r} (automatic)",
            "Change the group of the assignment, or the user in Salesforce; with update_mode manual the"
            " assignment would ask for its group once and leave it to be changed here.",
        )


def _not_pushed(feature: Feature, settings: Settings) -> Iterator[Problem]:
    connection = settings.connections.vault_crm
    if connection is None:
        remedy = "Add connections.vault_crm with OrganizationSettingsFunction."
        yield Problem("feature", "leads nowhere: the settings have no Vault CRM connection", remedy)
    elif feature not in connection.manage_features:
        yield Problem(
            "feature",
            "is not managed: it is imported and shown, and never pushed",
            f"Add {feature} to connections.vault_crm.manage_features, or change the group in Vault CRM.",
        )
    elif feature not in mappings.pushed_features(settings):
        yield Problem(
            "feature",
            "is not pushed: the mapping of its request is switched off",
            f"Add {feature}.request to field_maps.vault_crm.outbound.system in the settings.",
        )


def _leaving(member: Member) -> tuple[str, str]:
    """Return why the member has left, and what to do first (G7)."""
    if not member.active:
        why = EXPLAINED.get(member.inactive_reason or "", "It was deactivated.")
        return "is not active", f"{_ASSIGN_LATER} {why}"
    if member.crm_user_status == "inactive":
        first = "Set crm_user_status to active with MemberSettingsFunction first."
        return "is set inactive (crm_user_status)", f"{first} {_BY_ITSELF}"
    first = "Move end_date, or take it away, with MemberSettingsFunction first."
    return f"is past the end date, {member.end_date}", f"{first} {_BY_ITSELF}"


def _nothing_to_retry(member: Member, feature: Feature, settings: Settings) -> Iterator[Problem]:
    mine, seen = member.feature(feature), engage_groups.seen_request(member, feature)
    if not (mine or seen):
        remedy = "Use assign to ask for a group."
        yield Problem("action", "has nothing to repeat: no group was ever asked for", remedy)
    elif mine.request == seen and not mappings.sends_status(settings, feature):
        yield Problem(
            "action",
            "cannot be sent: Vault CRM has the request, and the mapping of the status is switched off",
            f"Add {feature}.status to field_maps.vault_crm.outbound.system in the settings.",
        )
