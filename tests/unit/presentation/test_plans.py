"""What an import does to people, as lines and in one sentence."""

from typing import Any

import pytest

from muster.presentation import outcomes, plans

type Json = dict[str, Any]


def item(does: str, name: str, *changes: tuple[str, Any, Any], **others: Any) -> Json:
    known = {"member": "m", "user": "005", "assignment": None, "reason": None, **others}
    shown = [{"field": field, "before": before, "after": after} for field, before, after in changes]
    return {**known, "does": does, "name": name, "changes": shown}


ADA = item(
    "created",
    "Ada Lovelace",
    ("id", None, "m"),
    ("active", None, True),
    ("title", None, "Rep"),
    ("assignment", None, "Field sales"),
    ("seats.gong.state", None, "held"),
    ("seats.forecast.state", None, "waiting"),
    ("seats.forecast.since", None, "2026-11-20T08:15:31Z"),
    ("engage.request", None, "UK Field Force"),
    ("engage.status", None, "retry_request"),
    assignment="Field sales",
)
BOB = item(
    "deactivated",
    "Bob Stone",
    ("active", True, False),
    ("inactive_reason", None, "inactive_user"),
    ("seats.gong.state", "held", None),
    ("engage.request", "UK Field Force", None),
    reason="inactive_user",
)
CLARA = item("seated", "Clara Ng", ("seats.gong.state", "waiting", "held"), ("seats.gong.since", "…", None))
MOVED = item(
    "updated",
    "Dan Day",
    ("title", "Rep", "Lead"),
    ("assignment", "Support", "Field sales"),
    ("seats.forecast.state", None, "held"),
)
LOSING = item("updated", "Eve Eden", ("seats.gong.state", "held", None))
TITLE = item("updated", "Fay Fox", ("title", "Rep", "Lead"), ("phone_numbers.mobile", None, "+44"))
WAITS = item("waiting", "Gus Gray", reason="namesake_active")
BY_HAND = {**TITLE, "loses_by_hand": ["seats.gong", "data_capture.import_emails"]}
LINKED = item("linked", "Hal Hay", ("crm.vault_crm.id", None, "10042"))


def many(one: Json, count: int) -> list[Json]:
    return [{**one, "name": f"{one['name']} {number}"} for number in range(count)]


@pytest.mark.parametrize(
    ("items", "lines"),
    [
        ([], []),
        ([ADA], ["+ Ada Lovelace joins: Field sales, gong, UK Field Force (Engage), waits for forecast"]),
        (
            [BOB, CLARA],
            [
                "- Bob Stone leaves: deactivated in Salesforce; gong freed, Clara Ng is next,"
                " no longer in UK Field Force (Engage)"
            ],
        ),
        ([CLARA], ["+ Clara Ng gains gong, first in line"]),
        ([MOVED], ["+ Dan Day: Support → Field sales; gains forecast; title Rep → Lead"]),
        ([LOSING, CLARA], ["- Eve Eden: loses gong; gong freed, Clara Ng is next"]),
        ([TITLE], ["~ Fay Fox: title Rep → Lead; mobile phone none → +44"]),
        (
            [MOVED, *many(TITLE, 12)],
            [
                "+ Dan Day: Support → Field sales; gains forecast; title Rep → Lead",
                "~ 12 others: title, mobile phone",
            ],
        ),
        (many(TITLE, 12), ["~ 12 people: title, mobile phone"]),
        ([WAITS], ["! Gus Gray waits: an active member has the same username or e-mail address"]),
        (
            [BY_HAND],
            [
                "~ Fay Fox: title Rep → Lead; mobile phone none → +44",
                "! What was edited by hand is overwritten for Fay Fox: seat gong and import emails",
            ],
        ),
        ([LINKED], ["~ Hal Hay: linked to user 10042 in Vault CRM"]),
        (
            [{**BOB, "name": None}],
            [
                "- 005 leaves: deactivated in Salesforce; gong freed, no longer in UK Field Force (Engage)",
            ],
        ),
    ],
)
def test_only_what_differs_is_told_and_a_creation_without_its_attributes(
    items: list[Json], lines: list[str]
) -> None:
    assert plans.of_items(items, counted(items), {}) == lines


def counted(items: list[Json]) -> dict[str, int]:
    return {each["does"]: sum(one["does"] == each["does"] for one in items) for each in items}


