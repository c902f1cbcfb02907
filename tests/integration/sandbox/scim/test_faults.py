"""A SCIM app that misbehaves for so many calls."""

from typing import Any

import pytest
from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]  # waitress ships no types

from tests.doubles.scim_in_process import ScimInProcess

ADA = "ada@acme.example"


def test_a_status_is_a_scim_error_without_effect(scim: ScimInProcess) -> None:
    scim.fault("status", status=503, method="POST")
    answer = scim.post(ADA)
    assert (answer.status_code, answer.mimetype) == (503, "application/scim+json")
    assert answer.get_json()["status"] == "503"
    assert scim.post(ADA).status_code == 201


def test_a_call_is_throttled(scim: ScimInProcess) -> None:
    scim.fault("throttle", delay_s=7)
    answer = scim.post(ADA)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert scim.truth() == {}


def test_a_call_is_sent_to_another_host(scim: ScimInProcess) -> None:
    scim.fault("redirect", status=302)
    answer = scim.post(ADA)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://evil.example/scim/v2/Users")


@pytest.mark.parametrize("fault", ["html", "empty"])
def test_a_page_or_nothing_comes_instead(scim: ScimInProcess, fault: str) -> None:
    scim.fault(fault)
    answer = scim.post(ADA)
    assert (answer.status_code, "Sign in" in answer.text) == (200, fault == "html")
    assert scim.truth() == {}


def test_the_token_expires(scim: ScimInProcess) -> None:
    scim.fault("expire")
    assert [scim.send("GET", "/Users").status_code for _ in range(2)] == [401, 401]


def test_a_lost_answer_is_of_a_write_that_took_effect(scim: ScimInProcess) -> None:
    scim.fault("lose_answer")
    with pytest.raises(ClientDisconnected):
        scim.post(ADA)
    assert scim.truth() == {ADA: True}
    assert scim.control("GET", "requests")[0]["status"] is None


def test_a_write_is_answered_and_has_no_effect(scim: ScimInProcess) -> None:
    ada = scim.create(ADA)
    scim.fault("no_effect", count=3)
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204
    assert scim.post("bob@acme.example").status_code == 201
    assert scim.send("DELETE", f"/Users/{ada}").status_code == 204
    assert scim.truth() == {ADA: True}
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204
    assert scim.truth() == {ADA: False}


@pytest.mark.parametrize(
    ("fault", "more", "left", "total"),
    [
        ("short_page", {}, [0, 1], 4),
        ("no_rows", {}, [], 0),
        ("duplicate_rows", {}, [0, 1, 2, 0], 4),
        ("omit_field", {"field": "userName"}, [None] * 4, 4),
    ],
)
def test_a_list_says_something_else(
    scim: ScimInProcess, fault: str, more: dict[str, str], left: list[Any], total: int
) -> None:
    for _ in range(4):
        scim.create()
    names = [row["userName"] for row in scim.call("GET", "/Users")["Resources"]]
    scim.fault(fault, **more)
    answer = scim.call("GET", "/Users")
    expected = [None if place is None else names[place] for place in left]
    assert [row.get("userName") for row in answer["Resources"]] == expected
    assert answer["totalResults"] == total
    assert [row["userName"] for row in scim.call("GET", "/Users")["Resources"]] == names
