"""The sandbox vault's queries: the language, the shape of answers, and paging."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.doubles.vault_in_process import API, VaultInProcess, vault_in_process

PEOPLE = (
    {"last_name__sys": "Byron", "title__sys": "Rep", "email__sys": "byron@acme.example"},
    {"last_name__sys": "Hopper", "title__sys": "Rep", "email__sys": "hopper@acme.example"},
    {"last_name__sys": "O'Neil", "title__sys": None, "email__sys": "oneil@acme.example"},
    {"last_name__sys": "a\\b*%", "title__sys": "Lead", "email__sys": "odd@acme.example"},
)


@pytest.fixture(scope="module")
def people() -> Iterator[VaultInProcess]:
    with vault_in_process() as vault:
        first, *_ = vault.create_many(PEOPLE)
        vault.clock.pass_s(3600)
        vault.log_in()
        vault.update(first, status__v="inactive__v", send_welcome_email__sys=True)
        yield vault


@pytest.mark.parametrize(
    ("where", "initials"),
    [
        ("last_name__sys = 'Hopper'", "H"),
        ("last_name__sys = 'hopper'", ""),
        ("CASEINSENSITIVE(last_name__sys) = 'hoPPer'", "H"),
        ("CASEINSENSITIVE(last_name__sys) LIKE 'HOP%'", "H"),
        ("last_name__sys != 'Hopper'", "BOa"),
        ("last_name__sys > 'Byron'", "HOa"),
        ("last_name__sys >= 'Byron' and last_name__sys < 'O'", "BH"),
        ("last_name__sys <= 'Byron'", "B"),
        ("last_name__sys BETWEEN 'C' AND 'P'", "HO"),
        ("last_name__sys LIKE 'Hop%'", "H"),
        ("last_name__sys LIKE 'hop%'", ""),
        ("last_name__sys LIKE 'Hop'", ""),
        (r"last_name__sys LIKE 'O\'N%'", "O"),
        ("last_name__sys LIKE 'O''N%'", "O"),
        (r"last_name__sys LIKE 'a\\b*\%'", "a"),
        (r"last_name__sys LIKE 'a*%'", ""),
        (r"last_name__sys = 'a\\b*\%'", "a"),
        ("last_name__sys CONTAINS ('Byron', 'Hopper', 'Nobody')", "BH"),
        ("title__sys = null", "O"),
        ("title__sys != null", "BHa"),
        ("title__sys != 'Rep'", "a"),
        ("status__v = 'active__v'", "HOa"),
        ("status__v contains ('inactive__v')", "B"),
        ("send_welcome_email__sys = true", "B"),
        ("title__sys = 'Lead' OR title__sys = 'Rep' AND last_name__sys = 'Byron'", "Ba"),
        ("(title__sys = 'Lead' OR title__sys = 'Rep') AND last_name__sys = 'Byron'", "B"),
        ("modified_date__v > '2026-11-21T12:30:00.000Z'", "B"),
        ("modified_date__v <= '2026-11-21T12:30:00Z'", "HOa"),
        ("language__sysr.admin_key__sys = 'en' AND last_name__sys = 'Byron'", "B"),
        ("security_profile__sysr.profile_key__sys = 'vaultOwner'", ""),
    ],
)
def test_a_condition_finds_whom_it_should(people: VaultInProcess, where: str, initials: str) -> None:
    assert "".join(name[0] for name in people.found(where)) == initials


SYNTAX = [
    "SELEC id FROM user__sys",
    "SELECT id user__sys",
    "SELECT id FROM user__sys WHERE",
    "SELECT id FROM user__sys WHERE id IN ('1')",
    "SELECT id FROM user__sys WHERE id = '1' AND",
    "SELECT id FROM user__sys WHERE (id = '1'",
    "SELECT id FROM user__sys WHERE id = 'un",
    "SELECT id FROM user__sys WHERE title__sys = NULL",
    "SELECT id FROM user__sys WHERE send_welcome_email__sys = TRUE",
    "SELECT id FROM user__sys WHERE title__sys LIKE '%x'",
    r"SELECT id FROM user__sys WHERE title__sys = 'a\x'",
    "SELECT id FROM user__sys PAGESIZE 10 MAXROWS 5",
    "SELECT id FROM user__sys LIMIT 5",
    "SELECT id FROM user__sys MAXROWS 0",
    "SELECT id FROM user__sys MAXROWS " + "9" * 30,
    "SELECT id FROM user__sys WHERE " + "(" * 60 + "id = '1'" + ")" * 60,
]
INVALID = [
    "SELECT nothing__v FROM user__sys",
    "SELECT ID FROM user__sys",
    "SELECT id FROM nothing__v",
    "SELECT language__sys.admin_key__sys FROM user__sys",
    "SELECT id FROM user__sys WHERE id = 1",
    "SELECT id FROM user__sys WHERE modified_date__v > 'yesterday'",
    "SELECT id FROM user__sys WHERE modified_date__v > '0001-01-01T00:00:00+23:59'",
    "SELECT id FROM user__sys WHERE id = '" + "1" * 50_000 + "'",
]


@pytest.mark.parametrize(
    ("vql", "kind"),
    [(vql, "INCORRECT_QUERY_SYNTAX_ERROR") for vql in SYNTAX] + [(vql, "INVALID_DATA") for vql in INVALID],
)
def test_what_is_not_vql_is_refused(people: VaultInProcess, vql: str, kind: str) -> None:
    answer = people.query(vql)
    assert answer["responseStatus"] == "FAILURE"
    assert [error["type"] for error in answer["errors"]] == [kind]


def test_picklists_come_as_arrays_and_empty_fields_as_null(people: VaultInProcess) -> None:
    vql = (
        "SELECT status__v, user_type__v, title__sys, language__sysr.name__v, send_welcome_email__sys,"
        " modified_date__v FROM user__sys WHERE email__sys = 'oneil@acme.example'"
    )
    assert people.query(vql)["data"] == [
        {
            "status__v": ["active__v"],
            "user_type__v": ["sales__v"],
            "title__sys": None,
            "language__sysr.name__v": "English",
            "send_welcome_email__sys": None,
            "modified_date__v": "2026-11-21T12:00:00.345Z",
        }
    ]


def test_rows_are_ordered_skipped_and_capped(people: VaultInProcess) -> None:
    answer = people.query(
        "SELECT last_name__sys FROM user__sys WHERE company__sys = 'Acme'"
        " ORDER BY title__sys DESC, last_name__sys DESC MAXROWS 2 SKIP 1"
    )
    assert [row["last_name__sys"] for row in answer["data"]] == ["Byron", "a\\b*%"]
    assert answer["responseDetails"]["total"] == 2


def test_users_of_the_system_are_found_too(vault: VaultInProcess) -> None:
    rows = vault.query("SELECT username__sys, status__v FROM user__sys")["data"]
    assert {"username__sys": "System", "status__v": ["inactive__v"]} in rows


def test_a_query_describes_its_fields_when_asked(vault: VaultInProcess) -> None:
    headers = {"X-VaultAPI-DescribeQuery": "true"}
    answer = vault.call("POST", "/query", data={"q": "SELECT id, status__v FROM user__sys"}, headers=headers)
    assert answer["queryDescribe"]["object"]["name"] == "user__sys"
    assert [field["type"] for field in answer["queryDescribe"]["fields"]] == ["ID", "Picklist"]


def pages(vault: VaultInProcess, vql: str, method: str = "GET") -> list[Any]:
    """Return a query's pages, read to the end."""
    found = [vault.query(vql)]
    while place := found[-1]["responseDetails"].get("next_page"):
        assert place.startswith(f"{API}/query/")
        found.append(vault.call(method, place.removeprefix(API)))
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_hold_everyone_once(vault: VaultInProcess, method: str) -> None:
    ids = vault.create_many([{}] * 25)
    found = pages(vault, "SELECT id FROM user__sys WHERE company__sys = 'Acme' PAGESIZE 10", method)
    assert [page["responseDetails"]["size"] for page in found] == [10, 10, 5]
    assert {page["responseDetails"]["total"] for page in found} == {25}
    assert [row["id"] for page in found for row in page["data"]] == ids


