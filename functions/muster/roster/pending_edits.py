"""A group request edited here and not sent yet, when Vault CRM shows another one: kept, or given up (I10).

When a user of Vault CRM is imported, the request there becomes the member's, unless

    an automatic assignment decides about it    the member's request stands, and is sent where Vault's differs
    the member is closed by hand                it is kept for when the member comes back (G11)
    it was edited here and is not sent yet      it is kept and reported, or given up (settings: pending_edits)
    Vault refused to save it                    likewise, and not reported again
    the member was not linked before            it is kept in both modes, and sent where Vault's differs
    the member may hold no licence just now     it is kept for coming back where Vault shows none (G11)

Pure: no I/O, no clock.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from muster.crm import engage_features
from muster.crm.engage_features import Seen
from muster.roster import end_dates, engage_groups
from muster.roster.entitlements import governor
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.settings import Settings, mappings
from muster.sources.vault_users import VaultUser


def with_standing_request(
    member: Member,
    feature: str,
    user: VaultUser,
    seen: Seen,
    settings: Settings,
    today: date,
    *,
    is_new: bool,
    held_none: bool,
) -> Member:
    """Return the member with the request that stands, and Retry Request where that is to be sent.

    `seen` is what Vault CRM shows of the feature; `is_new` says that the member has just been linked,
    `held_none` that it could hold no licence until now.
    """
    mine = getattr(member, feature)
    assigned = governor(member, feature, settings) is not None
    unsent = engage_groups.is_unsent(member, feature)
    stands = _stands(member, feature, user, settings, assigned=assigned, is_new=is_new)
    may_hold = engage_groups.may_hold(member, today)
    if held_none or not may_hold or engage_groups.is_returning(member, feature):
        # A push has cleared it in Vault: the member's is for coming back.
        stands = stands or (feature in user.requests and user.requests[feature] is None)
    stands = stands or end_dates.closed_by_hand(member, today) is not None
    if feature in user.requests and not stands:
        return _with_vaults_request(member, feature, user.requests[feature])
    differs = mine["request"] != seen.request
    if feature not in mappings.pushed_features(settings):
        # Nothing of it is ever sent: it is imported and shown (G1).
        return _with_status(member, feature, unsent=False)
    if assigned or (is_new and mine["request"] is not None):
        # Who may hold no licence is to be in no group: a push sees to that without a status.
        unsaved = engage_groups.is_unsaved(member, feature)
        unsent = unsent or (differs and not unsaved and engage_groups.may_hold(member, today))
    if not differs and engage_groups.seen_request(member, feature) != mine["request"]:
        # Vault CRM has it already: from a push that died after it wrote, or from somebody there.
        unsent = False
    return _with_status(member, feature, unsent=unsent)


def is_kept(before: Member, after: Member, feature: str, user: VaultUser, settings: Settings) -> bool:
    """Whether an edit that is not sent yet was kept although Vault's request could have replaced it."""
    if feature not in user.requests or vault_id(before) != user.id:
        return False
    unsent = engage_groups.is_unsent(before, feature) and engage_groups.is_unsent(after, feature)
    return unsent and governor(before, feature, settings) is None


def _stands(
    member: Member, feature: str, user: VaultUser, settings: Settings, *, assigned: bool, is_new: bool
) -> bool:
    """Whether the member's own request goes before Vault's."""
    if assigned:
        return True
    if is_new:
        return getattr(member, feature)["request"] is not None
    # Only what is new in Vault CRM overwrites an edit: a row that was imported before does not.
    kept = settings.pending_edits == "protect" or member.vault.get("digest") == user.digest
    is_pending = engage_groups.is_unsent(member, feature) or engage_groups.is_unsaved(member, feature)
    return kept and is_pending


def _with_vaults_request(member: Member, feature: str, request: str | None) -> Member:
    if request != getattr(member, feature)["request"]:
        requested = engage_groups.request_group(member, feature, request)
        origins = {**member.origins, f"{feature}.request": "crm"}
        member = replace(member, **requested, origins=origins)
    return _with_status(member, feature, unsent=False)


def _with_status(member: Member, feature: str, *, unsent: bool) -> Member:
    mine = getattr(member, feature)
    if unsent == engage_groups.is_unsent(member, feature):
        return member
    changed: dict[str, Any] = {feature: {**mine, "status": engage_features.RETRY_REQUEST if unsent else None}}
    return replace(member, **changed)
