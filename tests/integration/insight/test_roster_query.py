"""RosterQueryFunction: an admin's questions, through the handler, on a real table."""

import csv
import io
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import roster_query
from muster import bootstrap, environment
from muster.error_log import entry_of
from muster.errors import Problem
from muster.roster.decisions import UnlinkedReason
from muster.roster.unlinked_holders import UnlinkedHolder
from muster.runs.run import Status
from muster.webhook.applying_changes import apply_message
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage
from muster.webhook.ports import Ports
from tests.examples import ADA, BOB, NOW, settings, user
from tests.integration.beginnings import Built, Roster, begin
from tests.integration.company import store
from tests.integration.pasted import events_for, pasted
from tests.integration.run_examples import run_of
from tests.simulation.harness.strict_aws import StrictAws

NEXT_DAY = "2026-11-21T09:15:32.000Z"
DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "seats": {"gong": {"limit": 3}, "forecast": {"requires": ["gong"]}, "spare": {"limit": 1}},
    "assignments": [{"name": "Field sales", "seats": ["gong", "forecast"]}],
}


@pytest.fixture
def ask(rules: StrictAws, built: Built, context: LambdaContext) -> Any:
    """Fill the roster with Ada (active, changed twice), Bob (left) and six others; return the way to ask.

    Three of them hold the seat gong; four wait for it, and cannot have forecast without it.
    """
    begin(Roster(), built, fill)
    return lambda action, **event: roster_query.handler(
        {"organization": "acme", "action": action, **event}, context
    )


def fill(_: Roster) -> None:
    bob = {"Id": BOB, "Username": "bob@acme.example", "Email": "bob@acme.example"}
    bob |= {"FirstName": "Bob", "LastName": "Noyce"}
    others = [
        {"Id": f"0050000000001{n:02d}AAA", "Username": f"u{n}@acme.example", "Email": f"u{n}@acme.example"}
        for n in range(6)
    ]
    people = [user(1, custom="x"), *(user(1, **each) for each in (bob, *others))]
    later = [user(2, Title="Lead"), user(2, **bob, IsActive="false")]
    parked = tuple(
        ParkedNotification(f"04l00000000000{n}AAA", "Account", "001000000000001AAA", "other_object")
        for n in range(3)
    )
    acme, roster = store(DOCUMENT), bootstrap.roster_table()
    for number, users in enumerate([people, later]):
        changes = tuple(
            QueuedChange(f"04l00000000{number}{n:04d}AAA", fields) for n, fields in enumerate(users)
        )
        apply_message(
            QueuedMessage("acme", "salesforce", NOW, changes, parked),
            acme,
            Ports(roster, bootstrap.loss_table()),
            NOW,
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
        (
            {"assignment": "field sales", "first_name": "Ada"},
            {f"u{n}@acme.example" for n in range(6)} | {"ada@acme.example"},
        ),
        ({"seat": None}, set()),
        ({"contains": "LOVELA"}, {"ada@acme.example"} | {f"u{n}@acme.example" for n in range(6)}),
        ({"contains": "u3@"}, {"u3@acme.example"}),
        ({"left_out": "inactive_user"}, {"bob@acme.example"}),
        ({"manager": None, "active": False}, {"bob@acme.example"}),
        ({"waiting": "spare"}, set()),
        ({"licence_status": "success"}, set()),
    ],
)
def test_filters_narrow_the_list(ask: Any, filters: dict[str, Any], expected: set[str]) -> None:
    assert names(ask("list", filter=filters)) == expected


@pytest.mark.parametrize(
    ("filters", "place", "nearest"),
    [
        ({"assignment": "Field sale"}, "assignment", "Field sales"),
        ({"seat": "gnog"}, "seat", "gong"),
        ({"waiting": "Forcast"}, "waiting", "forecast"),
        ({"licence_status": "succes"}, "licence_status", "success"),
        ({"left_out": "inactiv_user"}, "left_out", "inactive_user"),
        ({"seats": "gong"}, "seats", "seat"),
    ],
)
def test_a_value_that_nobody_can_have_is_refused_with_the_nearest(
    ask: Any, filters: dict[str, Any], place: str, nearest: str
) -> None:
    [error] = ask("list", filter=filters)["errors"]
    assert (error["where"], error["remedy"]) == (f"filter.{place}", f"Did you mean {nearest!r}?")


