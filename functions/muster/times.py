"""Timestamps as Muster records them: ISO 8601 in UTC, ending in Z. They are written only here."""

from datetime import UTC, datetime, timedelta
from typing import Literal


def timestamp(moment: datetime, to: Literal["seconds", "milliseconds"] = "milliseconds") -> str:
    """Return the timestamp of an aware moment, for example 2026-11-20T08:15:31.000Z.

    Timestamps of one kind have one width, so they sort as text.
    """
    return moment.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")


def earlier(moment: str, by: timedelta) -> str:
    """Return the timestamp `by` earlier than a moment (ISO 8601)."""
    return timestamp(datetime.fromisoformat(moment) - by)
