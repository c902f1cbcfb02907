"""Entry conditions: which saves of a record they let through."""

import pytest

from sandbox.salesforce.metadata_formula import FormulaError, parse
from sandbox.salesforce.values import Stored

ADA: dict[str, Stored] = {"Title": "Rep", "IsActive": 1, "Department": None}


@pytest.mark.parametrize(
    ("formula", "created", "retitled", "untouched"),
    [
        ("ISNEW()", True, False, False),
        ("NOT(ISNEW())", False, True, True),
        ("!ISNEW() && TRUE", False, True, True),
        ("!!ISNEW()", True, False, False),
        ("OR(ISNEW(), ISCHANGED({!$Record.Title}))", True, True, False),
        ("OR(ISNEW(), ISCHANGED({!$Record.title}), ISCHANGED({!$Record.IsActive}))", True, True, False),
        ("ISNEW() || ISCHANGED({!$Record.Department})", True, False, False),
        ("AND({!$Record.IsActive}, ISCHANGED({!$Record.Title}))", False, True, False),
        ("{!$Record.Title} = 'Lead'", False, True, False),
        ('{!$Record.Title} <> "Lead"', True, False, True),
        ("{!$Record.Title} != {!$Record__Prior.Title}", True, True, False),
        ("ISBLANK({!$Record.Department})", True, True, True),
        ("(FALSE || {!$Record.Department} == '') && NOT(FALSE)", True, True, True),
    ],
)
def test_a_condition_holds(formula: str, created: bool, retitled: bool, untouched: bool) -> None:
    condition = parse(formula)
    assert condition.holds(None, ADA) is created
    assert condition.holds(ADA, ADA | {"Title": "Lead"}) is retitled
    assert condition.holds(ADA, dict(ADA)) is untouched


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("", "Syntax error"),
        ("ISNEW(", "Syntax error"),
        ("ISNEW() ISNEW()", "Syntax error"),
        ("ISNEW() ; TRUE", "Syntax error"),
        ("(ISNEW()", "Missing ')'"),
        ("'text'", "incompatible with expected data type (Boolean)"),
        ("OR()", "Incorrect parameter for function 'OR()'"),
        ("OR(ISNEW(), 'x')", "Expected Boolean, received Text"),
        ("NOT(1)", "Expected Boolean, received Number"),
        ("ISCHANGED('x')", "Incorrect parameter for function 'ISCHANGED()'"),
        ("ISCHANGED({!$Record__Prior.Title})", "Incorrect parameter for function 'ISCHANGED()'"),
        ("REGEX('a', 'b')", "Unknown function REGEX"),
        ("(" * 60 + "TRUE" + ")" * 60, "too complex"),
        ("!" * 4000 + "TRUE", "Maximum length is 3900 characters"),
    ],
)
def test_a_wrong_condition_is_refused_with_the_reason(formula: str, said: str) -> None:
    with pytest.raises(FormulaError, match=r"\w") as caught:
        parse(formula)
    assert said in str(caught.value)
