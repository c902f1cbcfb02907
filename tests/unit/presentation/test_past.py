"""A member as of a past moment, and what differs between two, in words."""

from typing import Any

import pytest

from muster.presentation import past
from muster.presentation.tables import as_lines

type Json = dict[str, Any]

NO_GROUP = {"request": None, "status": None, "group": None}
WAS: Json = {
    "id": "m1",
    "name": "Ada Lovelace",
    "email": "ada@acme.example",
    "active": True,
    "inactive_reason": None,
    "title": "Rep",
    "assignment": "Field sales",
    "seats": {"gong": {"state": "held"}},
    "data_capture": {
        "import_emails": {"intended": "enabled", "effective": "enabled", "origin": "assignment:Field sales"}
    },
    "engage": NO_GROUP,
    "engage_connect": NO_GROUP,
}
TITLE = ("title", "Rep", "Lead")
RUN: Json = {"kind": "import", "mode": "full", "by": "schedule", "approved_by": None}
EMAIL = "ada@acme.example"


def news(kind: str = "changed", **more: Any) -> Json:
    return {"member": "m1", "news": kind, "causes": [], **more}


def difference(field: str, before: Any, after: Any, **cause: str) -> Json:
    at = {"at": "2026-11-25T08:00:12.345Z", "run": "run:r1", "origin": "crm"}
    return {"field": field, "before": before, "after": after, **at, **cause}


def as_of(*differing: tuple[str, Any, Any], **other: Any) -> Json:
    return {
        "member": "m1",
        "name": "Ada Lovelace",
        "at": "2026-11-20T08:00:59.999Z",
        "standing": "in_roster",
        "standing_at": None,
        "was": WAS,
        "news": None,
        "differences": [difference(*each) for each in differing],
        "runs": {"r1": RUN},
        **other,
    }


def diff(first: str = "in_roster", last: str = "in_roster", at: str | None = None, **other: Any) -> Json:
    shared = {name: each for name, each in as_of().items() if name not in ("at", "was")}
    return shared | {
        "since": "2026-11-20T00:00:00.000Z",
        "until": "2026-11-26T00:00:00.000Z",
        "standing": {"since": first, "until": last},
        "standing_at": {"since": at, "until": at},
        **other,
    }


NOT_THERE = {"was": None, "standing_at": "2026-11-22T09:30:00.000Z"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (as_of(), f"Ada Lovelace ({EMAIL}): Field sales, gong; since then: nothing has changed."),
        (
            as_of(TITLE, news=news(other=["title"])),
            f"Ada Lovelace ({EMAIL}): Field sales, gong; since then: title.",
        ),
        (
            as_of(was=WAS | {"active": False, "inactive_reason": "unmatched"}),
            f"Ada Lovelace ({EMAIL}): not active, matched by no assignment; since then: nothing has changed.",
        ),
        # All that differs is what the news is silent about.
        (
            as_of(("inbound_enabled", False, True), news=news()),
            f"Ada Lovelace ({EMAIL}): Field sales, gong; since then: takes calls.",
        ),
        (
            as_of(news=news()),
            f"Ada Lovelace ({EMAIL}): Field sales, gong; since then: changed, and changed back.",
        ),
        (
            as_of(standing="not_yet", **NOT_THERE),
            "Ada Lovelace was not in the roster yet; added on 2026-11-22 09:30 UTC.",
        ),
        (
            as_of(standing="erased", name=None, **NOT_THERE),
            "member m1 was erased on 2026-11-22 09:30 UTC, and nothing about the person is kept.",
        ),
        (
            as_of(standing="not_recorded", **NOT_THERE),
            "the history of Ada Lovelace does not reach so far back: it begins on 2026-11-22 09:30 UTC.",
        ),
        (
            as_of(standing="not_recorded", was=None),
            "the history of Ada Lovelace does not reach so far back.",
        ),
    ],
)
def test_how_somebody_was_is_one_sentence(answer: Json, said: str) -> None:
    assert past.as_of_headline(answer) == f"On 2026-11-20 08:00 UTC: {said}"


PERIOD = "2026-11-20 00:00 to 2026-11-26 00:00 UTC"
AT = "2026-11-22T09:30:00.000Z"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (diff(), f"Ada Lovelace, {PERIOD}: nothing changed."),
        (
            diff(news=news(gained=[{"seat": "gong"}], other=["title"])),
            f"Ada Lovelace, {PERIOD}: gained gong; title.",
        ),
        (
            diff("not_yet", news=news("joined", gained=[{"seat": "gong"}])),
            f"Ada Lovelace, {PERIOD}: joined: gong.",
        ),
        (
            diff("not_yet", "not_yet", AT),
            f"{PERIOD}: Ada Lovelace was not in the roster yet; added on 2026-11-22 09:30 UTC.",
        ),
        (
            diff("erased", "erased", AT, name=None, news=news("erased")),
            f"{PERIOD}: member m1 was erased on 2026-11-22 09:30 UTC, and nothing about the person is kept.",
        ),
        (
            diff("not_recorded", at=AT),
            f"{PERIOD}: the history of Ada Lovelace does not reach so far back:"
            " it begins on 2026-11-22 09:30 UTC.",
        ),
    ],
)
def test_what_differs_is_one_sentence(answer: Json, said: str) -> None:
    assert past.diff_headline(answer) == said


