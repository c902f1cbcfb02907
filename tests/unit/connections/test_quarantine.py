import itertools
from datetime import datetime, timedelta

import pytest

from muster.connections.quarantine import LONGEST, TOLERATED, Health, entered, failed
from tests.examples import NOW


def after(failures: int, now: datetime = NOW) -> Health:
    health = Health()
    for _ in range(failures):
        health = failed(health, now)
    return health


def test_a_few_failures_are_tolerated() -> None:
    health = after(TOLERATED - 1)
    assert not health.quarantined
    assert health.is_due(NOW)


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(TOLERATED, 30), (TOLERATED + 1, 60), (TOLERATED + 2, 120), (TOLERATED + 50, 360)],
)
def test_probes_slow_down(failures: int, minutes: int) -> None:
    health = after(failures)
    assert health.quarantined
    assert not health.is_due(NOW + timedelta(minutes=minutes - 1))
    assert health.is_due(NOW + timedelta(minutes=minutes))
    assert timedelta(minutes=minutes) <= LONGEST


def test_quarantine_is_entered_once() -> None:
    steps = [after(number) for number in range(TOLERATED + 3)]
    assert [entered(one, two) for one, two in itertools.pairwise(steps)].count(True) == 1
    assert steps[-1].since == steps[1].since
