"""RosterQueryFunction's journal: what happened in Acme since a moment, in a run, to a person, by a cause."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import member_settings
import organization_settings
import roster_query
from muster import bootstrap
from muster.adapters.aws import dynamodb_reads, journal
from muster.errors import Misconfigured
from muster.insight import listing_changes, reading_changes, reading_logs
from muster.roster import history
from tests.integration.beginnings import Built, begin
from tests.integration.company import Company, store
from tests.integration.imports.conftest import import_everyone
from tests.simulation.harness.strict_aws import rows_of

type Json = dict[str, Any]
type PassTime = Callable[[timedelta], None]

SCREEN = 40
JANE = "jane@acme.example"


@pytest.fixture
def guarded(company: Company, built: Built) -> Company:
    """Return Acme with a strict guard, and twelve people who have names that can be told beforehand."""
    begin(company, built, hire)
    return company


@pytest.fixture
def night(guarded: Company, pass_time: PassTime, built: Built, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return Acme two days after its first import, and after a night in which this and that happened."""
    pass_time(timedelta(days=2))
    for function in (member_settings, organization_settings):
        monkeypatch.setattr(function, "datetime", vars(roster_query)["datetime"])
    begin(guarded, built, let_it_happen)
    return guarded


# Answers as people get them who do not ask for detail.
pytestmark = pytest.mark.usefixtures("on_a_screen")


def hire(company: Company) -> None:
    for number in range(12):
        names = {"FirstName": f"F{number}", "LastName": f"L{number}"}
        address = dict.fromkeys(("Username", "Email"), f"u{number}@acme.example")
        department = ("Sales", "Support")[number % 2]
        company.salesforce.create(**names, **address, Department=department, Division="G")
    import_everyone(company)


def let_it_happen(company: Company) -> None:
    """Let Ada join, F2 leave, F1 be edited by hand, three titles change; and two runs bring nothing."""
    for _ in range(2):
        company.run("incremental", by="schedule")
    company.salesforce.create(Department="Sales", Division="G", FirstName="Ada", LastName="Lovelace")
    for number in (1, 3, 5):
        company.salesforce.update(user_of(company, number), Title="Lead")
    company.salesforce.update(user_of(company, 2), IsActive=False)
    company.run("incremental", by="schedule")
    company.salesforce.update(user_of(company, 7), Title="Head")
    company.hear({"Id": user_of(company, 7)})
    said = edit(company, "u1@acme.example", end_date="2036-12-31")
    assert said["status"] == "succeeded", said


def user_of(company: Company, number: int) -> str:
    return next(
        crm_id
        for crm_id, member in company.roster().items()
        if member["username"] == f"u{number}@acme.example"
    )


def edit(company: Company, person: str, **change: Any) -> Json:
    event = {"organization": "acme", "by": JANE, "changes": [{"member": person, **change}]}
    said: Json = member_settings.handler(event, company.context)
    return said


def pane_of(said: Json) -> list[str]:
    return json.dumps(said, indent=2, ensure_ascii=False).splitlines()


def names(said: Json) -> list[str]:
    return [each["name"] for each in said["people"]]


# ── A night ──────────────────────────────────────────────────────────────────────────────────────


def test_what_happened_last_night_is_one_answer_on_one_screen(night: Company) -> None:
    said = night.ask("changes")
    assert said["message"].endswith(" UTC: Ada Lovelace joined, F2 L2 left, 4 others changed.")
    assert said["summary"] == [
        "+ Ada Lovelace joined: Sales, gong",
        "- F2 L2 left: deactivated in Salesforce; lost gong",
        "~ 4 others changed: title, end date",
        f"Came by imports (5 people), {JANE} (1 person), messages of Salesforce (1 person)",
        "1 run with news; 2 quiet runs",
    ]
    assert said["counts"] == {
        "joined": 1,
        "left": 1,
        "returned": 0,
        "erased": 0,
        "changed": 4,
        "runs": 1,
        "quiet_runs": 2,
        "settings": 0,
        "errors": 0,
    }
    assert (said["cursor"], said.get("warnings")) == (None, None)
    assert len(pane_of(said)) <= SCREEN


