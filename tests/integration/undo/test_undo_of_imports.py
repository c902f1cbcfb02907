"""An import undone: planned, previewed, guarded, parked, approved and resumed like any run (Q2, I5)."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import member_settings
from muster.replays import replaying_offline
from muster.roster.member import Json
from tests.integration.beginnings import Built, begin
from tests.integration.company import SALES, STRICT, SUPPORT, Company

NOBODY = {**SUPPORT, "filter": "Department = 'Nobody'"}
PEOPLE = 4


@pytest.fixture
def acme(company: Company, built: Built) -> Company:
    """Return Acme after its first import: four in Sales, automatic, and four in Support, edited by hand."""
    begin(company, built, settle)
    return company


def settle(company: Company) -> None:
    company.salesforce.create_many(2 * PEOPLE, Department=["Sales", "Support"])
    company.put_and_approve(
        guard={"floor": 100}, seats={"gong": {}, "notes": {}}, assignments=[SALES, SUPPORT]
    )
    company.run()
    edit(company, "Support", seats=["notes"], workspaces={"EMEA": "Lead"}, end_date="2030-12-31")


def edit(company: Company, assignment: str, **change: Any) -> None:
    members = [each["id"] for each in company.roster().values() if each["assignment"] == assignment]
    changes = [{"member": member, **change} for member in members]
    event = {"organization": "acme", "by": "jane", "changes": changes}
    said = member_settings.handler(event, company.context)
    assert said["status"] == "succeeded", said


def undo(company: Company, run: str, **event: Any) -> Json:
    return company.run(None, undo=run, by="joe", **event)


def state(company: Company) -> dict[str, Json]:
    """Return the roster without what every change moves."""
    apart = ("version", "updated_at", "source_version")
    return {
        user: {name: value for name, value in member.items() if name not in apart}
        for user, member in company.roster().items()
    }


def closed_by_a_bad_filter(company: Company) -> str:
    """Have an import close everybody in Support, and mend the filter; returns the import's id."""
    company.put(assignments=[SALES, NOBODY])
    said = company.run()
    assert said["counts"]["deactivated"] == PEOPLE, said
    company.put(assignments=[SALES, SUPPORT])
    return str(said["run_id"])


def test_whom_a_bad_filter_closed_come_back_with_what_they_had(acme: Company) -> None:
    before = state(acme)
    bad = closed_by_a_bad_filter(acme)
    said = undo(acme, bad, preview=True)
    assert (said["ended"], said["counts"]["reactivated"]) == ("previewed", PEOPLE), said
    assert state(acme) != before
    said = undo(acme, bad)
    assert (said["status"], said["counts"]["reactivated"]) == ("succeeded", PEOPLE), said
    assert said["message"] == f"Undo of run {bad}: 4 people came back."
    assert said["undoes"] == bad
    assert state(acme) == before
    run = acme.record(said["run_id"])
    assert (run.kind, run.mode_or_kind, run.undoes, run.by) == ("undo", "undo", bad, "joe")
    # An undo of the same once more changes nothing, and says so.
    again = undo(acme, bad)
    assert again["message"].startswith(f"Nothing of run {bad} is left to put back")
    assert state(acme) == before
    # And so does the next import (I9).
    acme.run()
    assert state(acme) == before


def test_it_is_named_what_cannot_be_put_back_and_what_to_do(acme: Company) -> None:
    acme.put(assignments=[SALES, NOBODY])
    bad = acme.run()["run_id"]
    before = state(acme)
    said = undo(acme, bad)
    assert (said["status"], state(acme)) == ("succeeded", before)
    (line,) = [each for each in said["summary"] if each.startswith("!")]
    assert "active cannot be put back: no assignment's filter matches the user" in line
    assert "Mend that first" in line
    assert said["counts"] == {"held_back": PEOPLE}
    assert said["message"].endswith(f"{PEOPLE} people had something that could not be put back.")


def test_the_reason_is_the_one_of_now(acme: Company) -> None:
    """Whom a bad filter closed, and who has left since, stays out for having left."""
    bad = closed_by_a_bad_filter(acme)
    closed = next(user for user, member in acme.roster().items() if not member["active"])
    acme.salesforce.update(closed, IsActive=False)
    said = undo(acme, bad)
    assert (said["counts"]["reactivated"], said["counts"]["held_back"]) == (PEOPLE - 1, 1)
    (line,) = [each for each in said["summary"] if each.startswith("!")]
    assert "active cannot be put back: the user is deactivated in Salesforce" in line, line


def test_it_is_parked_by_the_guard_and_approved_by_somebody_else(acme: Company) -> None:
    company = acme
    company.salesforce.create_many(3, Department=["Guests"])
    company.put(assignments=[SALES, SUPPORT, {"name": "Guests", "filter": "Department = 'Guests'"}])
    joined = company.run()
    assert joined["counts"]["created"] == 3, joined
    company.put_and_approve(guard={**STRICT, "second_person": True}, assignments=[SALES, SUPPORT])
    parked = undo(company, joined["run_id"])
    assert (parked["status"], parked["counts"]["deactivated"]) == ("parked", 3), parked
    told = company.ask("run", run_id=parked["run_id"])
    assert [each["function"] for each in told["to_do"]] == ["ScheduledImportFunction"] * 2
    assert company.run(None, approve=parked["run_id"], by="joe")["status"] == "rejected"
    said = company.run(None, approve=parked["run_id"], plan_hash=parked["plan_hash"], by="jane")
    assert (said["status"], said["counts"]["deactivated"]) == ("succeeded", 3), said


