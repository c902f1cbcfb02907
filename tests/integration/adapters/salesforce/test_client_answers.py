"""What Salesforce may answer, and what the client makes of it: refusals, other shapes, waits (I4, U4, T3)."""

import logging
import traceback
from itertools import islice

import pytest

from muster.crm import soql
from muster.crm.pages import CursorLost, read_salesforce_page
from muster.errors import Misconfigured, MusterError, NotServed, Rejected, TooLarge, Unavailable
from tests.doubles.salesforce_host import SalesforceHost, client_at

EVERYONE = "SELECT Id, LastName FROM User ORDER BY Id"
CANARY = "c4n4ry"


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
    host: SalesforceHost, status: int, body: object, kind: type[MusterError], said: str
) -> None:
    host.say(body, status=status)
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
def test_a_refusal_says_what_is_wrong_without_the_query(
    host: SalesforceHost, message: str, words: str
) -> None:
    host.say(error("MALFORMED_QUERY", message), status=400)
    with pytest.raises(Rejected) as refused:
        list(client_at(host).query(EVERYONE))
    assert [(each.where, each.message) for each in refused.value.problems] == [("query", words)]
    part = {"statusCode": 400, "result": error("MALFORMED_QUERY", message)}
    host.say({"hasErrors": True, "results": [part]})
    assert client_at(host).refusals([EVERYONE]) == [words]


ROW = {"attributes": {"type": "User"}, "Id": "005000000000001AAA"}
PAGE = {"totalSize": 1, "done": True, "records": [ROW]}
NEXT = "/services/data/v66.0/query/01gD0000002HU6KIAW-2000"


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
def test_what_is_no_page_is_unavailable(host: SalesforceHost, changes: dict[str, object]) -> None:
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


def test_a_circle_of_pages_ends(host: SalesforceHost) -> None:
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
def test_a_batch_that_is_not_answered_part_by_part_is_unavailable(
    host: SalesforceHost, results: object
) -> None:
    host.say({"hasErrors": False, "results": results})
    with pytest.raises(Unavailable):
        client_at(host).batch([EVERYONE])


def test_a_session_that_ends_inside_a_batch_is_opened_anew(host: SalesforceHost) -> None:
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
    host: SalesforceHost, monkeypatch: pytest.MonkeyPatch, header: str, naps: list[int], known: float | None
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    host.say("", status=503, headers={"Retry-After": header})
    with pytest.raises(Unavailable) as busy:
        client_at(host, longest_wait_s=20).describe()
    assert (slept, busy.value.retry_after) == (naps, known)


def test_waits_grow_and_differ(host: SalesforceHost, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    host.say("", status=503)
    for _ in range(5):
        with pytest.raises(Unavailable):
            client_at(host, backoff_s=1, longest_wait_s=20).describe()
    assert len(host.calls) == 15
    assert len(set(slept)) == 5
    assert all(2 <= nap <= 3 for nap in slept)


def test_neither_token_nor_query_nor_rows_show_anywhere(
    host: SalesforceHost, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
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
        host.say(
            body, status=status, headers={"Location": f"https://{CANARY}.example", "Retry-After": CANARY}
        )
        for ask in (lambda: list(client.query(asked)), lambda: client.batch([asked]), client.describe):
            with pytest.raises(MusterError) as fault:
                ask()
            told += traceback.format_exception(fault.value)
    told += [repr(client), *map(repr, vars(client).values()), caplog.text, *capfd.readouterr()]
    assert CANARY not in "".join(told)
    assert "AQ.token" not in "".join(told)


@pytest.mark.parametrize("body", ["<html>", {}, [], None, [1], [{"label": "x"}], {"versions": []}])
def test_an_answer_of_another_shape_is_not_taken_for_no_versions(host: SalesforceHost, body: object) -> None:
    host.say(body)
    with pytest.raises(Unavailable):
        client_at(host).versions()


def test_a_host_without_an_api_serves_none(host: SalesforceHost) -> None:
    host.say([{"errorCode": "NOT_FOUND", "message": "x"}], status=404)
    with pytest.raises(NotServed):
        client_at(host).versions()