def test_a_group_that_nobody_is_in_is_refused(ask: Any) -> None:
    [error] = ask("list", filter={"group": "UK"})["errors"]
    assert error["message"] == "is 'uk', and there is no such group with anybody in it"


def test_pages_are_full_and_by_name_and_say_how_many_there_are(ask: Any) -> None:
    first = ask("list", filter={"active": "any", "contains": "acme"}, limit=3)
    assert (first["total"], first["read"], len(first["members"])) == (8, 8, 3)
    assert first["message"] == "3 of 8 members; there is more, ask again with the cursor."
    everyone = ask("list", filter={"active": "any"})["members"]
    assert [each["name"] for each in everyone] == ["Ada Lovelace"] * 7 + ["Bob Noyce"]


@pytest.mark.parametrize("name", ["Bob Noyce", "bob noyce", "NOYCE", "  Bób   Nöyce ", "noy bo"])
def test_a_person_is_found_by_name(ask: Any, name: str) -> None:
    for action in ("member", "explain", "history"):
        assert ask(action, member=name)["status"] == "succeeded"
    assert ask("member", member=name)["member"]["username"] == "bob@acme.example"


def test_several_of_a_name_are_listed(ask: Any) -> None:
    answer = ask("member", member="lovelace")
    assert (answer["status"], answer["message"]) == ("rejected", "member 'lovelace' fits 7 people.")
    assert "Ada Lovelace (u3@acme.example)" in answer["errors"][0]["remedy"]
    assert ask("member", member="Grace")["message"] == "member is not in the roster: 'Grace'."


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
    assert (answer["status"], answer["message"]) == (
        "rejected",
        "member is not in the roster: 'nobody@acme.example'.",
    )
    assert "errors" in answer["errors"][0]["remedy"]


def test_why_a_member_is_inactive_or_a_user_is_no_member_is_said_in_words(ask: Any) -> None:
    assert (
        ask("member", member=BOB)["message"]
        == "The user is deactivated in Salesforce, or is not in the org that is connected now."
    )
    outsider = user(1, Id="005000000000009AAA", Username="x@acme.example", CallCenterId=None)
    change = QueuedChange("04l000000000099AAA", outsider)
    apply_message(
        QueuedMessage("acme", "salesforce", NOW, (change,)),
        settings(),
        Ports(bootstrap.roster_table(), bootstrap.loss_table()),
        NOW,
    )
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
    first = ask("errors", limit=2, state="any")
    rest = ask("errors", cursor=first["cursor"], state="any")
    assert (len(first["log"]), len(rest["log"])) == (2, 1)
    assert first["message"].startswith("2 entries, the newest of 20")
    assert first["message"].endswith("; there is more, ask again with the cursor.")


def test_what_is_told_again_or_solved_leaves_the_first_view(ask: Any) -> None:
    """Three notifications about one record of another object are one thing to look at."""
    (entry,) = ask("errors")["log"]
    assert (entry["state"], entry["times"], entry["solved_by"]) == ("open", 3, None)
    table = bootstrap.run_table()
    run = replace(
        run_of("20261121T091532-0a1b2c3d"), mode="full", status=Status.SUCCEEDED, started_at=NEXT_DAY
    )
    table.finish(run, table.take("acme", run.id, NOW.timestamp(), 60), None)
    assert ask("errors")["log"] == []
    solved = ask("errors", state="solved")["log"]
    assert [(each["code"], each["solved_by"]) for each in solved] == [("other_object", run.id)]
    [error] = ask("errors", state="sovled")["errors"]
    assert (error["where"], error["remedy"]) == ("state", "Did you mean 'solved'?")


