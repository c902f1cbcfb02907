"""The limit on API calls in 24 hours: counted, shown in each answer, and no call beyond it."""

from threading import Lock
from typing import Any

from sandbox.salesforce.errors import SalesforceError

PER_DAY = 100_000


class ApiLimit:
    """How many calls are allowed, and how many were made; only a reset makes a new day."""

    def __init__(self) -> None:
        """Start with nothing used."""
        self._lock = Lock()
        self._per_day = PER_DAY
        self._used = 0

    def count(self) -> None:
        """Count a call. Raises SalesforceError if none is left."""
        with self._lock:
            if self._used >= self._per_day:
                raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self._used += 1

    def change(self, per_day: object) -> None:
        """Set how many calls are allowed; those made count on. Raises ValueError, saying what is allowed."""
        if isinstance(per_day, bool) or not isinstance(per_day, int) or per_day < 0:
            raise ValueError("api_requests_per_day is a whole number of at least 0")
        with self._lock:
            self._per_day = per_day

    def reset(self) -> None:
        """Go back to the start."""
        with self._lock:
            self._per_day, self._used = PER_DAY, 0

    def header(self) -> str:
        """Return the value of the Sforce-Limit-Info header."""
        with self._lock:
            return f"api-usage={self._used}/{self._per_day}"

    def as_limits(self) -> dict[str, Any]:
        """Return the answer of the `limits` resource."""
        with self._lock:
            remaining = max(0, self._per_day - self._used)
            return {"DailyApiRequests": {"Max": self._per_day, "Remaining": remaining}}

    def as_json(self) -> dict[str, int]:
        """Return the limit as the control API shows it."""
        with self._lock:
            return {"api_requests_per_day": self._per_day, "used": self._used}
