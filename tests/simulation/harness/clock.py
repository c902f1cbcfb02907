"""The time that functions and sandboxes see: it goes by as it is looked at, and where a test says so."""

from datetime import UTC, datetime, timedelta, tzinfo

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


class Clock:
    """Stands in for `datetime` in the handlers, which only ever ask it for `now`."""

    def __init__(self) -> None:
        self.moment = START

    def now(self, tz: tzinfo | None = None) -> datetime:
        """Return the time, a millisecond later at each look, so that no two moments are the same."""
        self.moment += _TICK
        return self.moment.astimezone(tz or UTC)

    def __call__(self) -> datetime:
        """Return the time as the sandbox Vault CRM asks for it."""
        return self.now()

    def pass_s(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.advance(seconds=seconds)

    def advance(self, **some: float) -> None:
        """Let so many `minutes`, `hours`, … pass."""
        self.moment += timedelta(**some)