def test_a_page_is_never_larger_than_the_vault_allows(vault: VaultInProcess) -> None:
    vault.create_many([{}] * 5)
    vault.control("PUT", "paging", {"max_rows": 2})
    found = pages(vault, "SELECT id FROM user__sys WHERE company__sys = 'Acme' PAGESIZE 1000")
    assert [page["responseDetails"]["pagesize"] for page in found] == [2, 2, 2]


def test_a_vault_that_shrinks_pages_still_hands_out_everyone(vault: VaultInProcess) -> None:
    ids = vault.create_many([{}] * 11)
    vault.control("PUT", "paging", {"max_rows": 6, "shrink": True})
    found = pages(vault, "SELECT id FROM user__sys WHERE company__sys = 'Acme'")
    assert [page["responseDetails"]["size"] for page in found] == [3, 3, 3, 2]
    assert [row["id"] for page in found for row in page["data"]] == ids


def test_who_was_found_is_fixed_and_what_is_shown_is_new(vault: VaultInProcess) -> None:
    ids = vault.create_many([{}] * 3)
    first = vault.query("SELECT id, title__sys FROM user__sys WHERE company__sys = 'Acme' PAGESIZE 2")
    vault.update(ids[2], title__sys="Lead", company__sys="Elsewhere")
    vault.create()
    place = first["responseDetails"]["next_page"].removeprefix(API)
    second = vault.call("GET", place)
    assert second["data"] == [{"id": ids[2], "title__sys": "Lead"}]
    assert second["responseDetails"]["total"] == 3


def test_a_page_of_an_unknown_query_is_refused(vault: VaultInProcess) -> None:
    answer = vault.call("GET", "/query/unknown?pagesize=10&pageoffset=10")
    assert [error["type"] for error in answer["errors"]] == ["INVALID_DATA"]


def test_a_query_without_text_is_refused(vault: VaultInProcess) -> None:
    answer = vault.call("POST", "/query", data={})
    assert [error["type"] for error in answer["errors"]] == ["PARAMETER_REQUIRED"]
