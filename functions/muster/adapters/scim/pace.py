"""Pacing of a SCIM target's calls: within the limit its profile knows, and as its answers ask for (O2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from muster.adapters.http_calls import HttpAnswer, retry_after
from muster.errors import ApiCallsUsedUp


class Pace:
    """Paces the calls of one connection."""

    def __init__(
        self,
        name: str,
        calls_a_minute: int | None,
        backoff_s: float,
        longest_wait_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Wait up to `longest_wait_s` seconds at a time; `name` is the target's name in messages.

        `backoff_s` is the first wait after a refusal that does not say how long to wait; each further one is
        twice as long. `now` returns epoch seconds, for waits that are given as a date.
        """
        self._name = name
        self._apart_s = 60 / calls_a_minute if calls_a_minute else 0.0
        self._backoff_s = backoff_s
        self._longest_wait_s = longest_wait_s
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._free_at = float("-inf")
        self._refused = 0

    def wait(self) -> None:
        """Pause until the next call may be made; raises `ApiCallsUsedUp` if that would take too long."""
        rest = self._free_at - self._clock()
        if rest > self._longest_wait_s:
            raise ApiCallsUsedUp(
                f"{self._name} takes no calls for now: its limit is used up, and the rest waits", rest
            )
        if rest > 0:
            self._sleep(rest)
        self._free_at = self._clock() + self._apart_s

    def answered(self) -> None:
        """Note that a call was taken."""
        self._refused = 0

    def refused(self, answer: HttpAnswer) -> float:
        """Note that a call was one too many; returns the seconds after which the next may come."""
        asked = retry_after(answer)
        if asked is None:
            asked = self._until(answer.headers.get("Retry-After", ""))
        wait = self._backoff_s * 2**self._refused if asked is None else asked
        self._refused = min(self._refused + 1, 16)
        self._free_at = self._clock() + wait
        return wait

    def _until(self, date: str) -> float | None:
        try:
            moment = parsedate_to_datetime(date)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.fromtimestamp(self._now(), UTC)).total_seconds())
