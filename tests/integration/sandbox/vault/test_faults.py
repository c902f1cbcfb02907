"""A sandbox vault that misbehaves: refused calls, refused records, answers that say something else."""

from typing import Any

import pytest
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # waitress ships no types

from tests.doubles.vault_in_process import API, VaultInProcess

QUERY, USERS = f"{API}/query", f"{API}/vobjects/user__sys"
EVERYONE = "SELECT id, title__sys FROM user__sys WHERE company__sys = 'Acme' PAGESIZE 4"


@pytest.fixture
def ids(vault: VaultInProcess) -> list[str]:
    return vault.create_many([{"title__sys": "Rep"}] * 6)


def switch_on(vault: VaultInProcess, fault: str, path: str = "/api", **more: object) -> None:
    vault.control("POST", "faults", [{"path": path, "fault": fault, **more}])


def hits(vault: VaultInProcess) -> list[int]:
    return [fault["hit"] for fault in vault.control("GET", "faults")]


def titles(vault: VaultInProcess) -> list[str]:
    return [row["title__sys"] for row in vault.query(EVERYONE.replace("PAGESIZE 4", ""))["data"]]


# ── Calls ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 502, 503])
def test_the_edge_answers_with_a_status_and_a_page(vault: VaultInProcess, status: int) -> None:
    switch_on(vault, "status", status=status)
    answer = vault.send("POST", "/keep-alive")
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert vault.call("POST", "/keep-alive") == {"responseStatus": "SUCCESS"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("INVALID_SESSION_ID", ("FAILURE", "INVALID_SESSION_ID")),
        ("RACE_CONDITION", ("FAILURE", "RACE_CONDITION")),
        ("EXCEPTION", ("EXCEPTION", "UNEXPECTED_ERROR")),
    ],
)
def test_a_failure_answers_200_and_has_no_effect(
    vault: VaultInProcess, ids: list[str], error: str, says: tuple[str, str]
) -> None:
    switch_on(vault, "failure", error=error)
    answer = vault.write("PUT", [{"id": ids[0], "title__sys": "Lead"}])
    assert (answer["responseStatus"], answer["errors"][0]["type"]) == says
    assert titles(vault) == ["Rep"] * 6


def test_a_method_narrows_a_fault(vault: VaultInProcess, ids: list[str]) -> None:
    switch_on(vault, "failure", USERS, method="PUT", error="EXCEPTION")
    assert vault.create()
    assert vault.write("PUT", [{"id": ids[0], "title__sys": "Lead"}])["responseStatus"] == "EXCEPTION"
    assert hits(vault) == [1]


def test_an_expired_session_processes_nothing(vault: VaultInProcess, ids: list[str]) -> None:
    switch_on(vault, "expire", USERS)
    answer = vault.write("PUT", [{"id": ids[0], "title__sys": "Lead"}])
    assert answer["errors"][0]["type"] == "INVALID_SESSION_ID"
    vault.log_in()
    assert titles(vault) == ["Rep"] * 6


def test_a_lost_answer_is_of_a_write_that_took_effect(vault: VaultInProcess, ids: list[str]) -> None:
    switch_on(vault, "lose_answer", USERS)
    with pytest.raises(ClientDisconnected):
        vault.write("PUT", [{"id": ids[0], "title__sys": "Lead"}])
    assert titles(vault) == ["Lead"] + ["Rep"] * 5
    assert {"method": "PUT", "path": USERS, "status": None, "count": 1} in vault.control("GET", "requests")


def test_records_are_refused_and_the_rest_saved(vault: VaultInProcess, ids: list[str]) -> None:
    switch_on(vault, "fail_rows", USERS, rows=2, error="RACE_CONDITION")
    answer = vault.write("PUT", [{"id": each, "title__sys": "Lead"} for each in ids[:3]])
    assert answer["responseStatus"] == "SUCCESS"
    assert [entry["responseStatus"] for entry in answer["data"]] == ["FAILURE", "FAILURE", "SUCCESS"]
    assert answer["data"][0]["errors"][0]["type"] == "RACE_CONDITION"
    assert titles(vault) == ["Rep", "Rep", "Lead", "Rep", "Rep", "Rep"]


