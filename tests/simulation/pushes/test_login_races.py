"""However many processes log in, and whatever fails: a wrong password is sent once a version (U5, T3)."""

from collections import Counter

import pytest

from tests.simulation.harness.world import World
from tests.simulation.pushes.logins import deaths_at_logins, seeds_of_logins, stalls_of_logins


def test_processes_that_log_in_at_once_send_a_wrong_password_once(
    world: World, figures: Counter[str]
) -> None:
    figures["seeded schedules of logins"] += seeds_of_logins(world)


def test_a_process_that_is_stalled_anywhere_at_its_login(world: World, figures: Counter[str]) -> None:
    figures["stalls of logins"] += stalls_of_logins(world)


def test_a_login_that_breaks_anywhere_is_made_once_more_at_the_most(
    world: World, figures: Counter[str]
) -> None:
    figures["fault points of logins"] += deaths_at_logins(world)


@pytest.mark.long
def test_many_seeded_schedules_of_logins(world: World, figures: Counter[str]) -> None:
    figures["seeded schedules of logins"] += seeds_of_logins(world, range(10, 300))
