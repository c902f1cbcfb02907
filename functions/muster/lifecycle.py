"""What becomes of a member when its Salesforce user changes: created, linked, updated, closed, reopened (W8).

`decide` is the one place. It compares a change with what is known and answers a `Decision`: the
values to write, and what must still be so when they are written. Pure: no I/O, no clock.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from muster import eligibility
from muster.decisions import Decision, Known, Outcome, keys_of, match_keys
from muster.field_maps import mapped
from muster.model import HistoryEntry, Link, Member, UserChange, changes_between
from muster.reasons import INACTIVE_USER, NAMESAKE_ACTIVE, REPLACED
from muster.settings import Settings

CONNECTION = "salesforce"


def keys_of_change(change: UserChange, settings: Settings) -> tuple[str, ...]:
    """Return the match keys that the changed user would have as a member."""
    values = _mapped(change, settings)
    return match_keys(values.get("username"), values.get("email"))


def decide(change: UserChange, known: Known, settings: Settings, now: datetime) -> Decision:
    """Return what `change` comes to, given what is known."""
    if _is_stale(change, known):
        return Decision(outcome=Outcome.STALE, before=known.member)
    reason = eligibility.reason_against(change.fields, settings, bool(known.member and known.member.active))
    if known.member:
        return _follow(known.member, change, reason, settings, now)
    if reason:
        return _not_provisioned(change, known, reason)
    return _provision(change, known, settings, now)


def _is_stale(change: UserChange, known: Known) -> bool:
    if known.member:
        seen = known.member.sources.get(CONNECTION)
    elif known.link:
        seen = known.link.source
        # The same state again is news to one who waits: the namesake may have left.
        if known.link.reason == NAMESAKE_ACTIVE and change.source == seen:
            return False
    else:
        seen = None
    return seen is not None and change.source <= seen


def _not_provisioned(change: UserChange, known: Known, reason: str) -> Decision:
    link = Link(crm_id=change.crm_id, reason=reason, source=change.source)
    return Decision(outcome=Outcome.NOT_PROVISIONED, link_before=known.link, link=link)


def _provision(change: UserChange, known: Known, settings: Settings, now: datetime) -> Decision:
    """Link to a member with the same username or e-mail, wait for one to leave, or create (W8)."""
    holders = [member for member in known.namesakes if CONNECTION in member.crm]
    free = [member for member in known.namesakes if CONNECTION not in member.crm]
    blocking = tuple(member for member in holders if member.active)
    linked = Link(crm_id=change.crm_id, member="")
    if free:
        before, outcome = free[0], Outcome.LINKED
    elif blocking:
        return _wait(change, known, settings, blocking)
    elif holders:
        before, outcome = (
            max(holders, key=lambda member: (member.updated_at or "", member.id)),
            Outcome.LINKED,
        )
    else:
        member_id = str(uuid5(NAMESPACE_URL, f"{settings.organization}/{change.crm_id}/{change.source}"))
        before, outcome = Member(id=member_id, organization=settings.organization), Outcome.CREATED
    decision = _follow(before, change, None, settings, now)
    return replace(
        decision,
        outcome=outcome,
        before=before if outcome is Outcome.LINKED else None,
        link_before=known.link,
        link=replace(linked, member=before.id),
        replaced=_replaced(before),
        matches=known.matches,
    )


def _replaced(before: Member) -> Link | None:
    """Return what becomes of the link of the Salesforce user that the member was linked to so far."""
    former = before.crm.get(CONNECTION, {}).get("id")
    return Link(crm_id=former, reason=REPLACED, source=before.sources.get(CONNECTION)) if former else None


def _wait(change: UserChange, known: Known, settings: Settings, blocking: tuple[Member, ...]) -> Decision:
    link = Link(
        crm_id=change.crm_id,
        reason=NAMESAKE_ACTIVE,
        source=change.source,
        fields=change.fields,
        match_keys=keys_of_change(change, settings),
    )
    same = known.link is not None and replace(known.link, revision=0) == link
    return Decision(
        outcome=Outcome.WAITING,
        link_before=known.link,
        link=None if same else link,
        matches=known.matches,
        unchanged=blocking,
    )


def _follow(
    before: Member, change: UserChange, reason: str | None, settings: Settings, now: datetime
) -> Decision:
    """Bring one member in line with its Salesforce user."""
    kept = reason == INACTIVE_USER and before.active and settings.keep_active.when_deactivated
    after = _identity(before, change, settings)
    if not kept:
        active = reason is None
        called = eligibility.in_call_center(change.fields)
        after = replace(
            after, active=active, inactive_reason=reason, enabled=active, inbound_enabled=active and called
        )
    changes = changes_between(before if before.version else None, after)
    after = replace(
        after,
        sources={**before.sources, CONNECTION: change.source},
        former_keys=tuple(sorted({*before.former_keys, *keys_of(before)} - {*keys_of(after)})),
    )
    if not changes:
        return Decision(outcome=Outcome.UNCHANGED, before=before, after=after)
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    after = replace(after, version=before.version + 1, updated_at=at)
    history = HistoryEntry(
        member=before.id, version=after.version, at=at, origin="crm", run=change.run, changes=changes
    )
    if before.active != after.active:
        outcome = Outcome.REACTIVATED if after.active else Outcome.DEACTIVATED
    else:
        outcome = Outcome.UPDATED
    return Decision(outcome=outcome, before=before, after=after, history=history)


def _identity(member: Member, change: UserChange, settings: Settings) -> Member:
    """Take over what identifies the person; it follows the CRM in both update modes (A5)."""
    plain: dict[str, Any] = {}
    crm = dict(member.crm.get(CONNECTION, {})) | {"id": change.crm_id}
    phones = dict(member.phone_numbers)
    for target, value in _mapped(change, settings).items():
        group, _, name = target.rpartition(".")
        {"": plain, "crm": crm, "phone_numbers": phones}[group][name] = value
    custom = {
        name: change.fields[name] for name in settings.auto_provision.custom_fields if name in change.fields
    }
    return replace(
        member,
        **plain,
        crm={**member.crm, CONNECTION: crm},
        phone_numbers=phones,
        custom={**member.custom, **custom},
    )


def _mapped(change: UserChange, settings: Settings) -> dict[str, str | None]:
    values = mapped(settings.field_maps.salesforce, change.fields)
    if "email" in values:
        values["email"] = eligibility.provisioned_email(values["email"], settings.domains)
    return values
