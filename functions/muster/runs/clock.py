"""The time a run has: the clock, the seconds left of the invocation, and the lease kept alive."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster.lease import Lease
from muster.runs.ports import Leases

# Must be enough to finish the step under way and to answer where to resume.
MARGIN_S = 45


class OutOfTime(Exception):
    """The invocation is nearly over."""


@dataclass(slots=True)
class RunClock:
    """`now` returns the time, `remaining` the seconds left of the invocation; `check` keeps `lease` alive."""

    now: Callable[[], datetime]
    remaining: Callable[[], float]
    leases: Leases
    lease: Lease
    lease_s: float

    def check(self) -> None:
        """Extend the lease once a third of it is used; raises `OutOfTime`, and `Stale` if it is lost."""
        at = self.now().timestamp()
        if self.lease.expires_at - at < self.lease_s * 2 / 3:
            self.lease = self.leases.renew(self.lease, at, self.lease_s)
        if self.remaining() < MARGIN_S:
            raise OutOfTime