def test_entries_name_whom_they_are_about_and_explain_shows_the_open_ones(ask: Any) -> None:
    crm_id, member = ADA, ask("member", member=ADA)["member"]["id"]
    told = entry_of(
        Problem("User", "is odd", "Mend it."),
        at="2026-11-20T08:16:00.000Z",
        system="salesforce",
        code="source_address",
        notification="r1",
        record=crm_id,
    )
    about = replace(told, record="10042", system="vault_crm", code="request_failed", member=member)
    bootstrap.roster_table().park("acme", [told, about], NOW.timestamp())
    named = {entry["code"]: entry["name"] for entry in ask("errors", state="any")["log"]}
    assert named == {"other_object": None, "source_address": "Ada Lovelace", "request_failed": "Ada Lovelace"}
    (shown,) = ask("explain", member=ADA)["errors"]
    assert (shown["code"], shown["message"], shown["remedy"]) == ("source_address", "User is odd", "Mend it.")


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
        ({"action": "list", "filter": {"seat": ["gong"]}}, "filter.seat"),
        ({"action": "explain"}, "member"),
        ({"action": "as_of", "member": ADA}, "at"),
        ({"action": "as_of", "member": ADA, "at": "2999-01-01"}, "at"),
        ({"action": "as_of", "member": ADA, "at": "the other day"}, "at"),
        ({"action": "diff", "member": ADA}, "since"),
        ({"action": "diff"}, "since"),
        ({"action": "as_of"}, "at"),
        ({"action": "diff", "member": ADA, "since": "today", "until": "yesterday"}, "until"),
        ({"action": "explain", "member": ADA, "live": "yes"}, "live"),
        ({"action": "seats", "limit": 5}, "limit"),
        ({"action": "runs", "cursor": "nonsense"}, "cursor"),
        ({"action": "run"}, "run_id"),
        ({"action": "run", "run_id": ""}, "run_id"),
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


@pytest.mark.parametrize("name", events_for("roster_query"))
def test_every_sample_event_is_answered(ask: Any, name: str, context: LambdaContext) -> None:
    table = bootstrap.run_table()
    run = run_of("20261120T081532-0a1b2c3d")
    table.finish(run, table.take("acme", run.id, NOW.timestamp(), 60), None)
    # The run has ended, and has no plan.
    expected = "rejected" if name == "roster_query_replay" else "succeeded"
    assert roster_query.handler(pasted(name), context)["status"] == expected


# ── Seats ────────────────────────────────────────────────────────────────────────────────────────────


def test_who_waits_shows_the_place_in_line_and_who_holds_can_be_listed(ask: Any) -> None:
    members = ask("list")["members"]
    waiting = [each for each in members if each["seats"]["gong"]["state"] == "waiting"]
    # They came at the same moment by the same assignment, so their ids decide.
    in_line = sorted(waiting, key=lambda each: str(each["id"]))
    assert [each["seats"]["gong"]["place"] for each in in_line] == [1, 2, 3, 4]
    third = ask("member", member=in_line[2]["id"])["member"]["seats"]
    assert third == {
        "gong": {"state": "waiting", "since": "2026-11-20T08:16:00.000Z", "place": 3},
        "forecast": {"state": "blocked", "requires": "gong"},
    }
    holders = {each["username"] for each in members} - {each["username"] for each in waiting}
    assert len(holders) == 3
    for seat in ("GONG", "forecast"):
        assert names(ask("list", filter={"seat": seat})) == holders
    assert names(ask("list", filter={"seat": "spare"})) == set()


