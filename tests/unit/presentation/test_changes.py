"""What happened, in words."""

import json
from typing import Any

import pytest

from muster.presentation import changes, member_news
from muster.presentation.answers import Layout, laid_out

type Json = dict[str, Any]

BY_IMPORT = [{"run": "run:r1", "origin": "crm"}]
QUIET = {"runs": 0, "quiet_runs": 0, "settings": 0, "errors": 0}
RUN = {
    "id": "r1",
    "kind": "import",
    "mode": "full",
    "status": "succeeded",
    "by": "schedule",
    "approved_by": None,
    "rejected_by": None,
    "message": None,
    "started_at": "2026-11-20T02:14:00.000Z",
    "expires_at": "2026-11-23T02:14:00.000Z",
}


def person(name: str | None, news: str = "changed", **fields: Any) -> Json:
    at = "2026-11-20T02:14:31.000Z"
    return {"member": f"m-{name}", "name": name, "news": news, "at": at, "causes": BY_IMPORT, **fields}


ADA = person(
    "Ada Lovelace", "joined", assignment={"from": None, "to": "Field sales"}, gained=[{"seat": "gong"}]
)
BOB = person("Bob Stone", "left", reason="inactive_user", lost=[{"seat": "gong"}])


def answer(*people: Json, **parts: Any) -> Json:
    counts = {news: sum(each["news"] == news for each in people) for news in member_news.DID}
    known: Json = {
        "since": "2026-11-19T13:40:00.001Z",
        "until": "2026-11-20T13:40:00.001Z",
        "people": list(people),
        "attributes": {
            name: 1 for each in people if member_news.is_minor(each) for name in each.get("other", ())
        },
        "causes": [],
        "runs": [],
        "settings": [],
        "log": [],
        "cursor": None,
    }
    return {**known, **parts, "counts": {**QUIET, **counts, **parts.get("counts", {})}}


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (answer(), "nothing changed."),
        (answer(ADA), "Ada Lovelace joined."),
        (answer(ADA, BOB, counts={"changed": 12}), "Ada Lovelace joined, Bob Stone left, 12 others changed."),
        (answer(person("Cy", "joined"), ADA), "Cy and Ada Lovelace joined."),
        (answer(counts={"joined": 1204, "erased": 3}), "1,204 people joined, 3 people were erased."),
        (answer(person("Dan")), "Dan changed."),
        (answer(counts={"changed": 40}), "40 people changed."),
        (answer(ADA, person("Dan")), "Ada Lovelace joined, 1 other changed."),
        (answer(person(None, "erased")), "member m-None was erased."),
        (answer(cursor="x"), "nothing changed; there is more, ask again with the cursor."),
        (
            answer(
                runs=[{**RUN, "status": "parked"}, {**RUN, "status": "failed"}, {**RUN, "status": "failed"}]
            ),
            "1 run waits for approval, 2 runs failed.",
        ),
        (
            answer(log=[{"code": "not_written", "count": 2}, {"code": "removal_succeeded", "count": 9}]),
            "2 entries in the error log.",
        ),
        (answer(counts={"settings": 2}), "settings saved 2 times."),
    ],
)
def test_the_news_is_one_sentence(shown: Json, said: str) -> None:
    assert changes.headline(shown) == f"2026-11-19 13:40 to 2026-11-20 13:40 UTC: {said}"


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (answer(), []),
        (
            answer(
                ADA,
                BOB,
                causes=[
                    {"cause": "import", "by": None, "changes": 4, "people": 2},
                    {"cause": "message", "by": None, "changes": 1, "people": 1},
                    {"cause": "edit", "by": "jane@acme.example", "changes": 1, "people": 1},
                ],
                counts={"runs": 1, "quiet_runs": 193},
            ),
            [
                "+ Ada Lovelace joined: Field sales, gong",
                "- Bob Stone left: deactivated in Salesforce; lost gong",
                "Came by imports (2 people), messages of Salesforce (1 person), jane@acme.example (1 person)",
                "1 run with news; 193 quiet runs",
            ],
        ),
        (answer(counts={"quiet_runs": 193}), ["193 quiet runs"]),
        (
            answer(
                person("Cy Young", "returned", gained=[{"engage": "UK"}], waits_for=[{"seat": "forecast"}]),
                person(None, "erased", reason="erased"),
                person("Dan Wu", failed=[{"engage": "UK", "status": "invalid_group_name"}]),
                person("Eve Ng", lost=[{"data_capture": "record_web_conferences"}]),
                person("Flo", gained=[{"workspace": "EMEA", "profile": "Member"}], lost=[{"seat": "gong"}]),
                person("Guy", gained=[{"engage_connect": "US"}], other=["title"]),
                person("Gil", asked=[{"engage": "UK"}, {"engage_connect": None}]),
                person("Hal", assignment={"from": "Sales", "to": "Support"}),
                person("Ida", waits_for=[{"engage": None}]),
                person("Jo", other=["title", "phone_numbers.mobile", "custom.Region__c"]),
                person("Kim", other=["crm.salesforce.profile_id", "title"]),
            ),
            [
                "+ Cy Young came back: group UK; waits for forecast",
                "- member m-None was erased",
                "! Dan Wu refused: group UK, invalid group name",
                "- Eve Ng lost record web conferences",
                "~ Flo gained workspace EMEA as Member; lost gong",
                "+ Guy gained Connect group US; title",
                "~ Gil asked for group UK; asked to leave a Connect group",
                "~ Hal moved from Sales to Support",
                "~ Ida waits for a group",
                "~ 2 others changed: title, mobile phone, Region__c, profile id in Salesforce",
            ],
        ),
        (
            answer(
                person("Ada", gained=[{"seat": "gong"}], causes=[{"run": "edit:x", "origin": "manual:jane"}]),
                person(
                    "Bob",
                    "erased",
                    causes=[{"run": "erase:x", "origin": "manual:jane", "why": "asked for it"}],
                ),
                person(
                    "Cy",
                    lost=[{"data_capture": "import_emails"}],
                    causes=[{"run": "edit:x", "origin": "manager:grace"}],
                ),
            ),
            [
                "- Bob was erased (by jane: asked for it)",
                "+ Ada gained gong (by jane)",
                "- Cy lost import emails (by the manager grace)",
            ],
        ),
        (answer(person("Ada")), ["~ 1 person changed"]),
        (
            answer(
                counts={"changed": 900},
                attributes=dict.fromkeys(["title", "extension", "locale", "manager", "x"], 9),
            ),
            ["~ 900 people changed: title, extension, locale, manager and more"],
        ),
    ],
)
def test_people_have_a_line_each_and_the_others_share_one(shown: Json, lines: list[str]) -> None:
    assert changes.summary(shown) == lines


