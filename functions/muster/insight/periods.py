"""Periods as admins write them: from a moment to another one. Pure; the caller knows the time."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from muster.errors import Problem, Rejected
from muster.times import timestamp

DEFAULT = timedelta(hours=24)
# What timestamps are counted in.
TICK = timedelta(milliseconds=1)
_AGO = re.compile(r"(?:(?:the )?last )?([0-9]{1,6}) ?([a-z]+?)s?(?: ago)?", re.ASCII)
_UNITS = {
    **dict.fromkeys(("min", "minute"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day"), timedelta(days=1)),
    **dict.fromkeys(("w", "week"), timedelta(weeks=1)),
}
_DAYS = {"today": 0, "yesterday": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_REMEDY = (
    'Write a day or a moment (2026-11-20, 2026-11-20T18:00), "yesterday" or "monday",'
    ' or how long ago: "24 h", "7 days".'
)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on, and before `until`: both are timestamps in UTC."""

    since: str
    until: str

    def has(self, at: str) -> bool:
        """Whether a timestamp, of whatever width, is within the period."""
        moment = datetime.fromisoformat(at)
        return datetime.fromisoformat(self.since) <= moment < datetime.fromisoformat(self.until)


def period(
    since: str | None, until: str | None, now: datetime, time_zone: str, default: timedelta = DEFAULT
) -> Period:
    """Return the period that an admin means; days and times without a zone are those of `time_zone`.

    A day is meant whole: as `since` from its beginning, as `until` to its end. Without `since` it begins
    `default` before its end, without `until` it ends `now`. Raises `Rejected`.
    """
    zone = ZoneInfo(time_zone)
    # What is recorded in this very millisecond has happened.
    end = now + TICK if until is None else _moment("until", until, now, zone, last=True)
    begin = end - default if since is None else _moment("since", since, now, zone, last=False)
    if begin >= end:
        where = "until" if until is not None else "since"
        what = "is not after since" if until is not None else "lies ahead"
        raise Rejected(Problem(where, what, "The period goes from since to until, or to now without until."))
    return Period(timestamp(begin), timestamp(end))


def end_of(where: str, written: str, now: datetime, time_zone: str) -> datetime:
    """Return the moment before which everything counts: right after a moment, or the end of a day.

    Of today it is now. Days and times without a zone are those of `time_zone`. Raises `Rejected`, also for
    what lies ahead.
    """
    zone = ZoneInfo(time_zone)
    begin, end = (_moment(where, written, now, zone, last=last) for last in (False, True))
    if begin > now:
        raise Rejected(Problem(where, f"{written[:50]!r} lies ahead", "Write a day or a moment in the past."))
    return min(max(end, begin + TICK), now + TICK)


def _moment(where: str, written: str, now: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return the moment that is written; of a day its beginning, or with `last` its end."""
    text = written.strip().casefold()
    try:
        if (day := _day(text, now.astimezone(zone).date())) is not None:
            return datetime.combine(day + timedelta(days=last), time(), zone).astimezone(UTC)
        if text == "now":
            return now
        if (ago := _AGO.fullmatch(text)) and ago[2] in _UNITS:
            return now - int(ago[1]) * _UNITS[ago[2]]
        moment = datetime.fromisoformat(written.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Rejected(Problem(where, f"{written[:50]!r} is no moment", _REMEDY)) from None


def _day(text: str, today: date) -> date | None:
    """Return the day that a text names; `None`: it names none."""
    if text in _DAYS:
        return today - timedelta(days=_DAYS[text])
    if text in _WEEKDAYS:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS.index(text)) % 7)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return date.fromisoformat(text)
    return None
