"""Lines for licences: whose turn it is, and who is sent for a licence that a removal frees (G8)."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from muster.crm.engage_features import ENGAGE, Seen
from muster.pushes.licence_lines import AHEAD, PROBE, Line, Removals, next_in_line
from muster.pushes.push_plan import PushItem, Step
from muster.roster import engage_groups
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.settings import Settings
from muster.sources.vault_users import VaultUser

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UK: Line = (ENGAGE, "UK")
ACME = Settings.model_validate(
    {
        "organization": "acme",
        "connections": {"vault_crm": {"host": "acme.veevavault.com", "manage_features": [ENGAGE]}},
    }
)


def line(*names: str, feature: str = ENGAGE, group: str = "UK", tried: datetime = NOW) -> list[Any]:
    """Return a line in which these wait, tried last at that time."""
    since = "2026-11-01T08:16:00.000Z"
    return [(name, Place(feature, group, since, tried.isoformat())) for name in names]


def holder(name: str, **attributes: Any) -> Member:
    """Return somebody in the group UK."""
    held = {"request": "UK", "status": "success", "group": "UK"}
    crm = {"vault_crm": {"id": f"id of {name}", "username": None}}
    vault = {"active": True}
    return replace(
        Member(id=name, organization="acme", active=True, crm=crm, vault=vault, engage=held), **attributes
    )


def shown(name: str, group: str | None) -> VaultUser:
    """Return how Vault CRM shows somebody."""
    seen = {ENGAGE: Seen(group, "success", group)}
    return VaultUser(id=f"id of {name}", username=None, email=None, active=True, seen=seen)


def turns(
    lines: list[Any],
    members: list[Member] | None = None,
    users: list[VaultUser] | None = None,
    free: Counter[Line] | None = None,
) -> dict[str, bool]:
    """Return whose turn it is, and whether at once."""
    by_id = {user.id: user for user in users or []}
    chosen = next_in_line(lines, free or Counter(), members or [], by_id, ACME, NOW)
    return {name: at_once for name, (_, at_once) in chosen.items()}


def test_a_line_that_nobody_leaves_is_not_tried_again_so_soon() -> None:
    assert turns(line("ada", "bob")) == {}


def test_after_a_while_its_first_is_tried() -> None:
    assert turns(line("ada", "bob", tried=NOW - PROBE)) == {"ada": True}


def test_each_line_is_tried_for_itself() -> None:
    due = NOW - PROBE
    lines = [*line("ada", "bob", tried=due), *line("carol", group="US", tried=due)]
    assert turns(lines) == {"ada": True, "carol": True}


def test_a_feature_that_is_not_pushed_is_passed_over() -> None:
    assert turns(line("ada", feature="engage_connect", tried=NOW - PROBE)) == {}


def test_so_many_are_sent_as_licences_are_free() -> None:
    assert turns(line("ada", "bob", "carol"), free=Counter({UK: 2})) == {"ada": True, "bob": True}


def test_who_has_left_makes_room_at_once_and_who_is_about_to_later() -> None:
    gone, leaving = holder("gone", active=False), holder("leaving", active=False)
    said = turns(line("ada", "bob", "carol"), [gone, leaving], [shown("gone", None), shown("leaving", "UK")])
    assert said == {"ada": True, "bob": False}


def test_who_has_left_unasked_makes_room_as_well() -> None:
    assert turns(line("ada", "bob"), [holder("gone")], [shown("gone", "US")]) == {"ada": True}


def test_who_has_left_unasked_does_not_stand_for_who_is_about_to_leave() -> None:
    members = [holder("gone"), holder("going", active=False)]
    users = [shown("gone", "US"), shown("going", "UK")]
    assert turns(line("ada", "bob", "eve"), members, users) == {"ada": True, "bob": False}


def test_who_was_about_to_leave_and_has_left_makes_room_once() -> None:
    assert turns(line("ada", "bob"), [holder("gone", active=False)], [shown("gone", None)]) == {"ada": True}


def test_before_somebody_asks_anew_the_line_is_tried() -> None:
    asks = holder("new", engage={"request": None, "status": None, "group": None})
    asks = replace(asks, **engage_groups.request_group(asks, ENGAGE, "UK"))
    names = [f"{number:03}" for number in range(AHEAD + 5)]
    assert turns(line(*names), [asks], [shown("new", None)]) == dict.fromkeys(names[:AHEAD], True)


def test_who_asks_anew_in_line_overtakes_nobody_by_that() -> None:
    place = {"group": "UK", "since": "2026-11-01T08:16:00.000Z", "tried": NOW.isoformat()}
    asks = holder("in line", engage={"request": "UK", "status": "retry_request", "group": None})
    asks = replace(asks, vault={**asks.vault, "waits": {ENGAGE: place}})
    assert turns(line("ada", "in line"), [asks], [shown("in line", None)]) == {}


# ── Once removals are settled ────────────────────────────────────────────────────────────────────


def item(step: Step, user: str, awaits: str | None = None) -> PushItem:
    return PushItem(
        step=step,
        user=user,
        member=user,
        name=None,
        version=1,
        assignment=None,
        seen={},
        modified=None,
        writes={ENGAGE: {"request": "UK"}},
        awaits=awaits,
    )


@pytest.mark.parametrize(("freed", "sent"), [(0, []), (1, ["ada"]), (5, ["ada", "bob"])])
def test_who_waits_for_a_licence_is_sent_for_each_that_became_free(freed: int, sent: list[str]) -> None:
    removals = Removals(Counter({UK: freed}), frozenset())
    waiting = [item(Step.ADDITION, name, ENGAGE) for name in ("ada", "bob")]
    assert [each.user for each in waiting if removals.allow(each)] == sent


def test_who_awaits_nothing_takes_nothing() -> None:
    removals = Removals(Counter({UK: 1}), frozenset())
    assert removals.allow(item(Step.ADDITION, "ada"))
    assert removals.freed[UK] == 1


@pytest.mark.parametrize(("user", "allowed"), [("ada", False), ("bob", True)])
def test_who_is_still_in_a_group_is_not_inactivated(user: str, allowed: bool) -> None:
    removals = Removals(Counter(), frozenset({"ada"}))
    assert removals.allow(item(Step.INACTIVATION, user)) == allowed