def test_what_needs_somebody_comes_first_and_what_was_decided_after_the_people() -> None:
    shown = answer(
        ADA,
        runs=[
            {**RUN, "status": "parked"},
            {**RUN, "id": "r0", "status": "parked", "expires_at": "2026-11-20T02:14:00.000Z"},
            {
                **RUN,
                "id": "r2",
                "kind": "push",
                "mode": "push",
                "status": "failed",
                "message": "Vault is down.",
            },
            {**RUN, "id": "r3", "approved_by": "joe"},
            {**RUN, "id": "r4", "kind": "settings", "status": "rejected", "rejected_by": "joe"},
        ],
        settings=[
            {
                "version": 8,
                "at": "2026-11-20T09:00:00.000Z",
                "by": "jane",
                "approved_by": "joe",
                "why": "more seats",
                "where": ["seats.gong.limit"],
                "places": 3,
            }
        ],
        log=[
            {"code": "not_written", "count": 1, "message": "Vault CRM did not save it"},
            {"code": "held_seats", "count": 3, "message": "would lose gong"},
        ],
    )
    assert changes.summary(shown) == [
        "! The full import r1 waits for approval until 2026-11-23 02:14 UTC",
        "! The full import r0 was not approved in time",
        "! The push r2 failed: Vault is down.",
        "… and 2 more",
        "+ Ada Lovelace joined: Field sales, gong",
        "The full import r3 was approved by joe",
        "The change of settings r4 was rejected by joe",
        "jane, approved by joe, saved version 8 of the settings: seats.gong.limit and 2 more (more seats)",
    ]


