"""What came of edits and group requests by hand, as lines and as a table."""

from typing import Any

import pytest

from muster.presentation import edits, errors, organizations

type Json = dict[str, Any]


def edited(*changes: tuple[str, Any, Any], **others: Any) -> Json:
    shown = [{"field": field, "before": before, "after": after} for field, before, after in changes]
    return {"member": "m1", "name": "Ada", **others, "changed": shown}


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (edited(("seats.gong.state", None, "held")), "+ Ada: gains gong"),
        (edited(("seats.gong.state", "held", None)), "- Ada: loses gong"),
        (edited(("seats.gong.state", None, "waiting")), "~ Ada: waits for gong"),
        (edited(("active", True, False), ("end_date", None, "2026-11-19")),
         "- Ada: leaves; end date none → 2026-11-19"),
        (edited(("active", False, True)), "+ Ada: comes back"),
        (edited(note="Nothing follows from it."), "~ Ada: is so already. Nothing follows from it."),
        (edited(("accounts.scim.app.state", "to_adopt", "active"), note="Soon."),
         "+ Ada: adopts the account in app (SCIM). Soon."),
        (edited(("accounts.scim.my.app.state", "to_adopt", "ignored")),
         "~ Ada: account left alone in my.app (SCIM)"),
        (edited(("accounts.scim.app.state", "conflict", None), ("accounts.scim.app.id", "7", None)),
         "~ Ada: account looked for again in app (SCIM)"),
        ({"member": "m1", "changed": True}, "- m1: erased"),
        ({"member": "m1", "changed": True, "note": "Delete it there."}, "- m1: erased. Delete it there."),
        ({"member": "m1", "changed": False}, "- m1: was erased already"),
    ],
)  # fmt: skip
def test_an_edit_in_one_line(result: Json, line: str) -> None:
    assert edits.members({"results": [result]}) == [line]


def test_group_requests() -> None:
    asks = {"name": "Ada", "feature": "engage", "request": "UK", "status": "retry_request", "note": "Soon."}
    assert edits.groups({"results": [asks, asks | {"request": None}]}) == [
        "+ Ada: UK (Engage). Soon.",
        "- Ada: no group (Engage). Soon.",
    ]
    assert edits.group_requests([asks]).rows == (("Ada", "Engage", "UK", "Retry Request", "Soon."),)


def test_the_error_log() -> None:
    entry: Json = {
        "at": "2026-11-20T08:15:31Z",
        "system": "vault_crm",
        "record": "10042",
        "message": "was refused.",
        "code": "not_written",
    }
    entry |= {"remedy": "Correct it.", "state": "open"}
    log: dict[str, Any] = {"log": [entry, entry | {"system": "muster", "record": None, "remedy": ""}]}
    log["log"].append(entry | {"name": "Ada Lovelace", "state": "solved"})
    assert errors.lines(log) == [
        "! 2026-11-20 08:15 Vault CRM 10042: was refused. Correct it. (not_written)",
        "! 2026-11-20 08:15 muster: was refused. (not_written)",
        "2026-11-20 08:15 Vault CRM Ada Lovelace: was refused. Correct it. (not_written)",
    ]
    assert errors.news(log["log"]) == "3 entries, the newest of 2026-11-20 08:15"
    assert errors.news([]) == "Nothing is in the error log"
    row = ("2026-11-20 08:15", "muster", "", "was refused.", "", "not_written", "open")
    assert errors.errors_table(log).rows[1] == row
    assert errors.of_people([entry], {"10042": "Ada"}).rows == (("Ada", "was refused.", "Correct it."),)


def test_organizations() -> None:
    there = [("acme", True, True), ("globex", True, False), ("trial", False, False)]
    answer = {
        "organizations": [
            {"organization": name, "scheduled": imported, "pushed": pushed}
            for name, imported, pushed in there
        ]
    }
    assert organizations.lines(answer) == [
        "acme: imported and pushed by schedule",
        "globex: imported by schedule",
        "trial: nothing by schedule",
    ]
    assert organizations.organizations_table(answer).rows[1] == ("globex", "yes", "no")
