"""What becomes of a member when its user in Vault CRM is read: linked, updated, or left alone (I3, I10, G4).

Muster makes members from Salesforce only, so a user whom no member matches is counted and left alone.
What Vault CRM shows is taken over, group and status of everybody. A request is taken over too, unless

    an automatic assignment speaks of the feature    its request stands, and is sent where Vault's differs
    it was edited here and is not sent yet           it is kept and reported, or given up (`pending_edits`)
    the member was not linked before                 it is kept in both modes, and sent where Vault's differs

`decide` is the one place. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from muster.crm import engage_features, vault_fields
from muster.crm.engage_features import CONNECTION, Seen
from muster.errors import Problem
from muster.roster import departures, engage_groups, salesforce_lifecycle
from muster.roster.decisions import Decision, Known, Outcome, Wanted
from muster.roster.entitlements import governor
from muster.roster.links import match_keys, vault_key
from muster.roster.member import Member
from muster.roster.seats import Pools
from muster.settings import Settings, mappings
from muster.settings.mappings import vault_crm_connection
from muster.sources.vault_users import VaultUser
from muster.times import timestamp

AMBIGUOUS = "vault_user_ambiguous"
REQUEST_KEPT = "request_kept"


def wanted_for(user: VaultUser, settings: Settings) -> Wanted:
    """Return what has to be looked up to decide about the user."""
    by_email = vault_crm_connection(settings).match == "email"
    named = match_keys(None, user.email) if by_email else match_keys(user.username, None)
    return Wanted(match_keys=(vault_key(user.id), *named))


def decide(user: VaultUser, known: Known, settings: Settings, pools: Pools, now: datetime) -> Decision:
    """Return what a user comes to, given what is known; the pools of seats are for the shape only.

    Who is linked to the user is followed; else who has its e-mail address or username is linked.
    """
    linked = next((member for member in known.namesakes if _vault_id(member) == user.id), None)
    if linked:
        return _followed(linked, user, settings, now)
    candidates = known.namesakes
    if len(candidates) > 1:
        candidates = tuple(member for member in candidates if member.active)
        if len(candidates) != 1:
            return Decision(outcome=Outcome.AMBIGUOUS)
    if not candidates or not _may_be_linked(candidates[0], user):
        return Decision(outcome=Outcome.UNLINKED)
    return replace(_followed(candidates[0], user, settings, now), matches=known.matches)


def succeeding(user: VaultUser, known: Known, unseen: frozenset[str]) -> VaultUser:
    """Return the user, in the place of one whom the vault does not show any more, if a member waits for that.

    `unseen` are the Vault ids that a whole reading should have shown.
    """
    former = {
        vault_id for member in known.namesakes if (vault_id := _vault_id(member)) and vault_id != user.id
    }
    gone = former & unseen
    return replace(user, succeeds=gone.pop()) if len(gone) == 1 else user


def in_order(user: VaultUser) -> tuple[bool, int, str]:
    """Return what users are sorted by: of two with one e-mail address, the active one is linked."""
    return (not user.active, len(user.id), user.id)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an admin should know of one user, under a code of the error log."""

    code: str
    problem: Problem


def notices(user: VaultUser, decision: Decision, settings: Settings) -> tuple[Notice, ...]:
    """Return what an admin should know of a decision about a user (I8, I10)."""
    if decision.outcome is Outcome.AMBIGUOUS:
        by = vault_crm_connection(settings).match
        return (
            Notice(
                AMBIGUOUS,
                Problem(
                    "user__sys",
                    f"has the {by} of several members, and not just one of them is active; it is not linked",
                    f"Correct the {by} of the user in Vault CRM, or of the members in Salesforce.",
                ),
            ),
        )
    before, after = decision.before, decision.after or decision.before
    if before is None or after is None:
        return ()
    kept = [
        feature
        for feature in engage_features.FEATURES
        if _is_kept(before, after, feature, user, settings)
        and getattr(after, feature)["request"] != user.requests[feature]
    ]
    return tuple(
        Notice(
            REQUEST_KEPT,
            Problem(
                mappings.inbound(settings)[f"{feature}.request"],
                "is another one than was asked for here and is not sent yet; what was asked for here is kept",
                "Nothing: the next push sends it. If Vault CRM is right, ask for the group it has instead.",
            ),
        )
        for feature in kept
    )


def _vault_id(member: Member) -> str | None:
    return member.crm.get(CONNECTION, {}).get("id")


def _may_be_linked(member: Member, user: VaultUser) -> bool:
    """Tell whether the member is free for this user.

    It is if it is linked to nobody, or to who has gone, or to who is inactive and in no group while this
    one is active: of the other, nothing would be left behind that only this link can take back.
    """
    former = _vault_id(member)
    if former is None or former == user.succeeds:
        return True
    holds = any(
        getattr(member, feature)["group"] or engage_groups.seen_request(member, feature)
        for feature in engage_features.FEATURES
    )
    return user.active and member.vault.get("active") is False and not holds