def test_people_with_the_same_news_are_told_by_name(night: Company) -> None:
    changed = [
        each["name"] for each in night.ask("changes", detail=True)["people"] if each["news"] == "changed"
    ]
    assert changed == ["F1 L1", "F3 L3", "F5 L5", "F7 L7"]


def test_nothing_happened_is_one_line_however_many_runs_there_were(night: Company) -> None:
    said = night.ask("changes", since="3 h", until="2 h")
    assert said["message"].endswith(" UTC: nothing changed.")
    assert "summary" not in said
    assert night.ask("changes", since="30 h", value="nothing of the kind")["counts"]["quiet_runs"] == 0


def test_earlier_changes_are_found_by_when_they_were(night: Company) -> None:
    everything = night.ask("changes", since="7 days")
    # Of the first twelve, one has left again.
    assert (everything["counts"]["joined"], everything["counts"]["left"]) == (12, 1)
    assert everything["counts"]["settings"] == 2
    assert night.ask("changes", since="7 days", until="36 h")["counts"]["joined"] == 12


def test_the_whole_is_there_on_request_as_values_and_as_a_table(night: Company) -> None:
    said = night.ask("changes", detail=True)
    ada, *_ = said["people"]
    assert (ada["name"], ada["news"], ada["assignment"]) == (
        "Ada Lovelace",
        "joined",
        {"from": None, "to": "Sales"},
    )
    assert [run["counts"] for run in said["runs"]] == [{"deactivated": 1, "updated": 3, "created": 1}]
    assert said["causes"][0] == {"cause": "import", "by": None, "changes": 5, "people": 5}
    text = night.ask("changes", **{"as": "text"})["text"]
    assert text[0].split() == ["When", "(UTC)", "Who", "What", "By"]
    assert any("F2 L2" in line and line.endswith("by an incremental import") for line in text)
    assert any("F1 L1" in line and f"by {JANE}" in line for line in text)


# ── Narrower questions ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"cause": "message"}, {"F7 L7"}),
        ({"cause": "edit"}, {"F1 L1"}),
        ({"cause": JANE.upper()}, {"F1 L1"}),
        ({"cause": "import"}, {"Ada Lovelace", "F2 L2", "F1 L1", "F3 L3", "F5 L5"}),
        ({"value": "Lead"}, {"F1 L1", "F3 L3", "F5 L5"}),
        ({"value": "gong"}, {"Ada Lovelace", "F2 L2"}),
        ({"value": "end_date", "cause": "edit"}, {"F1 L1"}),
        ({"value": "Head", "cause": "edit"}, set()),
        ({"person": "u7@acme.example"}, {"F7 L7"}),
        ({"person": "u4@acme.example"}, set()),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value),
)
def test_changes_are_found_by_cause_value_and_person(night: Company, asked: Json, found: set[str]) -> None:
    said = night.ask("changes", since="24 h", detail=True, **asked)
    assert set(names(said)) == found
    assert said["settings"] == []


def test_of_a_person_or_a_cause_a_month_is_told_and_whole(night: Company) -> None:
    [person] = night.ask("changes", person="u1@acme.example", detail=True)["people"]
    assert person["news"] == "joined"
    assert [cause["run"].partition(":")[0] for cause in person["causes"]] == ["edit", "run", "run"]
    assert night.ask("changes", cause="import")["counts"]["joined"] == 12


def test_a_run_is_told_by_itself_and_only_what_it_brought(night: Company) -> None:
    first, *_ = night.ask("changes", since="7 days", until="36 h", detail=True)["runs"]
    said = night.ask("changes", run_id=first["id"])
    assert (said["counts"]["joined"], said["counts"]["changed"], said["counts"]["runs"]) == (12, 0, 1)
    assert said["since"] < first["started_at"] < first["finished_at"] < said["until"]


