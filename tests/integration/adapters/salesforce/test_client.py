"""Reading Salesforce: whole pages or an error, never a part taken for the whole (I4, W6, U4, T3, T15)."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import cast

import orjson
import pytest
import requests

from muster.crm import soql
from muster.crm.pages import CursorLost
from muster.errors import Misconfigured, Rejected, TooLarge, Unavailable
from sandbox.salesforce import running
from sandbox.salesforce.organization import Organization as SandboxOrganization
from tests.doubles.clocks import MonotonicClock
from tests.doubles.salesforce_host import TOKEN_PATH, SalesforceHost, client_at, client_of
from tests.doubles.salesforce_over_http import Organization, new_user
from tests.doubles.sandbox_doors import assert_calls, calls, misbehave

DATA = "/services/data/v66.0"
QUERY = f"{DATA}/query"
BATCH = f"{DATA}/composite/batch"
EVERYONE = "SELECT Id, LastName FROM User ORDER BY Id"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    """An organization of 4,001 users, three pages, made before it is served."""
    data = str(tmp_path_factory.mktemp("crowd") / "salesforce.sqlite")
    with closing(SandboxOrganization(data=data)) as made:
        for _ in range(4_001):
            made.users.create(new_user())
    with running(data=data) as sandbox:
        org = Organization(sandbox)
        yield org
        org.http.close()


@pytest.fixture
def crowd(full: Organization) -> Organization:
    misbehave(full.url)
    return full


def test_a_query_yields_all_pages_in_order(crowd: Organization) -> None:
    pages = list(client_of(crowd).query(EVERYONE))
    ids = [record["Id"] for page in pages for record in page.records]
    assert [len(page.records) for page in pages] == [2_000, 2_000, 1]
    assert (len(set(ids)), sorted(ids)) == (4_001, ids)
    assert {page.total for page in pages} == {4_001}
    assert pages[-1].next is None
    assert [orjson.loads(page.body)["records"] for page in pages] == [page.records for page in pages]
    assert pages[0].records[0]["attributes"]["type"] == "User"


def test_reading_goes_on_where_it_stopped(crowd: Organization) -> None:
    first, second, third = client_of(crowd).query(EVERYONE)
    assert list(client_of(crowd).more(cast(str, first.next))) == [second, third]
    assert list(client_of(crowd).more(cast(str, second.next))) == [third]


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("fault", ["status", "lose_answer", "expire", "delay"])
def test_a_passing_fault_at_any_page_is_got_over(crowd: Organization, fault: str, after: int) -> None:
    misbehave(crowd.url, {"path": QUERY, "fault": fault, "after": after, "delay_s": 60})
    before = calls(crowd.url, TOKEN_PATH), calls(crowd.url, QUERY)
    pages = list(client_of(crowd, timeout=(5, 0.5 if fault == "delay" else 10)).query(EVERYONE))
    misbehave(crowd.url)
    assert sum(len(page.records) for page in pages) == 4_001
    assert calls(crowd.url, TOKEN_PATH) - before[0] == (2 if fault == "expire" else 1)
    assert_calls(crowd.url, before[1] + 4, QUERY)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        *(("status", 3), ("lose_answer", 3), ("delay", 3), ("expire", 2)),
        *(("html", 1), ("empty", 1), ("truncate", 1), ("foreign_next", 1)),
    ],
)
def test_a_lasting_fault_at_any_page_stops_there_and_reading_can_go_on_from_it(
    crowd: Organization, fault: str, tries: int, after: int
) -> None:
    before = calls(crowd.url, QUERY)
    misbehave(crowd.url, {"path": QUERY, "fault": fault, "after": after, "count": tries, "delay_s": 60})
    client = client_of(crowd, timeout=(5, 0.5 if fault == "delay" else 10))
    asked = client.query(EVERYONE)
    pages = list(islice(asked, after))
    with pytest.raises(Unavailable):
        next(asked)
    misbehave(crowd.url)
    assert_calls(crowd.url, before + after + tries, QUERY)
    rest = client.more(cast(str, pages[-1].next)) if pages else client.query(EVERYONE)
    ids = [record["Id"] for page in [*pages, *rest] for record in page.records]
    assert (len(pages), len(ids), sorted(set(ids))) == (after, 4_001, ids)


def test_a_forgotten_place_is_told_from_other_faults(org: Organization) -> None:
    with pytest.raises(CursorLost):
        list(client_of(org).more(f"{QUERY}/01g000000000001AAA-2000"))


@pytest.mark.parametrize(
    "path", ["http://evil.example/services/data/v66.0/query/x", "/services/data/../oauth2/x", ""]
)
def test_only_a_path_of_the_rest_api_is_gone_on_at(org: Organization, path: str) -> None:
    with pytest.raises(Unavailable, match="nothing was called"):
        client_of(org).more(path)
    assert calls(org.url, "/services") == 0


def test_every_character_of_a_query_arrives(org: Organization) -> None:
    name = "O'Neil & Søn + 100% #1 ?q=\\ é😀;"
    org.create(LastName=name)
    org.create(LastName="O")
    asked = soql.select(["LastName"], f"LastName = {soql.quoted(name)}")
    (page,) = client_of(org).query(asked)
    (rows,) = client_of(org).batch([asked])
    assert [row["LastName"] for row in page.records] == [row["LastName"] for row in rows] == [name]
    assert client_of(org).refusals([asked]) == [None]


def test_a_query_may_have_8000_bytes_as_a_url(org: Organization) -> None:
    def asked(size: int) -> str:
        empty = "SELECT Id FROM User WHERE LastName IN ('', '', '')"
        used = len(requests.Request("GET", org.url + QUERY, params={"q": empty}).prepare().url or "")
        return empty.replace("''", f"'{'x' * 3_900}'", 2).replace("''", f"'{'x' * (size - used - 7_800)}'")

    assert [page.total for page in client_of(org).query(asked(8_000))] == [0]
    before = calls(org.url, "/services")
    with pytest.raises(TooLarge, match="8,001 bytes") as error:
        client_of(org).query(asked(8_001))
    assert "Shorten the filter" in error.value.problems[0].remedy
    assert calls(org.url, "/services") == before


def test_a_batch_answers_each_query_in_order(crowd: Organization) -> None:
    (page,) = islice(client_of(crowd).query(EVERYONE), 1)
    some = page.records[:60]
    before = calls(crowd.url, BATCH)
    answers = client_of(crowd).batch([soql.select(["Id"], soql.one_of("Id", [row["Id"]])) for row in some])
    assert [[row["Id"] for row in rows] for rows in answers] == [[row["Id"]] for row in some]
    assert calls(crowd.url, BATCH) - before == 3
    assert not client_of(crowd).batch([])
    assert not client_of(crowd).refusals([])
    assert calls(crowd.url, BATCH) - before == 3


@pytest.mark.parametrize("fault", ["status", "lose_answer", "expire"])
def test_a_batch_gets_over_a_passing_fault(org: Organization, fault: str) -> None:
    org.create()
    misbehave(org.url, {"path": BATCH, "fault": fault})
    answers = client_of(org).batch(["SELECT Id FROM User"] * 3)
    assert [len(rows) for rows in answers] == [1, 1, 1]
    assert calls(org.url, BATCH) == 2


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ("early_done", EVERYONE),
        ("short_page", "SELECT Id FROM User LIMIT 9"),
        ("foreign_next", "SELECT Id FROM User LIMIT 9"),
        ("html", "SELECT Id FROM User LIMIT 9"),
    ],
)
def test_a_batch_takes_no_part_for_the_whole(crowd: Organization, fault: str, asked: str) -> None:
    misbehave(crowd.url, {"path": BATCH, "fault": fault})
    with pytest.raises(Unavailable):
        client_of(crowd).batch([asked])


def test_a_batch_takes_no_query_of_more_than_a_page(crowd: Organization) -> None:
    with pytest.raises(Unavailable, match="2,000 of 4,001 rows"):
        client_of(crowd).batch([EVERYONE])


def test_a_refused_query_of_a_batch_is_named(org: Organization) -> None:
    asked = ["SELECT Id FROM User"] * 26 + ["SELECT Id, Shoe_Size__c FROM User"]
    with pytest.raises(Rejected) as error:
        client_of(org).batch(asked)
    (problem,) = error.value.problems
    assert problem.where == "query[26]"
    assert problem.message.startswith("No such column 'Shoe_Size__c' on entity 'User'.")


def test_refusals_are_those_of_the_queries_at_fault(org: Organization) -> None:
    good = "SELECT Id, Manager.Email, profile.name FROM User WHERE IsActive = true LIMIT 1"
    org.create()
    found = client_of(org).refusals(
        [good, "SELECT Foo FROM User", *[good] * 30, "SELECT Id FROM User WHERE (x"]
    )
    assert {index for index, words in enumerate(found) if words} == {1, 32}
    assert str(found[1]).startswith("No such column 'Foo' on entity 'User'.")
    assert "unexpected token" in str(found[32])


@pytest.mark.parametrize(("field", "asked"), [("Title", "title"), ("Manager.Email", "Manager.Email")])
def test_a_field_that_is_left_out_without_a_word_is_a_refusal(
    org: Organization, field: str, asked: str
) -> None:
    org.create(Title="Rep", ManagerId=org.create(LastName="Manager"))
    query = soql.select(["Id", asked], "Title = 'Rep'")
    assert client_of(org).refusals([query]) == [None]
    misbehave(org.url, {"path": BATCH, "fault": "omit_field", "field": field})
    (words,) = client_of(org).refusals([query])
    assert str(words).startswith(f"Salesforce leaves out {asked};")


def test_describe_tells_the_fields(org: Organization) -> None:
    fields = {field["name"]: field for field in client_of(org).describe()["fields"]}
    assert fields["Email"]["type"] == "email"
    assert client_of(org).describe("Profile")["name"] == "Profile"
    with pytest.raises(Misconfigured, match="api_version"):
        client_of(org).describe("Nothing")


@pytest.mark.parametrize("name", ["", "User/../../oauth2", "User?x", "Üser", "User\n"])
def test_only_names_are_described(org: Organization, name: str) -> None:
    with pytest.raises(Rejected):
        client_of(org).describe(name)
    assert calls(org.url, "/services") == 0


def test_the_last_api_calls_are_left_to_others(org: Organization) -> None:
    clock = MonotonicClock()
    client = client_of(org, clock=clock, usage_limit=0.8)
    org.control("PUT", "limits", {"api_requests_per_day": 5})
    for _ in range(5):
        client.describe()  # the fourth call is exactly at the limit
    before = calls(org.url, "/services")
    clock.now += 100
    with pytest.raises(Unavailable, match="100% of the Salesforce org's API calls") as error:
        client.describe()
    assert (calls(org.url, "/services"), error.value.retry_after) == (before, 200)
    # So that the count is learnt anew: it falls as the day goes on.
    org.control("PUT", "limits", {"api_requests_per_day": 100})
    clock.now += 200
    client.describe()
    client.describe()


def test_used_up_api_calls_are_unavailable_with_a_remedy(org: Organization) -> None:
    org.control("PUT", "limits", {"api_requests_per_day": 0})
    with pytest.raises(Unavailable, match=r"REQUEST_LIMIT_EXCEEDED.*Company Information"):
        client_of(org).describe()


@pytest.mark.parametrize(
    ("header", "spared"),
    [
        ("api-usage=951/1000", True),
        ("api-usage=950/1000", False),
        ("api-usage=1/100; per-app-api-usage=100/100(appName=x)", False),
        ("per-app-api-usage=100/100(appName=x); api-usage=1/100", False),
        ("api-bursts=1/750, api-usage=96/100", True),
        ("nonsense", False),
    ],
)
def test_usage_is_that_of_the_org(host: SalesforceHost, header: str, spared: bool) -> None:
    host.say({"fields": []}, headers={"Sforce-Limit-Info": header})
    client = client_at(host)
    client.describe()
    if spared:
        with pytest.raises(Unavailable):
            client.describe()
    else:
        client.describe()
    assert len(host.calls) == (1 if spared else 2)


def test_versions_take_no_login(org: Organization) -> None:
    before = calls(org.url, TOKEN_PATH)
    versions = client_of(org).versions()
    assert {"65.0", "66.0"} <= set(versions)
    assert calls(org.url, TOKEN_PATH) == before


def test_a_login_anew_opens_another_session(org: Organization) -> None:
    before = calls(org.url, TOKEN_PATH)
    client = client_of(org)
    client.describe()
    used = [client.calls_used]
    client.log_in()
    assert [each is None for each in (*used, client.calls_used)] == [False, True]
    assert calls(org.url, TOKEN_PATH) - before == 2
