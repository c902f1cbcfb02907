"""End dates and statuses set by hand: who has left, and who is closed or opened again by them (G7, A16)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from muster.roster.member import Member
from muster.roster.reasons import BY_HAND, END_DATE, SET_INACTIVE, TAKEN_BACK

# What is due for a member that an import has to look at, beside what is due for a push.
EVALUATION = "evaluation"


def today(now: datetime, time_zone: str) -> date:
    """Return today's date in the organization's time zone, in which end dates are read."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def is_ended(member: Member, today: date) -> bool:
    """Whether the member's end date is past: strictly, so the last day is a day of work."""
    return member.end_date is not None and date.fromisoformat(member.end_date) < today


def has_left(member: Member, today: date) -> bool:
    """Whether the member has left, and so is to be in no Engage group."""
    return not member.active or closed_by_hand(member, today) is not None


def closed_by_hand(member: Member, today: date) -> str | None:
    """Return the reason for which the member is closed whatever Salesforce says; `None`: for none (A16)."""
    if is_ended(member, today):
        return END_DATE
    return SET_INACTIVE if member.crm_user_status == "inactive" else None


def evaluated_from(member: Member) -> str | None:
    """Return the day (ISO 8601) from which an import has to evaluate the member again; empty: at once.

    `None`: not for its end date or status. Not every change of these takes effect where it is made.
    """
    if member.active:
        if member.crm_user_status == "inactive":
            return ""
        return day_after(member.end_date) if member.end_date else None
    taken_back = {END_DATE: member.end_date is None, SET_INACTIVE: member.crm_user_status != "inactive"}
    return "" if taken_back.get(member.inactive_reason or "", member.inactive_reason == TAKEN_BACK) else None


def day_after(end_date: str) -> str:
    """Return the first day on which an end date is past."""
    return (date.fromisoformat(end_date) + timedelta(days=1)).isoformat()


def is_closed_by_hand(member: Member) -> bool:
    """Whether nothing but an end date or status set by hand has closed the member, as last evaluated."""
    return not member.active and member.inactive_reason in BY_HAND
