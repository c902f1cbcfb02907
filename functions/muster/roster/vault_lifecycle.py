"""How a user of Vault CRM changes its member: linked, updated, or left alone (I3, G4).

Only Salesforce users become members, so a Vault CRM user who matches no member is counted and left alone.
Of a linked one, group and status are copied to the member; whether its request is, says `pending_edits`.

`decide` is the one place. Pure: no I/O, no clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from muster.crm import engage_features, vault_fields
from muster.crm.engage_features import CONNECTION, Feature, Seen
from muster.errors import Problem
from muster.roster import (
    end_dates,
    engage_groups,
    pending_edits,
    requests_set_aside,
    salesforce_lifecycle,
    vault_links,
    vault_tries,
    written_fields,
)
from muster.roster.decisions import Decision, Known, Outcome, UnlinkedReason, Wanted
from muster.roster.links import vault_id, vault_key
from muster.roster.member import Member
from muster.roster.seats import Pools
from muster.roster.vault_state import VaultState
from muster.settings import Settings, mappings
from muster.settings.mappings import vault_crm_connection
from muster.sources.vault_users import LostLink, VaultUser
from muster.times import timestamp

AMBIGUOUS = "vault_user_ambiguous"
REQUEST_KEPT = "request_kept"


def wanted_for(change: VaultUser | LostLink, settings: Settings) -> Wanted:
    """Return what has to be looked up to decide about the change; whose a user is goes by all its names."""
    named = () if isinstance(change, LostLink) else vault_links.keys_of_user(change)
    return Wanted(match_keys=(vault_key(change.id), *named))


def decide(
    change: VaultUser | LostLink, known: Known, settings: Settings, pools: Pools, now: datetime
) -> Decision:
    """Return the decision about a user, given what is known; `pools` is there for `ports.Rules` only.

    The member linked to the user is updated, or loses it where it certainly is another's. Without one, the
    member with its own e-mail address or username is linked. Of another vault no link says anything.
    """
    if isinstance(change, LostLink):
        return _lost(change, known, settings, now)
    user = change
    holders = () if user.moved else _holders(user, known)
    if holders:
        # More than one is left of a move to another vault that did not come to its end.
        is_anothers = len(holders) > 1 or vault_links.owner(user, holders[0], known.namesakes, settings)
        if is_anothers:
            return _without_user(holders[0], user.run, settings, now)
        return _updated(holders[0], user, settings, now)
    found = vault_links.candidates(user, known.namesakes, settings)
    candidates = found
    if len(candidates) > 1:
        candidates = tuple(member for member in candidates if member.active)
        if len(candidates) != 1:
            return _unlinked(UnlinkedReason.AMBIGUOUS, found)
    if not candidates:
        return _unlinked(UnlinkedReason.NO_MEMBER)
    if not vault_links.may_be_linked(candidates[0], user, settings):
        active = candidates[0].active
        reason = UnlinkedReason.MEMBER_LINKED_TO_ANOTHER if active else UnlinkedReason.MEMBER_LEFT
        return _unlinked(reason, candidates)
    return replace(_updated(candidates[0], user, settings, now), matches=known.matches)


def _holders(user: VaultUser, known: Known) -> tuple[Member, ...]:
    """Return the members that are linked to the user: whom it does not fit first."""
    holders = (member for member in known.namesakes if vault_id(member) == user.id)
    return tuple(sorted(holders, key=lambda member: vault_links.fits(user, member)))


def _unlinked(reason: UnlinkedReason, members: tuple[Member, ...] = ()) -> Decision:
    """Return the decision that a user is linked to nobody, though it fits these members."""
    outcome = Outcome.AMBIGUOUS if reason is UnlinkedReason.AMBIGUOUS else Outcome.UNLINKED
    return Decision(outcome=outcome, unchanged=members, unlinked_reason=reason)


def _lost(change: LostLink, known: Known, settings: Settings, now: datetime) -> Decision:
    for member in known.namesakes:
        if member.id == change.member and vault_id(member) == change.id:
            return _without_user(member, change.run, settings, now)
    return Decision(outcome=Outcome.STALE)


def _without_user(before: Member, run: str, settings: Settings, now: datetime) -> Decision:
    """Take the user from a member: what Vault CRM showed of it goes, the member's own requests stand."""
    theirs = frozenset(
        target.removeprefix(mappings.CUSTOM)
        for target in mappings.inbound(settings)
        if target.startswith(mappings.CUSTOM)
    )
    after = replace(
        before,
        crm={system: values for system, values in before.crm.items() if system != CONNECTION},
        custom={name: value for name, value in before.custom.items() if name not in theirs},
        vault=_of_no_user(before.vault),
        engage=replace(before.engage, status=None, group=None),
        engage_connect=replace(before.engage_connect, status=None, group=None),
    )
    return salesforce_lifecycle.recorded(before, after, Outcome.UNLINKED, settings, now, "crm", run)


