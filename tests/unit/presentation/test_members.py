"""Members and their history, as lines and tables."""

from typing import Any

import pytest

from muster.presentation import members
from muster.presentation.tables import as_lines

type Json = dict[str, Any]

NO_GROUP = {"request": None, "status": None, "group": None}
ADA: Json = {
    "id": "m1",
    "name": "Ada Lovelace",
    "email": "ada@acme.example",
    "title": "Rep",
    "active": True,
    "inbound_enabled": False,
    "inactive_reason": None,
    "assignment": "Field sales",
    "seats": {},
    "engage": NO_GROUP,
    "engage_connect": NO_GROUP,
}
SEATS = {
    "gong": {"state": "held"},
    "forecast": {"state": "waiting", "place": 3},
    "coach": {"state": "blocked", "requires": "forecast"},
}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "Ada Lovelace (ada@acme.example): Field sales"),
        ({"assignment": None}, "Ada Lovelace (ada@acme.example): no assignment"),
        (
            {"seats": SEATS},
            "Ada Lovelace (ada@acme.example): Field sales, gong, waits for forecast, place 3,"
            " coach needs forecast",
        ),
        (
            {
                "engage": {"request": "UK", "status": "success", "group": "UK"},
                "engage_connect": {"request": "Online", "status": "user_not_in_connect", "group": None},
            },
            "Ada Lovelace (ada@acme.example): Field sales, UK (Engage), asks for Online (Engage Connect):"
            " User not in Connect",
        ),
        (
            {"active": False, "inactive_reason": "unmatched"},
            "- Ada Lovelace (ada@acme.example): not active, matched by no assignment",
        ),
        ({"name": None, "email": None}, "m1: Field sales"),
    ],
)
def test_a_member_in_one_line(changes: Json, line: str) -> None:
    assert members.one_line(ADA | changes) == line
    assert members.one({"member": ADA | changes}) == [line]


def test_members_are_listed_by_name() -> None:
    names = ["ida", "Bob", "Ada"]
    answer = {"members": [ADA | {"name": name, "id": name} for name in names]}

    assert [line.partition(" ")[0] for line in members.lines(answer)] == ["Ada", "Bob", "ida"]
    assert [row[0] for row in members.listed(answer).rows] == ["Ada", "Bob", "ida"]


def entry(*changes: tuple[str, Any, Any], **others: Any) -> Json:
    known = {"version": 2, "at": "2026-11-20T08:15:31.000Z", "run": "run:r1", "origin": "crm", "why": None}
    shown = [{"field": field, "before": before, "after": after} for field, before, after in changes]
    return {**known, **others, "changes": shown}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            entry(
                ("active", None, True), ("name", None, "Ada"), ("seats.gong.state", None, "held"), version=1
            ),
            "+ joins: seat gong (run r1)",
        ),
        (entry(("active", None, False), version=1), "added, not active (run r1)"),
        (entry(("title", "Rep", "Lead"), run="webhook:04l"), "~ title Rep → Lead (message from Salesforce)"),
        (
            entry(
                ("active", True, False),
                ("inactive_reason", None, "end_date"),
                ("seats.gong.state", "held", None),
                run="edit:7e2",
                origin="manual:jane",
                why="left us",
            ),
            "- leaves: past their end date; gong given back (edited by jane, because: left us)",
        ),
        (
            entry(("active", False, True), ("seats.gong.state", None, "held")),
            "+ comes back; gains gong (run r1)",
        ),
        (entry(("seats.gong.state", "held", "waiting")), "- loses gong; waits for gong (run r1)"),
        (
            entry(*((f"custom.F{n}__c", None, "x") for n in range(5))),
            "~ F0__c none → x; F1__c none → x; F2__c none → x; 2 more values (run r1)",
        ),
        (entry(("update_mode", "manual", "automatic")), "~ update mode (run r1)"),
        (entry(("engage.status", "retry_request", "request_sent")), "~ Engage status (run r1)"),
    ],
)
def test_each_change_of_a_member_is_a_line_with_its_cause(change: Json, line: str) -> None:
    assert members.history({"history": [change]}) == [f"2026-11-20 08:15 {line}"]


def test_history_as_a_table_shows_a_moment_once_and_the_beginning_in_one_line() -> None:
    changes = [
        entry(("title", "Rep", "Lead"), ("active", True, False)),
        entry(("title", None, "Rep"), ("name", None, "Ada"), version=1),
    ]
    assert as_lines(members.history_table({"history": changes})) == [
        "Time (UTC)        What changed           Before    After     By",
        "----------------  ---------------------  --------  --------  ------",
        "2026-11-20 08:15  title                  Rep       Lead      run r1",
        "                  active                 yes       no",
        "2026-11-20 08:15  (added to the roster)            2 values  run r1",
    ]


def test_the_news_of_a_history() -> None:
    assert members.history_news([]) == "No changes"
    assert members.history_news([entry(), entry()]) == "2 changes, the latest of 2026-11-20 08:15"


def test_one_member_as_a_table_of_values() -> None:
    shown = members.only({"member": ADA | {"seats": SEATS, "phone_numbers": [{"type": "mobile"}]}})
    rows = {row[0]: row[1] for row in shown.rows}

    assert rows["name"] == "Ada Lovelace"
    assert rows["active"] == "yes"
    assert rows["phone"] == "mobile"
    assert "why not active" not in rows


def test_what_each_assignment_has_given() -> None:
    capture = {"import_emails": {"intended": "enabled", "effective": "disabled"}}
    capture |= {"gong_connect": {"intended": "enabled", "effective": "enabled"}}
    given = ADA | {"seats": SEATS, "workspaces": {"EMEA": "Manager"}, "data_capture": capture}
    assignments = [{"name": "Field sales", "filter": "F"}, {"name": "Support", "filter": "S"}]

    assert members.grants(assignments, [given, given]).rows == (
        (
            "Field sales",
            "2",
            "F",
            "gong: 2 held\nforecast: 2 waiting\ncoach: 2 blocked",
            "EMEA: 2 Manager\nimport emails: 2 disabled until the seat is held\ngong connect: 2 enabled",
        ),
        ("Support", "0", "S", "", ""),
    )


def test_moving_and_licences_as_tables() -> None:
    held, freed = ADA | {"seats": SEATS}, ADA | {"active": False}
    (row,) = members.moved([held], [freed]).rows
    assert row == (
        "Ada Lovelace",
        "yes",
        "gong: held\nforecast: waiting, place 3\ncoach: blocked",
        "→",
        "no",
        "",
    )
    asking = ADA | {"engage": {"request": "UK", "status": "request_sent", "group": None}}
    assert members.licences([ADA, asking]).rows == (("Ada Lovelace", "Engage", "UK", "Request Sent", ""),)