def _followed(before: Member, user: VaultUser, settings: Settings, now: datetime) -> Decision:
    """Bring one member in line with its user, who may be new to it."""
    is_new = _vault_id(before) != user.id
    today = departures.today(now, settings.time_zone)
    at = timestamp(now)
    # What was seen of another user says nothing about this one.
    vault: Mapping[str, Any] = {} if is_new else before.vault
    after = replace(
        before,
        crm={**before.crm, CONNECTION: {"id": user.id, "username": user.username}},
        custom={**before.custom, **user.custom},
        vault={**vault, "active": user.active},
    )
    for feature in engage_features.FEATURES:
        seen = _seen(after, feature, user, settings)
        after = _with_request(after, feature, user, seen, settings, today, is_new=is_new)
        changed = engage_groups.taken(after, feature, seen, at)
        after = replace(after, **changed)
    # Where an edit is kept, the next import looks again: it may be one that overwrites.
    kept = any(_is_kept(before, after, feature, user, settings) for feature in engage_features.FEATURES)
    digest = before.vault.get("digest", "") if kept else user.digest
    after = replace(after, vault={**after.vault, "digest": digest})
    if after == before:
        return Decision(outcome=Outcome.UNCHANGED, before=before)
    outcome = Outcome.LINKED if is_new else Outcome.UPDATED
    return salesforce_lifecycle.recorded(before, after, outcome, settings, now, "crm", user.run)


def _seen(member: Member, feature: str, user: VaultUser, settings: Settings) -> Seen:
    """Return what is seen of the user, and as it was what is not read or not taken over."""
    mine = getattr(member, feature)
    inbound, read = mappings.inbound(settings), mappings.vault_fields_to_read(settings)
    seen = user.seen[feature]
    if vault_fields.request_field(feature) not in read:
        seen = replace(seen, request=engage_groups.seen_request(member, feature))
    if f"{feature}.status" not in inbound:
        seen = replace(seen, status=mine["status"])
    if f"{feature}.group" not in inbound:
        seen = replace(seen, group=mine["group"])
    return seen


def _with_request(
    member: Member,
    feature: str,
    user: VaultUser,
    seen: Seen,
    settings: Settings,
    today: date,
    *,
    is_new: bool,
) -> Member:
    """Return the member with the request that stands, and Retry Request where that is to be sent."""
    mine = getattr(member, feature)
    assigned = governor(member, feature, settings) is not None
    unsent = engage_groups.is_unsent(member, feature)
    stands = _stands(member, feature, user, settings, assigned=assigned, is_new=is_new)
    if feature in user.requests and not stands:
        return _taken_over(member, feature, user.requests[feature])
    differs = mine["request"] != seen.request
    if feature not in mappings.pushed_features(settings):
        # Nothing of it is ever sent: it is imported and shown (G1).
        return _with_status(member, feature, unsent=False)
    if assigned or (is_new and mine["request"] is not None):
        # Whoever leaves is to be in no group: a push sees to that without a status.
        unsent = unsent or (differs and not departures.leaves(member, today))
    if not differs and engage_groups.seen_request(member, feature) != mine["request"]:
        # Vault CRM has it already: from a push that died after it wrote, or from somebody there.
        unsent = False
    return _with_status(member, feature, unsent=unsent)


def _stands(
    member: Member, feature: str, user: VaultUser, settings: Settings, *, assigned: bool, is_new: bool
) -> bool:
    """Tell whether the member's own request goes before Vault's."""
    if assigned:
        return True
    if is_new:
        return getattr(member, feature)["request"] is not None
    # What overwrites is what is new in Vault CRM: a row that was imported before does not.
    kept = settings.pending_edits == "protect" or member.vault.get("digest") == user.digest
    return kept and engage_groups.is_unsent(member, feature)


def _taken_over(member: Member, feature: str, request: str | None) -> Member:
    if request != getattr(member, feature)["request"]:
        wished = engage_groups.wish(member, feature, request)
        origins = {**member.origins, f"{feature}.request": "crm"}
        member = replace(member, **wished, origins=origins)
    return _with_status(member, feature, unsent=False)


def _with_status(member: Member, feature: str, *, unsent: bool) -> Member:
    mine = getattr(member, feature)
    if unsent == engage_groups.is_unsent(member, feature):
        return member
    changed: dict[str, Any] = {feature: {**mine, "status": engage_features.RETRY_REQUEST if unsent else None}}
    return replace(member, **changed)


def _is_kept(before: Member, after: Member, feature: str, user: VaultUser, settings: Settings) -> bool:
    """Tell whether an edit that is not sent yet has been kept where Vault's request might have come."""
    if feature not in user.requests or _vault_id(before) != user.id:
        return False
    unsent = engage_groups.is_unsent(before, feature) and engage_groups.is_unsent(after, feature)
    return unsent and governor(before, feature, settings) is None
