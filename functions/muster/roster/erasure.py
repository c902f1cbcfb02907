"""A member who has left, erased: what remains tells that there was one, and nothing about the person (T5).

The member becomes a tombstone: id, version and the reason `erased`. The link of its Salesforce user stays
with the version last applied, so that a message that comes again later is stale; who becomes active again
in Salesforce begins as a new member. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from datetime import datetime

from muster.errors import Problem
from muster.roster import engage_groups
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.links import Link, keys_of
from muster.roster.member import Member
from muster.roster.reasons import ERASED
from muster.times import timestamp


def refusal(member: Member) -> Problem | None:
    """Return why the member cannot be erased, and what to do; `None`: it can."""
    if member.active:
        remedy = "Deactivate the user in Salesforce first; who has left can be erased."
        return Problem("member", "is active", remedy)
    if engage_groups.due(member) or member.engage.group or member.engage_connect.group:
        remedy = "Let a push take the licence back first, so that it is free again; then send this again."
        return Problem("member", "is still in an Engage group, or a push has work for it", remedy)
    return None


def is_erased(member: Member) -> bool:
    """Whether nothing is left of the member but its tombstone."""
    return member.inactive_reason == ERASED


def keys_ever(member: Member) -> tuple[str, ...]:
    """Return the match keys that the member has or had."""
    return tuple({*keys_of(member), *member.former_keys})


def erase(
    known: Known, holders: Mapping[str, frozenset[str]], now: datetime, origin: str, run: str, why: str
) -> Decision:
    """Return the decision to erase an inactive member; one that is erased already is unchanged.

    `known` holds the member and, where a Salesforce user is linked to it, that link; `holders` who has the
    keys that it ever had, or waits for them. `origin` says who erases, `why` the reason they give: both stay
    in the history, of which everything older is deleted.
    """
    member = known.member
    if member is None or is_erased(member):
        return Decision(outcome=Outcome.UNCHANGED, before=member)
    at = timestamp(now)
    after = Member(
        id=member.id,
        organization=member.organization,
        inactive_reason=ERASED,
        version=member.version + 1,
        updated_at=at,
        revision=member.revision,
    )
    history = HistoryEntry(
        member=member.id,
        version=after.version,
        at=at,
        origin=origin,
        run=run,
        changes=(FieldChange("inactive_reason", member.inactive_reason, ERASED),),
        why=why,
    )
    return Decision(
        outcome=Outcome.ERASED,
        before=member,
        after=after,
        history=history,
        link_before=known.link,
        link=_remaining(known.link, member.sources.get("salesforce")),
        erases_history=True,
        keys_erased=tuple(
            key for key in sorted(keys_ever(member)) if holders.get(key, frozenset()) <= {member.id}
        ),
    )


def _remaining(link: Link | None, source: str | None) -> Link | None:
    return Link(crm_id=link.crm_id, reason=ERASED, source=source) if link else None