def succeeding(user: VaultUser, known: Known, released: frozenset[str], settings: Settings) -> VaultUser:
    """Return the user, marked as successor of one that a member it fits is linked to, and who is `released`.

    That are the Vault ids of users whom the vault no longer shows, or who are no longer their member's.
    """
    former = {
        former_id
        for member in vault_links.candidates(user, known.namesakes, settings)
        if (former_id := vault_id(member)) and former_id != user.id
    }
    gone = former & released
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
    return tuple(
        _kept(feature, settings)
        for feature in engage_features.FEATURES
        if pending_edits.is_kept(before, after, feature, user, settings)
        and after.feature(feature).request != user.requests[feature]
    )


def _kept(feature: Feature, settings: Settings) -> Notice:
    sent = "Nothing to do: the next push sends it."
    if feature not in mappings.pushed_features(settings):
        sent = (
            f"It is sent once {feature} is pushed (settings: manage_features, field_maps.vault_crm.outbound)."
        )
    where = mappings.inbound(settings)[f"{feature}.request"]
    what = "differs from the request made here, which is not sent yet; the request made here is kept"
    return Notice(REQUEST_KEPT, Problem(where, what, f"{sent} If Vault CRM is right, request its group."))


def _updated(before: Member, user: VaultUser, settings: Settings, now: datetime) -> Decision:
    """Update one member by its user; the link between them may be new."""
    is_new = user.moved or vault_id(before) != user.id
    is_unfit = not vault_links.fits(user, before)
    today = end_dates.today(now, settings.time_zone)
    at = timestamp(now)
    # What Vault CRM showed of another user says nothing about this one.
    vault = _of_no_user(before.vault) if is_new else before.vault
    after = replace(
        before,
        crm={**before.crm, CONNECTION: {"id": user.id, "username": user.username}},
        custom={
            name: value
            for name, value in {**before.custom, **user.custom}.items()
            if name in mappings.custom_names(settings)
        },
        vault=replace(_user_status_kept(vault, user), active=user.active, unfit=is_unfit),
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
    after = replace(after, vault=written_fields.observed(after, user.written, settings))
    # The next import looks at a kept edit again: by then the settings may let Vault overwrite it. Not so one
    # that is, or was, set aside: only another request in Vault overwrites that.
    kept = any(
        pending_edits.is_kept(before, after, feature, user, settings)
        for feature in mappings.pushed_features(settings)
        if not requests_set_aside.has(before, feature)
    )
    digest = before.vault.digest or "" if kept else user.digest
    if is_unfit:
        # By the next full import it may be clear whose user it is.
        digest = ""
    after = replace(after, vault=replace(after.vault, digest=digest))
    if after == before:
        return Decision(outcome=Outcome.UNCHANGED, before=before)
    outcome = Outcome.LINKED if is_new else Outcome.UPDATED
    return salesforce_lifecycle.recorded(before, after, outcome, settings, now, "crm", user.run)


def _of_no_user(vault: VaultState) -> VaultState:
    """Return what stays of a member's `vault` without its user: the rest is what Vault CRM showed of that."""
    return VaultState(former=vault.former, align=vault.align)


def _user_status_kept(vault: VaultState, user: VaultUser) -> VaultState:
    """Return a member's `vault`, without tries to make the user what Vault CRM now shows it to be."""
    if vault.is_active == user.active:
        return vault
    return vault_tries.done(vault, engage_features.USER_STATUS)


def _seen(member: Member, feature: Feature, user: VaultUser, settings: Settings) -> Seen:
    """Return what Vault CRM shows of the user; what is not read or not mapped stays as it was."""
    mine = member.feature(feature)
    inbound, read = mappings.inbound(settings), mappings.vault_fields_to_read(settings)
    seen = user.seen[feature]
    if vault_fields.request_field(feature) not in read:
        seen = replace(seen, request=engage_groups.seen_request(member, feature))
    if f"{feature}.status" not in inbound:
        seen = replace(seen, status=mine.status)
    if f"{feature}.group" not in inbound:
        seen = replace(seen, group=mine.group)
    return seen
