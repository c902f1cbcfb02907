"""Keys of a value map that the field can never hold are told when settings are saved (A15)."""

from typing import Any

import pytest

from muster.settings import map_keys
from tests.examples import settings


def picklist(*values: str, kind: str = "picklist", restricted: bool = True) -> dict[str, Any]:
    """Return the description of a picklist; one value is inactive."""
    shown = [{"value": value, "active": True} for value in values] + [{"value": "Old", "active": False}]
    return {"type": kind, "length": 255, "picklistValues": shown, "restrictedPicklist": restricted}


CHECKBOX = {"type": "boolean", "length": 0}
NUMBER = {"type": "double", "length": 0}
TEXT = {"type": "string", "length": 5}


@pytest.mark.parametrize(
    ("field", "keys", "never"),
    [
        (CHECKBOX, ["true", "false"], []),
        (CHECKBOX, ["TRUE", "True", "1", "Yes"], ["TRUE", "True", "1", "Yes"]),
        (NUMBER, ["5", "5.0", "-5", "0", "0.5", "1.5E7", "1234567890123"], []),
        (
            NUMBER,
            ["05", "5.00", "0.50", "1,000", "five", "5 ", "+5"],
            ["05", "5.00", "0.50", "1,000", "five", "+5"],
        ),
        ({"type": "int", "length": 0}, ["5", "5.0", "V"], ["V"]),
        (
            picklist("Gong", "Forecast"),
            ["Gong", "gong", "Gong;Forecast", "Old"],
            ["gong", "Gong;Forecast", "Old"],
        ),
        (picklist("Gong", "Forecast", kind="multipicklist"), ["Gong", "Gong;Forecast", "Gong;x"], ["Gong;x"]),
        # Whatever somebody has written by the API is in it.
        (picklist("Gong", restricted=False), ["gong"], []),
        ({"type": "date"}, ["2026-02-28", "2026-02-30", "28.02.2026"], ["2026-02-30", "28.02.2026"]),
        (
            {"type": "datetime"},
            ["2026-03-01T10:00:00.000Z", "2026-03-01T10:00:00+0000", "2026-03-01"],
            ["2026-03-01"],
        ),
        ({"type": "reference", "length": 18}, ["00e000000000001AAA", "Sales"], ["Sales"]),
        (TEXT, ["Lead", "5", "Leader"], ["Leader"]),
        ({"type": "textarea"}, ["anything"], []),
        # No value is none of the field's own.
        (CHECKBOX, ["", "true"], []),
    ],
)
def test_a_key_that_the_field_never_holds_is_named(
    field: dict[str, Any], keys: list[str], never: list[str]
) -> None:
    choice = {"field": "X__c", "map": dict.fromkeys(keys, "P")}
    acme = settings(assignments=[{"name": "A", "workspaces": {"EMEA": choice}}])
    found = list(map_keys.warnings(acme, [{"name": "Y__c"}, {"name": "X__c", **field}]))
    if not never:
        assert found == []
        return
    [warning] = found
    assert warning.where == "assignments[0].workspaces.EMEA.map"
    assert ", ".join(f'"{key}"' for key in never) in warning.message
    assert warning.remedy


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("gong", "Did you mean 'Gong'? Capitals count."), ("Zoom", "Active values are Gong, Forecast.")],
)
def test_what_a_picklist_has_is_told(key: str, remedy: str) -> None:
    choice = {"field": "X__c", "map": {key: "gong"}}
    acme = settings(seats={"gong": {}}, assignments=[{"name": "A", "seats": [choice]}])
    [warning] = map_keys.warnings(acme, [{"name": "X__c", **picklist("Gong", "Forecast")}])
    assert (warning.where, warning.remedy) == ("assignments[0].seats[0].map", remedy)


def test_a_long_map_makes_one_short_warning() -> None:
    choice = {"field": "X__c", "map": {f"no {number}": "P" for number in range(200)}}
    acme = settings(assignments=[{"name": "A", "engage": {"group": choice}}])
    [warning] = map_keys.warnings(acme, [{"name": "X__c", **CHECKBOX}])
    assert "and 190 more" in warning.message


def test_of_a_field_that_salesforce_does_not_describe_nothing_is_said() -> None:
    choice = {"field": "X__c", "map": {"x": "P"}}
    acme = settings(assignments=[{"name": "A", "workspaces": {"EMEA": choice}}])
    assert list(map_keys.warnings(acme, [])) == []
