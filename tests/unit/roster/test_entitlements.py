"""What assignments give, by update mode, through the one decision about a user (A2, A3, A5, A9, A10)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.engage_state import Engage
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.salesforce_lifecycle import decide, seat
from muster.roster.seats import Pool
from muster.settings.assignment_order import filter_digest
from tests.examples import ADA, NOW, change, settings

FULL = {"gong": Pool(1, 0)}


def acme(**sales: Any) -> Any:
    """Return settings with the assignment Sales varied, and Support below it."""
    return settings(
        auto_provision={"custom_fields": ["Wants__c", "Level__c"]},
        seats={"gong": {"limit": 1}},
        seat_required={"record_web_conferences": "gong"},
        assignments=[
            {
                "name": "Sales",
                "filter": "Department = 'Sales'",
                "seats": ["gong"],
                "workspaces": {"EMEA": "Team member"},
                "data_capture": {"record_web_conferences": "enabled"},
                **sales,
            },
            {"name": "Support", "filter": "Department = 'Support'", "update_mode": "manual"},
        ],
    )


FILTERS = {each.name: filter_digest(each) for each in acme().assignments}
SUPPORTS: dict[str, Any] = {"assignment": "Support", "assignment_filter": FILTERS["Support"]}


def decided(
    known: Member | None = None,
    matches: str = "Sales",
    organization: Any = None,
    pools: dict[str, Pool] | None = None,
    second: int = 31,
    **fields: Any,
) -> Decision:
    organization = organization or acme()
    seen = replace(change(second, organization, **fields), matches=frozenset(matches.split()))
    what = Known(link=Link(crm_id=ADA, member=known.id), member=known) if known else Known()
    return decide(seen, what, organization, pools or {}, NOW)


def member(**attributes: Any) -> Member:
    created = decided(second=10).after
    assert created
    return replace(created, revision=1, **attributes)


def after(decision: Decision) -> Member:
    assert decision.after
    return decision.after


@pytest.mark.parametrize(
    ("value", "pools", "effective"),
    [
        ("enabled", {}, "enabled"),
        ("enabled", FULL, "disabled"),
        ("disabled", {}, "disabled"),
        # To be prevented from recording takes no licence.
        ("prevented", FULL, "prevented"),
    ],
)
def test_a_setting_that_needs_a_seat_has_no_effect_until_it_is_held(
    value: str, pools: dict[str, Pool], effective: str
) -> None:
    organization = acme(data_capture={"record_web_conferences": value})
    setting = after(decided(organization=organization, pools=pools)).data_capture["record_web_conferences"]
    assert setting == Capture(value, effective, "gong", "assignment:Sales")


def test_the_seat_given_from_the_line_puts_its_settings_into_effect() -> None:
    waits = after(decided(pools=FULL))
    assert waits.seats["gong"].state == "waiting"
    given = seat(waits, "gong", acme(), {"gong": Pool(0, 1)}, NOW, "run:1")
    assert given
    assert given.outcome is Outcome.SEATED
    assert after(given).data_capture["record_web_conferences"].effective == "enabled"
    assert given.history
    assert given.history.origin == "assignment:Sales"
    assert seat(waits, "gong", acme(), {"gong": Pool(1, 1)}, NOW, "run:1") is None
    assert seat(after(given), "gong", acme(), {}, NOW, "run:1") is None


@pytest.mark.parametrize(
    ("before", "matches", "mode", "takes_over"),
    [
        # (the member's assignment so far, what matches, the mode of Sales, whether Sales decides)
        ("Sales", "Sales", "automatic", True),
        ("Sales", "Sales", "manual", False),
        ("Support", "Sales", "automatic", True),
        ("Support", "Sales", "manual", True),
        (None, "Sales", "manual", True),
    ],
)
def test_update_modes(before: str | None, matches: str, mode: str, takes_over: bool) -> None:
    edited = member(
        assignment=before,
        assignment_filter=FILTERS.get(before or ""),
        workspaces={"EMEA": "Edited"},
        origins={"workspaces.EMEA": "manual:jane", "end_date": "manual:jane"},
    )
    now = after(decided(edited, matches, acme(update_mode=mode), {"gong": Pool(1)}, Title="Lead"))
    assert now.title == "Lead", "identity follows the CRM in both modes"
    assert now.workspaces == {"EMEA": "Team member" if takes_over else "Edited"}
    assert ("workspaces.EMEA" in now.origins) is not takes_over
    assert now.origins["end_date"] == "manual:jane", "no assignment gives end dates"


def test_a_manual_member_who_returns_is_given_the_settings_anew() -> None:
    manual = acme(update_mode="manual")
    edited = member(workspaces={"EMEA": "Edited"}, update_mode="manual")
    gone = replace(after(decided(edited, organization=manual, IsActive="false")), revision=2)
    assert (gone.seats, gone.workspaces, gone.data_capture, gone.assignment) == ({}, {}, {}, None)
    back = after(decided(gone, organization=manual, second=40))
    assert back.workspaces == {"EMEA": "Team member"}


def test_what_a_manager_switched_survives_until_the_member_changes_assignment() -> None:
    off = {"record_web_conferences": Capture("disabled", "disabled", "gong", "manager:m1")}
    switched = member(data_capture=off)
    stays = after(decided(switched, Title="Lead", pools={"gong": Pool(1)}))
    assert stays.data_capture["record_web_conferences"].intended == "disabled"
    assert stays.data_capture["record_web_conferences"].origin == "manager:m1"
    moved = after(decided(replace(switched, **SUPPORTS), Title="Lead"))
    assert moved.data_capture["record_web_conferences"].intended == "enabled"


FROM_FIELDS = {
    "seats": [{"field": "Wants__c", "map": {"yes": "gong"}}],
    "workspaces": {"EMEA": {"field": "Level__c", "map": {"L": "Lead"}}},
    "data_capture": {"import_emails": {"field": "IsActive", "map": {"true": "prevented"}}},
    "engage": {"group": {"field": "Level__c", "map": {"L": "Leads"}}},
}


@pytest.mark.parametrize(
    ("fields", "seats", "workspaces", "group"),
    [
        ({"Wants__c": "yes", "Level__c": "L"}, ["gong"], {"EMEA": "Lead"}, "Leads"),
        ({"Wants__c": "no", "Level__c": "other"}, [], {}, None),
        ({"Wants__c": None, "Level__c": None}, [], {}, None),
    ],
)
def test_values_come_from_fields(
    fields: dict[str, Any], seats: list[str], workspaces: dict[str, str], group: str | None
) -> None:
    now = after(decided(organization=acme(**FROM_FIELDS), **fields))
    assert list(now.seats) == seats
    assert now.workspaces == workspaces
    assert now.engage.request == group
    assert now.data_capture["import_emails"].effective == "prevented"


def test_a_field_nobody_told_leaves_what_it_decides_as_it_was() -> None:
    untold = settings(
        seats={"gong": {"limit": 1}},
        assignments=[{"name": "Sales", **FROM_FIELDS}],
    )
    had = member(workspaces={"EMEA": "Lead"}, engage=Engage("Leads", None, None))
    now = after(decided(had, organization=untold, Title="Lead", pools={"gong": Pool(1)}))
    assert list(now.seats) == ["gong"]
    assert now.workspaces == {"EMEA": "Lead"}
    assert now.engage.request == "Leads"


def test_without_any_assignment_everyone_comes_in_with_nothing() -> None:
    now = after(decided(matches="", organization=settings()))
    assert (now.active, now.assignment, now.seats) == (True, None, {})


@pytest.mark.parametrize(
    ("keep", "active", "reason"),
    [
        ({}, False, "unmatched"),
        ({"when_unmatched": True}, True, None),
        ({"when_deactivated": True}, False, "unmatched"),
        ({"grace_days": 3}, True, None),
    ],
)
def test_who_no_longer_matches_leaves_unless_kept(
    keep: dict[str, Any], active: bool, reason: str | None
) -> None:
    organization = acme().model_copy(update={"keep_active": settings(keep_active=keep).keep_active})
    now = after(decided(member(), matches="", organization=organization))
    assert (now.active, now.inactive_reason) == (active, reason)
    assert bool(now.seats) is active
    assert (now.unmatched_since is not None) is (keep.get("grace_days", 0) > 0)