def test_what_a_history_entry_names_can_be_opened_and_is_said_in_words(night: Company) -> None:
    edited, by_run, joined = night.ask("history", member="u1@acme.example", detail=True)["history"]
    assert [edited["cause"], by_run["cause"]] == [f"by {JANE}", "by an incremental import"]
    assert joined["cause"] == "by a full import begun by jane"
    opened = roster_query.handler(edited["opens"], night.context)
    assert opened["message"].endswith("F1 L1 changed.")
    assert opened["summary"] == [
        "~ F1 L1 changed: end date (by jane@acme.example)",
        f"Came by {JANE} (1 person)",
    ]
    assert (
        roster_query.handler(by_run["opens"] | {"detail": True}, night.context)["run"]["mode"]
        == "incremental"
    )
    heard, _ = night.ask("history", member="u7@acme.example", detail=True)["history"]
    assert heard["cause"] == "by a message of Salesforce"
    assert roster_query.handler(heard["opens"], night.context)["counts"]["changed"] == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": "soon"}, "since 'soon' is no moment."),
        ({"since": "today", "until": "yesterday"}, "until is not after since."),
        ({"cause": "imports"}, "cause 'imports' is no cause of a change."),
        ({"run_id": "20261120T081532-0a1b2c3d"}, "run_id is not a run of this organization."),
        ({"run_id": "r1"}, "run_id is not the id of a run."),
        (
            {"run_id": "20261120T081532-0a1b2c3d", "since": "today"},
            "event has run_id beside since, until or cause.",
        ),
        ({"person": "nobody@acme.example"}, "member is not in the roster: 'nobody@acme.example'."),
        ({"cursor": "x"}, "cursor is not one that was handed out."),
        ({"as": "csv"}, "as is not one of text."),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused(night: Company, asked: Json, said: str) -> None:
    answer = night.ask("changes", **asked)
    assert (answer["status"], answer["message"]) == ("rejected", said)
    assert answer["errors"][0]["remedy"]


def test_another_organization_sees_nothing_of_it(night: Company) -> None:
    store({"organization": "globex"})
    said = roster_query.handler(
        {"organization": "globex", "action": "changes", "since": "7 days"}, night.context
    )
    assert said["message"].endswith(" UTC: nothing changed.")


# ── What waits, what was decided, what failed ────────────────────────────────────────────────────


def test_what_waits_and_who_approved_it_is_told(night: Company) -> None:
    night.change("Sales", 2, IsActive=False)
    parked = night.run(by="schedule")
    again = night.run(by="schedule")
    waiting = night.ask("changes", since="1 h")
    assert again["status"] == parked["status"] == "parked"
    assert waiting["summary"][0].startswith(f"! The full import {parked['run_id']} waits for approval until ")
    assert ", 1 run waits for approval." in waiting["message"]
    # The plan that came again is the same one, and no news.
    assert waiting["counts"]["runs"] == 2
    night.run(None, approve=parked["run_id"], by="joe")
    said = night.ask("changes", since="1 h")
    assert f"The full import {parked['run_id']} was approved by joe" in said["summary"]
    assert said["counts"]["left"] == 3


def test_who_saved_the_settings_where_and_why_is_told(night: Company) -> None:
    night.document["guard"] = {**night.document["guard"], "floor": 2}
    event = {
        "organization": "acme",
        "action": "put",
        "by": JANE,
        "why": "fewer alarms",
        "settings": night.document,
    }
    parked = organization_settings.handler(event, night.context)
    organization_settings.handler(
        {"organization": "acme", "action": "approve", "run_id": parked["run_id"], "by": "joe"}, night.context
    )
    said = night.ask("changes", since="1 h")
    line = f"{JANE}, approved by joe, saved version 3 of the settings: guard.floor (fewer alarms)"
    assert line in said["summary"]
    assert said["counts"]["settings"] == 1
    assert night.ask("changes", run_id=parked["run_id"])["counts"]["settings"] == 1


def test_what_messages_may_not_take_is_told_as_held(night: Company) -> None:
    leavers = night.change("Sales", 3, Department="None of ours")
    night.hear(*({"Id": crm_id} for crm_id in leavers))
    said = night.ask("changes", since="1 h")
    assert said["summary"][0].startswith("! held at the door: ")
    assert said["summary"][0].endswith(", and 2 more (held_deactivation)")
    assert "3 entries in the error log" in said["message"]
    one = night.ask("changes", person=leavers[0])
    assert one["counts"]["errors"] == 1


# ── How much is read ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_pages_in_detail_have_everybody_exactly_once(night: Company, limit: int) -> None:
    seen: list[str] = []
    cursor: Json = {}
    for _ in range(20):
        said = night.ask("changes", since="7 days", detail=True, limit=limit, **cursor)
        assert len(said["people"]) <= limit
        seen += [cause["run"] + each["name"] for each in said["people"] for cause in each["causes"]]
        if said["cursor"] is None:
            break
        # What happened beside the people is told once.
        assert (said["runs"] == []) == bool(cursor)
        cursor = {"cursor": said["cursor"]}
    # Twelve by the first import, five by that of the night, one by a message, one by hand.
    assert len(seen) == len(set(seen)) == 12 + 5 + 1 + 1


