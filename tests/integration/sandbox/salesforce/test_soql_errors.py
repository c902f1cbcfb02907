from collections.abc import Iterator

import pytest

from sandbox.salesforce import running
from tests.doubles.salesforce_over_http import Organization, error_of


@pytest.fixture(scope="module")
def client() -> Iterator[Organization]:
    """An organization to which nobody has added fields."""
    with running() as sandbox:
        org = Organization(sandbox)
        yield org
        org.http.close()


@pytest.mark.parametrize(
    ("soql", "code", "said"),
    [
        ("", "MALFORMED_QUERY", "has to be specified"),
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM User", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id, FROM User", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT * FROM User", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("DELETE FROM User", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
        ("SELECT Id FROM User WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM User WHERE LastName", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM User WHERE LastName =", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM User WHERE LastName = 'x", "MALFORMED_QUERY", "unterminated"),
        ("SELECT Id FROM User WHERE LastName = 'x\\'", "MALFORMED_QUERY", "unterminated"),
        ("SELECT Id FROM User WHERE LastName = '\\x'", "MALFORMED_QUERY", "Illegal character sequence '\\x'"),
        ('SELECT Id FROM User WHERE LastName = "x"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM User WHERE LastName = 'x'; DROP", "MALFORMED_QUERY", "unexpected token: ';'"),
        ("SELECT Id FROM User WHERE (LastName = 'x'", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM User WHERE LastName = 'x')", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM User WHERE LastName IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM User WHERE LastName NOT 'x'", "MALFORMED_QUERY", "unexpected token: ''x''"),
        (
            "SELECT Id FROM User WHERE Alias = 'x' AND Alias = 'y' OR Alias = 'z'",
            "MALFORMED_QUERY",
            "token: 'OR'",
        ),
        (
            "SELECT Id FROM User WHERE Alias = 'x' OR Alias = 'y' AND Alias = 'z'",
            "MALFORMED_QUERY",
            "token: 'AND'",
        ),
        ("SELECT Id FROM User WHERE Alias = 'x' AND NOT Alias = 'y'", "MALFORMED_QUERY", "token: 'NOT'"),
        ("SELECT Id FROM User WHERE NOT Alias = 'x' AND Alias = 'y'", "MALFORMED_QUERY", "token: 'AND'"),
        ("SELECT Id FROM User WHERE CreatedDate = SOMEDAY", "MALFORMED_QUERY", "unexpected token: 'SOMEDAY'"),
        ("SELECT Id FROM User WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "LAST_N_DAYS"),
        ("SELECT Id FROM User WHERE CreatedDate = TODAY:2", "MALFORMED_QUERY", "TODAY"),
        ("SELECT Id FROM User LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM User LIMIT -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
        ("SELECT Id FROM User ORDER LastName", "MALFORMED_QUERY", "unexpected token: 'LastName'"),
        ("SELECT Id FROM User GROUP BY LastName", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT Id FROM User FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
        ("SELECT FIELDS(ALL) FROM User", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT FIELDS(SOME) FROM User", "MALFORMED_QUERY", "ALL, STANDARD, CUSTOM"),
        (
            "SELECT Manager.Manager.Manager.Manager.Manager.Manager.Id FROM User",
            "MALFORMED_QUERY",
            "5 levels",
        ),
        ("SELECT Id FROM User OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Id FROM Account", "INVALID_TYPE", "sObject type 'Account' is not supported"),
        ("SELECT Shoe FROM User", "INVALID_FIELD", "No such column 'Shoe' on entity 'User'"),
        ("SELECT Shoe__c FROM User", "INVALID_FIELD", "No such column 'Shoe__c' on entity 'User'"),
        ("SELECT Id FROM User WHERE Shoe = 1", "INVALID_FIELD", "No such column 'Shoe'"),
        ("SELECT Id FROM User ORDER BY Shoe", "INVALID_FIELD", "No such column 'Shoe'"),
        ("SELECT Profile.Shoe FROM User", "INVALID_FIELD", "No such column 'Shoe' on entity 'Profile'"),
        ("SELECT Boss.Name FROM User", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT CallCenter.Name FROM User", "INVALID_FIELD", "Didn't understand relationship 'CallCenter'"),
        ("SELECT Profile FROM User", "INVALID_FIELD", "No such column 'Profile'"),
        ("SELECT Id, User.id FROM User", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id, FIELDS(ALL) FROM User LIMIT 1", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM User WHERE IsActive = 'true'",
            "INVALID_FIELD",
            "'IsActive' must be of type boolean",
        ),
        ("SELECT Id FROM User WHERE LastName = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM User WHERE LastName = true", "INVALID_FIELD", "'LastName' must be of type string"),
        ("SELECT Id FROM User WHERE CreatedDate = 2026-11-20", "INVALID_FIELD", "must be of type dateTime"),
        (
            "SELECT Id FROM User WHERE CreatedDate = '2026-11-20T00:00:00Z'",
            "INVALID_FIELD",
            "not be enclosed in quotes",
        ),
        ("SELECT Id FROM User WHERE CreatedDate > 2026-02-30T00:00:00Z", "INVALID_FIELD", "type dateTime"),
        ("SELECT Id FROM User WHERE LastName = TODAY", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FROM User WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        (
            "SELECT Id FROM User WHERE Id LIKE '005%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        ("SELECT Id FROM User WHERE IsActive > false", "INVALID_QUERY_FILTER_OPERATOR", "boolean"),
        ("SELECT Id FROM User WHERE LastName > null", "INVALID_QUERY_FILTER_OPERATOR", "null"),
        ("SELECT Id FROM User WHERE Id IN (SELECT Name FROM Profile)", "INVALID_FIELD", "semi join"),
        ("SELECT Id FROM User WHERE Alias IN (SELECT Id FROM Profile)", "MALFORMED_QUERY", "semi join"),
        (
            "SELECT Id FROM User WHERE " + "(" * 60 + "Alias = 'x'" + ")" * 60,
            "QUERY_TOO_COMPLICATED",
            "deeply",
        ),
        ("SELECT Id FROM User WHERE Alias = '" + "x" * 4001 + "'", "MALFORMED_QUERY", "4000"),
    ],
)
def test_a_wrong_query_is_refused_with_what_is_wrong(
    client: Organization, soql: str, code: str, said: str
) -> None:
    answer = client.call("GET", "/query", params={"q": soql})
    assert error_of(answer) == (400, code)
    assert said in answer.json()[0]["message"]


GONG = "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')"
NOT_FROZEN = "Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = true)"
IN_EMEA = "Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'EMEA')"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (f"({GONG})", "only allowed at the top level WHERE expressions"),
        (f"(Title = 'x' AND {GONG}) AND Id IN ('005000000000001AAA')", "only allowed at the top level"),
        (f"Title = 'x' AND (Title = 'y' OR {GONG})", "only allowed at the top level"),
        (f"Title = 'x' AND (Title = 'y' AND ({GONG}))", "only allowed at the top level"),
        (f"Title = 'x' OR {GONG}", "not allowed with the 'OR' operator"),
        (f"{NOT_FROZEN} OR {GONG}", "not allowed with the 'OR' operator"),
        (f"NOT {GONG}", "not allowed with the 'NOT' operator"),
        (f"{GONG} AND {NOT_FROZEN} AND {IN_EMEA}", "Maximum 2 semi join sub-selects are allowed"),
        (f"{GONG} AND {GONG} AND Title = 'x' AND {GONG}", "Maximum 2 semi join sub-selects are allowed"),
        (
            "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSetId IN"
            " (SELECT Id FROM PermissionSet))",
            "Nesting of semi join sub-selects is not supported",
        ),
        ("ManagerId IN (SELECT Id FROM User)", "should not be on the same object type"),
        ("Id IN (SELECT UserId FROM UserLogin LIMIT 5)", "not supported in semi join"),
        ("Id IN (SELECT UserId FROM UserLogin ORDER BY Id)", "not supported in semi join"),
        ("Manager.Id IN (SELECT UserId FROM UserLogin)", "over no relationship"),
        ("Id IN (SELECT Assignee.Id FROM PermissionSetAssignment)", "over no relationship"),
        ("Id IN (SELECT COUNT() FROM UserLogin)", "semi join"),
    ],
)
def test_a_semi_join_stands_where_salesforce_takes_it(client: Organization, where: str, said: str) -> None:
    answer = client.call("GET", "/query", params={"q": f"SELECT Id FROM User WHERE {where}"})  # noqa: S608  # SOQL
    assert error_of(answer) == (400, "MALFORMED_QUERY")
    assert said in answer.json()[0]["message"]


def test_a_refusal_shows_the_place(client: Organization) -> None:
    answer = client.call("GET", "/query", params={"q": "SELECT Id,\n Shoe FROM User"})
    lines = answer.json()[0]["message"].split("\n")
    assert lines[:4] == ["", " Shoe FROM User", " ^", "ERROR at Row:2:Column:2"]
