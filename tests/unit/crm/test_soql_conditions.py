"""Filters beside other conditions: they say the same as before, with no parentheses they do not need."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from muster.crm import soql
from muster.crm.soql_conditions import conjuncts, parsed, words
from sandbox.salesforce.soql.grammar import Combination, Comparison, Condition, Negation, Parentheses, parse

GONG = "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')"
FROZEN = "Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = true AND (IsPasswordLocked = true))"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a = 1", ["a = 1"]),
        ("a = 1 AND b = 2", ["a = 1", "b = 2"]),
        (" a = 1\n\tand\r\n b = 2 ", ["a = 1", "b = 2"]),
        ("a = 1 OR b = 2", ["(a = 1 OR b = 2)"]),
        ("a = 1 AND (b = 2 OR c = 3)", ["a = 1", "(b = 2 OR c = 3)"]),
        ("(a = 1 AND ((b = 2) AND c = 3))", ["a = 1", "b = 2", "c = 3"]),
        ("(a = 1) AND (b = 2)", ["a = 1", "b = 2"]),
        ("(a = 1) OR (b = 2)", ["((a = 1) OR (b = 2))"]),
        ("NOT a = 1", ["(NOT a = 1)"]),
        ("NOT(a = 1 OR b = 2)", ["(NOT(a = 1 OR b = 2))"]),
        ("a = 1 AND (NOT (b = 2 AND c = 3))", ["a = 1", "(NOT (b = 2 AND c = 3))"]),
        # Refused by Salesforce, and still so.
        ("a = 1 AND b = 2 OR c = 3", ["(a = 1 AND b = 2 OR c = 3)"]),
        ("NOT a = 1 AND b = 2", ["(NOT a = 1 AND b = 2)"]),
        # Texts, names and functions are none of our business.
        ("Title = 'x AND y' AND Name = ') OR ('", ["Title = 'x AND y'", "Name = ') OR ('"]),
        ("Title = 'it\\'s AND' AND Name = '\\\\'", ["Title = 'it\\'s AND'", "Name = '\\\\'"]),
        ("Or__c = 1 AND And__c = 2 AND X.Not__c = 3", ["Or__c = 1", "And__c = 2", "X.Not__c = 3"]),
        ("CALENDAR_YEAR(CreatedDate) = 2026", ["CALENDAR_YEAR(CreatedDate) = 2026"]),
        ("a IN ('x','y')AND(b = 2)", ["a IN ('x','y')", "b = 2"]),
        # Sub-selects come to the top, whatever is in them.
        (GONG, [GONG]),
        (f"({GONG})", [GONG]),
        (f"(a = 1 AND {GONG}) AND {FROZEN}", ["a = 1", GONG, FROZEN]),
        (f"a = 1 AND (b = 2 OR c = 3) AND ({FROZEN})", ["a = 1", "(b = 2 OR c = 3)", FROZEN]),
    ],
)
def test_a_filter_is_joined_to_others_without_parentheses_it_does_not_need(
    condition: str, expected: list[str]
) -> None:
    assert list(conjuncts(parsed(condition))) == expected
    assert soql.matching(condition, "z = 9").endswith(" AND ".join([*expected, "z = 9"]))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            "Profile.Name = 'TODAY' AND CreatedDate = LAST_N_DAYS:30",
            "Profile.Name AND CreatedDate LAST_N_DAYS:30",
        ),
        ("CreatedDate > 2026-11-20T08:15:31Z AND Quota__c > -5.5", "CreatedDate AND Quota__c"),
        (
            "Id IN (SELECT UserId FROM UserLogin)",
            "Id IN SELECT UserId FROM UserLogin",
        ),
    ],
)
def test_words_are_outside_texts_and_numbers(condition: str, expected: str) -> None:
    assert list(words(condition)) == expected.split()


# ── What is joined says the same ─────────────────────────────────────────────────────────────────

ATOMS = "abcd"
type Truth = dict[str, bool]
type Written = tuple[str, Callable[[Truth], bool]]


def _atom(name: str) -> Written:
    return f"{name} = 1", lambda truth: truth[name]


def _all(parts: list[Written]) -> Written:
    return " AND ".join(_in_parentheses(each) for each in parts), lambda truth: all(
        m(truth) for _, m in parts
    )


def _any(parts: list[Written]) -> Written:
    return " OR ".join(_in_parentheses(each) for each in parts), lambda truth: any(m(truth) for _, m in parts)


def _none(part: Written) -> Written:
    return f"NOT {_in_parentheses(part)}", lambda truth: not part[1](truth)


def _in_parentheses(part: Written) -> str:
    text = part[0]
    return f"({text})" if any(word in text for word in (" AND ", " OR ", "NOT ")) else text


conditions = st.recursive(
    st.sampled_from(ATOMS).map(_atom),
    lambda parts: (
        st.lists(parts, min_size=2, max_size=3).map(_all)
        | st.lists(parts, min_size=2, max_size=3).map(_any)
        | parts.map(_none)
        | parts.map(lambda part: (f"({part[0]})", part[1]))
    ),
    max_leaves=8,
)


@profile(deadline=None, database=None)
@given(conditions)
def test_a_filter_beside_another_condition_says_what_it_said(written: Written) -> None:
    text, meant = written
    where = parse(soql.matching(text, "z = 1")).where
    assert where
    for values in itertools.product([True, False], repeat=len(ATOMS) + 1):
        truth = dict(zip([*ATOMS, "z"], values, strict=True))
        assert _holds(where, truth) is (meant(truth) and truth["z"])


def _holds(condition: Condition, truth: Truth) -> bool:
    match condition:
        case Comparison(path):
            return truth[path.parts[0]]
        case Parentheses(term):
            return _holds(term, truth)
        case Negation(term):
            return not _holds(term, truth)
        case Combination("AND", terms):
            return all(_holds(term, truth) for term in terms)
        case Combination(_, terms):
            return any(_holds(term, truth) for term in terms)
    raise AssertionError(condition)
