"""Moments as Muster records them: ISO 8601 in UTC, ending in Z. The one place that writes them."""

from datetime import UTC, datetime, timedelta
from typing import Literal


def timestamp(moment: datetime, to: Literal["seconds", "milliseconds"] = "milliseconds") -> str:
    """Return an aware moment as it is recorded, for example 2026-11-20T08:15:31.000Z.

    As text it sorts as time does, for one width is used for each kind of moment.
    """
    return moment.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")


def earlier(moment: str, by: timedelta) -> str:
    """Return the timestamp of a moment (ISO 8601), so much earlier."""
    return timestamp(datetime.fromisoformat(moment) - by)
