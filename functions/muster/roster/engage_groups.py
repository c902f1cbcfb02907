"""Engage groups: what a member requests, what Vault CRM answers, and what is to be sent (G1 to G8, P1, P3).

Per feature a member has a `request` (the wanted group), a `status` and a `group` (the actual one). When the
request of a member who is in Vault CRM changes, the status becomes Retry Request, and a push goes by that:
Vault does nothing about a value that is written again unchanged. Whoever has left, or is inactive in Vault
CRM, holds no licence and asks for none; the request stands for when that ends (G11). Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from muster.crm.engage_features import (
    ALIGN,
    CONNECTION,
    FAILED,
    FEATURES,
    FIELDS,
    NO_LICENSES_REMAINING,
    REQUEST_FAILED,
    REQUEST_SENT,
    RETRY_REQUEST,
    SUCCESS,
    USER_STATUS,
    Feature,
    Seen,
)
from muster.roster import requests_set_aside, requests_under_way, vault_tries, written_fields
from muster.roster.end_dates import closed_by_hand, day_after, has_left
from muster.roster.engage_state import Engage
from muster.roster.licence_places import without_place
from muster.roster.member import Attributes, Member
from muster.roster.vault_state import LicenceWait, VaultState


@dataclass(frozen=True, slots=True)
class Due:
    """What a push, or an import, has to look at for a member, and from which day or moment on.

    Either is in ISO 8601; empty: at once. `what` names features, `engage_features.USER_STATUS`, `FIELDS`,
    `ALIGN`, and for an import `end_dates.EVALUATION`.
    """

    since: str
    what: frozenset[str]


# ── Requests ─────────────────────────────────────────────────────────────────────────────────────────


def request_group(member: Member, feature: Feature, group: str | None) -> Attributes:
    """Return the attributes of a member who now requests this group (`None`: no group).

    For a member who is in Vault CRM nothing is sent until the status is Retry Request, so a request that
    changes sets it (G6). A member who is not there yet gets it when linked. A request for what Vault CRM
    already shows withdraws one that was not sent.
    """
    before = member.feature(feature)
    if before.request == group:
        return {}
    requested = _requested(member, feature, replace(before, request=group))
    if is_unsent(member, feature) and before.group == group == seen_request(member, feature):
        requested[feature] = replace(requested[feature], status=SUCCESS if group else None)
    return requested


def retry(member: Member, feature: Feature) -> Attributes:
    """Return the attributes of a member whose request is to be sent again."""
    return _requested(member, feature, member.feature(feature))


def _requested(member: Member, feature: Feature, after: Engage) -> Attributes:
    status = RETRY_REQUEST if CONNECTION in member.crm else after.status
    # Without the digest, the next import looks at the member again: it may have to undo this (I10).
    vault = member.vault
    if vault:
        vault = replace(requests_set_aside.removed(vault, feature), digest="")
    if after.request != member.feature(feature).request:
        vault = _returned_or_not(without_place(vault, feature), feature)
    if after.request is not None:
        vault = vault_tries.done(vault, feature)
    return _of_feature(feature, replace(after, status=status), vault)


def is_unsent(member: Member, feature: Feature) -> bool:
    """Whether the member's request has been edited since it was last sent (I10).

    That it is, says its status, or that it is set aside while the feature is not pushed (G12).
    """
    return member.feature(feature).status == RETRY_REQUEST or requests_set_aside.has(member, feature)


def returned(before: Member, after: Member, day: date) -> Attributes:
    """Return the attributes of a member who may hold licences again: lost groups are requested again (G11).

    That is who has come back, and who is active in Vault CRM again. Empty: there is nothing to request.
    """
    attributes: Attributes = {}
    if may_hold(before, day) or not may_hold(after, day) or CONNECTION not in after.crm:
        return attributes
    for feature in FEATURES:
        request = after.feature(feature).request
        if request is not None and request != seen_request(after, feature):
            attributes |= retry(replace(after, **attributes), feature)
            attributes["vault"] = returning(attributes["vault"], feature)
    return attributes


def returning(vault: VaultState, feature: Feature) -> VaultState:
    """Return a member's `vault` with a request for who comes back, until it is sent (G11)."""
    return replace(vault, returning=tuple(sorted({*vault.returning, feature})))


def is_returning(member: Member, feature: Feature) -> bool:
    """Whether the request is one for coming back that is not sent yet, whatever Vault CRM shows."""
    return is_unsent(member, feature) and feature in member.vault.returning


def _returned_or_not(vault: VaultState, feature: Feature) -> VaultState:
    """Return a member's `vault` after a request for coming back was sent, or another one was made."""
    return replace(vault, returning=tuple(each for each in vault.returning if each != feature))


