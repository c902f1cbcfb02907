from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from sandbox.salesforce import running
from sandbox.salesforce.organization import Organization as SandboxOrganization
from tests.doubles.salesforce_over_http import Organization, error_of, new_user

EVERYONE = "SELECT Id, LastName FROM User ORDER BY Id"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    """An organization of 2,001 users, one more than fits on a page, made before it is served."""
    data = str(tmp_path_factory.mktemp("crowd") / "salesforce.sqlite")
    with closing(SandboxOrganization(data=data)) as sandbox_organization:
        for _ in range(2001):
            sandbox_organization.users.create(new_user())
    with running(data=data) as sandbox:
        org = Organization(sandbox)
        yield org
        org.http.close()


def pages(org: Organization, soql: str, **headers: str) -> list[dict[str, Any]]:
    found = [org.call("GET", "/query", params={"q": soql}, headers=headers).json()]
    while not found[-1]["done"]:
        answer = org.http.get(org.url + found[-1]["nextRecordsUrl"], timeout=10)
        assert answer.status_code == 200
        found.append(answer.json())
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [record["Id"] for page in found for record in page["records"]]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        (None, [2000, 1]),
        ("batchSize=2000", [2000, 1]),
        ("batchSize=5000", [2000, 1]),
        ("batchSize=900", [900, 900, 201]),
        ("BATCHSIZE = 900", [900, 900, 201]),
        ("batchSize=1", [200] * 10 + [1]),
        ("batchSize=many", [2000, 1]),
    ],
)
def test_pages_have_the_size_asked_for_within_limits(
    crowd: Organization, options: str | None, sizes: list[int]
) -> None:
    headers = {"Sforce-Query-Options": options} if options else {}
    found = pages(crowd, EVERYONE, **headers)
    assert [len(page["records"]) for page in found] == sizes
    assert {page["totalSize"] for page in found} == {2001}
    assert [page["done"] for page in found] == [False] * (len(sizes) - 1) + [True]
    assert len(set(ids(found))) == 2001
    assert ids(found) == sorted(ids(found))


def test_the_next_page_is_a_path_with_locator_and_offset(crowd: Organization) -> None:
    first = pages(crowd, EVERYONE)[0]
    locator, offset = first["nextRecordsUrl"].removeprefix("/services/data/v66.0/query/").split("-")
    assert (locator[:3], len(locator), offset) == ("01g", 18, "2000")


def test_a_page_can_be_read_again(crowd: Organization) -> None:
    path = crowd.query(EVERYONE)["nextRecordsUrl"]
    answers = [crowd.http.get(crowd.url + path, timeout=10).json() for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_result_that_fits_is_one_page(crowd: Organization) -> None:
    (page,) = pages(crowd, f"{EVERYONE} LIMIT 2000")
    assert (page["totalSize"], page["done"], len(page["records"])) == (2000, True, 2000)


def test_the_size_counts_no_more_than_the_limit(crowd: Organization) -> None:
    header = {"Sforce-Query-Options": "batchSize=200"}
    found = pages(crowd, f"{EVERYONE} LIMIT 450 OFFSET 100", **header)
    assert [page["totalSize"] for page in found] == [450, 450, 450]
    assert len(ids(found)) == 450
    assert crowd.query("SELECT COUNT() FROM User")["totalSize"] == 2001
    assert crowd.query("SELECT COUNT() FROM User LIMIT 5")["totalSize"] == 5


def test_a_cursor_fixes_who_was_found_but_shows_them_as_they_are(crowd: Organization) -> None:
    first = crowd.query("SELECT Id, Title FROM User WHERE Title = null ORDER BY Id")
    (last,) = ids(pages(crowd, EVERYONE))[-1:]
    crowd.update(last, Title="Rep")
    second = crowd.http.get(crowd.url + first["nextRecordsUrl"], timeout=10).json()
    assert [(record["Id"], record["Title"]) for record in second["records"]] == [(last, "Rep")]
    crowd.update(last, Title=None)


@pytest.mark.parametrize(
    "place", ["nonsense", "01g000000000000AAA-2000", "{locator}-0", "{locator}-2001", "{locator}-x"]
)
def test_a_wrong_locator_is_refused(crowd: Organization, place: str) -> None:
    locator = crowd.query(EVERYONE)["nextRecordsUrl"].rpartition("/")[2].partition("-")[0]
    answer = crowd.call("GET", f"/query/{place.format(locator=locator)}")
    assert error_of(answer) == (400, "INVALID_QUERY_LOCATOR")


def test_the_oldest_of_many_cursors_is_closed(crowd: Organization) -> None:
    oldest = crowd.query(EVERYONE)["nextRecordsUrl"]
    for _ in range(50):
        crowd.call(
            "GET",
            "/query",
            params={"q": "SELECT Id FROM User"},
            headers={"Sforce-Query-Options": "batchSize=200"},
        )
    answer = crowd.http.get(crowd.url + oldest, timeout=10)
    assert error_of(answer) == (400, "INVALID_QUERY_LOCATOR")


def test_a_reset_closes_the_cursors(org: Organization) -> None:
    for _ in range(201):
        org.create()
    header = {"Sforce-Query-Options": "batchSize=200"}
    path = org.call("GET", "/query", params={"q": EVERYONE}, headers=header).json()["nextRecordsUrl"]
    org.control("POST", "reset")
    assert error_of(org.http.get(org.url + path, timeout=10)) == (400, "INVALID_QUERY_LOCATOR")


def test_every_answer_shows_the_use_of_the_daily_limit(org: Organization) -> None:
    user = org.create()
    used = [
        org.call("GET", "/query", params={"q": "SELECT Id FROM User"}),
        org.call("GET", "/query", params={"q": "wrong"}),
        org.call("GET", "/sobjects/User/describe"),
        org.call("PATCH", f"/sobjects/User/{user}", json={}),
    ]
    assert [each.headers["Sforce-Limit-Info"] for each in used] == [
        f"api-usage={count}/100000" for count in (2, 3, 4, 5)
    ]
    assert "Sforce-Limit-Info" not in requests.get(f"{org.url}/services/data/", timeout=10).headers


def test_a_long_uri_is_refused(org: Organization) -> None:
    path = "/services/data/v66.0/query?q="
    longest = 16_384 - len(path)
    assert (
        org.http.get(org.url + path + "x" * (longest - 1000), timeout=10).status_code == 400
    )  # a wrong query
    assert org.http.get(org.url + path + "x" * longest, timeout=10).status_code == 431  # with its headers
    assert org.http.get(org.url + path + "x" * (longest + 1), timeout=10).status_code == 414
