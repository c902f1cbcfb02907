"""What evaluating a user anew would come to, and what is told of who is not in the roster (Q1)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.insight import explanations
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Known
from muster.roster.eligibility import evaluate
from muster.roster.links import Link
from muster.roster.member import Json, Member
from muster.roster.reasons import EXPLAINED
from tests.examples import ADA, BOB, NOW, change, settings

ACME = settings(
    seats={"gong": {"limit": 2}},
    assignments=[
        {"name": "Leads", "filter": "Title = 'Lead'"},
        {"name": "Sales", "seats": ["gong"]},
        {"name": "Rest", "update_mode": "manual"},
    ],
)
MEMBER = Member(
    id="m1",
    organization="acme",
    active=True,
    assignment="Sales",
    update_mode="automatic",
    matched=("Rest", "Sales"),
    crm={"salesforce": {"id": ADA}},
)


def now(known: Known, matches: set[str], to: Any = ACME, **fields: Any) -> Json:
    """Return what evaluating the example user comes to, decided by the rules themselves."""
    evaluation = replace(change(50, to, **fields), matches=frozenset(matches))
    verdict = evaluate(evaluation.fields, evaluation.matches, to)
    decision = salesforce_lifecycle.decide(evaluation, known, to, {}, NOW)
    return explanations.evaluated(evaluation, verdict, decision, to)


NAMESAKE = replace(MEMBER, id="m2", email="ada@acme.example", crm={"salesforce": {"id": BOB}})
NAMESAKES = Known(matches={"email#ada@acme.example": frozenset({"m2"})}, namesakes=(NAMESAKE,))
LEFT = replace(NAMESAKES, namesakes=(replace(NAMESAKE, active=False),))
KEEPS_DEACTIVATED = settings(keep_active={"when_deactivated": True})
KEEPS_A_WHILE = settings(
    keep_active={"grace_days": 3}, assignments=[{"name": "Sales", "filter": "Title = 'x'"}]
)
KEEPS_UNMATCHED = settings(
    keep_active={"when_unmatched": True}, assignments=[{"name": "Sales", "filter": "Title = 'x'"}]
)


@pytest.mark.parametrize(
    ("known", "matches", "to", "fields", "would_be", "reason", "why"),
    [
        (Known(), {"Sales"}, ACME, {}, "created", None, "the next full import adds the user"),
        (Known(), set(), ACME, {}, "not_provisioned", "unmatched", EXPLAINED["unmatched"]),
        (
            Known(),
            {"Sales"},
            ACME,
            {"IsActive": "false"},
            "not_provisioned",
            "inactive_user",
            "is deactivated",
        ),
        (
            Known(),
            {"Sales"},
            ACME,
            {"FirstName": None},
            "not_provisioned",
            "name_missing",
            "no first or no last",
        ),
        (NAMESAKES, {"Sales"}, ACME, {}, "waiting", "namesake_active", "That is m2."),
        (LEFT, {"Sales"}, ACME, {}, "linked", None, "to member m2"),
        (Known(member=MEMBER), {"Leads"}, ACME, {}, "updated", None, "values would change"),
        (Known(member=MEMBER), set(), ACME, {}, "deactivated", "unmatched", EXPLAINED["unmatched"]),
        (
            Known(member=MEMBER),
            set(),
            KEEPS_DEACTIVATED,
            {"IsActive": "false"},
            "updated",
            "inactive_user",
            "stays active all the same (settings: keep_active.when_deactivated)",
        ),
        (
            Known(member=MEMBER),
            set(),
            KEEPS_UNMATCHED,
            {},
            "updated",
            "unmatched",
            "stays active all the same (settings: keep_active.when_unmatched)",
        ),
        (
            Known(member=MEMBER),
            set(),
            KEEPS_A_WHILE,
            {},
            "updated",
            "unmatched",
            "stays active all the same until 2026-11-23T08:16:00.000Z",
        ),
        (
            Known(member=replace(MEMBER, sources={"salesforce": "2027"})),
            {"Sales"},
            ACME,
            {},
            "stale",
            None,
            "is older than what the roster holds",
        ),
    ],
)
def test_what_a_new_evaluation_would_come_to(
    known: Known, matches: set[str], to: Any, fields: Any, would_be: str, reason: str | None, why: str
) -> None:
    said = now(known, matches, to, **fields)
    assert (said["would_be"], said["reason"]) == (would_be, reason)
    assert why in said["why"]


@pytest.mark.parametrize(
    ("known", "matches", "to_do"),
    [
        (Known(), {"Sales"}, True),
        (Known(), set(), False),
        (NAMESAKES, {"Sales"}, False),
        (Known(member=MEMBER), {"Leads"}, True),
    ],
)
def test_what_to_do_is_an_event_to_paste(known: Known, matches: set[str], to_do: bool) -> None:
    steps = now(known, matches)["to_do"]
    event = {"organization": "acme", "members": [ADA], "by": "<you>"}
    assert [(step["function"], step["event"]) for step in steps] == [
        ("ScheduledImportFunction", event)
    ] * to_do


def test_a_member_that_is_as_it_should_be_would_not_change() -> None:
    created = salesforce_lifecycle.decide(
        replace(change(31, ACME), matches=frozenset({"Sales"})), Known(), ACME, {}, NOW
    ).after
    said = now(Known(member=created), {"Sales"})
    assert (said["changes"], said["to_do"]) == ([], [])
    assert said["why"] == "Evaluated now, nothing would change."


def test_a_new_evaluation_names_the_assignments() -> None:
    said = now(Known(), {"Rest", "Sales"})
    assert said["assignment"] == {"name": "Sales", "position": 2, "update_mode": "automatic"}
    assert (said["also_matched"], said["did_not_match"]) == (["Rest"], ["Leads"])
    assert {each["field"]: each["after"] for each in said["changes"]}["seats.gong.state"] == "held"


@pytest.mark.parametrize(
    ("link", "evaluation", "reason", "why"),
    [
        (Link(crm_id=ADA, reason="unmatched", source="2026|x"), None, "unmatched", EXPLAINED["unmatched"]),
        (Link(crm_id=ADA, reason="namesake_active"), None, "namesake_active", "That is m2."),
        (
            Link(crm_id=ADA, reason="unmatched"),
            {"reason": "name_missing", "why": "So."},
            "name_missing",
            "So.",
        ),
        (None, {"reason": None, "why": "So."}, None, "So."),
        (None, None, None, "Nothing is recorded"),
    ],
)
def test_who_is_not_in_the_roster_is_told_the_newest_reason(
    link: Link | None, evaluation: Json | None, reason: str | None, why: str
) -> None:
    said = explanations.of_outsider(ADA, link, ["m2"], evaluation, None)
    assert (said["in"], said["member"], said["user"]) == (False, None, ADA)
    assert said["reason"] == reason
    assert why in said["why"]
    assert (said["recorded"] and said["recorded"]["reason"]) == (link and link.reason)
