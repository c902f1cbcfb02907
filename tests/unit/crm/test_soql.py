"""SOQL statements: whatever a value holds, it stays one value of the condition it belongs to (T17)."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.crm import soql

# One SOQL text literal: no bare quote, no bare backslash, no bare control character of those it escapes.
LITERAL = re.compile(r"'((?:[^'\\\n\r\t]|\\['\\nrt])*)'")
ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t"}


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("ada", "'ada'"),
        ("", "''"),
        ("O'Hara", r"'O\'Hara'"),
        ("back\\slash", r"'back\\slash'"),
        ("trailing\\", r"'trailing\\'"),
        ("\\' OR Id != '", r"'\\\' OR Id != \''"),
        ("line\nend\r\ttab", r"'line\nend\r\ttab'"),
        ("per%cent_line", "'per%cent_line'"),
        ("naïve 😀", "'naïve 😀'"),
    ],
)
def test_a_text_becomes_a_literal(value: str, literal: str) -> None:
    assert soql.quoted(value) == literal


@given(st.text())
def test_every_text_is_one_literal_that_reads_back_as_itself(value: str) -> None:
    found = LITERAL.fullmatch(soql.quoted(value))
    assert found
    assert re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], found[1], flags=re.DOTALL) == value


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_every_list_of_texts_is_one_condition(values: list[str]) -> None:
    condition = soql.one_of("Email", values)
    assert condition.startswith("Email IN (")
    assert condition.endswith(")")
    inside = condition.removeprefix("Email IN (").removesuffix(")")
    assert LITERAL.sub("", inside) == ", " * (len(values) - 1)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (soql.select(["Id"]), "SELECT Id FROM User"),
        (soql.select(["Id", "Name"], "A = 1"), "SELECT Id, Name FROM User WHERE A = 1"),
        (
            soql.matching("A = 1 OR B = 2", soql.one_of("Id", ["005", "006"])),
            "SELECT Id FROM User WHERE (A = 1 OR B = 2) AND Id IN ('005', '006')",
        ),
        (
            soql.select(["Id"], soql.since("SystemModstamp", "2026-11-20T08:15:31.000Z")),
            "SELECT Id FROM User WHERE SystemModstamp >= 2026-11-20T08:15:31.000Z",
        ),
    ],
)
def test_queries_read_as_they_are_meant(query: str, text: str) -> None:
    assert query == text


def test_a_filter_with_or_stays_within_its_parentheses() -> None:
    """Without them `OR` would let everyone in, whoever was asked about."""
    query = soql.matching("Department = 'A' OR IsActive = true", "Id = '005'")
    before, _, after = query.partition("(Department = 'A' OR IsActive = true)")
    assert (before, after) == ("SELECT Id FROM User WHERE ", " AND Id = '005'")


def test_a_moment_is_no_text() -> None:
    moment = datetime(2026, 11, 20, 8, 15, 31, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    assert "'" not in soql.since("SystemModstamp", moment)
