"""How a change of a Salesforce user changes its member: created, linked, updated, closed, reopened (W8).

`decide` is the one place. It compares a change with what is known and returns a `Decision`: the values
to write, and what must still hold when they are written. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from muster.crm import canonical_text
from muster.crm.salesforce_fields import TARGETS, mapped
from muster.roster import eligibility, end_dates, engage_groups, seats
from muster.roster.decisions import Decision, Known, Outcome, Wanted
from muster.roster.eligibility import Verdict
from muster.roster.entitlements import Attributes, governed, seated, without
from muster.roster.former_groups import with_former_groups
from muster.roster.history import HistoryEntry, changes_between
from muster.roster.links import Link, match_keys
from muster.roster.manager_hierarchy import manager_attributes, reports_to
from muster.roster.member import Member
from muster.roster.reasons import INACTIVE_USER, NAMESAKE_ACTIVE, REPLACED, UNMATCHED
from muster.roster.seats import Pools
from muster.settings import Settings
from muster.sources.newest_changes import is_newer, state_of
from muster.sources.salesforce_users import digest
from muster.sources.user_changes import UserChange
from muster.times import timestamp

CONNECTION = "salesforce"


def wanted_for(change: UserChange, settings: Settings) -> Wanted:
    """Return what has to be looked up to decide about the change."""
    values = _mapped(change, settings)
    return Wanted(
        match_keys=match_keys(values.get("username"), values.get("email")),
        manager=None if settings.ignore_organizational_structure else reports_to(change),
    )


def decide(change: UserChange, known: Known, settings: Settings, pools: Pools, now: datetime) -> Decision:
    """Return the decision about a change, given what is known and how many of each seat are taken."""
    if _is_stale(change, known):
        return Decision(outcome=Outcome.STALE, before=known.member)
    verdict = eligibility.evaluate(change.fields, change.matches, settings)
    if known.member:
        return _follow(known.member, change, known, verdict, settings, pools, now)
    if verdict.reason:
        return _not_provisioned(change, known, verdict.reason)
    return _provision(change, known, verdict, settings, pools, now)


def seat(
    member: Member, name: str, settings: Settings, pools: Pools, now: datetime, run: str
) -> Decision | None:
    """Return the decision to give a member the seat it waits for; `None`: not waiting, or none is free."""
    if member.seats.get(name, {}).get("state") != seats.WAITING or not member.active:
        return None
    after = seated(member, name, settings, pools, timestamp(now))
    if after.seats == member.seats:
        return None
    return recorded(member, after, Outcome.SEATED, settings, now, f"assignment:{member.assignment}", run)


def is_due(member: Member, settings: Settings, now: datetime) -> bool:
    """Whether the days of grace of a member that no assignment matches are over (A8)."""
    return member.unmatched_since is not None and timestamp(now) >= grace_ends(
        member.unmatched_since, settings
    )


def grace_ends(unmatched_since: str, settings: Settings) -> str:
    """Return when the days of grace are over (ISO 8601)."""
    return timestamp(
        datetime.fromisoformat(unmatched_since) + timedelta(days=settings.keep_active.grace_days)
    )


def _is_stale(change: UserChange, known: Known) -> bool:
    if known.member:
        seen = known.member.sources.get(CONNECTION)
    elif known.link:
        seen = known.link.source
        # A user who waits is looked at again even in the same state: the namesake may have left.
        waits = known.link.reason == NAMESAKE_ACTIVE
        if waits and seen is not None and state_of(change.source) == state_of(seen):
            return False
    else:
        seen = None
    return seen is not None and not is_newer(change.source, seen)


def _not_provisioned(change: UserChange, known: Known, reason: str) -> Decision:
    link = Link(crm_id=change.crm_id, reason=reason, source=change.source)
    return Decision(outcome=Outcome.NOT_PROVISIONED, link_before=known.link, link=link)


def _provision(
    change: UserChange, known: Known, verdict: Verdict, settings: Settings, pools: Pools, now: datetime
) -> Decision:
    """Link the user to its namesake, wait for the namesake to leave, or create a member (W8)."""
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
        member_id = str(
            uuid5(NAMESPACE_URL, f"{settings.organization}/{change.crm_id}/{state_of(change.source)}")
        )
        before, outcome = Member(id=member_id, organization=settings.organization), Outcome.CREATED
    decision = _follow(before, change, known, verdict, settings, pools, now)
    return replace(
        decision,
        outcome=outcome,
        newcomer=settings.managers.notify and outcome is Outcome.CREATED,
        before=before if outcome is Outcome.LINKED else None,
        link_before=known.link,
        link=replace(linked, member=before.id),
        replaced=_replaced(before),
        matches=known.matches,
    )


def _replaced(before: Member) -> Link | None:
    """Return the new link of the Salesforce user that the member was linked to so far."""
    former = before.crm.get(CONNECTION, {}).get("id")
    return Link(crm_id=former, reason=REPLACED, source=before.sources.get(CONNECTION)) if former else None


def _wait(change: UserChange, known: Known, settings: Settings, blocking: tuple[Member, ...]) -> Decision:
    link = Link(
        crm_id=change.crm_id,
        reason=NAMESAKE_ACTIVE,
        source=change.source,
        fields=change.fields,
        matches=tuple(sorted(change.matches)),
        match_keys=wanted_for(change, settings).match_keys,
    )
    # When it was read does not matter: the link of a user who still waits as before is left as it is.
    same = known.link is not None and replace(known.link, revision=0, source=link.source) == link
    return Decision(
        outcome=Outcome.WAITING,
        link_before=known.link,
        link=None if same else link,
        matches=known.matches,
        unchanged=blocking,
    )


def _follow(
    before: Member,
    change: UserChange,
    known: Known,
    verdict: Verdict,
    settings: Settings,
    pools: Pools,
    now: datetime,
) -> Decision:
    """Update one member by its Salesforce user."""
    reason, since = _reason_to_leave(before, verdict.reason, settings, now)
    active = reason is None
    attributes: Attributes = {
        **_identity(before, change, known, settings),
        "active": active,
        "inactive_reason": reason,
        "unmatched_since": since,
    }
    if not active:
        attributes |= {**without(before), "matched": ()}
    elif verdict.reason is None:
        attributes |= governed(before, verdict.assignment, change.fields, settings, pools, timestamp(now))
        attributes["matched"] = tuple(sorted(change.matches))
    if "manager" in attributes:
        # A manager chosen by hand, while the CRM's structure was ignored, gives way to the CRM's.
        origins = attributes.get("origins", before.origins)
        attributes["origins"] = {name: origin for name, origin in origins.items() if name != "manager"}
    if verdict.reason != INACTIVE_USER or not active:
        called = eligibility.in_call_center(change.fields)
        attributes |= {"enabled": active, "inbound_enabled": active and called}
    manager = None if settings.ignore_organizational_structure else attributes.get("manager", before.manager)
    attributes["digest"] = digest(change.fields_digest, change.matches, manager)
    keys = match_keys(attributes.get("username", before.username), attributes.get("email", before.email))
    attributes["former_keys"] = tuple(
        sorted({*before.former_keys, *match_keys(before.username, before.email)} - {*keys})
    )
    if before.version and change.fields_digest and _is_as_before(before, attributes):
        # Read from Salesforce and unchanged: an import of an unchanged source writes nothing (I9).
        return Decision(outcome=Outcome.UNCHANGED, before=before)
    after = replace(before, **attributes, sources={**before.sources, CONNECTION: change.source})
    after = replace(after, **engage_groups.returned(before, after, end_dates.today(now, settings.time_zone)))
    after = with_former_groups(before, after, settings)
    if before.active != after.active:
        outcome = Outcome.REACTIVATED if after.active else Outcome.DEACTIVATED
    else:
        outcome = Outcome.UPDATED
    return recorded(before, after, outcome, settings, now, "crm", change.run)


def _reason_to_leave(
    before: Member, reason: str | None, settings: Settings, now: datetime
) -> tuple[str | None, str | None]:
    """Return why the member is not active, and since when it has been without a match (A7, A8)."""
    keep = settings.keep_active
    if not before.active or reason not in (INACTIVE_USER, UNMATCHED):
        return reason, None
    if reason == INACTIVE_USER:
        return (None if keep.when_deactivated else reason), None
    if keep.when_unmatched:
        return None, None
    since = before.unmatched_since or timestamp(now)
    return (None, since) if timestamp(now) < grace_ends(since, settings) else (reason, None)


def recorded(
    before: Member,
    after: Member,
    outcome: Outcome,
    settings: Settings,
    now: datetime,
    origin: str,
    run: str,
) -> Decision:
    """Return the decision to write `after`, with a history entry if an admin would see a change."""
    limits = seats.limits(settings)
    # Another spelling of a value is no change; until 0.2.0 both were stored (W14).
    after = _respelled(after)
    changes = changes_between(_respelled(before) if before.version else None, after)
    if not changes:
        return Decision(outcome=Outcome.UNCHANGED, before=before, after=after, limits=limits)
    at = timestamp(now)
    after = replace(after, version=before.version + 1, updated_at=at)
    if after.active != before.active:
        after = replace(after, inactive_since=None if after.active else at)
    history = HistoryEntry(
        member=before.id, version=after.version, at=at, origin=origin, run=run, changes=changes
    )
    return Decision(outcome=outcome, before=before, after=after, history=history, limits=limits)


def _respelled(member: Member) -> Member:
    """Return the member with what a field of a CRM may have given it in canonical text."""

    def canonical(values: Mapping[str, str | None]) -> Attributes:
        # Values of Vault CRM are among them, whose ids are none of Salesforce: so no field's name is given.
        return {name: value and canonical_text.of_text("", value) for name, value in values.items()}

    crm = {
        system: {name: canonical_text.of(name, value) for name, value in values.items()}
        if system == CONNECTION
        else values
        for system, values in member.crm.items()
    }
    return replace(
        member,
        crm=crm,
        **canonical({name: getattr(member, name) for name in TARGETS if "." not in name}),
        custom=canonical(member.custom),
    )


def _is_as_before(before: Member, attributes: Attributes) -> bool:
    return all(getattr(before, name) == value for name, value in attributes.items())


def _identity(member: Member, change: UserChange, known: Known, settings: Settings) -> Attributes:
    """Return the attributes that identify the person; they follow the CRM in both update modes (A5)."""
    plain: Attributes = {}
    crm = dict(member.crm.get(CONNECTION, {})) | {"id": change.crm_id}
    phones = dict(member.phone_numbers)
    for target, value in _mapped(change, settings).items():
        group, _, name = target.rpartition(".")
        {"": plain, "crm": crm, "phone_numbers": phones}[group][name] = value
    custom = {
        name: change.fields[name] for name in settings.auto_provision.custom_fields if name in change.fields
    }
    return {
        **plain,
        **manager_attributes(member, change, known, settings),
        "crm": {**member.crm, CONNECTION: crm},
        "phone_numbers": phones,
        "custom": {**member.custom, **custom},
    }


def _mapped(change: UserChange, settings: Settings) -> dict[str, str | None]:
    values = mapped(settings.field_maps.salesforce, change.fields)
    if "email" in values:
        values["email"] = eligibility.provisioned_email(values["email"], settings.domains)
    return values
