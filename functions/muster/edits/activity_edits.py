"""What becomes of a member whose end date or CRM user status was edited: closed, or evaluated again (A16).

Closing takes effect with the edit. Opening does not: what Salesforce last showed may be out of date, and
nobody is let in from memory, so the next import evaluates the member. Pure: no I/O, no clock.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.roster import assignment_grants, end_dates, entitlements
from muster.roster.member import Member
from muster.roster.reasons import BY_HAND, EXPLAINED, SET_INACTIVE, TAKEN_BACK
from muster.settings import Settings, assignment_order


def with_activity(member: Member, settings: Settings, now: datetime) -> tuple[Member, list[str]]:
    """Return an edited member as closed or to be evaluated by the values set by hand, and notes about it."""
    reason = end_dates.closed_by_hand(member, end_dates.today(now, settings.time_zone))
    if member.active:
        return _closed(member, reason) if reason else (member, [])
    if member.inactive_reason not in BY_HAND:
        why = EXPLAINED.get(member.inactive_reason or "", "It was deactivated.")
        return member, [] if reason else [f"The member is inactive for another reason: {why}"]
    if reason:
        return replace(member, inactive_reason=reason), [_still_closed(reason)]
    # Without the digest a full import evaluates the member too, whatever the index of who is due shows.
    return replace(member, inactive_reason=TAKEN_BACK, digest=""), [_comes_back(member, settings)]


def _closed(member: Member, reason: str) -> tuple[Member, list[str]]:
    lost = [f"the seat {seat}" for seat in member.seats]
    lost += [what for what in ("data_capture", "workspaces") if getattr(member, what)]
    gives_back = f" and gives back {', '.join(lost)}" if lost else ""
    note = f"The member is inactive at once{gives_back}. The next push takes it out of its Engage groups."
    closed: dict[str, Any] = {
        **entitlements.closed(member),
        "active": False,
        "inactive_reason": member.kept_reason or reason,
        "kept_reason": None,
        "unmatched_since": None,
        "enabled": False,
        "inbound_enabled": False,
    }
    return replace(member, **closed), [note]


def _still_closed(reason: str) -> str:
    if reason == SET_INACTIVE:
        return "The member stays inactive: crm_user_status is inactive. To open it, set that to active too."
    return "The member stays inactive: its end_date is past. To open it, clear that or set a later one."


def _comes_back(member: Member, settings: Settings) -> str:
    """Return what comes back if Salesforce still shows what it showed when the member was last evaluated."""
    start = "The next import evaluates the member again"
    assignment = assignment_order.winner(member.matched, settings)
    if assignment is None:
        return f"{start}: it comes back if Salesforce shows the user as active and an assignment matches."
    given = assignment_grants.grants(assignment, {})
    gets = [f"the seat {seat}" for seat in given.seats]
    gets += ["data capture"] if given.data_capture else []
    gets += ["workspaces"] if given.workspaces else []
    gets += ["what depends on fields in Salesforce"] if given.unknown else []
    what = f" with {', '.join(gets)}" if gets else ""
    return (
        f"{start}: if Salesforce still shows the user as active and assignment {assignment.name!r} still"
        f" matches, it comes back{what}, and asks for its Engage groups again."
    )
