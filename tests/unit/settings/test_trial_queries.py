"""What Salesforce is asked about a document's filters and fields, and what its refusals mean."""

from typing import Any

import pytest

from muster.settings import Settings, trial_queries
from muster.settings.document import read
from muster.settings.values import DEFAULT_FIELDS

SALESFORCE = {"salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}}
FILTERED = [
    {"name": "A", "filter": "Department = 'Sales'"},
    {"name": "B"},
    {"name": "C", "filter": "a = 1 OR b = 2"},
]
NO_COLUMN = (
    "No such column '{}' on entity 'User'. If you are attempting to use a custom field, append the '__c'"
)


def settings(**sections: Any) -> Settings:
    return read({"organization": "acme", "connections": SALESFORCE, **sections})[1]


def problems(
    of: Settings, fields: str | None, filters: list[str | None] | None = None, known: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """Return place and message of what Salesforce refuses; `known` are fields of the org."""
    refusals = [fields, *(filters or [None] * (len(trial_queries.queries(of)) - 1))]
    found = trial_queries.problems(of, refusals, [*DEFAULT_FIELDS, *known])
    assert all(problem.remedy for problem in found)
    return [(problem.where, problem.message) for problem in found]


BY_ID = "Id IN ('005000000000001AAA')"
CHANGED = "SystemModstamp >= 2000-01-01T00:00:00.000Z"


def test_every_filter_is_tried_in_each_shape_in_which_it_is_sent() -> None:
    of_fields, *of_filters = trial_queries.queries(settings(assignments=FILTERED))
    assert of_filters == [
        f"SELECT Id FROM User WHERE {filtered}{narrowed} LIMIT 1"  # noqa: S608  # SOQL
        for filtered in ("Department = 'Sales'", "(a = 1 OR b = 2)")
        for narrowed in ("", f" AND {BY_ID}", f" AND {CHANGED}")
    ]
    assert of_fields.startswith("SELECT Id, SystemModstamp, ")
    assert of_fields.endswith(" FROM User LIMIT 1")


def test_every_field_that_an_import_reads_is_asked_for() -> None:
    of_fields = trial_queries.queries(
        settings(
            auto_provision={"custom_fields": ["Region__c"]},
            field_maps={"salesforce": {"title": "Job__c"}},
            seats={"gong": {}},
            assignments=[{"name": "A", "seats": [{"field": "Seat__c", "map": {"x": "gong"}}]}],
        )
    )[0]
    assert {"Region__c", "Job__c", "Seat__c", "ManagerId"} <= set(
        of_fields.removeprefix("SELECT ").removesuffix(" FROM User LIMIT 1").split(", ")
    )


def test_a_filter_that_is_refused_is_a_problem_at_its_place_in_salesforces_words() -> None:
    refused = "unexpected token: 'OR'"
    assert problems(settings(assignments=FILTERED), None, [*[None] * 3, *[refused] * 3]) == [
        ("assignments[2].filter", "is refused by Salesforce: unexpected token: 'OR'")
    ]


@pytest.mark.parametrize(
    ("condition", "is_mixed"),
    [
        ("Title = 'a' AND Title = 'b' OR Title = 'c'", True),
        ("Country = 'GB' AND (Title = 'a' OR NOT Title = 'b')", True),
        ("(Title = 'a' OR Title = 'b') AND Country = 'GB'", False),
    ],
)
def test_of_and_beside_or_the_remedy_says_where_parentheses_go(condition: str, is_mixed: bool) -> None:
    of = settings(assignments=[{"name": "A", "filter": condition}])
    (found,) = trial_queries.problems(of, [None, "unexpected token: 'OR'", None, None], DEFAULT_FIELDS)

    assert ("put parentheses around what belongs together" in found.remedy) is is_mixed


def test_a_filter_that_is_refused_only_when_narrowed_says_so() -> None:
    refusals = [None, "not nested", "not nested", None, None, "not now"]
    assert problems(settings(assignments=FILTERED), None, refusals) == [
        (
            "assignments[0].filter",
            "is refused by Salesforce in a query of users by id, as messages need it: not nested",
        ),
        (
            "assignments[2].filter",
            "is refused by Salesforce in a query of users changed since a moment, as incremental imports need"
            " it: not now",
        ),
    ]


@pytest.mark.parametrize(
    ("sections", "where"),
    [
        ({"auto_provision": {"fields": [*DEFAULT_FIELDS, "Bad"]}}, "auto_provision.fields[21]"),
        ({"auto_provision": {"custom_fields": ["Good__c", "Bad__c"]}}, "auto_provision.custom_fields[1]"),
        ({"field_maps": {"salesforce": {"title": "Bad__c"}}}, "field_maps.salesforce.title"),
        ({"field_maps": {"salesforce": {"name": {"join": ["Bad__c"]}}}}, "field_maps.salesforce.name"),
        ({"field_maps": {"salesforce": {"crm.email": "Bad__c"}}}, 'field_maps.salesforce["crm.email"]'),
        (
            {"assignments": [{"name": "A", "seats": [{"field": "Bad__c", "map": {"x": "gong"}}]}]},
            "assignments[0].seats[0].field",
        ),
        (
            {"assignments": [{"name": "A", "engage": {"group": {"field": "Bad__c", "map": {"x": "y"}}}}]},
            "assignments[0].engage.group.field",
        ),
    ],
)
def test_a_field_that_is_refused_is_a_problem_where_it_is_named(sections: dict[str, Any], where: str) -> None:
    of = settings(seats={"gong": {}}, **sections)
    name = "Bad" if "fields[" in where and "custom" not in where else "Bad__c"
    words = NO_COLUMN.format(name)
    assert problems(of, words, known=("Good__c",)) == [(where, f"{name} is refused by Salesforce: {words}")]


def test_all_unknown_fields_are_named_though_salesforce_names_the_first() -> None:
    of = settings(auto_provision={"custom_fields": ["Regin__c", "Xyz__c"]})
    words = NO_COLUMN.format("Regin__c")
    refused = trial_queries.problems(of, [words], [*DEFAULT_FIELDS, "Region__c"])
    assert [problem.where for problem in refused] == [
        "auto_provision.custom_fields[0]",
        "auto_provision.custom_fields[1]",
    ]
    assert "Did you mean Region__c?" in refused[0].remedy
    assert "no such field for the integration user" in refused[1].message


def test_a_known_field_that_salesforce_leaves_out_is_a_problem() -> None:
    words = "Salesforce leaves out Title; let the integration user read it (field-level security)"
    assert problems(settings(), words) == [
        ("auto_provision.fields[7]", f"Title is refused by Salesforce: {words}")
    ]


def test_a_refusal_that_names_no_field_is_a_problem_of_them_all() -> None:
    assert problems(settings(), "is refused with OPERATION_TOO_LARGE") == [
        ("auto_provision.fields", "are refused by Salesforce: is refused with OPERATION_TOO_LARGE")
    ]


def test_a_field_in_another_spelling_is_a_problem_although_salesforce_takes_it() -> None:
    """Salesforce would answer Region__c, and an import look for region__c in vain."""
    of = settings(auto_provision={"custom_fields": ["region__c"]})
    assert problems(of, None, known=("Region__c",)) == [
        ("auto_provision.custom_fields[0]", "region__c is spelled Region__c in Salesforce")
    ]


def test_what_salesforce_takes_is_no_problem_even_if_it_does_not_describe_it() -> None:
    of = settings(auto_provision={"custom_fields": ["Hidden__c"]}, assignments=FILTERED)
    assert problems(of, None) == []


def test_a_field_that_muster_needs_by_itself_has_a_place_too() -> None:
    of = settings(auto_provision={"fields": [name for name in DEFAULT_FIELDS if name != "ManagerId"]})
    words = NO_COLUMN.format("ManagerId")
    assert problems(of, words)[0][0] == "auto_provision.fields"
