"""Answers as an admin sees them: what stands in the first forty lines of the console's pane (Q3, Q5)."""

import importlib
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

import group_assignment
import organization_settings
import preflight
from muster import bootstrap, roster_questions
from muster.errors import WrongSystem
from muster.presentation import checks as rows_of_checks
from muster.presentation import edits, explanations, members, plans, seats, sendings
from tests.integration.beginnings import Built, begin
from tests.integration.company import SALES, SUPPORT
from tests.integration.engage.licences import Licences
from tests.integration.pasted import FOLDER, pasted

type Json = dict[str, Any]

SCREEN = 40
MODULES = (
    "group_assignment",
    "member_settings",
    "organization_settings",
    "preflight",
    "roster_query",
    "scheduled_import",
    "scheduled_push",
    "webhook_setup",
)
EVENTS = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem.startswith(MODULES))
# Lists that a reader asked for as such.
LISTED = ("roster_query_list", "roster_query_member")
A_COUNT = re.compile(r"(?:^|[:;,] )([0-9][0-9,]*)(?:[.;,] |$)")
OTHERS = {"name": "Field sales", "filter": "Department = 'Field'", "seats": ["gong"]}


@pytest.fixture
def week(licences: Licences, built: Built, on_a_screen: None, monkeypatch: pytest.MonkeyPatch) -> Licences:
    """Return Acme after some days: people came, left and wait; a push refused somebody, an import waits."""
    begin(licences, built, live)
    monkeypatch.setattr(bootstrap, "workflow", lambda: SimpleNamespace(go_on_with=lambda run: None))
    return licences


def live(licences: Licences) -> None:
    company, org = licences.company, licences.company.salesforce
    company.put(assignments=[SALES, SUPPORT], seats={"gong": {"limit": 5}})
    ada = {"FirstName": "Ada", "LastName": "Lovelace", "Department": "Sales", "Title": "Rep"}
    org.create(**ada, Username="ada@acme.example", Email="ada@acme.example")
    people = licences.people(8)
    for name, given in (("bob", "Bob"), ("grace", "Grace")):
        address = f"{name}@acme.example"
        org.create(FirstName=given, LastName="Stone", Username=address, Email=address, Department="Kitchen")
    licences.imported()
    licences.ask(*people[:3])
    licences.ask(people[3], group="Nowhere")
    licences.push()
    company.put(guard={"floor": 1, "count": 0, "percent": 0})
    # One joins and two would leave, which waits.
    members = licences.roster().values()
    holders = [member for member in members if member["seats"]["gong"]["state"] == "held"]
    for member in holders[:2]:
        org.update(member["crm"]["salesforce"]["id"], IsActive=False)
    org.create(FirstName="Nina", LastName="Newcomer", Department="Sales")
    assert company.run("incremental")["status"] == "parked"


def shown(answer: Json) -> list[str]:
    """Return the lines of the console's pane."""
    return json.dumps(answer, indent=2, ensure_ascii=False).splitlines()


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_answered_on_one_screen_in_words(name: str, week: Licences) -> None:
    module = next(each for each in MODULES if name.startswith(each))
    event = pasted(name)
    if "run_id" in event or "approve" in event or "reject" in event:
        key = next(each for each in ("run_id", "approve", "reject") if each in event)
        event[key] = week.company.latest().id
    try:
        answer = importlib.import_module(module).handler(event, week.company.context)
    except WrongSystem:
        return  # the event has the document of another org

    lines = shown(answer)
    if not name.startswith(LISTED) and "detail" not in event:
        assert len(lines) <= SCREEN, "\n".join(lines)
        assert '"first_name"' not in "".join(lines)
    assert next(iter(answer)) == "status"
    assert answer["message"][-1] in ".…", answer["message"]
    for line in [answer["message"], *answer.get("summary", ())]:
        assert not A_COUNT.search(line), f"a count of what? {line}"
        assert "{" not in line or module == "organization_settings", line


def test_what_a_parked_import_would_do_is_read_at_a_glance(week: Licences) -> None:
    said = week.company.ask("run", run_id=week.company.latest().id, by="jane")

    assert said["to_do"][0]["event"]["approve"]
    leaves = [line for line in said["summary"] if line.startswith("- ")]
    assert len(leaves) == 2
    # Those who were in line are next.
    assert all("leaves: deactivated in Salesforce; gong freed, " in line for line in leaves)
    assert all(" is next" in line for line in leaves)
    assert "+ Nina Newcomer joins: Sales, waits for gong" in said["summary"]
    assert len(shown(said)) <= SCREEN


def test_a_preview_says_the_news_and_shows_the_rest_on_request(week: Licences) -> None:
    said = week.company.run(preview=True)

    assert "Nina Newcomer joins" in said["message"]
    assert said["message"].startswith("A preview; nothing was changed. ")
    # The record is kept for 400 days, and erasing does not reach it.
    assert "Nina" not in (week.company.latest().message or "Nina")
    assert said["guard"]
    assert "changes" not in said
    assert "changes" in said["more"]
    assert len(shown(said)) <= SCREEN
    whole = week.company.run(preview=True, detail=True)
    assert whole["counts"] == said["counts"]
    does = ["deactivated", "deactivated", "created", "seated", "seated"]
    assert [each["does"] for each in whole["changes"]] == does


