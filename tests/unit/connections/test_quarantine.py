import itertools
from datetime import datetime, timedelta

import pytest

from muster.connections.quarantine import LONGEST, TOLERATED, Health, down, entered, failed, refused
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


def test_a_refused_password_is_quarantined_at_once_and_never_probed() -> None:
    health = refused(Health(), NOW)
    assert health.quarantined
    assert health.probe_at is None
    assert refused(health, NOW + timedelta(hours=1)) == health


@pytest.mark.parametrize(
    ("before", "then", "is_told"),
    [
        (Health(), refused(Health(), NOW), True),
        (refused(Health(), NOW), refused(Health(), NOW), False),
        # That it fails was told, but not that the password has to be written anew.
        (after(TOLERATED), refused(after(TOLERATED), NOW), True),
        (refused(after(TOLERATED), NOW), failed(refused(after(TOLERATED), NOW), NOW), False),
        (Health(), down(Health(), NOW, timedelta(hours=4)), False),
        (down(after(TOLERATED), NOW, timedelta(hours=4)), after(TOLERATED + 1), False),
    ],
)
def test_what_is_told_when(before: Health, then: Health, is_told: bool) -> None:
    assert entered(before, then) is is_told


@pytest.mark.parametrize(("announced", "waits"), [(30, 30), (240, 240), (9_999, 360)])
def test_maintenance_is_waited_for_without_counting_as_a_failure(announced: int, waits: int) -> None:
    health = down(after(1), NOW, timedelta(minutes=announced))
    assert (health.failures, health.quarantined, health.in_maintenance) == (1, False, True)
    assert not health.is_due(NOW + timedelta(minutes=waits - 1))
    assert health.is_due(NOW + timedelta(minutes=waits))
    assert not failed(health, NOW).in_maintenance
