"""Explanations as tables of values: why someone is in or not, and where each value comes from (Q1)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.insight import explanations
from muster.insight.explanations import Context
from muster.roster import reasons
from muster.roster.data_capture import Capture
from muster.roster.engage_state import Engage
from muster.roster.links import Link
from muster.roster.member import Json, Member
from muster.roster.reasons import EXPLAINED
from muster.roster.seats import HELD_SEAT, SeatPlace
from tests.examples import ADA, BOB, NOW, settings

EVE = "005000000000003AAA"
SALES = {"name": "Sales", "seats": ["gong", {"field": "Extra__c", "map": {"F": "forecast"}}]}
ACME = settings(
    seats={"gong": {"limit": 2}, "forecast": {"requires": ["gong"]}, "engage": {}},
    assignments=[
        {"name": "Leads", "filter": "Title = 'Lead'"},
        SALES,
        {"name": "Rest", "update_mode": "manual", "seats": ["engage"]},
    ],
)
MEMBER = Member(
    id="m1",
    organization="acme",
    active=True,
    username="ada@acme.example",
    email="ada@acme.example",
    assignment="Sales",
    update_mode="automatic",
    matched=("Rest", "Sales"),
    crm={"salesforce": {"id": ADA, "email": "ada@acme.example"}},
    sources={"salesforce": "2026-11-20T08:15:31.000Z|2|~2026-11-20T08:16:00.000Z|"},
)
WAITING = SeatPlace("waiting", "2026-11-20T08:15:31.000Z", 1)


def explained(member: Member, to: Any = ACME, **around: Any) -> Json:
    surroundings = Context(**{"lines": {}, "above": {}, **around})
    return explanations.of_member(member, to, surroundings, NOW)


def test_every_reason_has_words() -> None:
    codes = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert set(EXPLAINED) == codes
    assert all(text.endswith(".") and "_" not in text.partition("(")[0] for text in EXPLAINED.values())


# ── In or out ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [code for code in EXPLAINED if code not in ("namesake_active", "replaced")])
def test_who_has_left_is_told_why_by_code_and_in_words(code: str) -> None:
    said = explained(replace(MEMBER, active=False, inactive_reason=code, assignment=None, matched=()))
    assert (said["in"], said["reason"], said["why"]) == (False, code, EXPLAINED[code])
    assert said["assignment"] is None


@pytest.mark.parametrize(
    ("member", "assignments", "why"),
    [
        (MEMBER, ACME.assignments, "Assignment Sales is the uppermost"),
        (replace(MEMBER, assignment=None), (), "There are no assignments: everyone is in"),
        (replace(MEMBER, assignment=None), ACME.assignments, "There were no assignments when"),
    ],
)
def test_who_is_in_is_told_by_what(member: Member, assignments: Any, why: str) -> None:
    said = explained(member, ACME.model_copy(update={"assignments": assignments}))
    assert said["in"]
    assert said["reason"] is None
    assert said["why"].startswith(why)


@pytest.mark.parametrize(
    ("member", "won", "also", "not_matched"),
    [
        (MEMBER, ("Sales", 2, "automatic"), ["Rest"], ["Leads"]),
        (replace(MEMBER, matched=("Sales",)), ("Sales", 2, "automatic"), [], ["Leads", "Rest"]),
        # Those that won once and are no longer in the settings.
        (
            replace(MEMBER, assignment="Old", matched=("Old",)),
            ("Old", None, "automatic"),
            [],
            ["Leads", "Sales", "Rest"],
        ),
        # What matched someone who left for another reason is not kept.
        (replace(MEMBER, active=False, inactive_reason="inactive_user", assignment=None), None, [], None),
        (
            replace(MEMBER, active=False, inactive_reason="unmatched", assignment=None, matched=()),
            None,
            [],
            ["Leads", "Sales", "Rest"],
        ),
        # In the days of grace what matched before is of no account.
        (
            replace(MEMBER, unmatched_since="2026-11-20T08:00:00.000Z"),
            ("Sales", 2, "automatic"),
            [],
            ["Leads", "Sales", "Rest"],
        ),
    ],
)
def test_which_assignment_won_which_lost_and_which_did_not_match(
    member: Member, won: Any, also: list[str], not_matched: list[str] | None
) -> None:
    said = explained(member)
    shown = said["assignment"]
    assert (shown and (shown["name"], shown["position"], shown["update_mode"])) == won
    assert (said["also_matched"], said["did_not_match"]) == (also, not_matched)


@pytest.mark.parametrize(
    ("keep", "since", "deactivated_on", "why"),
    [
        (
            {"grace_days": 7},
            "2026-11-20T08:00:00.000Z",
            "2026-11-27T08:00:00.000Z",
            "will be deactivated on 2026-11-27",
        ),
        (
            {"grace_days": 7},
            "2026-11-13T08:00:00.000Z",
            "2026-11-20T08:00:00.000Z",
            "the days of grace are over",
        ),
        (
            {"grace_days": 0},
            "2026-11-13T08:00:00.000Z",
            "2026-11-13T08:00:00.000Z",
            "the days of grace are over",
        ),
        ({"when_unmatched": True}, "2026-11-13T08:00:00.000Z", None, "stays for as long as the settings say"),
    ],
)
def test_days_of_grace_are_told(
    keep: dict[str, Any], since: str, deactivated_on: str | None, why: str
) -> None:
    said = explained(replace(MEMBER, unmatched_since=since), settings(keep_active=keep))
    shown = said["keep_active"]
    assert (shown["unmatched_since"], shown["deactivated_on"]) == (since, deactivated_on)
    assert why in shown["why"]
    assert (said["reason"], shown["reason"]) == ("unmatched", "unmatched")


@pytest.mark.parametrize(
    ("reason", "keep", "why"),
    [
        (reasons.INACTIVE_USER, {"when_deactivated": True}, "(keep_active.when_deactivated)"),
        (reasons.INACTIVE_USER, {}, "the next import deactivates the member"),
        (reasons.UNMATCHED, {"when_unmatched": True}, "(keep_active.when_unmatched)"),
        (reasons.UNMATCHED, {}, "the next import deactivates the member"),
    ],
)
def test_who_is_kept_is_told_why_and_until_when(reason: str, keep: dict[str, Any], why: str) -> None:
    kept = replace(MEMBER, kept_reason=reason, matched=())
    said = explained(kept, settings(assignments=[SALES], seats={"gong": {}}, keep_active=keep))
    assert (said["in"], said["reason"], said["keep_active"]["reason"]) == (True, reason, reason)
    assert why in said["keep_active"]["why"]
    assert said["why"].startswith(said["keep_active"]["why"])
    assert "Assignment Sales, the last that matched, still decides" in said["why"]
    elsewhere = explained(kept, settings(keep_active=keep))
    assert "not in the settings any more: the member keeps what it has" in elsewhere["why"]


def test_a_switch_that_keeps_others_is_not_told_of_a_member_who_is_simply_in() -> None:
    keeping = settings(keep_active={"when_deactivated": True, "when_unmatched": True})
    assert explained(MEMBER)["keep_active"] is explained(MEMBER, keeping)["keep_active"] is None


def test_changed_settings_are_noted() -> None:
    assert explained(MEMBER)["note"] is None
    assert "settings have changed" in explained(MEMBER, outdated=True)["note"]


# ── Seats, data capture and other values ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("place", "lines", "shown"),
    [
        (HELD_SEAT, {}, {"state": "held", "why": None, "since": None}),
        (
            WAITING,
            {"gong": {"m7": 1, "m1": 2, "m4": 3}},
            {
                "state": "waiting",
                "place": 2,
                "of": 3,
                "since": WAITING.since,
                "why": "The member waits for the seat gong, at place 2 of 3 in line.",
            },
        ),
        # Someone else's write came in between.
        (
            WAITING,
            {},
            {
                "state": "waiting",
                "place": None,
                "of": 0,
                "since": WAITING.since,
                "why": "The member waits for the seat gong, in line.",
            },
        ),
        (
            SeatPlace("blocked", requires="base"),
            {},
            {
                "state": "blocked",
                "requires": "base",
                "why": "The seat gong needs the seat base, which the member does not hold.",
            },
        ),
    ],
)
def test_each_seat_is_told_with_its_place_in_line(
    place: SeatPlace, lines: dict[str, dict[str, int]], shown: Json
) -> None:
    said = explained(replace(MEMBER, seats={"gong": place}), lines=lines)
    assert said["seats"]["gong"] == {"origin": "assignment:Sales", **shown}


@pytest.mark.parametrize(
    ("member", "seat", "why"),
    [
        (MEMBER, "gong", "did not yet when"),
        (MEMBER, "forecast", "The user's field Extra__c decides"),
        (replace(MEMBER, assignment="Rest", update_mode="manual"), "engage", "update_mode manual"),
    ],
)
def test_a_seat_the_assignment_speaks_of_and_the_member_lacks_is_told(
    member: Member, seat: str, why: str
) -> None:
    shown = explained(member)["seats"][seat]
    assert (shown["state"], shown["origin"]) == ("not_given", None)
    assert why in shown["why"]


def test_who_has_left_has_no_seats_to_tell_of() -> None:
    assert (
        explained(replace(MEMBER, active=False, inactive_reason="unmatched", assignment=None))["seats"] == {}
    )


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (None, "It has no effect yet. The member does not get the seat gong."),
        (WAITING, "It has no effect yet. The member waits for the seat gong, at place 1 of 1 in line."),
    ],
)
def test_a_setting_without_effect_says_which_seat_it_waits_for(place: SeatPlace | None, why: str) -> None:
    setting = Capture("enabled", "disabled", "gong", "manager:m9")
    effective = Capture("prevented", "prevented", None, "manual:jane")
    member = replace(
        MEMBER,
        seats={"gong": place} if place else {},
        data_capture={"import_emails": setting, "gong_connect": effective},
    )
    said = explained(member, lines={"gong": {"m1": 1}})["data_capture"]
    assert said["import_emails"] == {**setting.to_json(), "why": why}
    assert said["gong_connect"] == {**effective.to_json(), "why": None}


def test_origins_say_who_set_what() -> None:
    member = replace(
        MEMBER,
        seats={"gong": HELD_SEAT, "engage": HELD_SEAT},
        workspaces={"EMEA": "Manager", "US": "Guest"},
        crm_user_status="inactive",
        end_date="2026-12-31",
        engage=Engage("Field", None, None),
        origins={
            "seats.engage": "manual:jane",
            "workspaces.EMEA": "manual:jane",
            "crm_user_status": "manual:joe",
            "manager": "manual:jane",
        },
        manager="m9",
    )
    said = explained(member)
    assert {name: seat["origin"] for name, seat in said["seats"].items()} == {
        "gong": "assignment:Sales",
        "engage": "manual:jane",
        "forecast": None,
    }
    assert said["workspaces"] == {
        "EMEA": {"profile": "Manager", "origin": "manual:jane"},
        "US": {"profile": "Guest", "origin": "assignment:Sales"},
    }
    assert said["crm_user_status"] == {"value": "inactive", "origin": "manual:joe"}
    assert said["end_date"] == {"value": "2026-12-31", "origin": "crm"}
    assert said["groups"]["engage"]["origin"] == "assignment:Sales"
    assert said["manager"]["origin"] == "manual:jane"
    assert (said["identity"]["origin"], said["identity"]["why"]) == ("crm", None)
    assert said["identity"]["as_of"] == "2026-11-20T08:15:31.000Z"


def test_an_address_in_another_domain_than_in_salesforce_is_told() -> None:
    member = replace(MEMBER, crm={"salesforce": {"id": ADA, "email": "ada@elsewhere.example"}})
    assert "domains.convert" in explained(member)["identity"]["why"]


# ── Managers ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reports_to", "link", "above", "why"),
    [
        (None, None, {}, "Salesforce names no manager."),
        (ADA, Link(crm_id=ADA, member="m1"), {ADA: ADA}, "their own manager"),
        (BOB, None, {ADA: BOB, BOB: None}, f"{BOB}, is not a member."),
        (BOB, Link(crm_id=BOB, reason="inactive_user"), {ADA: BOB, BOB: None}, EXPLAINED["inactive_user"]),
        (
            BOB,
            Link(crm_id=BOB, member="m2"),
            {ADA: BOB, BOB: EVE, EVE: ADA},
            f"in a circle, so none of them has one here: {ADA} → {BOB} → {EVE} → {ADA}.",
        ),
        # A circle above someone is not theirs.
        (BOB, Link(crm_id=BOB, member="m2"), {ADA: BOB, BOB: EVE, EVE: BOB}, "became a member after"),
        (BOB, Link(crm_id=BOB, member="m2"), {ADA: BOB, BOB: None}, "became a member after"),
    ],
)
def test_why_there_is_no_manager(
    reports_to: str | None, link: Link | None, above: dict[str, str | None], why: str
) -> None:
    said = explained(replace(MEMBER, reports_to=reports_to), managers_link=link, above=above)["manager"]
    assert (said["id"], said["origin"], said["user"]) == (None, None, reports_to)
    assert why in said["why"]


@pytest.mark.parametrize(("manager", "ignored"), [("m2", False), ("m2", True), (None, True)])
def test_where_the_structure_is_ignored_the_manager_says_so(manager: str | None, ignored: bool) -> None:
    said = explained(
        replace(MEMBER, manager=manager, reports_to=BOB), settings(ignore_organizational_structure=ignored)
    )["manager"]
    assert said["id"] == manager
    assert bool(said["why"] and "ignore_organizational_structure" in said["why"]) == ignored


# ── What happened ────────────────────────────────────────────────────────────────────────────────────


def entry(version: int, run: str, *fields: str) -> Json:
    return {
        "member": "m1",
        "version": version,
        "at": f"2026-11-20T08:{version:02d}:00.000Z",
        "origin": "crm",
        "run": run,
        "changes": [{"field": field, "before": None, "after": "x"} for field in fields],
    }


def test_the_newest_changes_and_the_runs_that_made_them() -> None:
    history = [
        entry(8, "run:r3", "title"),
        entry(7, "run:r3", "manager", "title"),
        entry(6, "webhook:04l", "name"),
        *(entry(5 - n, "run:r2", f"custom.{n}") for n in range(4)),
        entry(1, "run:r1", "active", "name"),
    ]
    said = explained(MEMBER, history=history)
    assert said["last_changes"] == history[:5]
    assert said["runs"] == [
        {"run_id": "r3", "at": "2026-11-20T08:08:00.000Z", "changed": ["title", "manager"]},
        {"run_id": "r2", "at": "2026-11-20T08:05:00.000Z", "changed": [f"custom.{n}" for n in range(4)]},
        {"run_id": "r1", "at": "2026-11-20T08:01:00.000Z", "changed": ["active", "name"]},
    ]
    assert said["since"] == "2026-11-20T08:01:00.000Z"
    assert explained(MEMBER, history=history[:3])["since"] is None
