"""Pacing within a vault's burst limit: read what its answers say about it, and pause accordingly.

All users of a vault share a number of calls in each window of five minutes; beyond it, answers are
delayed. The last tenth is spread over what may be left of the window, to leave calls to everyone else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from muster.errors import ApiCallsUsedUp

WINDOW_S = 300
RESERVED_SHARE = 0.1
USUAL_LIMIT = 2_000

_NUMBER = re.compile(r"[0-9]{1,9}")


class Burst:
    """Paces the calls of one connection."""

    def __init__(
        self,
        name: str,
        longest_wait_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait up to `longest_wait_s` seconds at a time; `name` is the vault's name in messages."""
        self._name = name
        self._longest_wait_s = longest_wait_s
        self._clock = clock
        self._sleep = sleep
        self._free_at = float("-inf")
        # Remaining calls, and the limit.
        self.left: tuple[int, int] | None = None

    def read(self, headers: Mapping[str, str]) -> None:
        """Update the pace from an answer's headers, whose names may be in any case."""
        remaining = _number(headers, "X-VaultAPI-BurstLimitRemaining")
        limit = _number(headers, "X-VaultAPI-BurstLimit")
        delayed_ms = _number(headers, "X-VaultAPI-ResponseDelay")
        if remaining is not None and limit is not None:
            self.left = remaining, limit
        pause = 0.0
        if remaining is not None and remaining < (limit or USUAL_LIMIT) * RESERVED_SHARE:
            pause = WINDOW_S / max(remaining, 1)
        elif delayed_ms:
            pause = WINDOW_S if remaining is None else delayed_ms / 1_000
        self._free_at = self._clock() + pause

    def wait(self) -> None:
        """Pause until the next call may be made; raises `ApiCallsUsedUp` if that would take too long."""
        rest = self._free_at - self._clock()
        if rest <= 0:
            return
        if rest > self._longest_wait_s:
            raise ApiCallsUsedUp(
                f"the API calls of five minutes that {self._name} allows are nearly used up; the rest is"
                " left to other integrations. If this goes on, find out what uses them (API Usage Logs)",
                retry_after=rest,
            )
        self._sleep(rest)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else None
