"""What comes of an item of a push's plan: the member after it; whether it is wanted still, or there (P2, P3).

Pure: no I/O, no clock.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.engage.group_writes import BLANK
from muster.engage.push_items import PushItem, Step
from muster.roster import end_dates, engage_groups, requests_set_aside, vault_tries, written_fields
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.settings import Settings
from muster.sources.vault_users import VaultUser


def seen_user(item: PushItem) -> VaultUser:
    """Return the user of an outcome item, as Vault CRM showed it when planned."""
    return VaultUser(
        id=item.user,
        username=None,
        email=None,
        active=bool(item.active),
        seen=item.seen,
        written=item.written,
    )


def with_shown(
    member: Member, user: VaultUser, at: str, day: date, features: Iterable[Feature], settings: Settings
) -> Member:
    """Return the member with its groups, its user and its written fields as Vault CRM shows them."""
    if vault_id(member) != user.id:
        return member
    member = with_outcome(member, user, at, day, features)
    return replace(member, vault=written_fields.observed(member, user.written, settings))


def with_answer(member: Member, user: VaultUser, at: str, day: date, features: Iterable[Feature]) -> Member:
    """Return the member with the outcomes of requests that were sent, and no others (P3)."""
    sent = [each for each in features if member.feature(each).status == engage_features.REQUEST_SENT]
    return with_outcome(member, user, at, day, sent)


def with_outcome(member: Member, user: VaultUser, at: str, day: date, features: Iterable[Feature]) -> Member:
    """Return the member with its groups and user as Vault CRM shows them (P3); `at` is now (ISO 8601).

    `features` are those that are pushed, or some of them: the fields of others need not have been read (G12).
    Who is active there again requests the groups that it had (G11).
    Of another user than the member's, which an import has linked anew meanwhile, nothing is recorded.
    """
    if vault_id(member) != user.id:
        return member
    before = member
    for feature in features:
        member = replace(member, **engage_groups.observed(member, feature, user.seen[feature], at))
    if member.vault.is_active != user.active:
        vault = vault_tries.done(member.vault, engage_features.USER_STATUS)
        member = replace(member, vault=replace(vault, active=user.active))
    return replace(member, **engage_groups.returned(before, member, day))


def with_sent(member: Member, item: PushItem, day: date, at: str) -> Member:
    """Return the member after the item was written; `at` is the moment of its run (ISO 8601)."""
    if vault_id(member) != item.user:
        return member
    for feature, writes in item.writes.items():
        attributes = engage_groups.sent(member, feature, writes)
        if not _is_wished(member, item, feature, day):
            # The member's request has changed since; the new one is still to be sent.
            attributes[feature] = replace(attributes[feature], status=engage_features.RETRY_REQUEST)
        vault = attributes["vault"]
        if item.step is Step.ADDITION:
            vault = vault_tries.done(vault, feature)
        elif item.step is Step.REMOVAL:
            vault = vault_tries.tried(vault, feature, at, blanked=writes.get("request") == BLANK)
        attributes["vault"] = vault
        member = replace(member, **attributes)
    if item.active is not None:
        vault = vault_tries.done(member.vault, engage_features.USER_STATUS)
        member = replace(member, vault=replace(vault, active=item.active, digest=""))
        if not item.active and end_dates.is_ended(member, day):
            # After this, coming back takes both a later end date and the status (rules for end dates).
            member = replace(member, crm_user_status="inactive")
    if item.fields:
        member = replace(member, vault=written_fields.sent(member, item.fields, at))
    return member


def with_same_fields(member: Member, item: PushItem) -> Member:
    """Return the member after Vault CRM took an update for no change."""
    if vault_id(member) != item.user:
        return member
    return replace(member, vault=written_fields.unchanged(member, item.fields))


def with_failure(member: Member, item: PushItem, day: date, at: str) -> Member:
    """Return the member after Vault CRM did not save the item, which is tried again (G7, P3).

    `at` is the moment of the run (ISO 8601).
    """
    if vault_id(member) != item.user:
        return member
    adds = item.step is Step.ADDITION
    for feature, writes in item.writes.items():
        if _is_wished(member, item, feature, day):
            blanked = writes.get("request") == BLANK
            vault = requests_set_aside.removed(member.vault, feature)
            member = replace(
                member.with_feature(
                    feature,
                    replace(member.feature(feature), status=engage_features.REQUEST_FAILED),
                ),
                vault=vault_tries.tried(vault, feature, at, saved=False, blanked=blanked, adds=adds),
            )
    if item.active is not None:
        vault = vault_tries.tried(member.vault, engage_features.USER_STATUS, at, saved=False)
        member = replace(member, vault=vault)
    if item.fields:
        member = replace(member, vault=written_fields.refused(member, item.fields, at))
    return member


def is_told(item: PushItem, before: Member, after: Member) -> bool:
    """Whether it has been told before that Vault CRM does not save the item; `after` is after the failure."""
    if item.fields:
        return not written_fields.is_news(before, item.fields)
    tried = [*item.writes, *([engage_features.USER_STATUS] if item.active is not None else [])]
    return not any(vault_tries.has_news(before, after, what) for what in tried)


def blanked(item: PushItem, member: Member, user: VaultUser) -> PushItem | None:
    """Return a removal that Vault CRM took for no change, with an empty text instead of no value (P3).

    `None`: the user is in no group any more, or that has been tried for the member before.
    """
    writes = {
        feature: {**writes, "request": BLANK}
        for feature, writes in item.writes.items()
        if user.seen[feature].group is not None
        and writes.get("request") != BLANK
        and not ((tries := vault_tries.of(member, feature)) and tries.blanked)
    }
    return replace(item, writes=writes) if writes else None


def _is_wished(member: Member, item: PushItem, feature: Feature, day: date) -> bool:
    """Whether the member still wants the group that the item requests."""
    # Where only a status is written, the request is the one already in Vault CRM.
    requested = item.writes[feature].get("request", item.seen[feature].request) or None
    return engage_groups.wanted(member, feature, day) == requested


def is_wanted(item: PushItem, member: Member, day: date) -> bool:
    """Whether the member, as the roster has it now, still wants all that the item writes.

    Who could not be activated is asked no group.
    """
    if item.active is not None and engage_groups.wanted_active(member, day) != item.active:
        return False
    if item.step is Step.ADDITION and not member.vault.is_active:
        return False
    if item.fields and not (member.vault.is_active and engage_groups.may_hold(member, day)):
        return False
    same = all(written_fields.value_of(member, name) == each.value for name, each in item.fields.items())
    return same and all(_is_wished(member, item, feature, day) for feature in item.writes)


def one_by_one(item: PushItem) -> list[PushItem]:
    """Return an update as updates of one field each: of fields that are refused together, some may not be."""
    return [replace(item, fields={name: each}) for name, each in item.fields.items()]


def was_refused(item: PushItem, member: Member) -> bool:
    """Whether it was recorded, since the plan was made, that Vault CRM refused the item."""
    return member.version > item.version and any(
        member.feature(feature).status == engage_features.REQUEST_FAILED for feature in item.writes
    )


def has_arrived(item: PushItem, user: VaultUser) -> bool:
    """Whether the item has been written to Vault CRM, judging by the user as it is now (P5).

    A status that is written does not stay, so any change of the record counts as its arrival.
    """
    for feature, writes in item.writes.items():
        before, after = item.seen[feature], user.seen[feature]
        if "request" in writes and (writes["request"] or None) != before.request:
            if after.request != (writes["request"] or None):
                return False
        elif after.status == before.status and user.modified == item.modified:
            return False
    if any(user.written.get(each.field) != each.to for each in item.fields.values()):
        return False
    return item.active is None or user.active == item.active
