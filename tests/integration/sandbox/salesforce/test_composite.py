from typing import Any

import pytest

from tests.doubles.salesforce_over_http import Organization, error_of, new_user

DATA = "/services/data/v66.0"
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


def query(soql: str, version: str = "66.0") -> dict[str, Any]:
    return {"method": "GET", "url": f"/services/data/v{version}/query?q={soql}"}


def users_where(condition: str) -> str:
    return f"SELECT Id, LastName FROM User WHERE {condition}"  # noqa: S608  # SOQL written by the tests


def create(reference_id: str = "new", **changes: object) -> dict[str, Any]:
    body = new_user(**changes)
    return {"method": "POST", "url": f"{DATA}/sobjects/User", "referenceId": reference_id, "body": body}


def count(org: Organization) -> Any:
    return org.query("SELECT COUNT() FROM User")["totalSize"]


def test_each_subrequest_answers_as_a_call_of_its_own_would(org: Organization) -> None:
    user = org.create(LastName="Ada")
    wanted = users_where(f"Id = '{user}'")
    found, described, read, changed, wrong, absent = org.composite(
        query(wanted),
        {"method": "GET", "url": f"{DATA}/sobjects/User/describe"},
        {"method": "GET", "url": f"{DATA}/sobjects/User/{user}?fields=LastName"},
        {"method": "PATCH", "url": f"{DATA}/sobjects/User/{user}", "body": {"Title": "Rep"}},
        query("SELECT Shoe FROM User"),
        {"method": "GET", "url": f"{DATA}/sobjects/User/005999999999999"},
    )
    assert found == {
        "body": org.query(wanted),
        "httpHeaders": {},
        "httpStatusCode": 200,
        "referenceId": "r0",
    }
    assert described["body"] == org.call("GET", "/sobjects/User/describe").json()
    assert read["body"] == {"attributes": found["body"]["records"][0]["attributes"], "LastName": "Ada"}
    assert (changed["httpStatusCode"], changed["body"]) == (204, None)
    assert org.user(user)["Title"] == "Rep"
    alone = org.call("GET", "/query", params={"q": "SELECT Shoe FROM User"})
    assert (wrong["httpStatusCode"], wrong["body"]) == (alone.status_code, alone.json())
    assert (absent["httpStatusCode"], absent["body"][0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_created_record_says_where_it_is(org: Organization) -> None:
    (created,) = org.composite(create("ada", LastName="Ada"))
    user = created["body"]["id"]
    assert created == {
        "body": {"id": user, "success": True, "errors": []},
        "httpHeaders": {"Location": f"{DATA}/sobjects/User/{user}"},
        "httpStatusCode": 201,
        "referenceId": "ada",
    }
    assert org.user(user)["LastName"] == "Ada"


def test_a_query_in_the_body_may_be_longer_than_any_uri(org: Organization) -> None:
    org.create(LastName="Ada")
    where = " OR ".join([f"Alias = '{'x' * 1000}'"] * 90)
    (found,) = org.composite(query(users_where(f"{where} OR LastName = 'Ada'")))
    assert found["body"]["totalSize"] == 1
    (refused,) = org.composite(query(users_where(f"{where} OR {where}")))
    assert (refused["httpStatusCode"], refused["body"][0]["errorCode"]) == (400, "MALFORMED_QUERY")
    assert "longer than 100000 characters" in refused["body"][0]["message"]


def test_a_query_is_decoded_as_in_a_uri(org: Organization) -> None:
    org.create(LastName="A&B 100% +#1")
    for encoded in ("LastName='A%26B 100%25 %2B%231'", "LastName+LIKE+'A%26B%25'"):
        (found,) = org.composite(query(users_where(encoded)))
        assert [each["LastName"] for each in found["body"]["records"]] == ["A&B 100% +#1"]


def test_a_subrequest_may_have_a_version_and_headers_of_its_own(org: Organization) -> None:
    org.create_many(*[new_user() for _ in range(200)])
    org.create()
    headers = {"httpHeaders": {"Sforce-Query-Options": "batchSize=200"}}
    (page,) = org.composite(query("SELECT Id FROM User", "60.0") | headers)
    more = page["body"]["nextRecordsUrl"]
    assert more.startswith("/services/data/v60.0/query/01g")
    assert len(page["body"]["records"]) == 200
    (rest,) = org.composite({"method": "GET", "url": more})
    assert (len(rest["body"]["records"]), rest["body"]["done"]) == (1, True)
    (unserved,) = org.composite(query("SELECT Id FROM User", "59.0"))
    assert unserved["httpStatusCode"] == 404


def test_a_later_subrequest_uses_earlier_answers(org: Organization) -> None:
    sales = query("SELECT Id, Name, Description FROM Profile WHERE Name = 'Sales'") | {"referenceId": "sales"}
    found, _, rep, read = org.composite(
        sales,
        create("boss", LastName="Boss"),
        create(
            "rep",
            ProfileId="@{sales.records[0].Id}",
            Title="@{sales.records[0].Description}",
            ManagerId="@{boss.id}",
            Department="reports to @{boss.id}",
        ),
        query("SELECT Manager.LastName, Title, Department FROM User WHERE Id = '@{rep.id}'"),
    )
    assert found["httpStatusCode"] == 200
    user = org.user(rep["body"]["id"])
    assert user["ProfileId"] == found["body"]["records"][0]["Id"]
    (record,) = read["body"]["records"]
    assert record["Manager"]["LastName"] == "Boss"
    assert (record["Title"], record["Department"]) == (None, f"reports to {user['ManagerId']}")


def test_a_reference_keeps_its_type_and_its_signs(org: Organization) -> None:
    org.create(LastName="A&B 100%", IsActive=False)
    _, created, found = org.composite(
        query("SELECT LastName, IsActive FROM User") | {"referenceId": "old"},
        create("new", IsActive="@{old.records[0].IsActive}", Title="@{old.records[0].LastName}, not more"),
        query(users_where("Title = '@{old.records[0].LastName}, not more' AND IsActive = false")),
    )
    user = org.user(created["body"]["id"])
    assert (user["IsActive"], user["Title"]) == (False, "A&B 100%, not more")
    assert [each["Id"] for each in found["body"]["records"]] == [user["Id"]]


@pytest.mark.parametrize("reference", ["boss.Id", "nobody.id", "boss.id.more", "boss.errors[0].message"])
def test_a_reference_to_nothing_fails_the_subrequest_alone(org: Organization, reference: str) -> None:
    boss, rep, other = org.composite(
        create("boss"), create("rep", ManagerId=f"@{{{reference}}}"), create("other")
    )
    assert (boss["httpStatusCode"], other["httpStatusCode"]) == (201, 201)
    (error,) = rep["body"]
    assert (rep["httpStatusCode"], error["errorCode"]) == (400, "PROCESSING_HALTED")
    name = reference.partition(".")[0]
    assert error["message"] == f"Invalid reference specified. No value for {reference} found in {name}"
    assert count(org) == 2


def test_what_depends_on_a_failed_subrequest_fails_too(org: Organization) -> None:
    boss, rep = org.composite(create("boss", Email="nobody"), create("rep", ManagerId="@{boss.id}"))
    assert boss["body"][0]["errorCode"] == "INVALID_EMAIL_ADDRESS"
    assert rep["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert count(org) == 0


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_with_all_or_none_one_failure_undoes_everything(org: Organization, failing: int) -> None:
    user = org.create(Title="Rep")
    org.install("http://127.0.0.1:1/webhook", "Title")
    org.deliver(hold=True)
    parts = [
        {"method": "PATCH", "url": f"{DATA}/sobjects/User/{user}", "body": {"Title": "Lead"}},
        create("ada"),
    ]
    parts.insert(failing, create("wrong", Email="nobody"))
    results = org.composite(*parts, all_or_none=True)
    assert [each["httpStatusCode"] for each in results] == [400, 400, 400]
    codes = ["PROCESSING_HALTED"] * 3
    codes[failing] = "INVALID_EMAIL_ADDRESS"
    assert [each["body"][0]["errorCode"] for each in results] == codes
    assert {each["body"][0]["message"] for each in results} >= {ROLLED_BACK}
    assert org.user(user)["Title"] == "Rep"
    assert count(org) == 1
    assert org.deliveries()["pending"] == 0


def test_with_all_or_none_success_is_kept(org: Organization) -> None:
    results = org.composite(create("a"), create("b"), query("SELECT Id FROM User"), all_or_none=True)
    assert [each["httpStatusCode"] for each in results] == [201, 201, 200]
    assert results[2]["body"]["totalSize"] == count(org) == 2


def test_a_record_that_fails_in_a_collection_undoes_an_all_or_none_request(org: Organization) -> None:
    records = [
        {"attributes": {"type": "User"}} | new_user(Email=email) for email in ("a@b.example", "nobody")
    ]
    collection = {
        "method": "POST",
        "url": f"{DATA}/composite/sobjects",
        "body": {"allOrNone": False, "records": records},
    }
    many, other = org.composite(collection, create("other"), all_or_none=True)
    assert many["httpStatusCode"] == 200
    assert [each["success"] for each in many["body"]] == [True, False]
    assert other["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert count(org) == 0
    many, other = org.composite(collection, create("other"))
    assert [each["success"] for each in many["body"]] == [True, False]
    assert other["httpStatusCode"] == 201
    assert count(org) == 2


def test_one_composite_is_one_call(org: Organization) -> None:
    org.create()
    before = org.control("GET", "limits")["used"]
    calls = org.control("GET", "requests")
    org.composite(*[query("SELECT Id FROM User")] * 5)
    assert org.control("GET", "limits")["used"] == before + 1
    composite = {"method": "POST", "path": f"{DATA}/composite", "status": 200, "count": 1}
    assert org.control("GET", "requests") == [*calls, composite]


DESCRIBE = {"method": "GET", "url": f"{DATA}/sobjects/User/describe"}
FIND = query("SELECT Id FROM User")
SAVE = {"method": "POST", "url": f"{DATA}/composite/sobjects", "body": {"records": []}}
FIND_ALL = FIND | {"url": f"{DATA}/queryAll/?q=SELECT+Id+FROM+User"}


@pytest.mark.parametrize("parts", [[DESCRIBE] * 25, [FIND, FIND_ALL, SAVE, FIND, FIND] + [DESCRIBE] * 20])
def test_as_many_subrequests_as_allowed(org: Organization, parts: list[dict[str, Any]]) -> None:
    assert [each["httpStatusCode"] for each in org.composite(*parts)] == [200] * 25


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([DESCRIBE] * 25, "more than 25 operations"),
        ([FIND] * 6, "more than 5 query or collection operations"),
        ([FIND, FIND_ALL] * 3, "more than 5 query"),
        ([SAVE] * 6, "more than 5 query"),
        ([FIND] * 3 + [SAVE] * 3, "more than 5 query"),
    ],
)
def test_one_too_many_and_nothing_is_done(org: Organization, parts: list[dict[str, Any]], said: str) -> None:
    (refused,) = org.composite(create(), *parts)
    (error,) = refused.pop("body")
    assert refused == {"httpHeaders": {}, "httpStatusCode": 400, "referenceId": None}
    assert error["errorCode"] == "LIMIT_EXCEEDED"
    assert said in error["message"]
    assert count(org) == 0


@pytest.mark.parametrize(
    "url",
    [
        f"{DATA}/composite",
        f"{DATA}/composite/batch",
        f"{DATA}/limits",
        f"{DATA}/sobjectsUser",
        f"{DATA}/queryAlles?q=SELECT+Id+FROM+User",
        f"{DATA}/tooling/query?q=SELECT+Id+FROM+Flow",
    ],
)
def test_other_resources_are_not_there(org: Organization, url: str) -> None:
    for method in ("GET", "POST"):
        (result,) = org.composite({"method": method, "url": url, "body": {}})
        assert (result["httpStatusCode"], result["body"][0]["errorCode"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "compositeRequest must be"),
        ({"compositeRequest": []}, "compositeRequest must be"),
        ({"compositeRequest": create()}, "compositeRequest must be"),
        ({"compositeRequest": ["r"]}, "compositeRequest must be"),
        ({"compositeRequests": [create()]}, 'Unrecognized field "compositeRequests"'),
        ({"compositeRequest": [create()], "allOrNone": "true"}, "allOrNone must be"),
        ({"compositeRequest": [create()], "collateSubrequests": 1}, "collateSubrequests must be"),
        ({"compositeRequest": [create("r"), create("r")]}, "Duplicate referenceId: r"),
    ],
)
def test_a_malformed_request_does_nothing_at_all(org: Organization, body: Any, said: str) -> None:
    answer = org.call("POST", "/composite", json=body)
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")
    assert said in answer.json()[0]["message"]
    assert count(org) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"referenceId": None}, "missing: referenceId"),
        ({"referenceId": "a-b"}, "must start with a letter or a number"),
        ({"referenceId": "_a"}, "must start with a letter or a number"),
        ({"richInput": {}}, 'Unrecognized field "richInput"'),
        ({"method": "get"}, "method must be"),
        ({"method": None}, "method must be"),
        ({"url": "v66.0/query?q=x"}, "url must be"),
        ({"url": "http://evil.example/services/data/v66.0/query"}, "url must be"),
        ({"url": None}, "url must be"),
        ({"httpHeaders": {"authorization": "Bearer x"}}, "can't hold"),
        ({"httpHeaders": {"X": 1}}, "httpHeaders must be"),
        ({"httpHeaders": {"X": "a\nY: b"}}, "httpHeaders must be"),
        ({"httpHeaders": {"X y": "a"}}, "httpHeaders must be"),
    ],
)
def test_one_malformed_subrequest_stops_them_all(
    org: Organization, changes: dict[str, Any], said: str
) -> None:
    body = {"compositeRequest": [create("good"), create("bad") | changes]}
    answer = org.call("POST", "/composite", json=body)
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")
    assert said in answer.json()[0]["message"]
    assert count(org) == 0


def test_a_composite_needs_a_session_and_json(org: Organization) -> None:
    answer = org.call("POST", "/composite", data="{}", headers={"Content-Type": "text/plain"})
    assert error_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    org.control("POST", "sessions/expire")
    answer = org.call("POST", "/composite", json={"compositeRequest": [create()]})
    assert error_of(answer) == (401, "INVALID_SESSION_ID")


def test_a_body_nested_without_end_is_refused(org: Organization) -> None:
    nested = '{"a":' * 50_000 + "1" + "}" * 50_000
    part = f'{{"method": "POST", "url": "{DATA}/sobjects/User", "referenceId": "r", "body": {nested}}}'
    answer = org.call(
        "POST",
        "/composite",
        data=f'{{"compositeRequest": [{part}]}}',
        headers={"Content-Type": "application/json"},
    )
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")


def test_the_composite_resources_are_listed(org: Organization) -> None:
    assert org.call("GET", "/composite").json() == {
        "batch": f"{DATA}/composite/batch",
        "sobjects": f"{DATA}/composite/sobjects",
    }
