from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from muster.crm import soql_filters

GONG = "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')"
NOT_FROZEN = "Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = true)"
IN_EMEA = "Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'EMEA')"


@pytest.mark.parametrize(
    "condition",
    [
        "Profile.Name = 'Sales' AND Country = 'GB'",
        "(Department = 'Sales' OR Department = 'Service') AND NOT (Country IN ('GB', 'IE'))",
        "Name LIKE 'O\\'Neil; (%'",
        "LastName = '\\\\'",
        GONG,
        f"Country = 'GB' AND {GONG}",
        f"({GONG} AND (Country = 'GB' OR Country = 'IE'))",
        f"{GONG} AND {NOT_FROZEN}",
        f"(({GONG}) AND (Title = 'x' AND {NOT_FROZEN}))",
        f"{GONG} AND (NOT Title LIKE 'x%')",
        "Title = 'a OR (SELECT b)' OR Name = 'NOT IN (SELECT'",
        "CALENDAR_YEAR(CreatedDate) = 2026",
        "FISCAL_QUARTER(CreatedDate) = 1",
        "CreatedDate = THIS_FISCAL_YEAR",
        "CreatedDate = LAST_N_FISCAL_QUARTERS:2",
        "Regions__c INCLUDES ('EMEA;UK', 'DE')",
        "DISTANCE(Address, GEOLOCATION(37.7, -122.4), 'mi') < 20",
        "UserRole.ParentRoleId != null AND (NOT UserRole.Name LIKE 'EMEA%')",
        "NOT (Department = 'Sales')",
        "toLabel(LanguageLocaleKey) = 'English'",
        "Name = 'ORDER BY x; SELECT -- /* */'",
        "AboutMe LIKE '%with people%'",
        "(" * 50 + "a = 1" + ")" * 50,
        "Title = 'Head of order by phone'",
        "Order_Limit__c > 5",
        "Title = ''",
        "Department = 'Sales'\n  AND Country = 'GB'",
        "Manager.Manager.Profile.Name LIKE '%Sales%' AND LastLoginDate = LAST_N_DAYS:30",
        "Title IN ('" + "', '".join(["Representative"] * 200) + "')",
    ],
)
def test_one_condition_passes(condition: str) -> None:
    assert soql_filters.fault(condition) is None


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("Title = '" + "x" * 4_000 + "'", "longer than 4,000"),
        ("Title = '" + "\u65e5" * 900 + "'", "takes 8,116 of the 7,500 bytes"),
        ("(" * 2_000 + "a" + ")" * 1_999, "bytes that fit into a call"),
        ("SELECT Id FROM User", "whole statement"),
        ("  select Id from User", "whole statement"),
        ("where IsActive = true", "WHERE"),
        ("Title = 'x') OR (Id != null", "did not open"),
        ("(Title = 'x'", "does not close"),
        ("Title = 'x'))((", "did not open"),
        ("Title = 'x", "does not end"),
        ("Title = 'x\\'", "does not end"),
        ("Title = 'x\\", "does not end"),
        ('Title = "x"', "quote"),
        ("Title = \u2018x\u2019", "quote"),
        ("IsActive = true; DELETE", "semicolon"),
        ("IsActive = true ORDER BY Name", "ORDER BY"),
        ("IsActive = true limit 5", "LIMIT 5"),
        ("IsActive = true FOR UPDATE", "FOR UPDATE"),
        ("IsActive = true GROUP\nBY Name", "GROUP"),
        ("IsActive = true WITH SECURITY_ENFORCED", "WITH"),
        ("IsActive = true ALL ROWS", "ALL ROWS"),
        ("IsActive = true USING SCOPE mine", "USING SCOPE"),
        ("IsActive = true UPDATE TRACKING", "UPDATE TRACKING"),
        ("IsActive = true OFFSET 5", "OFFSET 5"),
        ("IsActive = true HAVING COUNT(Id) > 1", "HAVING"),
        ("IsActive = true -- for now", "comment"),
        ("IsActive = true /* for now */", "comment"),
        ("(" * 51 + "a = 1" + ")" * 51, "more than 50 parentheses deep"),
    ],
)
def test_anything_beyond_a_condition_is_refused(condition: str, says: str) -> None:
    fault = soql_filters.fault(condition)
    assert fault is not None
    assert says in fault[0]
    assert fault[1]


