"""Moments as Muster records them: ISO 8601 in UTC, to the millisecond. The one place that writes them."""

from datetime import UTC, datetime, timedelta


def timestamp(moment: datetime) -> str:
    """Return a moment as it is recorded: ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def earlier(moment: str, by: timedelta) -> str:
    """Return the moment so much earlier."""
    return timestamp(datetime.fromisoformat(moment) - by)