def test_a_page_of_members_reads_each_line_once(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = bootstrap.roster_table()
    asked: list[str] = []
    line = table.line

    def counted(organization: str, seat: str, limit: int) -> list[str]:
        asked.append(seat)
        return line(organization, seat, limit)

    monkeypatch.setattr(table, "line", counted)
    assert len(ask("list")["members"]) == 7
    assert asked == ["gong"]


def test_seats_show_their_use_and_who_is_first_in_line(ask: Any) -> None:
    answer = ask("seats")
    assert answer["message"] == "4 people wait for gong."
    gong, forecast, spare = (answer["seats"][name] for name in ("gong", "forecast", "spare"))
    assert (gong["limit"], gong["held"], gong["waiting"], gong["free"]) == (3, 3, 4, 0)
    assert [each["place"] for each in gong["line"]] == [1, 2, 3, 4]
    assert [each["member"] for each in gong["line"]] == sorted(each["member"] for each in gong["line"])
    first = ask("member", member=gong["line"][0]["member"])["member"]
    assert first["seats"]["gong"]["place"] == 1
    assert gong["line"][0] == {
        "place": 1,
        "member": first["id"],
        "name": first["name"],
        "assignment": "Field sales",
        "since": "2026-11-20T08:16:00.000Z",
    }
    assert (forecast["requires"], forecast["free"], forecast["line"]) == (["gong"], None, [])
    assert (spare["held"], spare["free"], spare["why"]) == (0, 1, "0 of 1 held, 1 free; 0 in line.")


def test_a_lowered_limit_shows_how_many_are_over_it(ask: Any) -> None:
    store({**DOCUMENT, "seats": {**DOCUMENT["seats"], "gong": {"limit": 1}}})
    gong = ask("seats")["seats"]["gong"]
    assert (gong["held"], gong["free"]) == (3, 0)
    assert "2 over the limit of 1" in gong["why"]


@pytest.mark.parametrize("action", ["seats", "licences", "explain"])
def test_without_settings_there_is_nothing_to_say_of_seats_or_licences(
    aws: SimpleNamespace, context: LambdaContext, action: str
) -> None:
    event = {"organization": "acme", "action": action, **({"member": ADA} if action == "explain" else {})}
    answer = roster_query.handler(event, context)
    assert (answer["status"], answer["message"]) == ("rejected", "organization acme has no settings.")


ABOUT_ONE = {
    "list": {},
    "member": {"member": ADA},
    "explain": {"member": ADA},
    "history": {"member": ADA},
    "as_of": {"member": ADA, "at": "yesterday"},
    "diff": {"member": ADA, "since": "yesterday"},
    "seats": {},
    "licences": {},
    "runs": {},
    "run": {"run_id": "20261120T081532000-0a1b2c3d"},
    "replay": {"run_id": "20261120T081532000-0a1b2c3d"},
    "errors": {},
    "health": {},
    "export": {"what": "roster"},
    "changes": {},
}


def test_no_question_about_an_organization_there_is_none_of_is_answered(
    ask: Any, context: LambdaContext
) -> None:
    assert ABOUT_ONE.keys() == roster_query.ACTIONS.keys() - {"organizations"}
    store({"organization": "globex"})
    for action, parameters in ABOUT_ONE.items():
        answer = roster_query.handler({"organization": "acne", "action": action, **parameters}, context)
        assert (answer["status"], answer["message"]) == ("rejected", "organization acne has no settings.")
        assert answer["errors"][0]["remedy"].startswith("Did you mean 'acme'?")


def test_the_organizations_are_listed_page_by_page_with_one_query_each(
    ask: Any, context: LambdaContext, rules: StrictAws
) -> None:
    for name in ("globex", "initech"):
        store({"organization": name})
    seen, cursor = [], None
    for more in (True, False):
        event = {"action": "organizations", "limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = roster_query.handler(event, context)
        seen += answer["organizations"]
        cursor = answer["cursor"]
        assert (answer["status"], bool(cursor)) == ("succeeded", more)
    assert seen == [
        {"organization": name, "scheduled": False, "pushed": False} for name in ("acme", "globex", "initech")
    ]
    # A name that is wrong asks for them too.
    answer = roster_query.handler({"action": "organizations", "organization": "acne"}, context)
    assert answer["message"] == "3 organizations."
    for wrong in ("ORG#acme", "é", " "):
        answer = roster_query.handler({"action": "organizations", "cursor": wrong}, context)
        assert (answer["status"], answer["errors"][0]["where"]) == ("rejected", "cursor")


def test_another_organization_sees_nothing_of_it(ask: Any, context: LambdaContext) -> None:
    member = ask("member", member=ADA)["member"]
    for reference in (member["id"], ADA, "ada@acme.example"):
        answer = roster_query.handler(
            {"organization": "other", "action": "member", "member": reference}, context
        )
        assert answer["status"] == "rejected"
    cursor = ask("list", limit=1)["cursor"]
    store({"organization": "other"})
    answer = roster_query.handler({"organization": "other", "action": "list", "cursor": cursor}, context)
    assert answer["members"] == []


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────


def fetched(answer: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the file that an answer's link leads to."""
    assert answer["status"] == "succeeded", answer
    bucket = environment.run_archive_bucket_name()
    key = urlsplit(answer["link"]).path.lstrip("/").removeprefix(f"{bucket}/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert len(body) == answer["bytes"]
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_the_roster_is_exported_by_name_with_the_filters_of_list(ask: Any) -> None:
    rows = fetched(ask("export", what="roster", filter={"active": "any"}))
    assert [row["name"] for row in rows] == ["Ada Lovelace"] * 7 + ["Bob Noyce"]
    assert (rows[-1]["active"], rows[-1]["inactive_reason"]) == ("no", "inactive_user")
    answer = ask("export", what="roster", filter={"waiting": "gong"})
    assert (answer["rows"], answer["message"][:14]) == (4, "4 rows written")
    assert {row["seats_waiting"] for row in fetched(answer)} == {"gong"}
    assert "X-Amz-Expires=3600" in answer["link"]


def test_seats_licences_and_errors_are_exported(ask: Any) -> None:
    seats = fetched(ask("export", what="seats"))
    assert Counter((row["seat"], row["state"]) for row in seats) == {
        ("gong", "held"): 3,
        ("gong", "waiting"): 4,
        ("forecast", "held"): 3,
        ("forecast", "blocked"): 4,
    }
    assert fetched(ask("export", what="licences")) == []
    errors = fetched(ask("export", what="errors"))
    assert [row["state"] for row in errors] == ["open", "repeated", "repeated"]


def test_changes_are_exported_a_row_a_person(ask: Any) -> None:
    rows = fetched(ask("export", what="changes", since="2026-11-20", until="2026-11-21"))
    bob = next(row for row in rows if row["who"] == "Bob Noyce")
    assert bob["what"].startswith("left: deactivated in Salesforce")
    assert bob["by"] == "by a message of Salesforce"


def test_who_is_nobody_is_exported_with_the_licences(ask: Any) -> None:
    holder = UnlinkedHolder(
        id="10042",
        username="eve@acme.example",
        email="eve@acme.example",
        active=True,
        groups={"engage": {"group": "UK", "request": "UK"}},
        reason=UnlinkedReason.NO_MEMBER,
        members=(),
        since="2026-11-20T08:16:00.000Z",
    )
    run = run_of("20261120T081532-0a1b2c3d")
    lease = bootstrap.run_table().take("acme", run.id, NOW.timestamp(), 60)
    bootstrap.unlinked_holder_table().record("acme", [holder], [], lease)
    (row,) = fetched(ask("export", what="licences"))
    assert (row["name"], row["group"], row["vault_crm_id"]) == ("(nobody in the roster)", "UK", "10042")
    assert fetched(ask("export", what="licences", filter={"seat": "gong"})) == []


@pytest.mark.parametrize(
    ("event", "where", "remedy"),
    [
        ({"what": "roster", "since": "yesterday"}, "since", "Leave it out."),
        ({"what": "rooster"}, "what", "Did you mean 'roster'?"),
        ({"what": "errors", "filter": {"seat": "gong"}}, "filter", "Leave it out."),
        ({"what": "roster", "filter": {"seet": "gong"}}, "filter.seet", "Did you mean 'seat'?"),
        ({"what": "roster", "format": "xlsx"}, "format", ""),
    ],
)
def test_what_cannot_be_exported_is_refused(ask: Any, event: dict[str, Any], where: str, remedy: str) -> None:
    [error] = ask("export", **event)["errors"]
    assert error["where"] == where
    assert remedy in error["remedy"]
