"""Settings, where they differ and who saved them, as lines and tables."""

from typing import Any

import pytest

from muster.presentation import settings_differences


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (20, 30, "~ seats.gong: 20 → 30"),
        (None, {"name": "Sales", "filter": "…"}, "+ seats.gong: Sales"),
        (["a"], None, '- seats.gong: ["a"]'),
        (False, ["long entry " * 9], "~ seats.gong: false → 1 entry"),
        ("x" * 90, "", f"~ seats.gong: {'x' * 59}… → "),
    ],
)
def test_a_difference_in_one_line(before: Any, after: Any, line: str) -> None:
    change = {"where": "seats.gong", "before": before, "after": after}
    assert settings_differences.one_line(change) == line
    assert settings_differences.lines({"changes": [change], "not_tried": [{"where": "a"}]}) == [
        line,
        "! Not tried with Salesforce: a",
    ]
    assert len(settings_differences.differences_table({"changes": [change]}).rows) == 1


def test_a_version_says_what_it_holds() -> None:
    document = {
        "connections": {"salesforce": {"host": "acme.my.salesforce.com"}},
        "seats": {"gong": {"limit": 1_200}, "spare": {}},
        "assignments": [{"name": "Sales", "filter": "Department = 'Sales'"}, {"name": "Others"}],
    }
    answer = {"settings": document, "by": "jane", "approved_by": "joe", "why": "more seats", "not_tried": []}
    assert settings_differences.version(answer) == [
        "Saved by jane, approved by joe: more seats",
        "Salesforce: acme.my.salesforce.com",
        "Seat gong: limit 1,200",
        "Seat spare: no limit",
        "Assignment 1, Sales: Department = 'Sales'",
        "Assignment 2, Others: everyone",
    ]


def test_the_history_of_versions() -> None:
    version = {"version": 7, "at": "2026-11-20T08:15:31Z", "by": "jane", "approved_by": None, "why": "seats"}
    places = [f"p{n}" for n in range(7)]
    answer = {"versions": [version | {"changed": places}, version | {"changed": [], "why": ""}]}
    assert settings_differences.history(answer) == [
        "Version 7, 2026-11-20 08:15 by jane: seats; changed p0, p1, p2, p3, p4 and 2 more",
        "Version 7, 2026-11-20 08:15 by jane",
    ]
    assert settings_differences.history_table(answer).rows[1] == (
        "7",
        "2026-11-20 08:15",
        "jane",
        "",
        "",
        "",
    )


def test_fields_that_are_mapped_are_named_and_the_others_counted() -> None:
    field = {"name": "title__v", "label": "Title", "inbound": ["title"], "outbound": []}
    other = {"name": "x__c", "label": "X", "inbound": [], "outbound": []}
    assert settings_differences.fields({"fields": [field, other, other]}) == [
        "Title (title__v): read into title",
        "2 fields are not mapped",
    ]


def test_assignments_as_a_table() -> None:
    given = {
        "name": "Sales",
        "filter": "Department = 'Sales'",
        "seats": ["gong", {"field": "X__c", "map": {"F": "forecast"}}],
        "data_capture": {"import_emails": "enabled"},
    }
    assert settings_differences.assignments([given]).rows == (
        (
            "1",
            "Sales",
            "Department = 'Sales'",
            "automatic",
            "gong\nby X__c (F: forecast)",
            "import emails: enabled",
        ),
    )