def test_it_goes_on_where_it_was_left(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(acme)
    bad = closed_by_a_bad_filter(acme)
    acme.have_seconds(900, 10)
    said = undo(acme, bad)
    assert said["status"] == "continue", said
    acme.have_seconds(900)
    said = acme.run(None, run_id=said["run_id"])
    assert (said["status"], state(acme)) == ("succeeded", before), said


def test_an_undo_can_be_undone(acme: Company) -> None:
    edited = state(acme)
    acme.put(assignments=[SALES, {**SUPPORT, "seats": ["gong"], "update_mode": "automatic"}])
    bad = acme.run()["run_id"]
    assert state(acme) != edited
    acme.put(assignments=[SALES, SUPPORT])
    undone = undo(acme, bad)
    assert state(acme) == edited, undone
    back = undo(acme, undone["run_id"])
    assert back["status"] == "succeeded", back
    assert acme.record(back["run_id"]).undoes_kind == "import"


@pytest.mark.parametrize("what", ["parked", "preview", "unknown", "nothing", "settings"])
def test_what_changed_nothing_is_refused_with_what_to_do(acme: Company, what: str) -> None:
    def run() -> str:
        match what:
            case "parked":
                acme.put(guard=STRICT)
                acme.change("Sales", 3, IsActive=False)
                return str(acme.run()["run_id"])
            case "preview":
                return str(acme.run(preview=True)["run_id"])
            case "nothing":
                acme.run()
                return str(acme.run()["run_id"])
            case "settings":
                return str(acme.put(seats={"gong": {}})["run_id"])
        return "20261120T081532000-0a1b2c3d"

    said = undo(acme, run())
    (error,) = said["errors"]
    assert (said["status"], error["where"]) == ("rejected", "undo")
    assert (
        error["message"].split()[:2]
        == {
            "parked": ["waits", "for"],
            "preview": ["is", "a"],
            "unknown": ["is", "not"],
            "nothing": ["changed", "no"],
            "settings": ["is", "a"],
        }[what]
    )
    assert error["remedy"]


@pytest.mark.parametrize(
    "event", [{"mode": "full"}, {"run_id": "20261120T081532000-0a1b2c3d"}, {"by": "schedule"}]
)
def test_an_event_asks_for_one_thing_and_a_schedule_undoes_nothing(acme: Company, event: Json) -> None:
    asked = {"undo": "20261120T081532000-0a1b2c3d", "by": "joe", "mode": None, **event}
    said = acme.run(asked.pop("mode"), **asked)
    assert said["status"] == "rejected", said


def test_while_people_are_not_provisioned_an_undo_is_previewed_only(acme: Company) -> None:
    bad = closed_by_a_bad_filter(acme)
    before = state(acme)
    acme.put(auto_provision={"require_call_center": False, "enabled": False})
    assert undo(acme, bad, preview=True)["counts"]["reactivated"] == PEOPLE
    said = undo(acme, bad)
    assert (said["status"], said["errors"][0]["where"]) == ("rejected", "auto_provision.enabled")
    assert state(acme) == before


def test_what_an_undo_did_is_found_by_its_cause_and_says_what_it_undid(acme: Company) -> None:
    bad = closed_by_a_bad_filter(acme)
    undone = undo(acme, bad)["run_id"]
    told = acme.ask("changes", since="2026-01-01", cause="undo", detail=True)
    assert len(told["people"]) == PEOPLE, told
    assert f"Came by an undo by joe ({PEOPLE} people)" in told["summary"]
    assert all("(by joe, undoing a run)" in line for line in told["summary"] if line.startswith("+"))
    assert f"undo of {bad} by joe" in acme.ask("runs", limit=1)["summary"][0]
    shown = acme.ask("run", run_id=undone)
    assert shown["run"]["undoes"] == bad
    # It can be undone itself, by the event that it names.
    (step,) = shown["to_do"]
    assert (step["function"], step["event"]["undo"]) == ("ScheduledImportFunction", undone)


def test_its_plan_is_made_again_from_the_archive(acme: Company, tmp_path: Path) -> None:
    bad = closed_by_a_bad_filter(acme)
    previewed = undo(acme, bad, preview=True)["run_id"]
    undone = undo(acme, bad)["run_id"]
    for run in (previewed, undone):
        said = acme.ask("replay", run_id=run, detail=True)
        assert (said["same"], said["items"]) == (True, PEOPLE), said
    assert said["hash"]["planned"] == acme.record(undone).plan_hash
    assert acme.rules.archive
    for key, body in acme.rules.archive.objects.items():
        if undone in key:
            path = tmp_path / key.partition(f"{undone}/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    out = StringIO()
    assert replaying_offline.main([str(tmp_path)], out) == 0, out.getvalue()
