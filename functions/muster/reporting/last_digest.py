"""Which digest was sent last, and so whether another is to be, and from when on it tells (N2). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.errors import Problem, Rejected, Unavailable
from muster.validation import refused

# The first digest tells of a day; one after a pause, or of a weekend, of a week at most.
DAY, LONGEST = timedelta(days=1), timedelta(days=7)
# Longer than the function can live, and shorter than Lambda waits with the last of its tries.
AT_WORK = timedelta(seconds=150)
UNDER_WAY = "another invocation is sending the digest"
# Clocks differ; a digest of next year would keep all until then from being sent.
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LastDigest:
    """The digest that was sent, or begun, last: of the period from `since` to `scheduled`.

    `taken_at` is when its sending began, `None` where nobody is at it; `attempt` is whose it is.
    """

    scheduled: datetime
    since: datetime
    taken_at: datetime | None
    attempt: str
    sent: bool


def moment(written: object) -> datetime:
    """Return the moment that an event names; raises what pydantic takes for a refusal."""
    try:
        found = datetime.fromisoformat(str(written))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise refused("is no moment with a time zone", "Write it like 2026-11-30T07:00:00Z.")
    return found


def begins(last: LastDigest | None, scheduled: datetime, now: datetime) -> datetime | None:
    """Return from when on the digest of a moment tells; `None`: it, or a later one, was sent.

    Raises `Rejected` for a moment that lies ahead, and `Unavailable` while another invocation may be at it.
    """
    if scheduled > now + _AHEAD:
        raise Rejected(Problem("scheduled_at", "lies ahead", "Name a moment that has come."))
    if last is None:
        return scheduled - DAY
    if last.scheduled > scheduled or (last.scheduled == scheduled and last.sent):
        return None
    if not last.sent and last.taken_at is not None and now < last.taken_at + AT_WORK:
        raise Unavailable(UNDER_WAY)
    return max(last.scheduled if last.sent else last.since, scheduled - LONGEST)
