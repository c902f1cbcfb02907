"""What brought a change, and which changes have a cause."""

from typing import Any

import pytest

from muster.errors import Rejected
from muster.insight import causes

KINDS = {"r1": "import", "r2": "push"}


def entry(run: str, origin: str = "crm") -> dict[str, Any]:
    return {"run": run, "origin": origin, "at": "2026-11-20T08:16:00.000Z"}


IMPORTED, PUSHED, OLDER = entry("run:r1"), entry("run:r2", "align"), entry("run:r0")
MESSAGE = entry("webhook:04l000000000001AAA")
EDIT = entry("edit:a-b", "manual:Jane@acme.example")
TOGGLED = entry("edit:c-d", "manager:grace")
REQUEST = entry("groups:e-f", "manual:joe")
ERASURE = entry("erase:g-h", "manual:joe")
SEATED = entry("run:r1", "assignment:Field sales")
ALL = [IMPORTED, PUSHED, OLDER, MESSAGE, EDIT, TOGGLED, REQUEST, ERASURE, SEATED]


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("import", [IMPORTED, SEATED]),
        ("push", [PUSHED]),
        ("Message", [MESSAGE]),
        ("edit", [EDIT, TOGGLED]),
        ("group_request", [REQUEST]),
        ("erasure", [ERASURE]),
        ("run:r0", [OLDER]),
        ("webhook:04l000000000001aaa", [MESSAGE]),
        ("edit:a-b", [EDIT]),
        (" edit:a-b ", [EDIT]),
        ("groups:none", []),
        ("crm", [IMPORTED, OLDER, MESSAGE]),
        ("align", [PUSHED]),
        ("assignment:field sales", [SEATED]),
        ("manual:joe", [REQUEST, ERASURE]),
        ("manager:grace", [TOGGLED]),
        ("jane@acme.example", [EDIT]),
        ("grace@acme.example", []),
    ],
)
def test_a_cause_is_found_by_kind_id_origin_or_address(cause: str, expected: list[dict[str, Any]]) -> None:
    matches = causes.matching(cause, KINDS)
    assert [each for each in ALL if matches(each)] == expected


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("imports", "Did you mean 'import'?"),
        ("mesage", "Did you mean 'message'?"),
        (
            "jane",
            "Write one of import, push, undo, message, edit, group_request, erasure, crm, align, run:…,",
        ),
        ("hook:x", "Write one of "),
    ],
)
def test_an_unknown_cause_is_refused_with_the_nearest(cause: str, remedy: str) -> None:
    with pytest.raises(Rejected) as refused:
        causes.matching(cause, KINDS)
    assert str(refused.value) == f"cause: {cause!r} is no cause of a change"
    assert refused.value.problems[0].remedy.startswith(remedy)


def test_a_run_is_opened_as_a_run_and_all_else_as_what_it_changed_then() -> None:
    assert causes.opened_by(IMPORTED, "acme") == {"organization": "acme", "action": "run", "run_id": "r1"}
    assert causes.opened_by(EDIT, "acme") == {
        "organization": "acme",
        "action": "changes",
        "cause": "edit:a-b",
        "since": "2026-11-20T07:16:00Z",
        "until": "2026-11-20T09:16:00Z",
    }


def test_who_made_a_change_by_hand_is_told_from_who_it_is_by_rule() -> None:
    assert [causes.by_hand(each) for each in (EDIT, TOGGLED, SEATED, MESSAGE)] == [
        "Jane@acme.example",
        "grace",
        None,
        None,
    ]
    assert [causes.run_named(each) for each in ("run:r1", "webhook:r1", "run:", None)] == ["r1"] + [None] * 3
