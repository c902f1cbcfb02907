"""What settings do that no plan shows (I5, A9, W9)."""

from typing import Any

import pytest

from muster.organization_settings.effects import effects
from muster.roster.seats import Pool
from tests.examples import settings


def places(active: int = 0, used: int = 0, **sections: Any) -> dict[str, str]:
    """Return place → message."""
    found = effects(settings(**sections), {"gong": Pool(used, 0)}, active)
    assert all(each.remedy for each in found)
    return {each.where: each.message for each in found}


def test_plain_settings_have_none() -> None:
    assert places() == places(active=100) == places(seats={"gong": {}}, used=99) == {}


def test_a_limit_under_its_use_takes_nothing_and_gives_nothing() -> None:
    assert places(seats={"gong": {"limit": 23}}, used=23) == {}
    message = places(seats={"gong": {"limit": 20}}, used=23)["seats.gong.limit"]
    assert "is 20, and 23 hold gong: nobody loses it" in message
    assert "until fewer than 20 hold it" in message


def test_what_is_switched_off_says_what_becomes_of_messages_imports_and_pushes() -> None:
    message = places(auto_provision={"enabled": False})["auto_provision.enabled"]
    assert "dropped" in message
    assert "imports are refused" in message
    assert "pushes go on" in message


@pytest.mark.parametrize(
    ("active", "guard", "stopped_never"),
    [
        # A handful of people are below the floor that a new organization has.
        (6, {}, ""),
        (5, {}, "deactivate and revoke"),
        (100, {"floor": 100}, "deactivate and revoke"),
        (100, {"floor": 99}, ""),
        (100, {"percent": 100}, "deactivate and revoke"),
        (900, {"percent": 100}, ""),
        (900, {"percent": 100, "count": 900}, "deactivate and revoke"),
        (100, {"operations": {"deactivate": {"percent": 100}}}, "deactivate"),
        (100, {"percent": 100, "operations": {"deactivate": {"percent": 99}}}, "revoke"),
        # Nobody is there yet.
        (0, {"percent": 100}, ""),
        (0, {"percent": 100, "count": 10_000}, "deactivate and revoke"),
        (0, {"floor": 1_000_000}, "deactivate and revoke"),
    ],
)
def test_a_guard_that_can_stop_nothing(active: int, guard: dict[str, Any], stopped_never: str) -> None:
    message = places(active=active, guard=guard).get("guard", "")
    assert bool(message) is bool(stopped_never)
    if stopped_never:
        assert f"a run may {stopped_never} for " in message
