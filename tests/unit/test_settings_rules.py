"""What one section of the settings says about another."""

from typing import Any

import pytest

from muster.errors import Problem, Rejected
from muster.settings import rules
from muster.settings.document import read
from muster.settings.values import DEFAULT_FIELDS

SALESFORCE = {"salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}}


def problems(**sections: Any) -> tuple[Problem, ...]:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", **sections})
    return caught.value.problems


def warnings(**sections: Any) -> dict[str, str]:
    """Return place → message of the warnings."""
    settings = read({"organization": "acme", **sections})[1]
    return {warning.where: warning.message for warning in rules.warnings(settings)}


@pytest.mark.parametrize(
    ("sections", "where"),
    [
        ({"seats": {"gong": {}, "forecast": {"requires": ["gong", "gog"]}}}, "seats.forecast.requires[1]"),
        ({"seats": {"gong": {}}, "seat_required": {"gong_connect": "gog"}}, "seat_required.gong_connect"),
        (
            {"seats": {"gong": {}}, "assignments": [{"name": "A", "seats": ["Gong"]}]},
            "assignments[0].seats[0]",
        ),
        (
            {
                "seats": {"gong": {}},
                "assignments": [{"name": "A", "seats": ["gong", {"field": "X__c", "map": {"a b": "gng"}}]}],
            },
            'assignments[0].seats[1].map["a b"]',
        ),
    ],
)
def test_a_seat_that_is_named_is_there(sections: dict[str, Any], where: str) -> None:
    [found] = problems(**sections)
    assert found.where == where
    assert found.remedy == "Did you mean 'gong'?"


def test_without_any_seat_the_remedy_is_to_add_it() -> None:
    [found] = problems(assignments=[{"name": "A", "seats": ["gong"]}])
    assert found.remedy == "Add it under seats."


@pytest.mark.parametrize(
    ("requires", "in_cycle"),
    [
        ({"a": ["a"]}, ["a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "b", "c"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
    ],
)
def test_no_seat_needs_itself(requires: dict[str, list[str]], in_cycle: list[str]) -> None:
    seats = {name: {"requires": needed} for name, needed in requires.items()}
    if in_cycle:
        assert [found.where for found in problems(seats=seats)] == [
            f"seats.{name}.requires" for name in in_cycle
        ]
    else:
        assert read({"organization": "acme", "seats": seats})


def test_assignment_names_are_unique() -> None:
    [found] = problems(
        assignments=[{"name": "A", "filter": "x = 1"}, {"name": "B", "filter": "x = 1"}, {"name": "A"}]
    )
    assert found.where == "assignments[2].name"
    assert "assignments[0]" in found.message


def test_plain_settings_have_no_warnings() -> None:
    assert warnings() == {}


def test_what_this_version_does_not_do_is_said() -> None:
    found = warnings(
        connections=SALESFORCE
        | {"vault_crm": {"host": "acme.veevavault.com"}, "align": {"host": "a.veevavault.com"}},
        assignments=[{"name": "A"}],
    )
    assert set(found) == {
        "auto_provision.read_back",
        "assignments",
        "connections.vault_crm",
        "connections.align",
    }
    assert "nobody new is provisioned" in found["assignments"]
    assert warnings(connections=SALESFORCE, auto_provision={"read_back": False}) == {}


def test_a_map_of_a_field_that_no_message_carries_is_a_warning() -> None:
    maps = {
        "salesforce": {"title": "Job__c", "name": {"join": ["FirstName", "Middle__c"]}, "extension": None}
    }
    found = warnings(field_maps=maps)
    assert set(found) == {"field_maps.salesforce.title", "field_maps.salesforce.name"}
    assert "Middle__c" in found["field_maps.salesforce.name"]
    assert warnings(field_maps=maps, auto_provision={"custom_fields": ["Job__c", "Middle__c"]}) == {}


def test_a_default_map_of_a_field_taken_off_the_list_is_a_warning() -> None:
    fields = [name for name in DEFAULT_FIELDS if name != "LanguageLocaleKey"]
    found = warnings(auto_provision={"fields": fields})
    assert set(found) == {"field_maps.salesforce.language", 'field_maps.salesforce["crm.language"]'}


def test_a_choice_by_a_field_that_no_message_carries_is_a_warning() -> None:
    by_field = {"field": "X__c", "map": {"a": "enabled"}}
    assignment = {
        "name": "A",
        "seats": [{"field": "X__c", "map": {"a": "gong"}}],
        "workspaces": {"EMEA": by_field, "AMER": "Member"},
        "data_capture": {"import_emails": by_field},
        "engage": {"group": by_field},
    }
    sections = {"seats": {"gong": {}}, "assignments": [assignment]}
    assert set(warnings(**sections)) == {
        "assignments",
        "assignments[0].seats[0]",
        "assignments[0].workspaces.EMEA",
        "assignments[0].data_capture.import_emails",
        "assignments[0].engage.group",
    }
    assert set(warnings(auto_provision={"custom_fields": ["X__c"]}, **sections)) == {"assignments"}


def test_a_compound_field_is_a_warning() -> None:
    assert set(warnings(auto_provision={"fields": [*DEFAULT_FIELDS, "Name"]})) == {
        "auto_provision.fields[21]"
    }


def test_assignments_below_one_for_everyone_are_a_warning() -> None:
    filtered, everyone = {"name": "A", "filter": "x = 1"}, {"name": "B"}
    assert "assignments[0]" in warnings(assignments=[everyone, filtered])
    assert "assignments[1]" not in warnings(assignments=[filtered, everyone])


def test_data_capture_without_its_seat_is_a_warning() -> None:
    sections = {"seats": {"gong": {}}, "seat_required": {"import_emails": "gong"}}
    assignment = {"name": "A", "data_capture": {"import_emails": "enabled", "gong_connect": "enabled"}}
    found = warnings(assignments=[assignment], **sections)
    assert "seat gong" in found["assignments[0].data_capture.import_emails"]
    assert "assignments[0].data_capture.gong_connect" not in found
    carried = assignment | {"seats": [{"field": "Title", "map": {"Rep": "gong"}}]}
    assert "assignments[0].data_capture.import_emails" not in warnings(assignments=[carried], **sections)