def test_a_call_with_a_certain_record_is_refused_as_a_whole(vault: VaultInProcess, ids: list[str]) -> None:
    switch_on(vault, "refuse_call", USERS, record=ids[1], error="OPERATION_NOT_ALLOWED", count=9)
    answer = vault.write("PUT", [{"id": each, "title__sys": "Lead"} for each in ids[:3]])
    assert (answer["responseStatus"], answer["errors"][0]["type"]) == ("FAILURE", "OPERATION_NOT_ALLOWED")
    vault.write("PUT", [{"id": each, "title__sys": "Lead"} for each in ids[2:4]])
    assert titles(vault) == ["Rep", "Rep", "Lead", "Lead", "Rep", "Rep"]


def test_the_engage_server_fails_the_requests_of_a_write(vault: VaultInProcess, ids: list[str]) -> None:
    vault.group("UK", 5)
    switch_on(vault, "engage_fails", USERS)
    for user in ids[:2]:
        vault.update(user, engage_group_request__v="UK")
    vault.settle()
    statuses = [vault.user(user)["engage_group_provisioning_status__v"] for user in ids[:2]]
    assert statuses == [["request_failed__v"], ["success__v"]]
    assert vault.used() == {"UK": 1}


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────


def misread(vault: VaultInProcess, fault: str, **more: object) -> Any:
    """Return the first page of everyone with something wrong in it."""
    switch_on(vault, fault, QUERY, **more)
    answer = vault.query(EVERYONE)
    assert answer["responseStatus"] == "SUCCESS"
    return answer


def test_a_short_page_lacks_rows_and_keeps_the_total(vault: VaultInProcess, ids: list[str]) -> None:
    answer = misread(vault, "short_page")
    assert [row["id"] for row in answer["data"]] == ids[:2]
    assert answer["responseDetails"]["total"] == 6
    assert "pageoffset=4" in answer["responseDetails"]["next_page"]


def test_an_early_end_has_no_next_page(vault: VaultInProcess, ids: list[str]) -> None:
    answer = misread(vault, "early_done")
    assert (len(answer["data"]), answer["responseDetails"]["total"]) == (4, 6)
    assert "next_page" not in answer["responseDetails"]


def test_a_row_comes_twice(vault: VaultInProcess, ids: list[str]) -> None:
    assert [row["id"] for row in misread(vault, "duplicate_rows")["data"]] == [*ids[:3], ids[0]]


def test_a_field_is_missing(vault: VaultInProcess, ids: list[str]) -> None:
    assert misread(vault, "omit_field", field="title__sys")["data"] == [{"id": user} for user in ids[:4]]


def test_nobody_is_found(vault: VaultInProcess, ids: list[str]) -> None:
    answer = misread(vault, "no_rows")
    assert answer["data"] == []
    assert answer["responseDetails"]["total"] == 0
    assert "next_page" not in answer["responseDetails"]


def test_the_next_page_is_on_another_host(vault: VaultInProcess, ids: list[str]) -> None:
    place = misread(vault, "foreign_next")["responseDetails"]["next_page"]
    assert place.startswith(f"http://evil.example{API}/query/")


@pytest.mark.parametrize(("fault", "places"), [("fewer_rows", [0, 1]), ("swap_rows", [2, 1, 0])])
def test_entries_of_a_write_are_lost_or_change_places(
    vault: VaultInProcess, ids: list[str], fault: str, places: list[int]
) -> None:
    switch_on(vault, fault, "/api", count=9)
    assert len(vault.query(EVERYONE)["data"]) == 4  # no write: not a call that such a fault can change
    answer = vault.write("PUT", [{"id": each, "title__sys": "Lead"} for each in ids[:3]])
    assert [entry["data"]["id"] for entry in answer["data"]] == [ids[place] for place in places]
    assert titles(vault) == ["Lead"] * 3 + ["Rep"] * 3
    assert hits(vault) == [1]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "gone"},
        {"fault": "failure", "error": 7},
        {"fault": "failure", "method": "put"},
        {"fault": "fail_rows", "rows": 0},
        {"fault": "refuse_call", "record": 7},
        {"fault": "omit_field"},
        {"fault": "fewer_rows", "field": "id"},
        {"fault": "failure", "path": "/sandbox/faults"},
    ],
)
def test_a_wrong_fault_is_refused(vault: VaultInProcess, rule: dict[str, object]) -> None:
    assert vault.control("POST", "faults", [{"path": "/api", **rule}], status=400)["error"]
