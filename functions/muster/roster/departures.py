"""Who has left: inactive, set inactive, or past the end date (G7)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from muster.roster.member import Member

# ── Who leaves ───────────────────────────────────────────────────────────────────────────────────────


def today(now: datetime, time_zone: str) -> date:
    """Return the day it is in the organization, in which end dates are read (G7)."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def is_ended(member: Member, today: date) -> bool:
    """Tell whether the member's end date is past: strictly, so the last day is a day of work (G7)."""
    return member.end_date is not None and date.fromisoformat(member.end_date) < today


def leaves(member: Member, today: date) -> bool:
    """Tell whether the member is to be in no group: inactive, set inactive, or past the end date (G7)."""
    return not member.active or member.crm_user_status == "inactive" or is_ended(member, today)
