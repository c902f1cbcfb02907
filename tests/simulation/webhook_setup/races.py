"""Setups that meet each other, or settings that are saved meanwhile (U7, W3).

Every call to AWS and to Salesforce is where another may go on. What must hold at any moment is looked at
before each of them: what Salesforce sends is accepted, and one setup at a time works. In the end one more
refresh brings all in order.
"""

from collections.abc import Callable

from tests.simulation.harness.subject import Said
from tests.simulation.webhook_setup.company import A_CLAIM, SetupCompany
from tests.simulation.webhook_setup.scenarios import begun, installed, lacking_a_field
from tests.simulation.webhook_setup.subject import SetupRace

_ACTION_IDS = ["04k000000000001AAA", "04k000000000002AAA"]

type Task = Callable[[SetupCompany], Said]


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def _asks(action: str) -> Task:
    return lambda setup: setup.ask(action)


def _asks_later(action: str) -> Task:
    """Ask once the claim of whoever is at work is over."""

    def task(setup: SetupCompany) -> Said:
        setup.world.clock.moment += A_CLAIM
        return setup.ask(action)

    return task


def _rotates_by_hand(setup: SetupCompany) -> Said:
    return setup.settings("rotate_token")


def _saves(setup: SetupCompany) -> Said:
    """Save settings that say anew who may call."""
    connection = {**setup.document["connections"]["salesforce"], "action_ids": _ACTION_IDS}
    return setup.put(connections={"salesforce": connection})


def _saves_and_takes_it_back(setup: SetupCompany) -> Said:
    before = setup.document["connections"]
    _saves(setup)
    return setup.put(connections=before)


_INSTALL, _REFRESH, _ROTATE, _REMOVE = map(_asks, ("install", "refresh", "rotate_token", "remove"))
RACES = [
    SetupRace("two installs", begun, (_INSTALL, _INSTALL)),
    SetupRace("a refresh and a rotation", lacking_a_field, (_REFRESH, _ROTATE)),
    SetupRace("two rotations", installed, (_ROTATE, _ROTATE), forgets=True),
    SetupRace("an install and a removal", lacking_a_field, (_INSTALL, _REMOVE)),
    SetupRace("a rotation and settings", installed, (_ROTATE, _saves_and_takes_it_back)),
    SetupRace("a rotation, and one by hand", installed, (_ROTATE, _rotates_by_hand), forgets=True),
    SetupRace("an install, and a rotation by hand", begun, (_INSTALL, _rotates_by_hand), forgets=True),
    SetupRace("a rotation by hand, and a removal", installed, (_rotates_by_hand, _REMOVE), forgets=True),
    SetupRace("all at once", lacking_a_field, (_REFRESH, _ROTATE, _REMOVE, _saves_and_takes_it_back)),
]
WOKEN = [
    SetupRace(
        f"{name}, taken for dead, and {then}",
        before,
        (_asks(name), _asks_later(then)),
        forgets=True,
        wakes=True,
    )
    for name, then, before in (
        ("install", "install", begun),
        ("rotate_token", "rotate_token", installed),
        ("rotate_token", "remove", installed),
        ("remove", "install", installed),
        ("refresh", "rotate_token", lacking_a_field),
    )
]
