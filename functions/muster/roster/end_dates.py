"""End dates, and who has left: past the end date, inactive, or set inactive (G7)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from muster.roster.member import Member


def today(now: datetime, time_zone: str) -> date:
    """Return today's date in the organization's time zone, in which end dates are read."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def is_ended(member: Member, today: date) -> bool:
    """Whether the member's end date is past: strictly, so the last day is a day of work."""
    return member.end_date is not None and date.fromisoformat(member.end_date) < today


def has_left(member: Member, today: date) -> bool:
    """Whether the member has left, and so is to be in no Engage group."""
    return not member.active or member.crm_user_status == "inactive" or is_ended(member, today)
