"""Clocks that a test sets; they stand still otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class SetClock(Protocol):
    """A clock that tests can let run."""

    def __call__(self) -> datetime:
        """Return the time."""

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""


class Clock:
    """The time of day, as the stand-ins date things."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, 0, 345678, tzinfo=UTC)  # a Saturday

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        """Let it be that time."""
        self.now = datetime.fromisoformat(text)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class MonotonicClock:
    """Seconds, as clients measure waits; whoever sleeps on it moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds
