"""What admins ask for in Align's records, taken over into members (G9).

Of a record are taken over

    a request with Retry Request    once for each time it is saved
    a request without it            of somebody new: not in Vault CRM yet, linked by this very import, or a
                                    record that has not been saved again since it was created
    crm_user_status, end_date       when they change there, and when the record is seen first, unless they
                                    say nothing: active, and no end date
    fields of custom mappings       as they are

What Align showed is kept with the member (`vault_state.AlignMark`). Pure: no I/O, no clock.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from muster.crm.engage_features import ALIGN, CONNECTION, FEATURES, Feature
from muster.engage.align_records import AlignRecord
from muster.errors import Problem
from muster.roster import end_dates, engage_groups, entitlements
from muster.roster.member import Member
from muster.roster.reasons import BY_HAND, TAKEN_BACK
from muster.roster.vault_state import AlignMark
from muster.settings import Settings
from muster.settings.mappings import align_connection


def mark_of(member: Member, record: AlignRecord) -> AlignMark | None:
    """Return what is kept of this record with the member; `None` if nothing is."""
    known = member.vault.align
    return known if known and known.id == record.id else None


def is_filled(member: Member, record: AlignRecord, feature: Feature) -> bool:
    """Whether the record has shown the member's request: only then is a blank one an admin's."""
    known = mark_of(member, record)
    return known is not None and (known.filled is None or feature in known.filled)


def asked(member: Member, record: AlignRecord, *, linked: bool = False) -> tuple[Feature, ...]:
    """Return the features whose request is to be taken over, or refused, and has not been yet.

    `linked`: the member has only now been linked to its user in Vault CRM.
    """
    if member.vault.align and member.vault.align.taken == record.modified:
        return ()
    is_new = CONNECTION not in member.crm or record.is_new or linked
    return tuple(
        feature
        for feature, seen in record.seen.items()
        if feature in record.retrying or (is_new and _asks_as_new(member, record, feature))
    )


def _asks_as_new(member: Member, record: AlignRecord, feature: Feature) -> bool:
    """Whether a record without Retry Request asks for a group, or for another than it asked for before."""
    seen, mine = record.seen[feature], member.feature(feature)
    if seen.status is not None or seen.request == mine.request:
        return False
    if CONNECTION not in member.crm and member.origins.get(f"{feature}.request") == ALIGN:
        return True
    return seen.request is not None and not is_filled(member, record, feature)


def taken_over(
    member: Member, record: AlignRecord, settings: Settings, day: date, *, linked: bool = False
) -> Member:
    """Return the member with all that the record asks for, except what is refused; `day` is today."""
    features = asked(member, record, linked=linked)
    if any(member.custom.get(name) != value for name, value in record.custom.items()):
        member = replace(member, custom={**member.custom, **record.custom})
    after = member
    for feature in features:
        if not _refusal(member, record, feature, settings, day):
            after = _requesting(after, feature, record.seen[feature].request)
    by_hand = _by_hand(member, record, day)
    if by_hand:
        origins = {**after.origins, **dict.fromkeys(by_hand, ALIGN)}
        after = _evaluated_again(replace(after, **by_hand, origins=origins), day)
    if not features and not by_hand:
        return member
    known = mark_of(member, record) or AlignMark(id=record.id, taken=None, told=None)
    filled = {feature for feature in FEATURES if is_filled(member, record, feature)}
    filled |= {feature for feature in features if record.seen[feature].request is not None}
    now = replace(
        known,
        taken=record.modified if features else known.taken,
        told=None if features else known.told,
        filled=tuple(sorted(filled)),
        by_hand=dict(record.by_hand),
    )
    after = replace(after, vault=replace(after.vault, align=now))
    return replace(after, **engage_groups.returned(member, after, day))


def refusals(
    member: Member, record: AlignRecord, settings: Settings, day: date, *, linked: bool = False
) -> tuple[Problem, ...]:
    """Return the problem of each request that is refused."""
    problems = (
        _refusal(member, record, feature, settings, day) for feature in asked(member, record, linked=linked)
    )
    return tuple(problem for problem in problems if problem)


def _requesting(member: Member, feature: Feature, request: str | None) -> Member:
    changed = engage_groups.request_group(member, feature, request)
    if changed:
        changed["origins"] = {**member.origins, f"{feature}.request": ALIGN}
    return replace(member, **(changed or engage_groups.retry(member, feature)))


def _refusal(
    member: Member, record: AlignRecord, feature: Feature, settings: Settings, day: date
) -> Problem | None:
    """Return why a request is refused; a retry of an automatic assignment's own request is not (A5)."""
    request, mine = record.seen[feature].request, member.feature(feature)
    where = getattr(align_connection(settings).fields, feature).request
    if request is not None and end_dates.has_left(member, day):
        return Problem(
            where,
            "is not taken over: the member is not active, set inactive, or past the end date",
            "Bring the member back in Align, with MemberSettingsFunction, or in Salesforce, and ask again.",
        )
    governor = entitlements.governor(member, feature, settings)
    if governor and request != mine.request:
        return Problem(
            where,
            f"is not taken over: assignment {governor!r} (automatic) decides about it",
            "Change the group of the assignment, or the user in Salesforce; or give the assignment"
            " update_mode manual.",
        )
    is_held = mine.request is not None or mine.group is not None
    if request is None and is_held and not is_filled(member, record, feature):
        return Problem(
            where,
            "is empty because nobody had filled it in yet, so nothing was taken back",
            "Look at the record again: it now shows the group. To take it back, empty the field, select"
            " Retry Request, and save.",
        )
    return None


def _by_hand(member: Member, record: AlignRecord, day: date) -> dict[str, Any]:
    """Return the status and end date that have changed in Align, or are seen there first.

    Active again takes both there: a status that says so, and an end date that is not past.
    """
    known = mark_of(member, record)
    before = known.by_hand if known else None
    changed = {
        name: value
        for name, value in record.by_hand.items()
        if before is None or (name in before and before[name] != value) or (name not in before and value)
    }
    status = record.by_hand.get("crm_user_status")
    comes_back = before is not None and status == "active" and member.crm_user_status == "inactive"
    reopened = comes_back and "end_date" in changed and end_dates.is_ended(member, day)
    found: dict[str, Any] = {}
    if reopened or ("crm_user_status" in changed and (status == "inactive" or comes_back)):
        found["crm_user_status"] = status
    if "end_date" in changed and (before is not None or changed["end_date"]):
        found["end_date"] = changed["end_date"]
    return {name: value for name, value in found.items() if getattr(member, name) != value}


def _evaluated_again(member: Member, day: date) -> Member:
    """Return the member, to be evaluated by the next import if nothing closes it by hand any more (A16)."""
    if member.active or member.inactive_reason not in BY_HAND or end_dates.closed_by_hand(member, day):
        return member
    return replace(member, inactive_reason=TAKEN_BACK, digest="")
