"""An explanation in sentences and as a table."""

from typing import Any

import pytest

from muster.presentation import explanations

type Json = dict[str, Any]

ADA: Json = {
    "in": True,
    "why": "Assignment Field sales is the uppermost of those that match.",
    "reason": None,
    "since": "2026-11-20T08:15:31.000Z",
    "member": "m1",
    "user": "005",
    "assignment": {"name": "Field sales", "position": 2, "update_mode": "automatic"},
    "also_matched": ["Everyone"],
    "did_not_match": ["Contractors"],
    "note": None,
    "seats": {
        "gong": {
            "state": "held",
            "origin": "assignment:Field sales",
            "why": None,
            "since": "2026-11-20T08:15:31.000Z",
        }
    },
    "workspaces": {"EMEA": {"profile": "Manager", "origin": "assignment:Field sales"}},
    "data_capture": {},
    "groups": {},
    "accounts": {},
    "identity": {"name": "Ada Lovelace", "email": "ada@acme.example", "why": None},
    "manager": {"id": "m2", "name": "Grace Hopper", "origin": "crm", "why": None},
    "keep_active": None,
    "frozen": None,
    "crm_user_status": {"value": None, "origin": None},
    "end_date": {"value": None, "origin": None},
    "last_changes": [],
    "runs": [{"run_id": "r1", "changed": ["title"]}],
    "salesforce": None,
    "now": None,
}
ACCOUNT = {
    "state": "active",
    "user_name": "ada",
    "id": "2819",
    "since": "2026-11-20T08:15:31.000Z",
    "origin": "created",
    "groups": ["Sales"],
    "read_back": "open",
    "is_to_be_in": True,
    "why": None,
    "next": [],
    "due": None,
    "do": None,
    "stays_valid": None,
}
NONE = {**ACCOUNT, "state": None, "user_name": None, "id": None, "since": None, "origin": None, "groups": []}
WAITING = {"state": "waiting", "since": "2026-11-20T08:15:31Z", "place": 3, "of": 9, "origin": "manual:jane"}
CAPTURE = {"intended": "enabled", "effective": "enabled", "origin": "assignment:Field sales", "why": None}


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (
            ACCOUNT,
            ["Account in gong (SCIM): ada (2819), open since 2026-11-20 08:15, made by Muster, in Sales."],
        ),
        (
            {
                **ACCOUNT,
                "state": "inactive",
                "origin": "adopted:jane",
                "groups": [],
                "stays_valid": "It.",
            },
            [
                "Account in gong (SCIM): ada (2819), closed since 2026-11-20 08:15, adopted by jane.",
                "gong (SCIM): It.",
            ],
        ),
        (
            {**ACCOUNT, "read_back": None, "since": None, "next": ["closes it", "reads back"], "due": ""},
            [
                "Account in gong (SCIM): ada (2819), open, not read back yet, made by Muster, in Sales.",
                "gong (SCIM): The next push closes it and reads back.",
            ],
        ),
        (
            {**NONE, "state": "no_licence", "why": "Full.", "do": "Buy.", "due": "2026-11-21T08:00:00.000Z"},
            ["! No account in gong (SCIM): Full. It is tried again from 2026-11-21 08:00 on. Buy."],
        ),
        ({**NONE, "why": "Not active."}, ["No account in gong (SCIM): Not active."]),
    ],
)
def test_an_account_is_told_with_what_it_is_and_what_comes(account: Json, said: list[str]) -> None:
    shown = explanations.lines({**ADA, "accounts": {"scim.gong": account}})
    assert [line for line in shown if "gong (SCIM)" in line] == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Ada Lovelace is active and holds gong."),
        ({"seats": {}}, "Ada Lovelace is active."),
        (
            {"seats": {**ADA["seats"], "forecast": WAITING, "coach": {"state": "missing"}}},
            "Ada Lovelace is active, holds gong and waits for forecast (place 3 of 9).",
        ),
        (
            {"in": False, "seats": {}, "identity": {**ADA["identity"], "name": None}},
            "The member is not active.",
        ),
        ({"member": None}, "Not in the roster."),
    ],
)
def test_the_news_is_who_is_in_with_which_seats(changes: Json, said: str) -> None:
    assert explanations.news({**ADA, **changes}) == f"{said} {ADA['why']}"