def test_what_is_held_is_told_before_other_errors_and_good_news_last() -> None:
    log = [
        {"code": "removal_succeeded", "count": 9, "message": "The removal has succeeded"},
        {
            "code": "not_written",
            "count": 1,
            "message": "not saved (member m1)",
            "member": "m1",
            "name": None,
        },
        {"code": "held_seats", "count": 3, "message": "lose gong (member m2)", "member": "m2", "name": "Ada"},
    ]
    assert changes.summary(answer(log=log)) == [
        "! held at the door: Ada: lose gong, and 2 more (held_seats)",
        "! not saved (member m1) (not_written)",
        "The removal has succeeded, and 8 more (removal_succeeded)",
    ]


def test_a_busy_night_fits_a_screen_and_says_how_many_more_of_each_kind() -> None:
    people = [person(f"J{n}", "joined") for n in range(90)] + [person(f"L{n}", "left") for n in range(10)]
    log = [{"code": f"code_{n}", "count": 1, "message": "Broken"} for n in range(9)]
    lines = changes.summary(
        answer(*people, log=log, counts={"joined": 400, "left": 10, "changed": 30, "runs": 5})
    )
    assert len(lines) == 14
    assert lines[3] == "… and 6 more"
    assert [line[:4] for line in lines[4:12]] == [
        "+ J0",
        "+ J1",
        "+ J2",
        "+ J3",
        "- L0",
        "- L1",
        "- L2",
        "- L3",
    ]
    assert lines[12:] == ["~ 396 more joined; 6 more left; 30 others changed", "5 runs with news"]


def test_the_fullest_answer_fits_a_screen() -> None:
    """Two warnings are the most that one can have."""
    people = [person(f"J{n}", "joined") for n in range(90)]
    said = {
        "status": "succeeded",
        "organization": "acme",
        "message": "…",
        "warnings": ["…"] * 2,
        **answer(*people, counts={"changed": 30, "runs": 5}),
        "muster_version": "0.3.0",
    }
    layout = Layout(changes.summary, changes.as_table, changes.ONLY_IN_DETAIL)
    assert len(json.dumps(laid_out(said, layout), indent=2).splitlines()) <= 40


def test_the_table_has_a_row_for_each_person_run_version_and_code() -> None:
    version = {
        "version": 8,
        "at": "2026-11-20T09:00:00.000Z",
        "by": "jane",
        "approved_by": None,
        "why": "",
        "where": [],
        "places": 0,
    }
    entry = {
        "code": "not_written",
        "count": 2,
        "at": "2026-11-20T02:20:00.000Z",
        "record": "005",
        "message": "No.",
    }
    shown = changes.as_table(
        answer(ADA, runs=[{**RUN, "approved_by": "joe"}], settings=[version], log=[entry])
    )
    assert shown.rows == (
        (
            "2026-11-20 02:14",
            "Ada Lovelace",
            "joined: Field sales, gong",
            "by a full import, approved by joe",
        ),
        ("2026-11-20 02:14", "run r1", "full import: succeeded", "begun by schedule, approved by joe"),
        ("2026-11-20 09:00", "settings, version 8", "no place changed", "jane"),
        ("2026-11-20 02:20", "005", "No. (not_written, 2)", ""),
    )
