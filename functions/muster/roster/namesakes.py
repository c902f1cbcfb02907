"""Who is taken for whom, who waits for whom, and whose an address is (W8, A14). Pure.

Two users with one username or e-mail address are taken for one person: one of them has the member, the other
waits. An address that Muster made up, by converting its domain, says nothing about who somebody is: it is
the member's only as long as it is nobody else's.
"""

from dataclasses import replace
from datetime import datetime

from muster.crm.salesforce_fields import mapped
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.roster import eligibility
from muster.roster.activity import gives_way
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.links import Link, match_keys, own_keys_of, same_text
from muster.roster.member import Member
from muster.roster.reasons import NAMESAKE_ACTIVE, NAMESAKE_LEFT
from muster.settings import Settings
from muster.sources.newest_changes import changed_at
from muster.sources.user_changes import UserChange
from muster.times import timestamp

WAITS_FOR_NAMESAKE = "waits_for_namesake"
ADDRESS_TAKEN = "address_taken"


def own_addresses(change: UserChange, settings: Settings) -> tuple[str | None, str | None]:
    """Return the username, and the e-mail address as Salesforce has it, that a member would have."""
    field_map = settings.field_maps.salesforce
    values = mapped({name: field_map.get(name) for name in ("username", "email")}, change.fields)
    return values.get("username"), values.get("email")


def taken_for(change: UserChange, known: Known, settings: Settings) -> list[Member]:
    """Return the members who are taken for the user: they have its username, or its own e-mail address."""
    mine = frozenset(match_keys(*own_addresses(change, settings)))
    return [member for member in known.namesakes if not mine.isdisjoint(own_keys_of(member))]


def waiting(
    change: UserChange, known: Known, keys: tuple[str, ...], blocking: tuple[Member, ...], now: datetime
) -> Decision:
    """Return the decision that the user waits, under these match keys, for members that are in the way."""
    link = Link(
        crm_id=change.crm_id,
        reason=NAMESAKE_ACTIVE,
        source=change.source,
        match_keys=keys,
    )
    before = known.link
    waited = before is not None and replace(before, revision=0, source=link.source) == link
    # When it was read does not matter: the link of a user who still waits in the same state stays as it is.
    same = before is not None and waited and changed_at(before.source) == changed_at(link.source)
    who = ", ".join(member.id for member in blocking)
    what = f"waits: it has the username or e-mail address of an active member ({who}), and is not let in"
    remedy = (
        "If both are one person, deactivate the other user in Salesforce: this one then takes over the"
        " member. If they are two, give each an address of its own."
    )
    return Decision(
        outcome=Outcome.WAITING,
        link_before=known.link,
        link=None if same else link,
        matches=known.matches,
        unchanged=blocking,
        entry=None
        if waited
        else _entry(Problem("User", what, remedy), WAITS_FOR_NAMESAKE, change.crm_id, change.run, now),
    )


def no_longer_blocked(known: Known, run: str, now: datetime) -> Decision | None:
    """Return the decision about a user who waits and cannot be read again; `None`: it goes on waiting.

    Nobody is let in from what is remembered (A14): it stays out until the next message or import, and the
    error log says so.
    """
    link = known.link
    if link is None or link.reason != NAMESAKE_ACTIVE or not all(map(gives_way, known.namesakes)):
        return None
    what = "waited for a member with the same username or e-mail address, who has left; it is not let in yet"
    remedy = (
        "Salesforce could not be asked how the user is now, or does not show it. Save the user in Salesforce,"
        " so that a message about it is sent; or see to the connection, and import."
    )
    return Decision(
        outcome=Outcome.WAITING,
        link_before=link,
        link=replace(link, reason=NAMESAKE_LEFT),
        matches=known.matches,
        entry=_entry(Problem("User", what, remedy), NAMESAKE_LEFT, link.crm_id, run, now),
    )


def address(own: str | None, member: Member, known: Known, settings: Settings) -> str | None:
    """Return the member's address: its own, or that with the primary domain, if it is nobody else's (A14)."""
    email = eligibility.provisioned_email(own, settings.domains)
    taken = any(
        each.active and each.id != member.id and _has_address(each, email) for each in known.namesakes
    )
    return own if taken else email


def claiming(decision: Decision, known: Known) -> Decision:
    """Return the decision under the condition that nobody else comes to have the member's address."""
    after = decision.after
    taken_from = tuple(
        each
        for each in known.namesakes
        if after and after.active and each.active and each.own_email and _has_address(each, after.email)
    )
    if after is None or after.own_email:
        taken_from = ()
    return replace(
        decision, matches=known.matches, gives_way=taken_from, unchanged=decision.unchanged + taken_from
    )


def _has_address(member: Member, email: str | None) -> bool:
    return bool(email and member.email) and same_text(member.email or "") == same_text(email or "")


def told_of_address(
    decision: Decision, before: Member, change: UserChange, settings: Settings, now: datetime
) -> Decision:
    """Return the decision with an entry for the error log where the member newly goes by its own address."""
    after = decision.after
    _, own = own_addresses(change, settings)
    if after is None or not after.active:
        return decision
    if eligibility.provisioned_email(own, settings.domains) in (own, after.email):
        return decision
    if before.active and before.own_email is None and before.email == after.email:
        return decision  # told before
    return replace(decision, entry=address_taken(change.crm_id, before.id, change.run, now))


def address_taken(crm_id: str, member: str, run: str, now: datetime) -> LogEntry:
    """Return the entry for the error log about a member that goes by its own address."""
    what = (
        f"goes by its own e-mail address (member {member}), because the one with the primary domain is"
        " another member's"
    )
    remedy = (
        "Nobody is kept out by it. If the app needs the primary domain, give the user an address of its own"
        " there, in Salesforce; or take its domain into domains.additional."
    )
    return _entry(Problem("User", what, remedy), ADDRESS_TAKEN, crm_id, run, now)


def _entry(problem: Problem, code: str, crm_id: str, run: str, now: datetime) -> LogEntry:
    return entry_of(
        problem,
        at=timestamp(now),
        system="salesforce",
        code=code,
        notification=run.partition(":")[2],
        record=crm_id,
    )
