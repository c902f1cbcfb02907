"""How a change of a Salesforce user changes its member: created, linked, updated, closed, reopened (W8).

`decide` is the one place. It compares a change with what is known and returns a `Decision`: the values
to write, and what must still hold when they are written. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import NAMESPACE_URL, uuid5

from muster.crm import canonical_text
from muster.crm.salesforce_fields import TARGETS, mapped
from muster.roster import eligibility, end_dates, engage_groups, namesakes, seats
from muster.roster.activity import gives_way, standing, without_stale_end_date
from muster.roster.decisions import Decision, Known, Outcome, Wanted
from muster.roster.eligibility import Verdict
from muster.roster.entitlements import closed, governed, kept, seated, without
from muster.roster.former_groups import with_former_groups
from muster.roster.history import HistoryEntry, changes_between
from muster.roster.links import Link, match_keys, match_keys_of
from muster.roster.manager_hierarchy import manager_attributes, reports_to
from muster.roster.member import Attributes, Member
from muster.roster.reasons import REPLACED
from muster.roster.seats import Pools
from muster.settings import Settings
from muster.settings.mappings import custom_names
from muster.sources.newest_changes import is_newer, state_of
from muster.sources.salesforce_users import digest
from muster.sources.user_changes import UserChange
from muster.times import timestamp

CONNECTION = "salesforce"


def wanted_for(change: UserChange, settings: Settings) -> Wanted:
    """Return what has to be looked up to decide about the change."""
    username, own = namesakes.own_addresses(change, settings)
    email = eligibility.provisioned_email(own, settings.domains)
    return Wanted(
        match_keys=match_keys(username, email, own),
        claims=match_keys(None, email, own) if settings.domains.convert else (),
        manager=None if settings.ignore_organizational_structure else reports_to(change),
        succeeds=change.succeeds,
    )


def decide(
    change: UserChange,
    known: Known,
    settings: Settings,
    pools: Pools,
    now: datetime,
    verdict: Verdict | None = None,
) -> Decision:
    """Return the decision about a change, given what is known and how many of each seat are taken.

    `verdict` is that of `judged`, where it has been found already.
    """
    if is_stale(change, known):
        return Decision(outcome=Outcome.STALE, before=known.member, link_before=known.link)
    verdict = verdict or judged(change, known.member, settings)
    if known.member:
        decision = _follow(known.member, change, known, verdict, settings, pools, now)
        return namesakes.claiming(decision, known) if known.matches and decision.after else decision
    if known.former and known.former.crm.get(CONNECTION, {}).get("id") == change.succeeds:
        return _succeed(known.former, change, known, verdict, settings, pools, now)
    if verdict.reason:
        return _not_provisioned(change, known, verdict.reason)
    return _provision(change, known, verdict, settings, pools, now)


def given_way(member: Member, settings: Settings, now: datetime, run: str) -> Decision:
    """Return the decision that a member goes by its own address, because another's is the converted one."""
    keys = match_keys(member.username, member.own_email)
    former = tuple(sorted({*member.former_keys, *match_keys_of(member)} - {*keys}))
    after = replace(member, email=member.own_email, own_email=None, former_keys=former)
    decision = recorded(member, after, Outcome.UPDATED, settings, now, "crm", run)
    crm_id = member.crm.get(CONNECTION, {}).get("id") or ""
    return replace(decision, entry=namesakes.address_taken(crm_id, member.id, run, now))


def seat(
    member: Member, name: str, settings: Settings, pools: Pools, now: datetime, run: str
) -> Decision | None:
    """Return the decision to give a member the seat it waits for; `None`: not waiting, or none is free."""
    place = member.seats.get(name)
    if place is None or place.in_line is None or not member.active:
        return None
    rank, _ = place.in_line
    after = seated(member, name, rank, settings, pools, timestamp(now))
    if after.seats == member.seats:
        return None
    return recorded(member, after, Outcome.SEATED, settings, now, f"assignment:{member.assignment}", run)


def judged(change: UserChange, member: Member | None, settings: Settings) -> Verdict:
    """Return whether the user of a change belongs in the roster; `member` is its own, if there is one."""
    frozen = _is_frozen(change, member)
    return eligibility.evaluate(change.fields, change.matches, settings, member, frozen=frozen)


