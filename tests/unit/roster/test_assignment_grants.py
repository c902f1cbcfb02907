"""Assignments: which one decides, what it gives, and which fields have to be read for that (A1, A2)."""

from typing import Any

import pytest

from muster.roster.assignment_grants import Grants, grants
from muster.settings import Settings
from muster.settings.assignment_order import filtered, rank, unfiltered, winner
from muster.settings.assignments import NameFromField
from muster.settings.mappings import fields_to_read
from tests.examples import settings


def acme(*assignments: dict[str, Any], **sections: Any) -> Settings:
    return settings(seats={"gong": {}, "forecast": {}, "engage": {}}, assignments=assignments, **sections)


THREE = acme(
    {"name": "Sales", "filter": "Department = 'Sales'"},
    {"name": "Basic"},
    {"name": "Support", "filter": "Department = 'Support'"},
)


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ({"Sales"}, "Sales"),
        ({"Support"}, "Support"),
        ({"Support", "Sales", "Basic"}, "Sales"),
        ({"Support", "Basic"}, "Basic"),
        (set(), None),
        ({"renamed since"}, None),
        ({"renamed since", "Support"}, "Support"),
    ],
)
def test_the_uppermost_that_matches_decides_in_whatever_order_matches_come(
    matches: set[str], expected: str | None
) -> None:
    for given in (sorted(matches), sorted(matches, reverse=True)):
        decides = winner(given, THREE)
        assert (decides.name if decides else None) == expected


def test_assignments_have_a_filter_or_match_everyone() -> None:
    assert filtered(THREE) == {"Sales": "Department = 'Sales'", "Support": "Department = 'Support'"}
    assert unfiltered(THREE) == {"Basic"}
    assert (filtered(acme()), unfiltered(acme())) == ({}, frozenset())


def test_rank_is_the_place_in_the_list_and_nobody_comes_after_all() -> None:
    assert [rank(each, THREE) for each in THREE.assignments] == [0, 1, 2]
    assert rank(None, THREE) == 3
    assert rank(None, acme()) == 0


# ── What it gives ────────────────────────────────────────────────────────────────────────────────


def given(fields: dict[str, str | None], **assignment: Any) -> Grants:
    """Return what an assignment with these values gives to a user with these fields."""
    return grants(acme({"name": "A", **assignment}).assignments[0], fields)


def test_without_anything_it_gives_nothing_and_says_nothing_of_groups() -> None:
    assert given({}) == Grants((), {}, {}, {}, frozenset())


def test_what_is_written_plainly_is_given_to_everyone() -> None:
    got = given(
        {},
        seats=["gong", "forecast"],
        workspaces={"EMEA": "Team member"},
        data_capture={"import_emails": "prevented", "gong_connect": "disabled"},
        engage={"group": "UK"},
    )
    assert got.seats == ("gong", "forecast")
    assert got.workspaces == {"EMEA": "Team member"}
    assert got.data_capture == {"import_emails": "prevented", "gong_connect": "disabled"}
    assert got.groups == {"engage": "UK"}
    assert got.unknown == frozenset()


SEAT = {"field": "Level__c", "map": {"1": "gong", "2": "forecast"}}
PROFILE = {"field": "Level__c", "map": {"1": "Manager"}}
CAPTURE = {"field": "Records__c", "map": {"true": "enabled", "false": "prevented"}}
GROUP = {"field": "Country", "map": {"GB": "UK"}}


@pytest.mark.parametrize(
    ("level", "seats", "workspaces"),
    [
        ("1", ("gong",), {"EMEA": "Manager"}),
        ("2", ("forecast",), {}),
        ("3", (), {}),
        (None, (), {}),
        ("", (), {}),
        (" 1", (), {}),
    ],
)
def test_a_value_from_a_field_is_what_the_map_says_and_else_nothing(
    level: str | None, seats: tuple[str, ...], workspaces: dict[str, str]
) -> None:
    got = given({"Level__c": level}, seats=[SEAT], workspaces={"EMEA": PROFILE})
    assert (got.seats, got.workspaces, got.unknown) == (seats, workspaces, frozenset())


LICENCES = {"Forecast": "forecast", "Gong": "gong"}
PAIR = {"Gong": "named alone", "Gong;Forecast": "named together"}


