"""RosterQueryFunction: an admin's questions, through the handler, on a real table."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import roster_query
from muster import bootstrap
from muster.following import follow
from muster.messages import ParkedNotification, QueuedChange, QueuedMessage
from tests.examples import ADA, BOB, NOW, settings, user

EVENTS = sorted((Path(__file__).parents[2] / "events").glob("roster_query_*.json"))


@pytest.fixture
def ask(aws: SimpleNamespace, context: LambdaContext) -> Any:
    """Fill the roster with Ada (active, changed twice), Bob (left) and six others; return the way to ask."""
    people = [
        user(1, custom="x"),
        user(
            1,
            Id=BOB,
            Username="bob@acme.example",
            Email="bob@acme.example",
            FirstName="Bob",
            LastName="Noyce",
        ),
        *(
            user(1, Id=f"0050000000001{n:02d}AAA", Username=f"u{n}@acme.example", Email=f"u{n}@acme.example")
            for n in range(6)
        ),
    ]
    later = [
        user(2, Title="Lead"),
        user(
            2,
            Id=BOB,
            Username="bob@acme.example",
            Email="bob@acme.example",
            FirstName="Bob",
            LastName="Noyce",
            IsActive="false",
        ),
    ]
    parked = tuple(
        ParkedNotification(f"04l00000000000{n}AAA", "Account", "001000000000001AAA", "other_object")
        for n in range(3)
    )
    for number, users in enumerate([people, later]):
        changes = tuple(
            QueuedChange(f"04l00000000{number}{n:04d}AAA", fields) for n, fields in enumerate(users)
        )
        follow(
            QueuedMessage("acme", "salesforce", NOW, changes, parked),
            settings(),
            bootstrap.roster_table(),
            NOW,
        )
    return lambda action, **event: roster_query.handler(
        {"organization": "acme", "action": action, **event}, context
    )


def names(answer: dict[str, Any]) -> set[str]:
    return {member["username"] for member in answer["members"]}


def test_the_list_shows_the_active_ones_by_default(ask: Any) -> None:
    answer = ask("list")
    assert answer["status"] == "succeeded"
    assert answer["message"] == "7 members."
    assert "bob@acme.example" not in names(answer)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"active": False}, {"bob@acme.example"}),
        ({"active": "any", "first_name": "bob"}, {"bob@acme.example"}),
        ({"active": "any", "inactive_reason": "inactive_user"}, {"bob@acme.example"}),
        ({"email": "ADA@acme.example"}, {"ada@acme.example"}),
        ({"email": "nobody@acme.example"}, set()),
        ({"enabled": True, "username": "u1@acme.example"}, {"u1@acme.example"}),
        ({"custom.Region__c": "EMEA"}, set()),
    ],
)
def test_filters_narrow_the_list(ask: Any, filters: dict[str, Any], expected: set[str]) -> None:
    assert names(ask("list", filter=filters)) == expected


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 100])
def test_the_cursor_leads_through_everyone_exactly_once(ask: Any, limit: int) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(60):
        answer = ask("list", filter={"active": "any"}, limit=limit, **({"cursor": cursor} if cursor else {}))
        assert len(answer["members"]) <= limit
        seen += [member["id"] for member in answer["members"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert cursor is None
    assert len(seen) == len(set(seen)) == 8


@pytest.mark.parametrize(
    "reference", ["ada@acme.example", "ADA@ACME.EXAMPLE", ADA, ADA[:15], " ada@acme.example "]
)
def test_a_member_is_found_by_address_username_and_crm_id(ask: Any, reference: str) -> None:
    assert ask("member", member=reference)["member"]["first_name"] == "Ada"


def test_a_member_is_found_by_its_own_id(ask: Any) -> None:
    member = ask("member", member=ADA)["member"]
    assert ask("member", member=member["id"])["member"] == member


def test_an_unknown_member_is_said_to_be_unknown_with_what_to_do(ask: Any) -> None:
    answer = ask("member", member="nobody@acme.example")
    assert (answer["status"], answer["message"]) == ("rejected", "member is not in the roster.")
    assert "errors" in answer["errors"][0]["remedy"]


def test_why_a_member_is_inactive_or_a_user_is_no_member_is_said_in_words(ask: Any) -> None:
    assert ask("member", member=BOB)["message"] == "The user is deactivated in Salesforce."
    outsider = user(1, Id="005000000000009AAA", Username="x@acme.example", CallCenterId=None)
    change = QueuedChange("04l000000000099AAA", outsider)
    follow(QueuedMessage("acme", "salesforce", NOW, (change,)), settings(), bootstrap.roster_table(), NOW)
    answer = ask("member", member="005000000000009AAA")
    assert answer["errors"][0]["remedy"].startswith("The user is in no call center")


def test_history_is_newest_first_and_pages(ask: Any) -> None:
    newest = ask("history", member=ADA, limit=1)
    assert [entry["version"] for entry in newest["history"]] == [2]
    assert newest["history"][0]["changes"] == [{"field": "title", "before": "Rep", "after": "Lead"}]
    oldest = ask("history", member=ADA, cursor=newest["cursor"])
    assert [entry["version"] for entry in oldest["history"]] == [1]
    assert oldest["cursor"] is None


def test_errors_page_and_say_what_to_do(ask: Any) -> None:
    first = ask("errors", limit=2)
    rest = ask("errors", cursor=first["cursor"])
    assert (len(first["log"]), len(rest["log"])) == (2, 1)
    assert first["message"] == "2 entries; there is more, ask again with the cursor."


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"action": "list", "limit": 0}, "limit"),
        ({"action": "list", "limit": 501}, "limit"),
        ({"action": "list", "limit": "ten"}, "limit"),
        ({"action": "list", "cursor": "nonsense"}, "cursor"),
        ({"action": "list", "cursor": "WzksIG51bGxd"}, "cursor"),
        ({"action": "list", "cursor": "WzAsICJPUkcjb3RoZXIiXQ=="}, "cursor"),
        ({"action": "history", "member": ADA, "cursor": "WzAsICJNRU1CRVIjMSJd"}, "cursor"),
        ({"action": "list", "filter": {"active": "yes"}}, "filter.active"),
        ({"action": "list", "filter": {"shoe_size": 43}}, "filter.shoe_size"),
        ({"action": "list", "filter": {"email": {"$ne": ""}}}, "filter.email"),
        ({"action": "list", "filters": {}}, "filters"),
        ({"action": "member"}, "member"),
        ({"action": "member", "member": ""}, "member"),
        ({"action": "member", "member": ["x"]}, "member"),
        ({"action": "remember"}, "action"),
        ({}, "action"),
        ({"action": "list", "organization": "ACME/../other"}, "organization"),
    ],
)
def test_a_wrong_question_is_answered_with_the_place(ask: Any, event: dict[str, Any], where: str) -> None:
    answer = ask(event.get("action"), **{key: value for key, value in event.items() if key != "action"})
    assert answer["status"] == "rejected"
    assert [problem["where"] for problem in answer["errors"]] == [where]
    assert all(problem["remedy"] for problem in answer["errors"])


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_sample_event_is_answered(ask: Any, path: Path, context: LambdaContext) -> None:
    assert roster_query.handler(json.loads(path.read_text()), context)["status"] == "succeeded"


def test_another_organization_sees_nothing_of_it(ask: Any, context: LambdaContext) -> None:
    member = ask("member", member=ADA)["member"]
    for reference in (member["id"], ADA, "ada@acme.example"):
        answer = roster_query.handler(
            {"organization": "other", "action": "member", "member": reference}, context
        )
        assert answer["status"] == "rejected"
    cursor = ask("list", limit=1)["cursor"]
    answer = roster_query.handler({"organization": "other", "action": "list", "cursor": cursor}, context)
    assert answer["members"] == []