def _is_frozen(change: UserChange, known: Member | None) -> bool:
    """Whether the user is frozen, by what was read or else by what is known of the member (A17)."""
    if change.frozen is None:
        return known is not None and known.frozen_since is not None
    return change.frozen


def is_stale(change: UserChange, known: Known) -> bool:
    """Whether something newer is known of the user than the change."""
    if known.member:
        seen = known.member.sources.get(CONNECTION)
    elif known.link:
        seen = known.link.source
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
    same = namesakes.taken_for(change, known, settings)
    holders = [member for member in same if CONNECTION in member.crm]
    free = [member for member in same if CONNECTION not in member.crm]
    blocking = tuple(member for member in holders if not gives_way(member))
    linked = Link(crm_id=change.crm_id, member="")
    if free:
        before, outcome = free[0], Outcome.LINKED
    elif blocking:
        return namesakes.waiting(change, known, wanted_for(change, settings).match_keys, blocking, now)
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
    others = replace(known, namesakes=tuple(each for each in known.namesakes if each.id != before.id))
    decision = namesakes.claiming(_follow(before, change, others, verdict, settings, pools, now), others)
    return replace(
        decision,
        outcome=outcome,
        newcomer=settings.managers.notify and outcome is Outcome.CREATED,
        before=before if outcome is Outcome.LINKED else None,
        link_before=known.link,
        link=replace(linked, member=before.id),
        replaced=_replaced(before),
    )


def _succeed(
    before: Member,
    change: UserChange,
    known: Known,
    verdict: Verdict,
    settings: Settings,
    pools: Pools,
    now: datetime,
) -> Decision:
    """Link the user of another Salesforce org to the member it was there, even if it is to leave (A14)."""
    decision = _follow(before, change, known, verdict, settings, pools, now)
    leaves = decision.outcome is Outcome.DEACTIVATED
    return replace(
        decision,
        outcome=Outcome.DEACTIVATED if leaves else Outcome.LINKED,
        before=before,
        link_before=known.link,
        link=Link(crm_id=change.crm_id, member=before.id),
        replaced=_replaced(before),
    )


def _replaced(before: Member) -> Link | None:
    """Return the new link of the Salesforce user that the member was linked to so far."""
    former = before.crm.get(CONNECTION, {}).get("id")
    return Link(crm_id=former, reason=REPLACED, source=before.sources.get(CONNECTION)) if former else None


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
    stored, before = before, without_stale_end_date(before, change.crm_id, verdict.reason, settings, now)
    stands = standing(before, verdict.reason, settings, now)
    active = stands.inactive_reason is None
    attributes: Attributes = {
        **_identity(before, change, known, settings),
        "inactive_reason": stands.inactive_reason,
        "kept_reason": stands.kept_reason,
        "unmatched_since": stands.unmatched_since,
        "frozen_since": before.frozen_since or timestamp(now) if _is_frozen(change, before) else None,
        "active": active,
        "enabled": active,
        "inbound_enabled": active and eligibility.in_call_center(change.fields),
        "matched": () if not active and verdict.reason else tuple(sorted(change.matches)),
    }
    if not active:
        attributes |= without(before) if verdict.reason else closed(before)
    else:
        decides = governed if verdict.reason is None else kept
        attributes |= decides(before, verdict.assignment, change.fields, settings, pools, timestamp(now))
    if "manager" in attributes:
        # A manager chosen by hand, while the CRM's structure was ignored, gives way to the CRM's.
        origins = attributes.get("origins", before.origins)
        attributes["origins"] = {name: origin for name, origin in origins.items() if name != "manager"}
    manager = None if settings.ignore_organizational_structure else attributes.get("manager", before.manager)
    attributes["digest"] = digest(
        change.fields_digest, change.matches, manager, frozen=_is_frozen(change, before)
    )
    keys = match_keys(
        attributes.get("username", before.username),
        attributes.get("email", before.email),
        attributes.get("own_email", before.own_email),
    )
    attributes["former_keys"] = tuple(sorted({*before.former_keys, *match_keys_of(before)} - {*keys}))
    if before.version and change.fields_digest and before is stored and _is_as_before(before, attributes):
        # Read from Salesforce and unchanged: an import of an unchanged source writes nothing (I9).
        return Decision(outcome=Outcome.UNCHANGED, before=before)
    after = replace(before, **attributes, sources={**before.sources, CONNECTION: change.source})
    after = replace(after, **engage_groups.returned(before, after, end_dates.today(now, settings.time_zone)))
    after = with_former_groups(before, after, settings)
    if match_keys_of(before) != match_keys_of(after) and after.vault.digest is not None:
        # The next full import looks whether the user in Vault CRM still goes by one of its names (G10).
        after = replace(after, vault=replace(after.vault, digest=""))
    if before.active != after.active:
        outcome = Outcome.REACTIVATED if after.active else Outcome.DEACTIVATED
    else:
        outcome = Outcome.UPDATED
    decision = recorded(stored, after, outcome, settings, now, "crm", change.run)
    if outcome is Outcome.DEACTIVATED and decision.after and change.received_at:
        # From then on nobody is to be let in: how long that takes is measured (W10).
        left_at = min(change.received_at, timestamp(now))
        decision = replace(decision, after=replace(decision.after, inactive_since=left_at))
    return namesakes.told_of_address(decision, stored, change, settings, now)


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
    if any(not change.field.startswith("accounts.") for change in changes):
        # What apps have to be told of: the next push to each of them looks at the member.
        after = replace(after, changed_for=tuple(name for name, _ in settings.connections.targets()))
    if after.active != before.active:
        after = replace(after, inactive_since=None if after.active else at)
    history = HistoryEntry(
        member=before.id, version=after.version, at=at, origin=origin, run=run, changes=changes
    )
    return Decision(outcome=outcome, before=before, after=after, history=history, limits=limits)


