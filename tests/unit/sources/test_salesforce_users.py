"""Rows of users: in the form of a message, summed up, and refused where they are none (W5, W6, I9)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import Rejected
from muster.settings.mappings import fields_to_read
from muster.sources.salesforce_users import change_of, digest, digester, fields_of
from tests.examples import ADA, settings

ACME = settings(
    auto_provision={"custom_fields": ["Region__c"]},
    assignments=[{"name": "Sales", "filter": "Department = 'Sales'"}, {"name": "All"}],
)
NAMES = fields_to_read(ACME)
READ_AT = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
ROW: dict[str, Any] = {
    **dict.fromkeys(NAMES),
    "attributes": {"type": "User", "url": f"/services/data/v66.0/sobjects/User/{ADA}"},
    "Id": ADA,
    "SystemModstamp": "2026-11-20T08:15:31.000+0000",
    "LastModifiedDate": "2026-11-20T08:15:31.000+0000",
    "IsActive": True,
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Username": "ada@acme.example",
    "Email": "ada@acme.example",
    "Region__c": "EMEA",
}
digest_of = digester(NAMES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "true"),
        (False, "false"),
        ("Rep", "Rep"),
        ("  Rep ", "Rep"),
        ("", None),
        (" \n", None),
        (7, "7"),
        (7.5, "7.5"),
        (0, "0"),
        ({"city": "London", "area": None}, '{"area":null,"city":"London"}'),
    ],
)
def test_a_value_becomes_what_a_message_would_carry(value: object, text: str | None) -> None:
    assert fields_of({"Title": value, "Other": 1}, ["Title"]) == {"Title": text}


def in_capitals(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row as Salesforce answers it that spells the custom field in another way."""
    return {name.replace("Region__c", "REGION__C"): value for name, value in row.items()}


def test_a_row_may_spell_a_field_in_other_capitals() -> None:
    row = in_capitals(ROW)
    assert fields_of(row, NAMES) == fields_of(ROW, NAMES)
    assert digest_of(row) == digest_of(ROW)
    assert change_of(row, NAMES, [], ACME, READ_AT, "run:1") == change_of(
        ROW, NAMES, [], ACME, READ_AT, "run:1"
    )
    with pytest.raises(KeyError, match="Region__c"):
        digest_of({name: value for name, value in row.items() if name != "REGION__C"})


def test_values_are_those_that_a_message_brings() -> None:
    row = {"At__c": "2026-11-20T08:15:31.000+0000", "Sum__c": 12345678.0, "Big__c": 1e21}
    assert fields_of(row, row) == {
        "At__c": "2026-11-20T08:15:31.000Z",
        "Sum__c": "12345678.0",
        "Big__c": "1000000000000000000000.0",
    }


# ── The digest ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"SystemModstamp", "LastModifiedDate"}))
def test_every_field_that_is_read_counts(name: str) -> None:
    assert digest_of({**ROW, name: "another"}) != digest_of(ROW)


@pytest.mark.parametrize("name", ["SystemModstamp", "LastModifiedDate"])
def test_when_it_was_changed_does_not_count(name: str) -> None:
    """Salesforce moves it at every login, with nothing changed that would matter."""
    assert digest_of({**ROW, name: "2026-11-21T00:00:00.000+0000"}) == digest_of(ROW)


def test_neither_does_what_else_is_in_a_row_nor_the_order_of_it() -> None:
    row = dict(reversed({**ROW, "attributes": {"type": "User"}, "LastLoginDate": "2026"}.items()))
    assert digest_of(row) == digest_of(ROW)


@given(st.lists(st.sampled_from(["", "a", "b", "ab", "a,b", "null", '"', None, True, "true"]), min_size=3))
def test_values_do_not_run_into_one_another(values: list[Any]) -> None:
    names = [f"F{number}" for number in range(len(values))]
    sums = digester(names)
    row = dict(zip(names, values, strict=True))
    moved = dict(zip(names, [*values[1:], values[0]], strict=True))
    assert (sums(row) == sums(moved)) == (
        row == moved and list(map(type, values)) == list(map(type, moved.values()))
    )


def test_a_row_without_a_field_has_no_digest() -> None:
    with pytest.raises(KeyError):
        digest_of({name: value for name, value in ROW.items() if name != "Email"})


def test_matches_and_manager_count_and_the_order_of_matches_does_not() -> None:
    known = digest("fields", {"A", "B"}, "boss")
    assert digest("fields", ["B", "A"], "boss") == known
    others = [
        digest("fields", {"A", "B"}, None),
        digest("fields", {"A", "B"}, "another"),
        digest("fields", {"A"}, "boss"),
        digest("fields", {"AB"}, "boss"),
        digest("fields", (), "boss"),
        digest("other", {"A", "B"}, "boss"),
        # A manager is not taken for a match.
        digest("fields", {"boss", "A", "B"}, None),
    ]
    assert len({known, *others}) == 1 + len(others)
    assert known.startswith("fields")


def test_what_a_message_told_has_no_digest() -> None:
    """So that the next import, which reads the user, looks at the member anew."""
    assert digest("", {"A"}, "boss") == ""


# ── As a change ──────────────────────────────────────────────────────────────────────────────────


def test_a_row_becomes_a_change_of_its_user() -> None:
    change = change_of(ROW, NAMES, {"Sales"}, ACME, READ_AT, "run:1")
    assert (change.crm_id, change.run) == (ADA, "run:1")
    assert set(change.fields) == set(NAMES)
    assert (change.fields["IsActive"], change.fields["Region__c"]) == ("true", "EMEA")
    # Assignments without a filter match everyone, and nobody has to be asked about them.
    assert change.matches == {"Sales", "All"}
    assert change.source.startswith("2026-11-20T08:15:31.000Z|")
    assert change.fields_digest == digest_of(ROW)
    assert change.in_loop is None


@pytest.mark.parametrize(
    ("varied", "where", "what"),
    [
        ({"Email": ...}, "User", "lacks Email"),
        ({"Email": ..., "Region__c": ...}, "User", "Region__c"),
        ({"Id": ...}, "User", "lacks Id"),
        ({"Id": None}, "User", "has no Salesforce id"),
        ({"Id": 5}, "User", "has no Salesforce id"),
        ({"Id": "Ada"}, "User", "has no Salesforce id"),
        ({"IsActive": None}, "IsActive", "neither true nor false"),
        ({"IsActive": "perhaps"}, "IsActive", "neither true nor false"),
        ({"SystemModstamp": None, "LastModifiedDate": None}, "SystemModstamp", "in the message"),
        ({"SystemModstamp": "yesterday"}, "SystemModstamp", "not a date and time"),
    ],
)
def test_what_is_no_row_of_a_user_is_refused_and_not_quoted(
    varied: dict[str, Any], where: str, what: str
) -> None:
    row = {name: value for name, value in {**ROW, **varied}.items() if value is not ...}
    with pytest.raises(Rejected) as refused:
        change_of(row, NAMES, (), ACME, READ_AT, "run:1")
    [problem] = refused.value.problems
    assert (problem.where, what in problem.message, bool(problem.remedy)) == (where, True, True)
    assert "Lovelace" not in str(refused.value)