def test_who_is_in_is_told_with_what_they_hold_since_when_and_by_whom() -> None:
    assert explanations.lines(ADA) == [
        "In since 2026-11-20 08:15.",
        "Assignment Field sales (number 2; automatic; also matched: Everyone; did not match: Contractors).",
        "Holds gong since 2026-11-20 08:15, by Field sales.",
        "Workspace EMEA: Manager, by Field sales.",
        "Manager: Grace Hopper, from Salesforce.",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"note": "The settings have changed."}, "! The settings have changed."),
        ({"keep_active": {"why": "Kept."}}, "! Kept."),
        ({"frozen": {"why": "Frozen."}}, "! Frozen."),
        (
            {"seats": {"gong": WAITING | {"why": "…"}}},
            "! Waits for gong since 2026-11-20 08:15, at place 3 of 9, by hand, jane.",
        ),
        (
            {"seats": {"gong": {"state": "blocked", "why": "It needs the seat base."}}},
            "Has no gong: It needs the seat base.",
        ),
        (
            {"data_capture": {"import_emails": CAPTURE, "gong_connect": CAPTURE}},
            "Data capture, enabled by Field sales: import emails, gong connect.",
        ),
        (
            {"data_capture": {"import_emails": CAPTURE | {"effective": "disabled", "why": "No seat."}}},
            "! Import emails: disabled. No seat.",
        ),
        (
            {
                "groups": {
                    "engage": {
                        "request": "UK",
                        "status": "no_licenses_remaining",
                        "group": None,
                        "origin": "manual:jane",
                    }
                }
            },
            "Engage: in no group, asks for UK by hand, jane; status No Licenses Remaining.",
        ),
        (
            {"groups": {"engage": {"request": "UK", "status": "success", "group": "UK", "origin": "align"}}},
            "Engage: in group UK; status Success.",
        ),
        ({"manager": {"id": None, "why": "Salesforce names no manager."}},
         "No manager. Salesforce names no manager."),
        ({"end_date": {"value": "2026-12-01", "origin": "manual:jane"}},
         "End date: 2026-12-01, by hand, jane."),
        ({"salesforce": "Salesforce could not be asked."}, "! Salesforce could not be asked."),
        ({"now": {"why": "Nothing would change."}}, "Now: Nothing would change."),
    ],
)  # fmt: skip
def test_each_value_is_a_sentence(changes: Json, line: str) -> None:
    assert line in explanations.lines(ADA | changes)


def test_who_is_not_in_the_roster_is_told_by_what_they_were_judged() -> None:
    now = {
        "why": "No assignment's filter matches the user.",
        "would_have": {"first_name": "Bob", "email": "bob@acme.example", "last_name": None},
        "assignment": None,
        "did_not_match": ["Sales"],
        "to_do": [],
    }
    outsider = {
        "in": False,
        "why": now["why"],
        "member": None,
        "user": "005",
        "recorded": {"why": "The user is in no call center.", "as_of": "2026-11-20T08:15:31Z"},
        "salesforce": None,
        "now": now,
    }
    assert explanations.lines(outsider) == [
        "Recorded 2026-11-20 08:15: The user is in no call center.",
        "Judged by: first name Bob, email bob@acme.example.",
        "Assignments that do not match: Sales.",
    ]
    assert explanations.lines(outsider | {"now": None, "salesforce": "Not asked."})[0] == "! Not asked."
    assert explanations.explanation_table(outsider).headings[0] == "005"


def test_an_explanation_as_a_table() -> None:
    shown = explanations.explanation_table(
        ADA | {"data_capture": {"import_emails": CAPTURE}, "groups": {"engage": _GROUP}}
    )
    assert shown.headings[0] == "Ada Lovelace"
    assert [row[0] for row in shown.rows] == [
        "In the roster",
        "Assignment",
        "Seat gong",
        "Workspace EMEA",
        "import emails",
        "Engage",
        "Manager",
        "Changed by run",
    ]


_GROUP = {"request": "UK", "status": "success", "group": "UK", "origin": "align"}
