"""A source that answers queries wrongly, and users that come and go between pages."""

from typing import Any

import pytest

from tests.doubles.salesforce_over_http import Organization, error_of, new_user

DATA = "/services/data"
QUERY = f"{DATA}/v66.0/query"
SOQL = "SELECT Id, Email, Manager.Email FROM User ORDER BY Id"
SMALL_PAGES = {"Sforce-Query-Options": "batchSize=200"}


@pytest.fixture
def crowd(org: Organization) -> Organization:
    """500 users, so three pages of a query: 200, 200 and 100."""
    boss = org.create()
    for count in (200, 200, 99):
        org.create_many(*[new_user(ManagerId=boss) for _ in range(count)])
    return org


def switch_on(org: Organization, **fault: object) -> None:
    org.control("POST", "faults", [{"path": QUERY} | fault])


def first_page(org: Organization) -> Any:
    return org.call("GET", "/query", params={"q": SOQL}, headers=SMALL_PAGES).json()


def pages(org: Organization) -> list[dict[str, Any]]:
    found = [first_page(org)]
    while not found[-1]["done"]:
        found.append(org.http.get(org.url + found[-1]["nextRecordsUrl"], timeout=10).json())
    return found


def sizes(found: list[dict[str, Any]]) -> list[int]:
    return [len(page["records"]) for page in found]


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [record["Id"] for page in found for record in page["records"]]


@pytest.mark.parametrize(
    ("after", "expected"), [(0, [100, 200, 100]), (1, [200, 100, 100]), (2, [200, 200, 50])]
)
def test_a_short_page_lacks_its_second_half(crowd: Organization, after: int, expected: list[int]) -> None:
    whole = ids(pages(crowd))
    switch_on(crowd, fault="short_page", after=after)
    found = pages(crowd)
    assert sizes(found) == expected
    assert {page["totalSize"] for page in found} == {500}
    start, size = after * 200, expected[after]
    assert ids(found) == whole[: start + size] + whole[start + 2 * size :]
    assert sizes(pages(crowd)) == [200, 200, 100]  # once, as count says


@pytest.mark.parametrize(("after", "expected"), [(0, [200]), (1, [200, 200])])
def test_an_early_end_says_done(crowd: Organization, after: int, expected: list[int]) -> None:
    switch_on(crowd, fault="early_done", after=after)
    found = pages(crowd)
    assert sizes(found) == expected
    assert found[-1]["done"] is True
    assert "nextRecordsUrl" not in found[-1]
    assert found[-1]["totalSize"] == 500


def test_a_page_may_hold_its_first_row_twice(crowd: Organization) -> None:
    whole = pages(crowd)
    switch_on(crowd, fault="duplicate_rows", after=1)
    found = pages(crowd)
    assert found[1]["records"] == [*whole[1]["records"][:-1], whole[1]["records"][0]]
    assert [found[0], found[2]] == [
        page | {"nextRecordsUrl": other["nextRecordsUrl"]} if "nextRecordsUrl" in page else page
        for page, other in ((whole[0], found[0]), (whole[2], found[2]))
    ]


@pytest.mark.parametrize(
    ("field", "keys", "parents_keys"),
    [
        ("Email", {"attributes", "Id", "Manager"}, {"attributes", "Email"}),
        ("Manager.Email", {"attributes", "Id", "Email", "Manager"}, {"attributes"}),
        ("Manager", {"attributes", "Id", "Email"}, None),
        ("Shoe", {"attributes", "Id", "Email", "Manager"}, {"attributes", "Email"}),
    ],
)
def test_a_field_may_be_missing_from_every_row(
    crowd: Organization, field: str, keys: set[str], parents_keys: set[str] | None
) -> None:
    switch_on(crowd, fault="omit_field", field=field, count=2)
    found = pages(crowd)
    for record in found[0]["records"] + found[1]["records"]:
        assert set(record) == keys
        if record.get("Manager"):
            assert set(record["Manager"]) == parents_keys
    assert {"Email", "Manager"} <= set(found[2]["records"][0])
    assert crowd.control("GET", "faults")[0]["field"] == field


def test_nobody_may_be_found(crowd: Organization) -> None:
    switch_on(crowd, fault="no_rows")
    assert first_page(crowd) == {"totalSize": 0, "done": True, "records": []}
    assert first_page(crowd)["totalSize"] == 500


def test_the_next_page_may_be_on_another_host(crowd: Organization) -> None:
    switch_on(crowd, fault="foreign_next", count=2)
    page = first_page(crowd)
    assert page["nextRecordsUrl"].startswith(f"http://evil.example{QUERY}/01g")
    assert (page["done"], len(page["records"])) == (False, 200)
    alone = crowd.query("SELECT Id FROM User LIMIT 1")  # even where there is no next page
    assert alone["nextRecordsUrl"].startswith("http://evil.example/services/data/")
    assert alone["done"] is False


def test_only_query_answers_count(org: Organization) -> None:
    org.create()
    org.control("POST", "faults", [{"path": DATA, "fault": "no_rows", "after": 1}])
    for path in ("/sobjects/User/describe", "/limits", "/query?q=wrong"):
        org.call("GET", path)
    found = [org.query("SELECT Id FROM User")["totalSize"] for _ in range(3)]
    assert found == [1, 0, 1]