def test_why_somebody_has_a_seat_is_a_sentence(week: Licences) -> None:
    said = week.company.ask("explain", member="ada@acme.example")

    assert said["message"].startswith("Ada Lovelace is active and holds gong.")
    assert any(
        line.startswith("Holds gong since 20") and line.endswith("by Sales.") for line in said["summary"]
    )
    assert "seats" not in said


def test_a_question_is_answered_as_a_table(week: Licences) -> None:
    for action, event in (
        ("list", {}),
        ("member", {"member": "ada@acme.example"}),
        ("explain", {"member": "ada@acme.example"}),
        ("history", {"member": "ada@acme.example"}),
        ("seats", {}),
        ("runs", {}),
        ("run", {"run_id": week.company.latest().id}),
        ("errors", {}),
    ):
        said = week.company.ask(action, **event, **{"as": "text"})
        heading, rule, *rows = said["text"]
        assert set(rule) == {"-", " "}, action
        assert heading[0] != " "
        assert rows
        lists = {"members", "seats", "runs", "items", "log", "history"}
        assert not lists & said.keys()
    refused = week.company.ask("seats", **{"as": "html"})
    assert (refused["status"], refused["errors"][0]["where"]) == ("rejected", "as")
    assert week.company.ask("seats", as_="text")["status"] == "rejected"


@pytest.mark.parametrize(
    ("more", "size", "size_of_list"),
    [({}, 20, 100), ({"detail": True}, 100, 100), ({"as": "text"}, 100, 100), ({"limit": 7}, 7, 7)],
)
def test_without_a_limit_a_page_is_what_a_screen_shows(more: Json, size: int, size_of_list: int) -> None:
    event = json.dumps({"organization": "acme", "action": "runs", **more})

    assert roster_questions.Page.model_validate_json(event).size == size
    assert roster_questions.MemberList.model_validate_json(event).size == size_of_list


def test_a_page_is_as_long_as_was_asked_for_else_a_screen(week: Licences) -> None:
    assert len(week.company.ask("runs", limit=2, detail=True)["runs"]) == 2
    assert week.company.ask("runs", limit=1)["cursor"]
    assert "history" not in week.company.ask("history", member="ada@acme.example", limit=500)


def test_group_requests_and_edits_name_whom_they_are_about(week: Licences) -> None:
    vault_id = next(iter(week.roster()))
    said = week.ask(vault_id)
    name = week.member(vault_id)["name"]

    assert said["summary"][0].startswith(f"+ {name}: UK (Engage). ")
    assert "results" not in said


def test_settings_are_answered_by_what_differs(week: Licences) -> None:
    document = {**week.company.document, "assignments": [SALES, SUPPORT, OTHERS]}
    event = {"organization": "acme", "action": "validate", "settings": document, "by": "jane"}
    said = organization_settings.handler(event, week.company.context)

    assert said["summary"] == ["+ assignments[2]: Field sales"]
    history = organization_settings.handler(
        {"organization": "acme", "action": "history"}, week.company.context
    )
    assert history["summary"][0].startswith("Version ")
    assert "versions" not in history


def test_preflight_says_what_is_wrong_and_counts_what_is_right(week: Licences) -> None:
    said = preflight.handler({"organization": "acme"}, week.company.context)

    assert "checks" not in said
    assert any(line.startswith("Passed: ") for line in said["summary"])


def test_the_tables_of_the_demo_are_made_of_whole_answers(week: Licences) -> None:
    company, vault_id = week.company, next(iter(week.roster()))
    preview = company.run(preview=True, detail=True)
    everyone = company.ask("list", filter={"active": "any"}, detail=True)["members"]
    one = {"member": "ada@acme.example", "detail": True}
    asked = [{"member": week.member(vault_id)["id"], "action": "assign", "feature": "engage", "group": "US"}]
    requests = {"organization": "acme", "by": "jane", "requests": asked, "detail": True}
    results = group_assignment.handler(requests, company.context)["results"]
    checks = preflight.handler({"organization": "acme", "detail": True}, company.context)["checks"]
    shown = [
        plans.changes_table(preview["changes"]),
        seats.use_table(preview["seats"]),
        seats.seats_table(company.ask("seats", detail=True)),
        members.roster(everyone),
        members.licences(everyone),
        members.moved(everyone, everyone),
        members.grants([SALES, SUPPORT], everyone),
        members.history_table(company.ask("history", **one)),
        explanations.explanation_table(company.ask("explain", **one)),
        edits.group_requests(results),
        sendings.sendings_table(week.push(preview=True, detail=True)["changes"]),
        rows_of_checks.checks_table(checks),
        rows_of_checks.links_table(checks),
    ]
    assert all(table.rows for table in shown)
    for table in shown:
        assert {len(row) for row in table.rows} == {len(table.headings)}
