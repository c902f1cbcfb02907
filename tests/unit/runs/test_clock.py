"""The time a run has: when the lease is extended, and when there is no time for another step (I7, I12)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from muster.errors import Stale
from muster.lease import Lease
from muster.runs.clock import MARGIN_S, OutOfTime, RunClock

START = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
LEASE_S = 900


@dataclass
class Leases:
    """Extends leases, unless another run has taken over; notes until when each was extended."""

    overtaken: bool = False
    extended: list[float] = field(default_factory=list)

    def renew(self, lease: Lease, now: float, seconds: float) -> Lease:
        if self.overtaken:
            raise Stale("another run has taken over")
        self.extended.append(now + seconds)
        return replace(lease, expires_at=now + seconds)


def clock(leases: Leases, moments: list[datetime], remaining: float = 600) -> RunClock:
    """Return the clock of a run whose lease was taken at the start; it reads these moments in turn."""
    lease = Lease("acme", "run", 1, START.timestamp() + LEASE_S)
    times = iter(moments)
    return RunClock(lambda: next(times), lambda: remaining, leases, lease, LEASE_S)


@pytest.mark.parametrize(("after_s", "extends"), [(0, False), (300, False), (301, True), (899, True)])
def test_the_lease_is_extended_once_a_third_of_it_is_over(after_s: int, extends: bool) -> None:
    leases, at = Leases(), START + timedelta(seconds=after_s)
    running = clock(leases, [at])
    running.check()
    assert leases.extended == ([at.timestamp() + LEASE_S] if extends else [])
    assert running.lease.expires_at == (at if extends else START).timestamp() + LEASE_S
    assert (running.lease.run, running.lease.epoch) == ("run", 1)


def test_the_lease_never_runs_out_under_a_run_that_goes_on() -> None:
    leases = Leases()
    moments = [START + timedelta(seconds=100 * step) for step in range(100)]
    running = clock(leases, moments)
    for moment in moments:
        assert running.lease.expires_at > moment.timestamp()
        running.check()
    # Every four hundred seconds: after the third of nine hundred is over.
    assert len(leases.extended) == 24


@pytest.mark.parametrize(
    ("remaining", "stops"), [(MARGIN_S - 1, True), (0, True), (MARGIN_S, False), (900, False)]
)
def test_without_time_for_another_step_it_stops(remaining: float, stops: bool) -> None:
    running = clock(Leases(), [START], remaining)
    if stops:
        with pytest.raises(OutOfTime):
            running.check()
    else:
        running.check()


def test_who_stops_for_lack_of_time_has_extended_the_lease_for_who_goes_on() -> None:
    leases = Leases()
    running = clock(leases, [START + timedelta(seconds=850)], remaining=0)
    with pytest.raises(OutOfTime):
        running.check()
    assert running.lease.expires_at == START.timestamp() + 850 + LEASE_S


def test_a_lost_lease_stops_it_whatever_time_is_left() -> None:
    running = clock(Leases(overtaken=True), [START + timedelta(seconds=600)])
    with pytest.raises(Stale):
        running.check()