def _respelled(member: Member) -> Member:
    """Return the member with what a field of a CRM may have given it in canonical text."""

    def canonical(values: Mapping[str, str | None]) -> dict[str, str | None]:
        # Values of Vault CRM are among them, whose ids are none of Salesforce: so no field's name is given.
        return {name: value and canonical_text.of_text("", value) for name, value in values.items()}

    crm = {
        system: {name: canonical_text.of(name, value) for name, value in values.items()}
        if system == CONNECTION
        else values
        for system, values in member.crm.items()
    }
    plain = canonical({name: getattr(member, name) for name in TARGETS if "." not in name})
    respelled = cast("Attributes", plain)
    respelled["crm"], respelled["custom"] = crm, canonical(member.custom)
    return replace(member, **respelled)


def _is_as_before(before: Member, attributes: Attributes) -> bool:
    return all(getattr(before, name) == value for name, value in attributes.items())


def _identity(member: Member, change: UserChange, known: Known, settings: Settings) -> Attributes:
    """Return the attributes that identify the person; they follow the CRM in both update modes (A5)."""
    plain: dict[str, str | None] = {}
    crm = dict(member.crm.get(CONNECTION, {})) | {"id": change.crm_id}
    phones = dict(member.phone_numbers)
    values = mapped(settings.field_maps.salesforce, change.fields)
    if "email" in values:
        own, email = values["email"], namesakes.address(values["email"], member, known, settings)
        values |= {"email": email, "own_email": own if own != email else None}
    for target, value in values.items():
        group, _, name = target.rpartition(".")
        {"": plain, "crm": crm, "phone_numbers": phones}[group][name] = value
    read = {
        name: change.fields[name] for name in settings.auto_provision.custom_fields if name in change.fields
    }
    # What the settings no longer name would stay for ever as it was.
    for target in (target for target, source in settings.field_maps.salesforce.items() if source is None):
        group, _, name = target.rpartition(".")
        if group:
            {"crm": crm, "phone_numbers": phones}[group].pop(name, None)
        else:
            plain[name] = None
    names = custom_names(settings)
    custom = {name: value for name, value in {**member.custom, **read}.items() if name in names}
    return {
        **cast("Attributes", plain),
        **manager_attributes(member, change, known, settings),
        "crm": {**member.crm, CONNECTION: crm},
        "phone_numbers": phones,
        "custom": custom,
    }
