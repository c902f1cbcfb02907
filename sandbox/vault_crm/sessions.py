"""Sessions of the integration user. They live in memory: a restarted sandbox knows none."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

IDLE_S = 20 * 60
LONGEST_LIFE = timedelta(hours=48)


@dataclass
class _Session:
    opened: datetime
    used: datetime


class Sessions:
    """The sessions in force: each ends when it is idle too long, after 48 hours, or when it is told to."""

    def __init__(self, clock: Callable[[], datetime], idle_s: float = IDLE_S) -> None:
        """Start with no session."""
        self._clock = clock
        self._idle = timedelta(seconds=idle_s)
        self._lock = Lock()
        self._open: dict[str, _Session] = {}

    def open(self) -> str:
        """Return the id of a new session."""
        session = secrets.token_hex(32).upper()
        now = self._clock()
        with self._lock:
            self._open[session] = _Session(now, now)
        return session

    def use(self, session: str) -> bool:
        """Whether the session is in force; using it keeps it so."""
        now = self._clock()
        with self._lock:
            found = self._open.get(session)
            if found is None:
                return False
            if now - found.used >= self._idle or now - found.opened >= LONGEST_LIFE:
                del self._open[session]
                return False
            found.used = now
            return True

    def end(self, session: str) -> None:
        """End one session."""
        with self._lock:
            self._open.pop(session, None)

    def expire(self) -> None:
        """End every session."""
        with self._lock:
            self._open.clear()
