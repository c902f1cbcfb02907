"""VQL statements: whatever a value holds, it stays one value of the condition it belongs to (T17)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.crm import vql

# One VQL text literal: no bare quote, no bare double quote, no bare backslash.
LITERAL = re.compile(r"'((?:[^'\"\\]|\\['\"\\])*)'")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("ada", "'ada'"),
        ("", "''"),
        ("O'Hara", r"'O\'Hara'"),
        ('the "rep"', r"'the \"rep\"'"),
        ("back\\slash", r"'back\\slash'"),
        ("trailing\\", r"'trailing\\'"),
        ("\\' OR id != '", r"'\\\' OR id != \''"),
        ("per%cent_line", "'per%cent_line'"),
        ("naïve 😀", "'naïve 😀'"),
    ],
)
def test_a_text_becomes_a_literal(value: str, literal: str) -> None:
    assert vql.quoted(value) == literal


@given(st.text())
def test_every_text_is_one_literal_that_reads_back_as_itself(value: str) -> None:
    found = LITERAL.fullmatch(vql.quoted(value))
    assert found
    assert re.sub(r"\\(.)", r"\1", found[1]) == value


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_every_list_of_texts_is_one_condition(values: list[str]) -> None:
    condition = vql.one_of("email__sys", values)
    assert condition.startswith("email__sys CONTAINS (")
    assert condition.endswith(")")
    inside = condition.removeprefix("email__sys CONTAINS (").removesuffix(")")
    assert LITERAL.sub("", inside) == ", " * (len(values) - 1)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (vql.select(["id"], "user__sys"), "SELECT id FROM user__sys"),
        (
            vql.select(["id", "name__v"], "user__sys", vql.equal("status__v", "active__v")),
            "SELECT id, name__v FROM user__sys WHERE status__v = 'active__v'",
        ),
        (
            vql.select(
                ["id"],
                "user__sys",
                vql.one_of("id", ["10042", "10043"]),
                vql.since("modified_date__v", "2026-11-20T08:15:31.000Z"),
            ),
            "SELECT id FROM user__sys WHERE id CONTAINS ('10042', '10043')"
            " AND modified_date__v >= '2026-11-20T08:15:31.000Z'",
        ),
    ],
)
def test_queries_read_as_they_are_meant(query: str, text: str) -> None:
    assert query == text


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, [1]), (200, [200]), (201, [200, 1]), (450, [200, 200, 50])]
)
def test_a_list_holds_up_to_200_values(number: int, sizes: list[int]) -> None:
    assert [len(some) for some in vql.lists(str(each) for each in range(number))] == sizes


@given(st.lists(st.text(alphabet="ab'\\", max_size=3_000), max_size=40))
def test_every_list_fits_into_a_query_and_none_is_lost(values: list[str]) -> None:
    lists = list(vql.lists(values))
    assert [value for some in lists for value in some] == values
    for some in lists:
        assert len(vql.select(["id"], "user__sys", vql.one_of("email__sys", some))) <= 50_000
