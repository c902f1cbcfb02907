"""Engage licences, as lines and tables."""

from typing import Any

from muster.presentation import licences

type Json = dict[str, Any]

GROUP: Json = {"feature": "engage", "group": "UK", "used": 1_204, "members": 1_202, "nobody": 2, "waiting": 1}
NOBODY: Json = {
    "user": "10042",
    "username": "kim@agency.example",
    "groups": {"engage": {"group": "UK", "request": None}},
    "why": "No member has the address.",
    "do": "Take the licence back.",
}
ANSWER: Json = {
    "groups": [GROUP, GROUP | {"feature": "engage_connect", "group": "Online", "nobody": 0, "waiting": 0}],
    "nobody": [NOBODY],
    "nobody_in_all": 1,
    "waiting": [
        {"feature": "engage", "group": "UK", "place": 1, "member": "m1", "name": "Ada", "since": "…"}
    ],
}


def test_whose_licence_nobody_knows_comes_first_then_groups_and_lines() -> None:
    assert licences.lines(ANSWER) == [
        "! kim@agency.example, UK: No member has the address. Take the licence back.",
        "UK (Engage): 1,204 licences in use, 2 of them by nobody, 1 person waits",
        "Online (Engage Connect): 1,204 licences in use",
        "In line for UK (Engage), first to last: Ada",
    ]


def test_of_many_who_are_nobody_the_others_are_counted() -> None:
    shown = licences.lines(ANSWER | {"nobody": [NOBODY] * 50, "nobody_in_all": 400})

    assert shown[7] == "… and 393 more"
    assert len(shown) == 11


def test_later_pages_hold_members() -> None:
    members = [
        {"member": "m1", "name": "Ada", "active": True, "groups": {"engage": "UK"}},
        {"member": "m2", "name": None, "active": False, "groups": {"engage": "UK"}},
    ]
    assert licences.lines({"members": members}) == ["Ada: UK", "! m2, who has left: UK"]
    assert licences.use_table({"members": members}).rows[1] == ("", "no", "UK")


def test_licences_as_tables() -> None:
    assert licences.use_table(ANSWER).rows[0] == ("Engage", "UK", "1,202", "2", "1")
    assert licences.nobodys([NOBODY]).rows == (
        ("kim@agency.example", "UK", "No member has the address.", "Take the licence back."),
    )