@pytest.mark.parametrize(
    ("differing", "lines"),
    [
        ([TITLE], ["~ title Rep → Lead"]),
        ([("active", False, True), ("inactive_reason", "unmatched", None)], ["+ active"]),
        (
            [("active", True, False), ("inactive_reason", None, "unmatched"), ("enabled", True, False)],
            ["- not active: matched by no assignment"],
        ),
        ([("seats.gong.state", None, "held")], ["+ gained gong"]),
        ([("seats.gong.state", "held", None)], ["- lost gong"]),
        (
            [("accounts.scim.gong.state", None, "active"), ("accounts.scim.gong.id", None, "7")],
            ["+ gained account in gong (SCIM)"],
        ),
        (
            [("accounts.scim.gong.state", "active", "inactive")],
            ["- lost account in gong (SCIM)"],
        ),
        (
            [("accounts.cognito.pool.state", None, "to_adopt")],
            ["~ account in pool (Cognito): to be adopted"],
        ),
        (
            [("seats.gong.state", "held", "waiting"), ("seats.gong.since", None, "2026")],
            ["- lost gong; waits for gong"],
        ),
        ([("assignment", None, "Field sales")], ["~ assignment no assignment → Field sales"]),
        ([("engage.request", "UK", "US")], ["~ gained US (Engage); lost UK (Engage)"]),
        # What is meant, and not what it comes to and from: one line a setting.
        (
            [
                ("data_capture.import_emails.intended", "disabled", "enabled"),
                ("data_capture.import_emails.effective", "disabled", "seat_required"),
                ("data_capture.import_emails.seat_required", None, "gong"),
                ("data_capture.import_emails.origin", "crm", "manual:jane"),
            ],
            ["~ import emails disabled → enabled"],
        ),
        ([("custom.Region__c", "EMEA", None)], ["~ Region__c EMEA → none"]),
        ([("id", None, "m1"), ("update_mode", None, "manual"), ("name", "A", "B")], []),
    ],
)
def test_each_difference_is_a_line_with_when_and_by_what(
    differing: list[tuple[str, Any, Any]], lines: list[str]
) -> None:
    expected = [f"{line} (2026-11-25 08:00, by a full import)" for line in lines]
    assert past.lines(as_of(*differing)) == expected
    assert past.lines(diff(differences=[difference(*each) for each in differing])) == expected


def test_a_line_names_who_did_it_by_hand_and_many_are_cut() -> None:
    edited = difference("end_date", None, "2026-12-31", origin="manual:jane@x", run="edit:e1", why="leaves")
    assert past.lines(as_of(differences=[edited])) == [
        "~ end date none → 2026-12-31 (2026-11-25 08:00, by jane@x: leaves)"
    ]
    many = past.lines(as_of(*((f"custom.F{n}__c", None, "x") for n in range(30))))
    assert (len(many), many[-1]) == (20, "… and 11 more")


@pytest.mark.parametrize("standing", ["not_yet", "erased", "not_recorded"])
def test_of_who_was_not_in_the_roster_no_value_has_a_line(standing: str) -> None:
    assert past.lines(as_of(TITLE, standing=standing)) == []
    assert past.lines(diff(standing, differences=[difference(*TITLE)])) == []


def test_the_table_has_what_was_and_what_is_another_now() -> None:
    answer = as_of(TITLE, ("end_date", None, "2026-12-31"), ("inactive_reason", None, "unmatched"), runs={})
    lines = [" ".join(line.split()) for line in as_lines(past.as_of_table(answer))]
    assert lines[0] == "What Then Now, where it differs Changed (UTC)"
    assert lines[2:] == [
        "e-mail ada@acme.example",
        "active yes",
        "title Rep Lead 2026-11-25 08:00, by a run",
        "assignment Field sales",
        "seat gong held",
        "import emails enabled",
        "import emails, in effect enabled",
        "end date none 2026-12-31 2026-11-25 08:00, by a run",
        "why not active matched by no assignment 2026-11-25 08:00, by a run",
    ]


def test_the_table_of_differences_has_before_and_after() -> None:
    differing = [TITLE, ("seats.gong.state", None, "held"), ("engage.status", "request_sent", "success")]
    differing += [("accounts.scim.gong.state", "to_adopt", "active"), ("accounts.scim.gong.id", "7", "8")]
    answer = diff(differences=[difference(*each) for each in differing])
    lines = [" ".join(line.split()) for line in as_lines(past.diff_table(answer))]
    assert lines[0] == "What Before After Changed (UTC)"
    by = "2026-11-25 08:00, by a full import"
    assert lines[2:] == [
        f"title Rep Lead {by}",
        f"seat gong none held {by}",
        f"Engage status Request Sent Success {by}",
        f"account in gong (SCIM) to be adopted open {by}",
        f"id of the account in gong (SCIM) 7 8 {by}",
    ]


def test_a_value_that_no_entry_of_the_history_has_is_said_to_be_missing_there() -> None:
    unknown = {"field": "title", "before": "Rep", "after": "Lead"}
    (line,) = past.lines(as_of(differences=[unknown]))
    assert line.endswith("(not in the history)")
    assert past.lines(diff(differences=[unknown])) == [line]
