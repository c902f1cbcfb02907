"""Lines for licences: whose turn it is, and who is sent for a licence that a removal frees (G8)."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from muster.crm.engage_features import ENGAGE, Feature, Seen
from muster.engage.licence_lines import AHEAD, PROBE, Removals, next_in_line
from muster.engage.push_items import PushItem, Step
from muster.roster import engage_groups
from muster.roster.engage_state import Engage
from muster.roster.licence_places import Line, Place, freed_by, line_for
from muster.roster.member import Member
from muster.roster.vault_state import LicenceWait, VaultState
from muster.settings import Settings
from muster.sources.vault_users import VaultUser

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UK: Line = (ENGAGE, "UK")


def acme(**more: Any) -> Settings:
    """Return settings with Engage managed."""
    connection = {"host": "acme.veevavault.com", "manage_features": [ENGAGE], **more}
    return Settings.model_validate({"organization": "acme", "connections": {"vault_crm": connection}})


ACME = acme()
SHARING = acme(engage_licenses="per_feature")


def line(*names: str, feature: str = ENGAGE, group: str = "UK", tried: datetime = NOW) -> list[Any]:
    """Return a line in which these wait, tried last at that time."""
    since = "2026-11-01T08:16:00.000Z"
    return [(name, Place(feature, group, since, tried.isoformat())) for name in names]


def holder(name: str, **attributes: Any) -> Member:
    """Return somebody in the group UK."""
    held = Engage("UK", "success", "UK")
    crm = {"vault_crm": {"id": f"id of {name}", "username": None}}
    vault = VaultState(active=True)
    return replace(
        Member(id=name, organization="acme", active=True, crm=crm, vault=vault, engage=held), **attributes
    )


def shown(name: str, group: str | None) -> VaultUser:
    """Return how Vault CRM shows somebody."""
    seen: dict[Feature, Seen] = {ENGAGE: Seen(group, "success", group)}
    return VaultUser(id=f"id of {name}", username=None, email=None, active=True, seen=seen)


def turns(
    lines: list[Any],
    members: list[Member] | None = None,
    users: list[VaultUser] | None = None,
    free: Counter[Line] | None = None,
    settings: Settings = ACME,
) -> dict[str, bool]:
    """Return whose turn it is, and whether at once."""
    by_id = {user.id: user for user in users or []}
    chosen = next_in_line(lines, free or Counter(), members or [], by_id, settings, NOW)
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
    asks = holder("new", engage=Engage(None, None, None))
    asks = replace(asks, **engage_groups.request_group(asks, ENGAGE, "UK"))
    names = [f"{number:03}" for number in range(AHEAD + 5)]
    assert turns(line(*names), [asks], [shown("new", None)]) == dict.fromkeys(names[:AHEAD], True)


def test_who_asks_anew_in_line_overtakes_nobody_by_that() -> None:
    place = LicenceWait("UK", since="2026-11-01T08:16:00.000Z", tried=NOW.isoformat())
    asks = holder("in line", engage=Engage("UK", "retry_request", None))
    asks = replace(asks, vault=replace(asks.vault, waits={ENGAGE: place}))
    assert turns(line("ada", "in line"), [asks], [shown("in line", None)]) == {}


# ── Where all groups of a feature share their licences ───────────────────────────────────────────


@pytest.mark.parametrize(
    ("settings", "line_of_uk", "moved", "left"),
    [(ACME, UK, UK, UK), (SHARING, (ENGAGE, ""), None, (ENGAGE, ""))],
)
def test_the_line_of_a_group(settings: Settings, line_of_uk: Line, moved: Line | None, left: Line) -> None:
    assert line_for(ENGAGE, "UK", settings) == line_of_uk
    assert freed_by(ENGAGE, "UK", "US", settings) == moved
    assert freed_by(ENGAGE, "UK", None, settings) == left
    assert freed_by(ENGAGE, "UK", "UK", settings) is None
    assert freed_by(ENGAGE, None, "UK", settings) is None


OLDEST = [("eve", Place(ENGAGE, "US", "2026-10-01T08:16:00.000Z", NOW.isoformat()))]
LEAVES = holder("leaves", active=False)
MOVES = holder("moves", engage=Engage("DE", "retry_request", "UK"))


@pytest.mark.parametrize(
    ("settings", "member", "now_in", "turn"),
    [
        # Whoever leaves UK makes room for who waits for it; or for the first who waits for any group.
        (ACME, LEAVES, "UK", {"ada": False}),
        (SHARING, LEAVES, "UK", {"eve": False}),
        (ACME, LEAVES, None, {"ada": True}),
        (SHARING, LEAVES, None, {"eve": True}),
        # Whoever moves within the feature keeps the licence.
        (ACME, MOVES, "UK", {"ada": False}),
        (SHARING, MOVES, "UK", {}),
        (SHARING, MOVES, "DE", {}),
        (SHARING, holder("moved"), "DE", {}),
    ],
)
def test_who_leaves_a_group_makes_room_for(
    settings: Settings, member: Member, now_in: str | None, turn: dict[str, bool]
) -> None:
    lines = [*line("ada"), *OLDEST]
    assert turns(lines, [member], [shown(member.id, now_in)], settings=settings) == turn


@pytest.mark.parametrize(("settings", "turn"), [(ACME, {"ada": True}), (SHARING, {"eve": True})])
def test_what_is_known_to_be_free(settings: Settings, turn: dict[str, bool]) -> None:
    assert turns([*line("ada"), *OLDEST], free=Counter({UK: 1}), settings=settings) == turn


def test_of_all_who_share_licences_the_first_is_tried_after_a_while() -> None:
    lines = [*line("ada", tried=NOW - PROBE), *line("bob", group="US", tried=NOW - PROBE)]
    assert turns(lines, settings=SHARING) == {"ada": True}


def test_a_licence_of_another_group_is_taken_where_they_are_shared() -> None:
    removals = Removals(SHARING, Counter({line_for(ENGAGE, "US", SHARING): 1}), frozenset())
    assert [removals.allow(item(Step.ADDITION, name, ENGAGE)) for name in ("ada", "bob")] == [True, False]


# ── Once removals are settled ────────────────────────────────────────────────────────────────────


def item(step: Step, user: str, awaits: Feature | None = None) -> PushItem:
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
    removals = Removals(ACME, Counter({UK: freed}), frozenset())
    waiting = [item(Step.ADDITION, name, ENGAGE) for name in ("ada", "bob")]
    assert [each.user for each in waiting if removals.allow(each)] == sent


def test_who_awaits_nothing_takes_nothing() -> None:
    removals = Removals(ACME, Counter({UK: 1}), frozenset())
    assert removals.allow(item(Step.ADDITION, "ada"))
    assert removals.freed[UK] == 1


@pytest.mark.parametrize(("user", "allowed"), [("ada", False), ("bob", True)])
def test_who_is_still_in_a_group_is_not_inactivated(user: str, allowed: bool) -> None:
    removals = Removals(ACME, Counter(), frozenset({"ada"}))
    assert removals.allow(item(Step.INACTIVATION, user)) == allowed
