"""Waits for a condition, with a deadline."""

import time
from collections.abc import Callable

PAUSE_S = 0.05


def wait_until[T](look: Callable[[], T | None], what: str, *, seconds: float) -> T:
    """Return the first true answer of `look`, asked again and again; raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(PAUSE_S)