def test_a_summary_stops_after_so_many_changes_and_says_how_far_it_came(
    night: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_changes, "MOST_CHANGES", 7)
    said = night.ask("changes", since="7 days")
    assert said["counts"]["joined"] == 1
    assert said["message"].endswith("; there is more, ask again with the cursor.")
    assert "changes were looked at, back to " in said["warnings"][0]
    rest = []
    while said["cursor"]:
        said = night.ask("changes", since="7 days", cursor=said["cursor"])
        rest.append(said["counts"]["joined"])
    assert sum(rest) == 12


def test_runs_and_errors_beyond_so_many_are_not_looked_at_and_that_is_said(
    night: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (listing_changes, reading_logs):
        monkeypatch.setattr(module, "MOST_RUNS", 2)
        monkeypatch.setattr(module, "MOST_ERRORS", 1)
    leavers = night.change("Sales", 3, Department="None of ours")
    night.hear(*({"Id": crm_id} for crm_id in leavers))
    said = night.ask("changes")
    assert said["warnings"] == [
        "The newest 2 runs and 1 entries of the error log were looked at; ask about a shorter period for the"
        " others."
    ]
    assert (said["counts"]["quiet_runs"], said["counts"]["errors"]) == (1, 1)


def test_what_changed_before_there_was_a_journal_is_said_to_be_elsewhere(night: Company) -> None:
    assert "warnings" not in night.ask("changes")
    client = bootstrap._dynamodb()
    kept = 0
    for row in list(history_items()):
        if row["sk"]["S"].endswith("#00000001"):
            key = {name: row[name] for name in ("pk", "sk")}
            client.update_item(TableName="roster", Key=key, UpdateExpression="REMOVE recorded")
        else:
            kept += 1
    said = night.ask("changes", since="47 h")
    assert kept == 6
    assert said["counts"]["joined"] == 0
    [warning] = said["warnings"]
    assert warning.startswith("The journal of members begins 20")


def test_whatever_changes_a_member_is_in_the_journal(night: Company) -> None:
    entries = [(row, json.loads(row["doc"]["S"])) for row in history_items()]
    assert {entry["run"].partition(":")[0] for _, entry in entries} == {"run", "webhook", "edit"}
    for row, entry in entries:
        assert row["recorded"]["S"] == history.place(entry["at"], entry["member"], entry["version"])


def history_items() -> Iterator[Json]:
    return (row for row in rows_of("roster") if row["sk"]["S"].startswith("HISTORY#"))


def test_the_journal_is_read_in_pages_of_what_is_wanted(
    night: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    texts = dynamodb_reads.texts

    def counted(client: Any, request: Json, name: str) -> Iterator[str]:
        if "recorded BETWEEN" in request["KeyConditionExpression"]:
            asked.append(request["Limit"])
        return texts(client, request, name)

    monkeypatch.setattr(journal, "texts", counted)
    night.ask("changes", detail=True, limit=10)
    night.ask("changes")
    assert asked == [25] * 8 + [1000] * 8


def test_without_its_index_the_table_is_said_to_lack_it(
    night: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_INDEX", "by_nothing")
    with pytest.raises(Misconfigured, match="After an upgrade it takes some minutes to be built"):
        night.ask("changes")


def test_an_erased_member_leaves_one_line_and_nothing_of_what_there_was(night: Company) -> None:
    gone = user_of(night, 2)
    event = {"organization": "acme", "by": JANE, "why": "asked to be forgotten", "erase": [gone]}
    assert member_settings.handler(event, night.context)["status"] == "succeeded"
    said = night.ask("changes", since="7 days", detail=True, limit=500)
    [erased] = [each for each in said["people"] if each["news"] == "erased"]
    assert (erased["name"], said["counts"]["joined"], said["counts"]["left"]) == (None, 12, 0)
    assert any(f"was erased (by {JANE}: asked to be forgotten)" in line for line in said["summary"])
    assert "u2@acme.example" not in json.dumps(said)