@pytest.mark.parametrize(
    ("value", "written", "expected"),
    [
        # A multi-select picklist has each of its values, in the order in which Salesforce shows them.
        ("Gong;Forecast", LICENCES, ("gong", "forecast")),
        ("Forecast", LICENCES, ("forecast",)),
        ("Other; Gong ;", LICENCES, ("gong",)),
        ("Other;None", LICENCES, ()),
        ("Gong;Gong", LICENCES, ("gong",)),
        ("Gong;Forecast", PAIR, ("named together",)),
        ("Forecast;Gong", PAIR, ("named alone",)),
        # A number is one however it is written; what is written exactly so goes first.
        ("5.0", {"5": "five"}, ("five",)),
        ("5", {"5.0": "five"}, ("five",)),
        ("5.0", {"5": "shown", "5.0": "sent"}, ("sent",)),
        ("0.0", {"0": "nothing"}, ("nothing",)),
        ("-1.0", {"-1": "less"}, ("less",)),
        ("0.5", {"0.50": "half"}, ()),
        ("1234567890123.0", {"1.234567890123E12": "many"}, ("many",)),
        ("v1.0", {"v1": "version"}, ()),
        # A key has one spelling as a value has (W14).
        ("2026-03-01T10:00:00.000Z", {"2026-03-01T10:00:00.000+0000": "then"}, ("then",)),
        ("Lead", {" Lead ": "led"}, ("led",)),
        ("true", {"True": "on"}, ()),
        (None, {"": "nobody", "x": "y"}, ("nobody",)),
        (None, LICENCES, ()),
    ],
)
def test_a_map_gives_what_the_value_means(
    value: str | None, written: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert NameFromField(field="Level__c", map=written).given(value) == expected


def test_of_several_values_each_gives_a_seat_and_the_first_decides_what_there_can_be_one_of() -> None:
    profiles = {"field": "Licences__c", "map": {"Forecast": "Planner", "Gong": "Listener"}}
    capture = {"field": "Licences__c", "map": {"Forecast": "prevented", "Gong": "enabled"}}
    got = given(
        {"Licences__c": "Gong;Forecast"},
        seats=["engage", {"field": "Licences__c", "map": LICENCES}],
        workspaces={"EMEA": profiles},
        data_capture={"import_emails": capture},
        engage={"group": profiles},
    )
    assert got.seats == ("engage", "gong", "forecast")
    assert got.workspaces == {"EMEA": "Listener"}
    assert got.data_capture == {"import_emails": "enabled"}
    assert got.groups == {"engage": "Listener"}


@pytest.mark.parametrize(("records", "capture"), [("true", "enabled"), ("false", "prevented"), (None, None)])
def test_data_capture_and_groups_come_from_fields_likewise(records: str | None, capture: str | None) -> None:
    got = given(
        {"Records__c": records, "Country": "FR"},
        data_capture={"import_emails": CAPTURE},
        engage={"group": GROUP},
        engage_connect={"group": {**GROUP, "map": {"FR": "France"}}},
    )
    assert got.data_capture == ({"import_emails": capture} if capture else {})
    # The assignment speaks of the feature, and for this user it is: no group.
    assert got.groups == {"engage": None, "engage_connect": "France"}


def test_a_seat_that_is_given_twice_is_one_seat_where_it_came_first() -> None:
    assert given({"Level__c": "1"}, seats=["forecast", SEAT, "gong"]).seats == ("forecast", "gong")


def test_what_depends_on_a_field_nobody_told_is_unknown_and_nothing_else_is() -> None:
    got = given(
        {"Country": "GB"},
        seats=["engage", SEAT],
        workspaces={"EMEA": PROFILE, "US": "Lead"},
        data_capture={"import_emails": CAPTURE, "gong_connect": "enabled"},
        engage={"group": GROUP},
        engage_connect={"group": {**GROUP, "field": "Region__c"}},
    )
    assert got.seats == ("engage",)
    assert got.workspaces == {"US": "Lead"}
    assert got.data_capture == {"gong_connect": "enabled"}
    assert got.groups == {"engage": "UK", "engage_connect": None}
    assert got.unknown == {
        "seats.gong",
        "seats.forecast",
        "workspaces.EMEA",
        "data_capture.import_emails",
        "groups.engage_connect",
    }


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_one_unknown_field_leaves_the_seats_of_another_alone(order: list[int]) -> None:
    told = {"field": "Level__c", "map": {"1": "gong"}}
    untold = {"field": "Other__c", "map": {"x": "forecast"}}
    got = given({"Level__c": "1"}, seats=[[told, untold][place] for place in order])
    assert got.seats == ("gong",)
    assert got.unknown == {"seats.forecast"}


# ── What has to be read ──────────────────────────────────────────────────────────────────────────


def test_every_field_the_settings_speak_of_is_read_once() -> None:
    read = fields_to_read(
        acme(
            {
                "name": "A",
                "seats": ["gong", SEAT],
                "workspaces": {"EMEA": {**PROFILE, "field": "Work__c"}},
                "data_capture": {"import_emails": CAPTURE},
                "engage": {"group": GROUP},
                "engage_connect": {"group": {**GROUP, "field": "Division"}},
            },
            auto_provision={"custom_fields": ["Region__c", "Level__c"]},
            field_maps={"salesforce": {"title": "Job__c", "name": {"join": ["LastName", "Suffix"]}}},
        )
    )
    assert {"Level__c", "Work__c", "Records__c", "Country", "Division", "Region__c", "Job__c", "Suffix"} < {
        *read
    }
    assert len({name.lower() for name in read}) == len(read)


def test_what_decides_about_a_user_is_read_whatever_the_settings_list() -> None:
    needed = {
        "Id",
        "SystemModstamp",
        "IsActive",
        "FirstName",
        "LastName",
        "Username",
        "Email",
        "CallCenterId",
    }
    few = ["Id", "LastModifiedDate", "Username", "Email", "FirstName", "LastName", "IsActive", "CallCenterId"]
    assert needed < set(fields_to_read(acme(auto_provision={"fields": few})))


@pytest.mark.parametrize("ignored", [True, False])
def test_managers_are_read_unless_the_structure_is_ignored(ignored: bool) -> None:
    few = ["Id", "LastModifiedDate", "Username", "Email", "FirstName", "LastName", "IsActive", "CallCenterId"]
    organization = acme(auto_provision={"fields": few}, ignore_organizational_structure=ignored)
    assert ("ManagerId" in fields_to_read(organization)) == (not ignored)
