"""How a user of Vault CRM changes its member: linked, updated, or left alone (I3, G4).

Only Salesforce users become members, so a Vault CRM user who matches no member is counted and left alone.
Of a linked one, group and status are copied to the member; whether its request is, says `pending_edits`.

`decide` is the one place. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from muster.crm import engage_features, vault_fields
from muster.crm.engage_features import CONNECTION, Seen
from muster.errors import Problem
from muster.roster import end_dates, engage_groups, pending_edits, salesforce_lifecycle, vault_tries
from muster.roster.decisions import Decision, Known, Outcome, UnlinkedReason, Wanted
from muster.roster.links import match_keys, vault_id, vault_key
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
    """Return the decision about a user, given what is known; `pools` is there for `ports.Rules` only.

    The member linked to the user is updated; else the one with its e-mail address or username is linked.
    """
    linked = next((member for member in known.namesakes if vault_id(member) == user.id), None)
    if linked:
        return _updated(linked, user, settings, now)
    candidates = known.namesakes
    if len(candidates) > 1:
        candidates = tuple(member for member in candidates if member.active)
        if len(candidates) != 1:
            return _unlinked(UnlinkedReason.AMBIGUOUS, known.namesakes)
    if not candidates:
        return _unlinked(UnlinkedReason.NO_MEMBER)
    if not _may_be_linked(candidates[0], user):
        active = candidates[0].active
        reason = UnlinkedReason.MEMBER_LINKED_TO_ANOTHER if active else UnlinkedReason.MEMBER_LEFT
        return _unlinked(reason, candidates)
    return replace(_updated(candidates[0], user, settings, now), matches=known.matches)


def _unlinked(reason: UnlinkedReason, members: tuple[Member, ...] = ()) -> Decision:
    """Return the decision that a user is linked to nobody, though it fits these members."""
    outcome = Outcome.AMBIGUOUS if reason is UnlinkedReason.AMBIGUOUS else Outcome.UNLINKED
    return Decision(outcome=outcome, unchanged=members, unlinked_reason=reason)


def succeeding(user: VaultUser, known: Known, unseen: frozenset[str]) -> VaultUser:
    """Return the user, marked as successor of one that a member is linked to and the vault no longer shows.

    `unseen` are the Vault ids that a complete reading should have shown.
    """
    former = {
        former_id for member in known.namesakes if (former_id := vault_id(member)) and former_id != user.id
    }
    gone = former & unseen
    return replace(user, succeeds=gone.pop()) if len(gone) == 1 else user


def in_order(user: VaultUser) -> tuple[bool, int, str]:
    """Return the key to sort users by: of two with one e-mail address, the active one is linked."""
    return (not user.active, len(user.id), user.id)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to report about one user in the error log, under a code."""

    code: str
    problem: Problem


def notices(user: VaultUser, decision: Decision, settings: Settings) -> tuple[Notice, ...]:
    """Return what to report about the decision on a user (I8, I10)."""
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
        if pending_edits.is_kept(before, after, feature, user, settings)
        and getattr(after, feature)["request"] != user.requests[feature]
    ]
    return tuple(
        Notice(
            REQUEST_KEPT,
            Problem(
                mappings.inbound(settings)[f"{feature}.request"],
                "differs from the request made here, which is not sent yet; the request made here is kept",
                "Nothing to do: the next push sends it. If Vault CRM is right, request its group.",
            ),
        )
        for feature in kept
    )


def _may_be_linked(member: Member, user: VaultUser) -> bool:
    """Whether the member may be linked to this user.

    It may if it is linked to no user, to one who is gone, or to one who is inactive and in no group while
    this one is active: then the old user is left with nothing that only this link could take back.
    """
    former = vault_id(member)
    if former is None or former == user.succeeds:
        return True
    holds = any(
        getattr(member, feature)["group"] or engage_groups.seen_request(member, feature)
        for feature in engage_features.FEATURES
    )
    return user.active and member.vault.get("active") is False and not holds


def _updated(before: Member, user: VaultUser, settings: Settings, now: datetime) -> Decision:
    """Update one member by its user; the link between them may be new."""
    is_new = vault_id(before) != user.id
    today = end_dates.today(now, settings.time_zone)
    at = timestamp(now)
    # What Vault CRM showed of another user says nothing about this one; what Align shows goes on.
    stays = ("former", engage_features.ALIGN)
    vault = {name: known for name, known in before.vault.items() if not is_new or name in stays}
    after = replace(
        before,
        crm={**before.crm, CONNECTION: {"id": user.id, "username": user.username}},
        custom={
            name: value
            for name, value in {**before.custom, **user.custom}.items()
            if name in mappings.custom_names(settings)
        },
        vault={**_user_status_kept(vault, user), "active": user.active},
    )
    for feature in engage_features.FEATURES:
        seen = _seen(after, feature, user, settings)
        after = pending_edits.with_standing_request(
            after,
            feature,
            user,
            seen,
            settings,
            today,
            is_new=is_new,
            held_none=not engage_groups.may_hold(before, today),
        )
        changed = engage_groups.observed(after, feature, seen, at)
        after = replace(after, **changed)
    if not is_new:
        after = replace(after, **engage_groups.returned(before, after, today))
    # The next import looks at a kept edit again: by then the settings may let Vault overwrite it.
    kept = any(
        pending_edits.is_kept(before, after, feature, user, settings) for feature in engage_features.FEATURES
    )
    digest = before.vault.get("digest", "") if kept else user.digest
    after = replace(after, vault={**after.vault, "digest": digest})
    if after == before:
        return Decision(outcome=Outcome.UNCHANGED, before=before)
    outcome = Outcome.LINKED if is_new else Outcome.UPDATED
    return salesforce_lifecycle.recorded(before, after, outcome, settings, now, "crm", user.run)


def _user_status_kept(vault: Mapping[str, Any], user: VaultUser) -> Mapping[str, Any]:
    """Return a member's `vault`, without tries to make the user what Vault CRM now shows it to be."""
    if vault.get("active", True) == user.active:
        return vault
    return vault_tries.done(vault, engage_features.USER_STATUS)


def _seen(member: Member, feature: str, user: VaultUser, settings: Settings) -> Seen:
    """Return what Vault CRM shows of the user; what is not read or not mapped stays as it was."""
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