def test_of_many_the_first_are_named_and_the_others_counted() -> None:
    items = [*many(BOB, 30), *many(ADA, 20)]
    tally = {
        "leaves": {"inactive_user": 80, "unmatched": 18},
        "joins": {"Field sales": 4_000, "Support": 995},
        "changed": {"title": 1_100, "phone": 200},
    }
    counts = {"deactivated": 98, "created": 4_995, "updated": 1_200}
    shown = plans.of_items(items, counts, tally)

    assert len(shown) == 15
    leave = "- … and 92 more leave; in all deactivated in Salesforce 80, matched by no assignment 18"
    assert leave in shown
    assert "+ … and 4,989 more join; in all Field sales 4,000, Support 995" in shown
    assert shown[-1] == "~ 1,200 people: title, phone"


def test_where_nobody_is_named_everybody_is_counted() -> None:
    counts, tally = {"created": 2}, {"joins": {"Field sales": 2}}

    assert plans.of_items([], counts, tally) == ["+ 2 people join: Field sales 2"]


def test_a_summary_ends_with_seats_and_who_is_left_out_and_is_bounded() -> None:
    answer = {
        "counts": {"created": 1},
        "changes": [ADA],
        "seats": {
            "gong": {"limit": 20, "held": 20, "waiting": 1},
            "spare": {"limit": None, "held": 3, "waiting": 0},
        },
        "left_out": {
            "inactive_user": {"count": 400, "first": []},
            "email_domain": {"count": 4, "first": [{"name": "Ida Ives"}, {"username": "jo@x"}]},
        },
    }
    assert list(plans.lines(answer))[1:] == [
        "Seat gong: 20 of 20 held, 0 free, 1 person waits",
        "Left out, of another e-mail domain: Ida Ives, jo@x and 2 more",
    ]
    assert len(plans.lines({"counts": {"waiting": 60}, "changes": many(BY_HAND, 50)})) <= 20


@pytest.mark.parametrize(
    ("counts", "items", "done", "sentence"),
    [
        ({}, [], False, "Nothing to change"),
        (
            {"created": 1, "deactivated": 1, "updated": 12},
            [ADA, BOB],
            False,
            "Bob Stone leaves, Ada Lovelace joins, 12 people change",
        ),
        (
            {"created": 1, "deactivated": 1, "updated": 1},
            [ADA, BOB],
            True,
            "Bob Stone left, Ada Lovelace joined, 1 person changed",
        ),
        ({"created": 4}, many(ADA, 4), False, "4 people join"),
        # Only some of them are among the first: nobody is named as if it were all.
        ({"created": 2}, [ADA], False, "2 people join"),
        (
            {"updated": 1, "grant": 1, "revoke": 1_204, "message_refuted": 1},
            [],
            True,
            "1 person changed, 1 person gained a seat or a group, 1,204 people lost a seat or a group,"
            " 1 message was refuted",
        ),
        # Who leaves loses by that.
        ({"deactivated": 1, "revoke": 1, "grant": 1}, [BOB], False, "Bob Stone leaves"),
        (
            {"added": 2, "success": 1, "no_licenses_remaining": 2, "Odd one": 1},
            [],
            True,
            "2 people asked for a group, 1 request: Success, 2 requests: No Licenses Remaining,"
            " 1 request: Odd one",
        ),
    ],
)
def test_the_news_in_one_sentence(
    counts: dict[str, int], items: list[Json], done: bool, sentence: str
) -> None:
    assert outcomes.news(counts, items, done=done) == sentence


def test_counts_without_names() -> None:
    assert outcomes.in_words({"created": 1, "updated": 0}) == "1 person joins"
    assert outcomes.in_words({"created": 1}, done=True) == "1 person joined"
    assert outcomes.in_words({}) == "Nothing to change"


def test_a_plan_as_a_table() -> None:
    shown = plans.changes_table([BOB, ADA])
    given = "gong, UK Field Force (Engage)"

    assert shown.headings == ("Name", "What", "Assignment", "Why", "Gains", "Loses", "Waits for")
    assert shown.rows == (
        ("Bob Stone", "leaves", "", "deactivated in Salesforce", "", given, ""),
        ("Ada Lovelace", "joins", "Field sales", "", given, "", "forecast"),
    )