def may_hold(member: Member, today: date) -> bool:
    """Whether the member may hold a licence: it has not left, and is active in Vault CRM or about to be."""
    if has_left(member, today):
        return False
    return bool(member.vault.is_active or wanted_active(member, today))


def wanted(member: Member, feature: Feature, today: date) -> str | None:
    """Return the group that the member should be in."""
    request = member.feature(feature).request
    return request if may_hold(member, today) else None


def gives_back(member: Member, feature: Feature) -> bool:
    """Whether Vault CRM last showed a group or a request that could be taken back from the member."""
    return bool(member.feature(feature).group or seen_request(member, feature))


def wanted_active(member: Member, today: date) -> bool | None:
    """Return whether the user should be active in Vault CRM; `None` where Muster leaves that to Vault.

    Only what is set on the member by hand decides: a member who is merely deactivated in Salesforce loses
    the groups and keeps the Vault user.
    """
    if closed_by_hand(member, today):
        return False
    # Whoever has left is never activated, whatever status was set before.
    return True if member.crm_user_status == "active" and member.active else None


def due(member: Member, *, in_align: bool = True) -> Due | None:
    """Return what a push has to look at for a member, and from when on; `None`: nothing, ever.

    Without `in_align`, only what concerns Vault CRM.
    """
    if CONNECTION not in member.crm:
        return None
    ends = day_after(member.end_date) if member.end_date else None
    groups = {
        feature: since for feature in FEATURES if (since := _group_due(member, feature, ends)) is not None
    }
    found: dict[str, str] = dict(groups.items())
    since = _user_due(member, ends)
    if since is not None:
        # Nobody is inactivated while in a group: that waits for when the removal is tried.
        removals = [groups[feature] for feature in groups if gives_back(member, feature)]
        found[USER_STATUS] = max(since, *removals) if member.vault.is_active and removals else since
    # On whatever day: nothing is written about who has left, or is inactive there.
    if may_hold(member, date.min) and (since := written_fields.due_since(member)) is not None:
        found[FIELDS] = since
    if in_align and is_outdated_in_align(member):
        found[ALIGN] = ""
    return Due(min(found.values()), frozenset(found)) if found else None


def _group_due(member: Member, feature: Feature, ends: str | None) -> str | None:
    """Return from when on a push has to look at a member's feature; `ends` is the first day after its end."""
    mine, tries = member.feature(feature), vault_tries.of_removal(member, feature)
    # On whatever day: who leaves at an end date is due for that from the day after.
    holds_none = not may_hold(member, date.min)
    if mine.status == REQUEST_SENT:
        return ""
    if is_unsent(member, feature) and (gives_back(member, feature) or not mine.request):
        return ""
    if is_unsent(member, feature) and not holds_none:
        activation = vault_tries.of(member, USER_STATUS)
        return activation.next() if activation and not member.vault.is_active else ""
    if not holds_none and is_unsaved(member, feature):
        refused = vault_tries.of_addition(member, feature)
        return refused.next() if refused else ""
    if not gives_back(member, feature):
        return None
    if holds_none or is_being_removed(member, feature):
        return tries.next() if tries else ""
    return max(ends, tries.next()) if ends and tries else ends


def _user_due(member: Member, ends: str | None) -> str | None:
    """Return from when on a push has to look at whether the user is active in Vault CRM."""
    active, tries = member.vault.is_active, vault_tries.of(member, USER_STATUS)
    by_hand = member.crm_user_status == "inactive" or (member.crm_user_status == "active" and member.active)
    if by_hand and active != (member.crm_user_status == "active"):
        # Active again takes both: the status, and an end date that is not past.
        return tries.next() if tries else ""
    if active and ends is not None:
        return max(ends, tries.next()) if tries else ends
    return None


def is_being_removed(member: Member, feature: Feature) -> bool:
    """Whether a removal that Muster has sent for a member without a request is not done yet (G7)."""
    nothing_asked = member.feature(feature).request is None and seen_request(member, feature) is None
    return nothing_asked and vault_tries.of_removal(member, feature) is not None


def is_unsaved(member: Member, feature: Feature) -> bool:
    """Whether Vault CRM has refused to save the member's request: it stands, and is tried again (P3, I10)."""
    refused = member.feature(feature).status == REQUEST_FAILED
    return refused and vault_tries.of_addition(member, feature) is not None


def is_outdated_in_align(member: Member) -> bool:
    """Whether the member is in Align too, and Align was last sent something else (G9)."""
    mark = member.vault.align
    return mark is not None and mark.told != align_view(member)


def align_view(member: Member) -> dict[Feature, Engage]:
    """Return the member's features as Align should show them."""
    return {feature: member.feature(feature) for feature in FEATURES}


