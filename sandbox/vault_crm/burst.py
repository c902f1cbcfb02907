"""The burst limit: calls counted in fixed windows; beyond the limit answers are delayed, not refused.

Logins are counted apart: from half of their limit on they are delayed, beyond it refused. The numbers differ
from vault to vault; the shape is that of Vault's published rate limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock

from sandbox.vault_crm.configuration import Configuration
from sandbox.vault_crm.errors import VaultError


@dataclass(frozen=True)
class Allowance:
    """What is left of a limit after a call, and how long its answer is held back."""

    limit: int
    remaining: int
    delay_s: float

    def headers(self) -> dict[str, str]:
        """Return the headers that say so; the delay in milliseconds, only where there is one."""
        found = {
            "X-VaultAPI-BurstLimit": str(self.limit),
            "X-VaultAPI-BurstLimitRemaining": str(self.remaining),
        }
        if self.delay_s:
            found["X-VaultAPI-ResponseDelay"] = str(round(self.delay_s * 1000))
        return found


class BurstLimit:
    """The calls and the logins of the window under way."""

    def __init__(self, configuration: Configuration, clock: Callable[[], datetime]) -> None:
        """Start with nothing counted."""
        self._configuration = configuration
        self._clock = clock
        self._lock = Lock()
        self._windows: dict[str, tuple[int, int]] = {}  # calls, logins → number of the window, count
        self._lifted = Event()

    def call(self) -> Allowance:
        """Count a call and hold it back where the limit is used up."""
        burst = self._configuration.burst
        count = self._count("calls", burst.window_s)
        delay_s = burst.delay_s if count > burst.limit else 0
        return self._held(Allowance(burst.limit, max(0, burst.limit - count), delay_s))

    def login(self) -> Allowance:
        """Count a login and hold it back beyond half of the limit. Raises VaultError beyond all of it."""
        burst = self._configuration.burst
        count = self._count("logins", burst.login_window_s)
        if count > burst.login_limit:
            raise VaultError("API_LIMIT_EXCEEDED", "Too many logins; wait until the window ends")
        delay_s = burst.delay_s if count > burst.login_limit / 2 else 0
        return self._held(Allowance(burst.login_limit, burst.login_limit - count, delay_s))

    def reset(self) -> None:
        """Forget what was counted and let go what is held back."""
        with self._lock:
            self._windows.clear()
            self._lifted.set()
            self._lifted = Event()

    def _count(self, what: str, window_s: float) -> int:
        window = int(self._clock().timestamp() // max(window_s, 0.001))
        with self._lock:
            last, count = self._windows.get(what, (window, 0))
            count = count + 1 if last == window else 1
            self._windows[what] = (window, count)
        return count

    def _held(self, allowance: Allowance) -> Allowance:
        with self._lock:
            lifted = self._lifted
        lifted.wait(allowance.delay_s)
        return allowance
