"""Whether a member is active, and if not, why; who is kept, and until when (A7, A8, A13, A16).

Salesforce and the assignments say whether somebody belongs in the roster (`eligibility`). An end date or
status set by hand closes a member all the same, and the settings keep some who no longer belong. Pure.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.roster import end_dates
from muster.roster.member import Attributes, Member
from muster.roster.reasons import INACTIVE_USER, UNMATCHED
from muster.settings import Settings
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a member is not active (`None`: it is), why it is only kept, and since when it matches nothing."""

    inactive_reason: str | None = None
    kept_reason: str | None = None
    unmatched_since: str | None = None


def standing(before: Member, reason: str | None, settings: Settings, now: datetime) -> Standing:
    """Return how a member stands whom Salesforce and the assignments exclude for `reason`, if for any."""
    closed = end_dates.closed_by_hand(before, end_dates.today(now, settings.time_zone))
    may_be_kept = before.active and closed is None and reason in (INACTIVE_USER, UNMATCHED)
    if not may_be_kept:
        return Standing(reason or closed)
    keep = settings.keep_active
    if reason == INACTIVE_USER:
        return Standing(None, reason) if keep.when_deactivated else Standing(reason)
    if keep.when_unmatched:
        return Standing(None, reason)
    since = before.unmatched_since or timestamp(now)
    return Standing(None, reason, since) if timestamp(now) < grace_ends(since, settings) else Standing(reason)


def grace_ends(unmatched_since: str, settings: Settings) -> str:
    """Return when the days of grace are over (ISO 8601)."""
    return timestamp(
        datetime.fromisoformat(unmatched_since) + timedelta(days=settings.keep_active.grace_days)
    )


def gives_way(member: Member) -> bool:
    """Whether another Salesforce user of the same person may take the member over (W8, A14).

    It may once the member's own user has left, even where the settings keep the member active. Whoever is
    only closed by hand has not: a second user would open the member again.
    """
    if member.active:
        return member.kept_reason == INACTIVE_USER
    return not end_dates.is_closed_by_hand(member)


def without_stale_end_date(
    before: Member, crm_id: str, reason: str | None, settings: Settings, now: datetime
) -> Member:
    """Return a member who comes back in Salesforce without the end date of the time before (A16).

    That is who was deactivated there and is active again, or has another user. With a date that is past goes
    the status that a push set because of it; one that was set by hand stays until it is taken back by hand.
    """
    former = before.crm.get("salesforce", {}).get("id")
    comes_back = reason != INACTIVE_USER and (
        before.inactive_reason == INACTIVE_USER or former not in (None, crm_id)
    )
    if not comes_back or not end_dates.is_ended(before, end_dates.today(now, settings.time_zone)):
        return before
    origins = {name: origin for name, origin in before.origins.items() if name != "end_date"}
    changed: Attributes = {"end_date": None, "origins": origins}
    if before.crm_user_status == "inactive" and "crm_user_status" not in origins:
        changed["crm_user_status"] = "active"
    return replace(before, **changed)