@pytest.mark.parametrize(
    ("condition", "says", "remedy"),
    [
        (f"Country = 'GB' OR {GONG}", "beside OR", "two assignments"),
        (f"{GONG} or {IN_EMEA}", "beside OR", "two assignments"),
        (f"Country = 'GB' AND (Title = 'x' OR {GONG})", "beside OR", "two assignments"),
        (f"Country = 'GB' AND (Title = 'x' OR (Title = 'y' AND {GONG}))", "beside OR", "two assignments"),
        (f"NOT {GONG}", "after NOT", "NOT IN (SELECT"),
        (f"Title = 'x' AND (NOT ({NOT_FROZEN}))", "after NOT", "NOT IN (SELECT"),
        (f"NOT (Title = 'x' AND {GONG})", "after NOT", "NOT IN (SELECT"),
        (f"{GONG} AND NOT Title = 'x'", "mixed without parentheses", "parentheses around each"),
        (f"{GONG} AND Title = 'x' OR Title = 'y'", "mixed without parentheses", "parentheses around each"),
        (f"{GONG} AND {NOT_FROZEN} AND {IN_EMEA}", "holds 3 sub-selects", "permission set group"),
        (
            f"({GONG} AND {NOT_FROZEN}) AND (Title = 'x' AND {IN_EMEA})",
            "holds 3 sub-selects",
            "field of User",
        ),
        (
            "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSetId IN"
            " ( select Id FROM PermissionSet))",
            "within another",
            "by its path",
        ),
    ],
)
def test_a_sub_select_that_salesforce_would_refuse_is_refused_with_what_to_write(
    condition: str, says: str, remedy: str
) -> None:
    fault = soql_filters.fault(condition)
    assert fault is not None
    assert says in fault[0]
    assert remedy in fault[1]


@profile(deadline=None, database=None, max_examples=500)
@given(st.text(alphabet="()';\\ a=", max_size=25))
def test_what_passes_cannot_leave_the_parentheses_around_it(condition: str) -> None:
    """Read the wrapped filter as Salesforce would: the outer parenthesis closes at the very end."""
    if soql_filters.fault(condition):
        return
    depth, quoted, escaped = 0, False, False
    wrapped = f"({condition})"
    for at, character in enumerate(wrapped):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != "'"
        elif character == "'":
            quoted = True
        else:
            assert character != ";"
            depth += {"(": 1, ")": -1}.get(character, 0)
        assert depth > 0 or at == len(wrapped) - 1
    assert depth == 0
    assert not quoted


@profile(deadline=None, database=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_the_size_of_a_filter_is_that_in_a_url(condition: str) -> None:
    assert soql_filters.encoded_size(condition) == len(quote_plus(condition))


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ("Country = 'GB'", {"Country"}),
        (
            "Profile.Name = 'Sales' AND (Department != NULL OR Region__c IN ('a', 'b'))",
            {"Profile", "Department", "Region__c"},
        ),
        ("Title = 'Country' AND Name LIKE 'It\\'s Email%'", {"Title", "Name"}),
        (
            "Id IN (SELECT AssigneeId FROM PermissionSetAssignment)",
            {"Id", "AssigneeId", "PermissionSetAssignment"},
        ),
        (
            "NumberOfFailedLogins > 3 AND CreatedDate = LAST_N_DAYS:30",
            {"NumberOfFailedLogins", "CreatedDate"},
        ),
    ],
)
def test_the_names_of_a_filter_are_found_outside_its_texts(condition: str, fields: set[str]) -> None:
    words = {"AND", "OR", "IN", "LIKE", "NULL", "SELECT", "FROM", "LAST_N_DAYS"}
    assert soql_filters.names(condition) - words == fields