def test_a_call_is_hit_by_one_fault_at_most(org: Organization) -> None:
    org.create()
    delay = {"path": DATA, "fault": "delay", "delay_s": 0, "after": 1}
    org.control("POST", "faults", [{"path": DATA, "fault": "no_rows", "count": 2}, delay])
    assert [org.query("SELECT Id FROM User")["totalSize"] for _ in range(4)] == [0, 1, 0, 1]
    assert [fault["hit"] for fault in org.control("GET", "faults")] == [2, 1]


def test_a_changed_answer_is_as_long_as_it_says(org: Organization) -> None:
    org.create(LastName="Élise")
    switch_on(org, fault="omit_field", field="Email")
    answer = org.call("GET", "/query", params={"q": "SELECT LastName, Email FROM User"})
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert [record["LastName"] for record in answer.json()["records"]] == ["Élise"]


def test_the_queries_of_a_composite_are_hit_too(org: Organization) -> None:
    org.create()
    org.control("POST", "faults", [{"path": f"{DATA}/v66.0/composite", "fault": "no_rows", "count": 2}])
    part = {"method": "GET", "url": f"{QUERY}?q=SELECT+Id+FROM+User"}
    described = {"method": "GET", "url": f"{DATA}/v66.0/sobjects/User/describe"}
    one, other, unharmed = org.composite(part, part, described)
    assert [one["body"]["totalSize"], other["body"]["totalSize"]] == [0, 0]
    assert unharmed["body"]["name"] == "User"
    requests = [{"method": "GET", "url": "v66.0/query?q=SELECT+Id+FROM+User"}]
    batch = org.call("POST", "/composite/batch", json={"batchRequests": requests}).json()
    assert batch["results"][0]["result"]["totalSize"] == 0
    assert org.composite(part)[0]["body"]["totalSize"] == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "omit_field"}, "omit_field needs field"),
        ({"fault": "omit_field", "field": ""}, "omit_field needs field"),
        ({"fault": "omit_field", "field": 7}, "omit_field needs field"),
        ({"fault": "no_rows", "field": "Email"}, "field goes with omit_field, not with no_rows"),
        ({"fault": "status", "field": "Email"}, "field goes with omit_field, not with status"),
        ({"fault": "few_rows"}, "short_page, early_done, duplicate_rows, omit_field, no_rows, foreign_next"),
        ({"fault": "short_page", "after": -1}, "after is"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_is_allowed(
    org: Organization, fault: dict[str, object], said: str
) -> None:
    assert said in org.control("POST", "faults", [{"path": DATA} | fault], status=400)["error"]


def test_users_may_vanish_between_pages(crowd: Organization) -> None:
    whole = ids(pages(crowd))
    first = first_page(crowd)
    gone = [whole[0], whole[200], whole[399], whole[499]]
    assert crowd.control("POST", "users/vanish", {"ids": gone}) == {"vanished": 4}
    second = crowd.http.get(crowd.url + first["nextRecordsUrl"], timeout=10).json()
    third = crowd.http.get(crowd.url + second["nextRecordsUrl"], timeout=10).json()
    assert sizes([first, second, third]) == [200, 198, 99]
    assert third["totalSize"] == 500
    assert ids([first, second, third]) == [each for each in whole if each not in gone[1:]]
    assert ids(pages(crowd)) == [each for each in whole if each not in gone]
    assert crowd.query("SELECT COUNT() FROM User")["totalSize"] == 496


def test_who_has_vanished_is_seen_nowhere_and_can_come_back(org: Organization) -> None:
    boss = org.create(LastName="Boss")
    rep = org.create(LastName="Rep", ManagerId=boss)
    org.control("POST", "users/vanish", {"ids": [boss[:15]]})
    assert org.found(f"Id = '{boss}' OR LastName = 'Boss'") == []
    assert error_of(org.call("GET", f"/sobjects/User/{boss}")) == (404, "NOT_FOUND")
    assert org.found("Manager.LastName = 'Boss'") == []
    (record,) = org.query("SELECT ManagerId, Manager.LastName FROM User")["records"]
    assert (record["ManagerId"], record["Manager"]) == (boss, None)
    org.update(rep, Title="Lead")
    answer = org.call("POST", "/sobjects/User", json=new_user(Username=f"{boss}@acme.example"))
    assert answer.status_code == 201
    assert org.control("POST", "users/reappear", {"ids": [boss]}) == {"reappeared": 1}
    assert org.found("Manager.LastName = 'Boss'") == ["Rep"]
    assert org.user(boss)["LastName"] == "Boss"


def test_a_username_that_vanished_is_still_taken(org: Organization) -> None:
    org.control("POST", "users/vanish", {"ids": [org.create(Username="ada@acme.example")]})
    answer = org.call("POST", "/sobjects/User", json=new_user(Username="ada@acme.example"))
    assert error_of(answer) == (400, "DUPLICATE_USERNAME")


@pytest.mark.parametrize("path", ["users/vanish", "users/reappear", "users/login"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "ids is a list"),
        ({"ids": "005000000000001"}, "ids is a list"),
        ({"ids": [7]}, "ids is a list"),
        ({"ids": ["ada"]}, "not a record id"),
        ({"ids": ["005999999999999"]}, "there is no User 005999999999999"),
        ({"users": []}, "the body is"),
    ],
)
def test_wrong_users_are_refused_and_none_is_touched(
    org: Organization, path: str, body: dict[str, object], said: str
) -> None:
    user = org.create()
    if isinstance(body.get("ids"), list):
        body = {"ids": [user, *body["ids"]]}  # type: ignore[misc]  # the list that was just asked for
    assert said in org.control("POST", path, body, status=400)["error"]
    assert org.user(user)["LastLoginDate"] is None