def seen_request(member: Member, feature: Feature) -> str | None:
    """Return the request that Vault CRM last showed, or that has been sent to it since."""
    return member.vault.requests.get(feature)


# ── Sending and reading back ─────────────────────────────────────────────────────────────────────────


def to_send(
    group: str | None, seen: Seen, *, retry: bool, always_send_status: bool = False
) -> dict[str, str | None]:
    """Return what has to be written so that the user gets into `group`, or out of all (`None`).

    `retry`: sending it again was asked for. The answer maps `request` and `status` to values; empty: nothing
    to write. It follows from how Vault CRM works: writing the same request again starts nothing, writing the
    status does; a removal is the request cleared, or, where it is clear already, the status written.
    """
    if group != seen.request:
        sent: dict[str, str | None] = {"request": group}
        return {**sent, "status": RETRY_REQUEST} if always_send_status else sent
    if seen.status == RETRY_REQUEST:
        return {}
    if group is not None:
        return {"request": group, "status": RETRY_REQUEST} if retry else {}
    under_way = seen.status == REQUEST_SENT
    return {"status": RETRY_REQUEST} if retry or (seen.group is not None and not under_way) else {}


def sent(member: Member, feature: Feature, written: Mapping[str, str | None]) -> Attributes:
    """Return the attributes of a member after its request was written to Vault CRM (P3)."""
    vault = requests_under_way.seen(_returned_or_not(member.vault, feature), feature, None)
    vault = replace(requests_set_aside.removed(vault, feature), digest="")
    if "request" in written:
        vault = _with_request(vault, feature, written["request"] or None)
    return _of_feature(feature, replace(member.feature(feature), status=REQUEST_SENT), vault)


def observed(member: Member, feature: Feature, seen: Seen, at: str) -> Attributes:
    """Return the attributes of a member for whom Vault CRM shows this; the request stays (G4, P3).

    A request that is not sent yet keeps its status, unless it is set aside, and so does what Vault CRM did
    not save. `at` is now, for a place in line (G8), and for what takes long (G7, P3).
    """
    mine = member.feature(feature)
    # Retry Request in Vault CRM means that it has been sent, and that Vault has yet to answer.
    status = REQUEST_SENT if seen.status == RETRY_REQUEST else seen.status
    tries = vault_tries.of(member, feature)
    if tries and tries.adds:
        is_open = seen.request != mine.request
        vault = member.vault if is_open else vault_tries.done(member.vault, feature)
    else:
        is_open = seen.request is not None or seen.group is not None
        vault = _after_removal(member.vault, feature, seen, at)
    is_unsaved_still = bool(tries and tries.unsaved and is_open and status != REQUEST_SENT)
    if mine.status == RETRY_REQUEST or is_unsaved_still:
        status = mine.status
    vault = requests_under_way.seen(vault, feature, at if status == REQUEST_SENT else None)
    vault = _with_request(vault, feature, seen.request)
    if not is_unsent(member, feature):
        vault = _in_line(vault, feature, mine, status, at)
    return _of_feature(feature, replace(mine, status=status, group=seen.group), vault)


def _with_request(vault: VaultState, feature: Feature, request: str | None) -> VaultState:
    return replace(vault, requests={**vault.requests, feature: request})


def _of_feature(feature: Feature, engage: Engage, vault: VaultState) -> Attributes:
    attributes: Attributes = {"vault": vault}
    attributes[feature] = engage
    return attributes


def _in_line(vault: VaultState, feature: Feature, mine: Engage, status: str | None, at: str) -> VaultState:
    """Return a member's `vault` with its place in line, or without, once its request has this status (G8)."""
    if status == NO_LICENSES_REMAINING and mine.request:
        place = vault.waits.get(feature)
        if place is None or place.group != mine.request:
            place = LicenceWait(mine.request, since=at, tried=at)
        elif mine.status != NO_LICENSES_REMAINING:
            place = replace(place, tried=at)
        return replace(vault, waits={**vault.waits, feature: place})
    return vault if status == REQUEST_SENT else without_place(vault, feature)


def _after_removal(vault: VaultState, feature: Feature, seen: Seen, at: str) -> VaultState:
    """Return a member's `vault` after a look at a removal in Vault CRM, whoever asked for it (G7)."""
    under_way = seen.status in (RETRY_REQUEST, REQUEST_SENT)
    if under_way and seen.request is None and seen.group is not None and not vault_tries.has(vault, feature):
        return vault_tries.tried(vault, feature, at)
    if not under_way and seen.request is None and seen.group is None:
        return vault_tries.done(vault, feature)
    return vault_tries.looked_at(vault, feature, at, failed=seen.status in FAILED)
