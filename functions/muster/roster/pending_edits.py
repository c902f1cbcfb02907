"""A group request edited here and not sent yet, when Vault CRM shows another one: kept, or given up (I10).

When a user of Vault CRM is imported, the request there becomes the member's, unless

    an automatic assignment decides about it    the member's request stands, and is sent where Vault's differs
    the member is closed by hand                it is kept for when the member comes back (G11)
    it was edited here and is not sent yet      it is kept and reported, or given up (settings: pending_edits)
    Vault refused to save it                    likewise, and not reported again
    the member was not linked before            it is kept in both modes, and sent where Vault's differs
    the member may hold no licence just now     it is kept for coming back where Vault shows none (G11)

While the feature is not pushed, a request that is not sent yet is set aside: no push can send it, so it is
given up only where the settings say so and Vault shows another request than before (G12).

Pure: no I/O, no clock.
"""

from dataclasses import replace
from datetime import date

from muster.crm import engage_features
from muster.crm.engage_features import Feature, Seen
from muster.roster import end_dates, engage_groups, requests_set_aside
from muster.roster.entitlements import governor
from muster.roster.links import vault_id
from muster.roster.member import Attributes, Member
from muster.settings import Settings, mappings
from muster.sources.vault_users import VaultUser


def with_standing_request(
    member: Member,
    feature: Feature,
    user: VaultUser,
    seen: Seen,
    settings: Settings,
    today: date,
    *,
    is_new: bool,
    held_none: bool,
) -> Member:
    """Return the member with the request that stands; one to be sent has Retry Request, or is set aside.

    `seen` is what Vault CRM shows of the feature; `is_new` says that the member has just been linked,
    `held_none` that it could hold no licence until now.
    """
    mine = member.feature(feature)
    assigned = governor(member, feature, settings) is not None
    unsent = engage_groups.is_unsent(member, feature)
    stands = _stands(member, feature, user, settings, assigned=assigned, is_new=is_new)
    may_hold = engage_groups.may_hold(member, today)
    if held_none or not may_hold or engage_groups.is_returning(member, feature):
        # A push has cleared it in Vault: the member's is for coming back.
        stands = stands or (feature in user.requests and user.requests[feature] is None)
    stands = stands or end_dates.closed_by_hand(member, today) is not None
    if feature in user.requests and not stands:
        return _settled(_with_vaults_request(member, feature, user.requests[feature]), feature)
    differs = mine.request != seen.request
    if assigned or (is_new and mine.request is not None):
        # Who may hold no licence is to be in no group: a push sees to that without a status.
        unsaved = engage_groups.is_unsaved(member, feature)
        unsent = unsent or (differs and not unsaved and engage_groups.may_hold(member, today))
    if not differs and engage_groups.seen_request(member, feature) != mine.request:
        # Vault CRM has it already: from a push that died after it wrote, or from somebody there.
        unsent = False
    if not unsent:
        return _settled(member, feature)
    return _unsent(member, feature, settings)


def is_kept(before: Member, after: Member, feature: Feature, user: VaultUser, settings: Settings) -> bool:
    """Whether an edit that is not sent yet was kept although Vault's request could have replaced it."""
    if feature not in user.requests or vault_id(before) != user.id:
        return False
    unsent = engage_groups.is_unsent(before, feature) and engage_groups.is_unsent(after, feature)
    return unsent and governor(before, feature, settings) is None


def _stands(
    member: Member, feature: Feature, user: VaultUser, settings: Settings, *, assigned: bool, is_new: bool
) -> bool:
    """Whether the member's own request goes before Vault's."""
    if assigned:
        return True
    if is_new:
        return member.feature(feature).request is not None
    # Only what is new in Vault CRM overwrites an edit: a row that was imported before does not.
    kept = settings.pending_edits == "protect" or member.vault.digest == user.digest
    is_pushed = feature in mappings.pushed_features(settings)
    if requests_set_aside.has(member, feature) or not is_pushed:
        kept = kept or user.requests.get(feature) == engage_groups.seen_request(member, feature)
    is_pending = engage_groups.is_unsent(member, feature) or engage_groups.is_unsaved(member, feature)
    return kept and is_pending


def _with_vaults_request(member: Member, feature: Feature, request: str | None) -> Member:
    if request == member.feature(feature).request:
        return member
    requested = engage_groups.request_group(member, feature, request)
    requested["origins"] = {**member.origins, f"{feature}.request": "crm"}
    return replace(member, **requested)


def _settled(member: Member, feature: Feature) -> Member:
    """Return the member with nothing to be sent: what Vault CRM shows is the status."""
    if not engage_groups.is_unsent(member, feature):
        return member
    return _with(member, feature, is_set_aside=False, status=_shown_status(member, feature))


def _unsent(member: Member, feature: Feature, settings: Settings) -> Member:
    """Return the member with a request to be sent: by the next push, or once the feature is pushed (G12)."""
    if feature in mappings.pushed_features(settings):
        return _with(member, feature, is_set_aside=False, status=engage_features.RETRY_REQUEST)
    # Where no status is imported, nothing would be shown in the place of Retry Request.
    is_shown = f"{feature}.status" in mappings.inbound(settings)
    status = _shown_status(member, feature) if is_shown else member.feature(feature).status
    return _with(member, feature, is_set_aside=True, status=status)


def _shown_status(member: Member, feature: Feature) -> str | None:
    """Return the status without Retry Request, which Vault CRM has never seen."""
    status = member.feature(feature).status
    return None if status == engage_features.RETRY_REQUEST else status


def _with(member: Member, feature: Feature, *, is_set_aside: bool, status: str | None) -> Member:
    mark = requests_set_aside.added if is_set_aside else requests_set_aside.removed
    changed: Attributes = {"vault": mark(member.vault, feature)}
    changed[feature] = replace(member.feature(feature), status=status)
    return replace(member, **changed)
