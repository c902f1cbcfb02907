"""Pages of a vault's records: whole or not at all, and only its own pages are gone on to (I4, T3)."""

from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.crm.pages import Page, Tally, read_vault_page, single, vault_page_path
from muster.errors import Incomplete, Unavailable

BASE = "https://acme-crm.veevavault.com"
PLACE = "/api/v26.1/query/1f0c2a-77_b?pagesize=1000&pageoffset=1000"
ROW = {"id": "10042", "status__v": ["active__v"], "engage_group__v": None}

quickly = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def answer(**changes: Any) -> dict[str, Any]:
    details = {"pagesize": 1000, "pageoffset": 0, "size": 1, "total": 3, "next_page": PLACE}
    details |= changes.pop("details", {})
    kept = {key: value for key, value in details.items() if value != "absent"}
    return {"responseStatus": "SUCCESS", "responseDetails": kept, "data": [ROW]} | changes


def page(*ids: str, total: int, following: str | None = None) -> Page:
    return Page(b"", [{"id": each} for each in ids], total, following)


def test_a_page_is_its_rows_their_total_and_where_it_goes_on() -> None:
    body = orjson.dumps(answer())
    assert read_vault_page(body) == Page(body, [ROW], 3, PLACE)


@pytest.mark.parametrize("following", ["absent", None, ""])
def test_a_page_without_a_next_is_the_last(following: str | None) -> None:
    assert read_vault_page(orjson.dumps(answer(details={"next_page": following}))).next is None


def test_a_page_need_not_say_its_size_and_may_be_empty() -> None:
    assert read_vault_page(orjson.dumps(answer(details={"size": "absent"}))).records == [ROW]
    assert read_vault_page(orjson.dumps(answer(data=[], details={"size": 0, "total": 0}))).records == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Please sign in, ada@acme.example.</body></html>",
        orjson.dumps(answer())[:-10],
        b"null",
        b"[]",
        b'{"ada@acme.example": 1}',
        orjson.dumps(answer(responseStatus="FAILURE")),
        orjson.dumps(answer(responseStatus="EXCEPTION")),
        orjson.dumps(answer(responseDetails=None)),
        orjson.dumps(answer(data=None)),
        orjson.dumps(answer(data={"id": "1"})),
        orjson.dumps(answer(data=["10042"])),
        orjson.dumps(answer(details={"total": "absent"})),
        orjson.dumps(answer(details={"total": "3"})),
        orjson.dumps(answer(details={"total": 0})),
        orjson.dumps(answer(details={"size": 2})),
        orjson.dumps(answer(data=[], details={"size": 1})),
        orjson.dumps(answer(details={"next_page": 7})),
    ],
)
def test_anything_else_is_no_page_and_is_not_repeated_in_words(body: bytes) -> None:
    with pytest.raises(Unavailable, match="not a page of records") as error:
        read_vault_page(body)
    assert "ada" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    "written",
    [
        PLACE,
        f"{BASE}{PLACE}",
        "/query/1f0c2a-77_b?pagesize=1000&pageoffset=1000",
        "query/1f0c2a-77_b?pagesize=1000&pageoffset=1000",
    ],
)
def test_a_next_page_is_found_however_it_is_written(written: str) -> None:
    assert vault_page_path(written, BASE, "v26.1") == PLACE


def test_a_next_page_of_another_version_stays_in_that_version() -> None:
    assert vault_page_path("/api/v25.3/query/x", BASE, "v26.1") == "/api/v25.3/query/x"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "/",
        "https://evil.example/api/v26.1/query/x",
        "http://acme-crm.veevavault.com/api/v26.1/query/x",
        f"{BASE}.evil.example/api/v26.1/query/x",
        f"{BASE}:8443/api/v26.1/query/x",
        f"{BASE}@evil.example/api/v26.1/query/x",
        "//evil.example/api/v26.1/query/x",
        "@evil.example/query/x",
        "/api/v26.1/query/",
        "/api/v26.1/query",
        "/api/v26.1/query/../auth",
        "/api/v26.1/query/%2e%2e/auth",
        "/api/v26.1/query/x#y",
        "/api/v26.1/query/x\\y",
        "/api/v26.1/query/x/y",
        "/api/v26.1/query/x\n",
        "/api/v26.1/query/x?y=1 2",
        "/api/v26.1/auth",
        "/api/v26.1/vobjects/user__sys",
        "/api/../query/x",
        "http://[::1",
    ],
)
def test_any_other_place_is_no_next_page(written: str) -> None:
    with pytest.raises(Unavailable, match="nothing was called") as error:
        vault_page_path(written, BASE, "v26.1")
    assert "evil" not in str(error.value)


PIECES = st.sampled_from(
    [
        BASE,
        "/api",
        "/v26.1",
        "/query",
        "/x",
        "..",
        "//",
        "evil.example",
        "@",
        ":8443",
        "?a=1",
        "#",
        "\\",
        "%2e",
    ]
)


@quickly
@given(st.lists(PIECES, max_size=7).map("".join))
def test_whatever_is_gone_on_to_is_a_query_of_the_same_vault(written: str) -> None:
    try:
        path = vault_page_path(written, BASE, "v26.1")
    except Unavailable:
        return
    sent = requests.Request("POST", f"{BASE}{path}").prepare().url
    assert sent == f"{BASE}{path}"
    assert urlsplit(sent).hostname == "acme-crm.veevavault.com"
    assert urlsplit(sent).path.startswith("/api/v26.1/query/")


def add_up(*pages: Page) -> int:
    tally = Tally()
    for each in pages:
        tally.add(each)
    tally.close()
    return tally.rows


@pytest.mark.parametrize(
    "pages",
    [
        [page(total=0)],
        [page("1", "2", "3", total=3)],
        [page("1", "2", total=3, following="x"), page("3", total=3)],
        [page("1", total=3, following="x"), page(total=3, following="y"), page("2", "3", total=3)],
    ],
)
def test_pages_that_add_up_are_the_whole(pages: list[Page]) -> None:
    assert add_up(*pages) == pages[0].total


def test_rows_without_an_id_are_only_counted() -> None:
    assert add_up(Page(b"", [{"name__v": "A"}, {"name__v": "A"}], 2, None)) == 2


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([], "announced 0 rows and showed 0"),
        ([page("1", "2", total=3)], "announced 3 rows and showed 2"),
        ([page("1", "2", "3", total=3, following="x")], "announced 3 rows and showed 3"),
        ([page("1", "2", total=3, following="x"), page("3", "4", total=3)], "announced 3 rows and showed 4"),
        ([page("1", "2", total=3, following="x"), page("3", total=4)], "3 rows, and then 4"),
        ([page("1", "2", total=3, following="x"), page("2", total=3)], "a record twice"),
        ([page("1", "1", total=2)], "a record twice"),
    ],
)
def test_pages_that_do_not_add_up_are_incomplete(pages: list[Page], words: str) -> None:
    with pytest.raises(Incomplete, match=words):
        add_up(*pages)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (["active__v"], "active__v"),
        ("active__v", "active__v"),
        (None, None),
        ([], None),
        ("", None),
        ([None], None),
        ([""], None),
    ],
)
def test_one_value_is_read_as_an_array_a_text_or_null(value: object, read: str | None) -> None:
    assert single(value) == read


@pytest.mark.parametrize("value", [["a", "b"], 7, {"name": "a"}, [["a"]], True])
def test_what_is_not_one_text_is_no_value(value: object) -> None:
    with pytest.raises(Incomplete):
        single(value)
