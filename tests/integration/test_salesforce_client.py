"""Reading Salesforce: whole pages or an error, never a part taken for the whole (I4, W6, U4, T3, T15)."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any, cast

import orjson
import pytest
import requests

from muster.adapters.aws.secrets import Secrets
from muster.adapters.salesforce.client import Salesforce
from muster.crm import soql
from muster.crm.pages import CursorLost, read_salesforce_page
from muster.errors import Misconfigured, MusterError, NotServed, Rejected, TooLarge, Unavailable
from muster.settings.sections import SalesforceConnection
from sandbox.local_stack.waiting import wait_until
from sandbox.salesforce import RunningSandbox, running
from sandbox.salesforce.organization import Organization as SandboxOrganization
from sandbox.serving import serve
from tests.integration.sandbox.organization import Organization, new_user
from tests.integration.test_salesforce_login import NAME, ORGANIZATION, Clock, Host, Shelf

DATA = "/services/data/v66.0"
QUERY = f"{DATA}/query"
BATCH = f"{DATA}/composite/batch"
TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
EVERYONE = "SELECT Id, LastName FROM User ORDER BY Id"
CANARY = "c4n4ry"


def connect(url: str, organization_id: str, shelf: Shelf, **options: Any) -> Salesforce:
    connection = SalesforceConnection(
        host=url.removeprefix("http://"), organization_id=organization_id, secret=NAME
    )
    return Salesforce(
        connection, Secrets(cast(Any, shelf)), **{"backoff_s": 0, "longest_wait_s": 0} | options
    )


def client_of(org: Organization, **options: Any) -> Salesforce:
    shelf = Shelf(client_id=org.sandbox.client_id, client_secret=org.sandbox.client_secret)
    return connect(org.url, org.sandbox.organization_id, shelf, **options)


def client_at(host: Host, **options: Any) -> Salesforce:
    return connect(host.url, ORGANIZATION, Shelf(client_id="key", client_secret=CANARY), **options)


def misbehave(org: Organization, *faults: dict[str, object]) -> None:
    org.control("POST", "faults", list(faults))


def calls(org: Organization, path: str = "/services") -> int:
    return sum(call["count"] for call in org.control("GET", "requests") if call["path"].startswith(path))


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
    misbehave(full)
    return full


@pytest.fixture(scope="module")
def quiet() -> Iterator[RunningSandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def org(quiet: RunningSandbox) -> Iterator[Organization]:
    organization = Organization(quiet)
    organization.control("POST", "reset")
    yield organization
    organization.http.close()


@pytest.fixture(scope="module")
def module_host() -> Iterator[Host]:
    host = Host()
    with serve(host, threads=2) as host.url:
        yield host


@pytest.fixture
def host(module_host: Host) -> Host:
    module_host.reset(logs_in=True)
    return module_host


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


def assert_calls(crowd: Organization, count: int) -> None:
    """Check how many queries there were; a delayed one is counted when it is let go, which is about now."""
    wait_until(lambda: calls(crowd, QUERY) >= count, f"{count} queries", seconds=20)
    assert calls(crowd, QUERY) == count


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("fault", ["status", "lose_answer", "expire", "delay"])
def test_a_passing_fault_at_any_page_is_got_over(crowd: Organization, fault: str, after: int) -> None:
    misbehave(crowd, {"path": QUERY, "fault": fault, "after": after, "delay_s": 60})
    before = calls(crowd, TOKEN), calls(crowd, QUERY)
    pages = list(client_of(crowd, timeout=(5, 0.3 if fault == "delay" else 10)).query(EVERYONE))
    misbehave(crowd)
    assert sum(len(page.records) for page in pages) == 4_001
    assert calls(crowd, TOKEN) - before[0] == (2 if fault == "expire" else 1)
    assert_calls(crowd, before[1] + 4)


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
    before = calls(crowd, QUERY)
    misbehave(crowd, {"path": QUERY, "fault": fault, "after": after, "count": tries, "delay_s": 60})
    client = client_of(crowd, timeout=(5, 0.3 if fault == "delay" else 10))
    asked = client.query(EVERYONE)
    pages = list(islice(asked, after))
    with pytest.raises(Unavailable):
        next(asked)
    misbehave(crowd)
    assert_calls(crowd, before + after + tries)
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
    assert calls(org) == 0


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
    before = calls(org)
    with pytest.raises(TooLarge, match="8,001 bytes") as error:
        client_of(org).query(asked(8_001))
    assert "Shorten the filter" in error.value.problems[0].remedy
    assert calls(org) == before


def test_a_batch_answers_each_query_in_order(crowd: Organization) -> None:
    (page,) = islice(client_of(crowd).query(EVERYONE), 1)
    some = page.records[:60]
    before = calls(crowd, BATCH)
    answers = client_of(crowd).batch([soql.select(["Id"], soql.one_of("Id", [row["Id"]])) for row in some])
    assert [[row["Id"] for row in rows] for rows in answers] == [[row["Id"]] for row in some]
    assert calls(crowd, BATCH) - before == 3
    assert not client_of(crowd).batch([])
    assert not client_of(crowd).refusals([])
    assert calls(crowd, BATCH) - before == 3


@pytest.mark.parametrize("fault", ["status", "lose_answer", "expire"])
def test_a_batch_gets_over_a_passing_fault(org: Organization, fault: str) -> None:
    org.create()
    misbehave(org, {"path": BATCH, "fault": fault})
    answers = client_of(org).batch(["SELECT Id FROM User"] * 3)
    assert [len(rows) for rows in answers] == [1, 1, 1]
    assert calls(org, BATCH) == 2


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
    misbehave(crowd, {"path": BATCH, "fault": fault})
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
    misbehave(org, {"path": BATCH, "fault": "omit_field", "field": field})
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
    assert calls(org) == 0


def test_the_last_api_calls_are_left_to_others(org: Organization) -> None:
    clock = Clock()
    client = client_of(org, clock=clock, usage_limit=0.8)
    org.control("PUT", "limits", {"api_requests_per_day": 5})
    for _ in range(5):
        client.describe()  # the fourth call is exactly at the limit
    before = calls(org)
    clock.now += 100
    with pytest.raises(Unavailable, match="100% of the Salesforce org's API calls") as error:
        client.describe()
    assert (calls(org), error.value.retry_after) == (before, 200)
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
def test_usage_is_that_of_the_org(host: Host, header: str, spared: bool) -> None:
    host.say({"fields": []}, headers={"Sforce-Limit-Info": header})
    client = client_at(host)
    client.describe()
    if spared:
        with pytest.raises(Unavailable):
            client.describe()
    else:
        client.describe()
    assert len(host.calls) == (1 if spared else 2)


def error(code: str, message: str = "no") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        *((400, error(code), Unavailable, code) for code in ("QUERY_TIMEOUT", "UNABLE_TO_LOCK_ROW")),
        (400, error("REQUEST_RUNNING_TOO_LONG"), Unavailable, "takes too long"),
        (400, error("INVALID_QUERY_LOCATOR"), CursorLost, "expired"),
        (400, "<html>Access Declined</html>", Unavailable, "400"),
        (400, error("<script>"), Unavailable, "400"),
        (400, {"errorCode": "INVALID_FIELD", "message": "no"}, Unavailable, "400"),
        (401, error("INVALID_SESSION_ID", "Session expired or invalid"), Unavailable, "401"),
        (401, error("INVALID_SESSION_ID", "This session is not valid for use with"), Misconfigured, "api"),
        (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), Unavailable, "buy more"),
        (403, error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit"), Unavailable, "under way"),
        (403, error("API_DISABLED_FOR_ORG"), Misconfigured, "API_DISABLED_FOR_ORG.*API Enabled"),
        *((status, error("X"), NotServed, r"salesforce\.api_version") for status in (404, 410)),
        *((status, "<html></html>", TooLarge, "too long") for status in (414, 431)),
        *((status, error("X"), Unavailable, str(status)) for status in (204, 405, 420, 429)),
        (500, error("UNKNOWN_EXCEPTION"), Unavailable, "maintenance"),
        (503, "<html>Scheduled maintenance</html>", Unavailable, "maintenance"),
    ],
)
def test_an_answer_is_told_by_status_and_code(
    host: Host, status: int, body: object, kind: type[MusterError], said: str
) -> None:
    host.say(body, status)
    with pytest.raises(kind, match=said) as whole:
        list(client_at(host).query(EVERYONE))
    assert type(whole.value) is kind
    # The same as a part of a batch; what is not from the API cannot be one.
    if isinstance(body, list):
        host.say({"hasErrors": True, "results": [{"statusCode": status, "result": body}]})
        with pytest.raises(kind, match=said):
            client_at(host).batch([EVERYONE])
        with pytest.raises(kind, match=said):
            client_at(host).refusals([EVERYONE])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "\nWHERE Foo = 'c4n4ry'\n      ^\nERROR at Row:1:Column:7\nNo such column 'Foo'.",
            "No such column 'Foo'.",
        ),
        ("a\nERROR at Row:1:Column:1\nfirst\nb\nERROR at Row:2:Column:1\nsecond\nthird", "second third"),
        ("unexpected token: '<EOF>'", "unexpected token: '<EOF>'"),
        ("a\x1b[31m red\x00 one", "a[31m red one"),
        ("x" * 9_000, "x" * 500),
        ("c4n4ry\nERROR at Row:1:Column:1", "is refused with MALFORMED_QUERY"),
        ("", "is refused with MALFORMED_QUERY"),
    ],
)
def test_a_refusal_says_what_is_wrong_without_the_query(host: Host, message: str, words: str) -> None:
    host.say(error("MALFORMED_QUERY", message), 400)
    with pytest.raises(Rejected) as refused:
        list(client_at(host).query(EVERYONE))
    assert [(each.where, each.message) for each in refused.value.problems] == [("query", words)]
    part = {"statusCode": 400, "result": error("MALFORMED_QUERY", message)}
    host.say({"hasErrors": True, "results": [part]})
    assert client_at(host).refusals([EVERYONE]) == [words]


ROW = {"attributes": {"type": "User"}, "Id": "005000000000001AAA"}
PAGE = {"totalSize": 1, "done": True, "records": [ROW]}
NEXT = f"{QUERY}/01gD0000002HU6KIAW-2000"


@pytest.mark.parametrize(
    "changes",
    [
        *({"totalSize": total} for total in (None, "1", 1.0, True, -1, 0)),
        *({"done": done} for done in (None, 1, "true", False)),
        *({"records": rows} for rows in (None, "x", [None], [[ROW]])),
        *({"nextRecordsUrl": path} for path in (NEXT, "", 5)),
        *(
            {"done": False, "nextRecordsUrl": each}
            for each in (None, "", 5, f"https://evil.example{NEXT}", "/x")
        ),
    ],
    ids=str,
)
def test_what_is_no_page_is_unavailable(host: Host, changes: dict[str, object]) -> None:
    host.say(PAGE | changes)
    with pytest.raises(Unavailable, match="not a page of records"):
        list(client_at(host).query(EVERYONE))
    host.say({"hasErrors": False, "results": [{"statusCode": 200, "result": PAGE | changes}]})
    for ask in (client_at(host).batch, client_at(host).refusals):
        with pytest.raises(Unavailable, match="not a page of records"):
            ask([EVERYONE])


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>c4n4ry", b'{"c4n4ry', b"\xff", b"[" * 9_000, b"{}"]
)
def test_other_bodies_are_no_page_and_not_quoted(body: bytes) -> None:
    with pytest.raises(Unavailable, match="not a page of records") as fault:
        read_salesforce_page(body)
    assert CANARY not in "".join(traceback.format_exception(fault.value))
    assert fault.value.__cause__ is None


def test_a_circle_of_pages_ends(host: Host) -> None:
    host.say(PAGE | {"totalSize": 9, "done": False, "nextRecordsUrl": NEXT})
    with pytest.raises(Unavailable, match="circle"):
        list(islice(client_at(host).query(EVERYONE), 9))
    assert len(host.calls) == 2


WHOLE = {"statusCode": 200, "result": PAGE}
ENDED = {"statusCode": 401, "result": error("INVALID_SESSION_ID")}


@pytest.mark.parametrize(
    "results",
    [None, {}, [], [None], [{"result": PAGE}], [WHOLE | {"statusCode": "200"}], [WHOLE, WHOLE]],
    ids=str,
)
def test_a_batch_that_is_not_answered_part_by_part_is_unavailable(host: Host, results: object) -> None:
    host.say({"hasErrors": False, "results": results})
    with pytest.raises(Unavailable):
        client_at(host).batch([EVERYONE])


def test_a_session_that_ends_inside_a_batch_is_opened_anew(host: Host) -> None:
    host.say({"results": [WHOLE, WHOLE]})
    good = host.answers
    host.say({"results": [WHOLE, ENDED]})
    host.answers += good
    assert client_at(host).batch([EVERYONE] * 2) == [[ROW], [ROW]]
    assert [call.headers["Authorization"][-1] for call in host.calls] == ["1", "2"]


@pytest.mark.parametrize(
    ("header", "naps", "known"), [("7", [7, 7], 7), ("600", [20, 20], 600), ("soon", [], None)]
)
def test_waits_asked_for_are_kept_up_to_a_bound(
    host: Host, monkeypatch: pytest.MonkeyPatch, header: str, naps: list[int], known: float | None
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    host.say("", 503, {"Retry-After": header})
    with pytest.raises(Unavailable) as busy:
        client_at(host, longest_wait_s=20).describe()
    assert (slept, busy.value.retry_after) == (naps, known)


def test_waits_grow_and_differ(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    host.say("", 503)
    for _ in range(5):
        with pytest.raises(Unavailable):
            client_at(host, backoff_s=1, longest_wait_s=20).describe()
    assert len(host.calls) == 15
    assert len(set(slept)) == 5
    assert all(2 <= nap <= 3 for nap in slept)


def test_neither_token_nor_query_nor_rows_show_anywhere(
    host: Host, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    client = client_at(host, timeout=(5, 0.2))
    asked = soql.select(["Id"], soql.one_of("Email", [CANARY]))
    secret_row = ROW | {"Email": CANARY}
    for status, body in (
        *((status, error(CANARY.upper(), CANARY)) for status in (401, 403, 404, 410, 414, 429, 500, 503)),
        (200, PAGE | {"records": [secret_row, None]}),
        (200, {"results": [{"statusCode": 500, "result": error("X", CANARY)}]}),
        (302, CANARY),
    ):
        host.say(body, status, {"Location": f"https://{CANARY}.example", "Retry-After": CANARY})
        for ask in (lambda: list(client.query(asked)), lambda: client.batch([asked]), client.describe):
            with pytest.raises(MusterError) as fault:
                ask()
            told += traceback.format_exception(fault.value)
    told += [repr(client), *map(repr, vars(client).values()), caplog.text, *capfd.readouterr()]
    assert CANARY not in "".join(told)
    assert "AQ.token" not in "".join(told)
