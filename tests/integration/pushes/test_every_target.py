"""What a push promises of every system that it can be to, whatever that is (P1 to P5, O2, O3, T3)."""

from typing import Any

import pytest

from muster.errors import MusterError
from tests.integration.pushes.systems import STRANGER, System


class Died(Exception):
    """The function is gone, at this very moment."""


def test_who_comes_is_let_in_who_leaves_is_not_and_who_comes_back_is_again(system: System) -> None:
    system.join("ada", "bob")
    system.push()
    system.push_until_quiet()
    assert system.access() == {"ada": True, "bob": True, STRANGER: True}
    system.change("ada", Title="Director")
    system.push_until_quiet()
    system.leave("ada")
    system.push_until_quiet()
    assert system.access() == {"ada": False, "bob": True, STRANGER: True}
    system.come_back("ada")
    system.push_until_quiet()
    assert system.access() == {"ada": True, "bob": True, STRANGER: True}


def test_who_cannot_be_let_in_is_told_once_and_holds_up_nobody(system: System) -> None:
    system.join_in_vain("eve")
    system.join("ada", "bob")
    system.push()
    system.settle()
    system.push()
    (code,) = system.told()
    access = system.access()
    assert (access["ada"], access["bob"], access["eve"]) == (True, True, False), code
    system.push_until_quiet()
    assert system.told() == [code]
    assert system.access() == access


def test_who_moves_is_in_the_new_group_and_no_more_in_the_former(system: System) -> None:
    system.join("ada", "bob")
    system.push_until_quiet()
    group = system.move("ada")
    if group is None:
        pytest.skip("it has no groups that Muster fills")
    former = system.group_of("bob")
    system.push_until_quiet()
    assert system.group_of("ada") == [group] != former
    assert system.group_of("bob") == former


def test_what_others_take_away_there_is_given_back_upon_a_word_alone(system: System) -> None:
    system.join("ada", "bob")
    system.push_until_quiet()
    system.shut_out("ada")
    system.push_until_quiet()
    assert system.access() == {"ada": False, "bob": True, STRANGER: True}
    system.have_it_back("ada")
    system.push_until_quiet()
    assert system.access() == {"ada": True, "bob": True, STRANGER: True}


def test_a_list_that_shows_nobody_closes_nobody_and_makes_nobody_twice(system: System) -> None:
    system.join("ada")
    system.push_until_quiet()
    if not system.list_nobody():
        pytest.skip("it decides nothing by lists")
    try:
        system.join("bob")
    except MusterError:
        system.be_well()
        system.join("bob")
        system.list_nobody()
    for _ in range(2):
        try_to_push(system)
    system.be_well()
    system.push_until_quiet()
    assert system.access() == {"ada": True, "bob": True, STRANGER: True}


def test_a_preview_writes_nothing_and_says_what_the_push_then_does(system: System) -> None:
    system.join("ada")
    system.push_until_quiet()
    system.leave("ada")
    system.calls()
    foreseen = system.push(preview=True)
    assert system.writes() == []
    said = system.push()
    assert len(foreseen["changes"]) == 1
    assert foreseen["counts"].items() <= said["counts"].items()
    assert system.writes() != []


def test_too_many_at_once_wait_for_a_word_and_nothing_is_sent_until_then(system: System) -> None:
    names = [f"person{number}" for number in range(4)]
    system.join(*names)
    system.push_until_quiet()
    loose = {"floor": 100, "count": 100, "percent": 100}
    system.company.put(guard=loose)
    system.leave(*names)
    system.company.put(guard={"floor": 1, "count": 0, "percent": 0})
    system.calls()
    parked = system.push()
    assert parked["status"] == "parked"
    assert system.writes() == []
    assert all(system.access()[name] for name in names)
    # The same plan waits once.
    assert system.push()["run_id"] == parked["run_id"]
    approved = system.push(approve=parked["run_id"], plan_hash=parked["plan_hash"])
    assert approved["ended"] == "applied"
    system.company.put(guard=loose)
    system.push_until_quiet()
    assert not any(system.access()[name] for name in names)


@pytest.mark.parametrize("fault", ["lose_answers", "throttle"])
def test_whatever_was_lost_or_refused_it_ends_right_and_no_one_else_is_touched(
    system: System, fault: str
) -> None:
    system.join("ada", "bob")
    system.push_until_quiet()
    system.leave("ada")
    getattr(system, fault)()
    try_to_push(system)
    system.be_well()
    system.push_until_quiet()
    assert system.access() == {"ada": False, "bob": True, STRANGER: True}
    system.come_back("ada")
    getattr(system, fault)()
    try_to_push(system)
    system.be_well()
    system.push_until_quiet()
    assert system.access() == {"ada": True, "bob": True, STRANGER: True}


# Whoever dies publishes no metrics.
@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_push_that_dies_at_any_call_is_made_up_for_by_the_next(system: System) -> None:
    system.join("ada")
    system.push_until_quiet()
    for number in range(1, 30):
        system.leave("ada") if number % 2 else system.come_back("ada")
        died = die_at(system, number)
        system.be_well()
        system.company.end_lease()
        system.push_until_quiet()
        assert system.access() == {"ada": number % 2 == 0, STRANGER: True}, number
        if not died and number % 2 == 0:
            return
    raise AssertionError("it never ran to its end")


def die_at(system: System, number: int) -> bool:
    """Push, and die before the call of this number; whether there was one."""
    left = number

    def before() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died

    system.watch(before)
    try:
        system.push()
    except (Died, MusterError):
        return True
    return False


def try_to_push(system: System) -> dict[str, Any] | None:
    """Push, whatever becomes of it."""
    try:
        return system.push()
    except MusterError:
        return None
