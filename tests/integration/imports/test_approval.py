"""Parked runs: what an admin's word does in time, too late, twice, and how they wait (I5)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import organization_settings
from muster import bootstrap
from muster.errors import Stale
from muster.roster.member import Json
from muster.runs.run import Run, Status
from tests.integration.company import STRICT, SUPPORT, Company
from tests.integration.told_metrics import metrics

OTHER = "20261120T081532000-0a1b2c3d"

type PassTime = Callable[[timedelta], None]


@pytest.fixture
def leavers(guarded: Company) -> list[str]:
    """Return two of Sales who have left in Salesforce."""
    return guarded.change("Sales", 2, IsActive=False)


@pytest.fixture
def parked(guarded: Company, leavers: list[str]) -> Json:
    """Return the answer of the run that is parked because of them."""
    said = guarded.run(by="joe")
    assert said["status"] == "parked", said
    return said


def refusal(said: Json) -> tuple[str, str]:
    """Return where an answer is rejected and what is wrong there; it says what to do."""
    assert said["status"] == "rejected", said
    [error] = said["errors"]
    assert error["remedy"]
    return error["where"], error["message"]


# ── Two people ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["joe", "Joe", " JOE "])
def test_who_started_a_run_does_not_approve_it_where_two_are_wanted(guarded: Company, by: str) -> None:
    guarded.put(guard={**STRICT, "second_person": True})
    guarded.change("Sales", 2, IsActive=False)
    parked = guarded.run(by="joe")
    where, message = refusal(guarded.run(None, approve=parked["run_id"], by=by))
    assert where == "by"
    assert "who started the run (joe)" in message
    run = guarded.record(parked["run_id"])
    assert (run.status, run.approved_by, run.attempt) == (Status.PARKED, None, 1)
    assert guarded.run(None, approve=parked["run_id"], by="jane")["counts"] == {"deactivated": 2}


def test_what_a_schedule_started_anybody_approves(guarded: Company) -> None:
    guarded.put(guard={**STRICT, "second_person": True})
    guarded.change("Sales", 2, IsActive=False)
    parked = guarded.run(by="schedule")
    assert guarded.run(None, approve=parked["run_id"], by="jane")["status"] == "succeeded"


def test_who_started_a_run_may_reject_it(guarded: Company) -> None:
    guarded.put(guard={**STRICT, "second_person": True})
    guarded.change("Sales", 2, IsActive=False)
    parked = guarded.run(by="joe")
    assert guarded.run(None, reject=parked["run_id"], by="joe")["status"] == "succeeded"


def test_a_run_says_in_which_invocations_it_was_begun_and_decided(
    guarded: Company, leavers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(request: str, *mode: None, **event: Any) -> Json:
        monkeypatch.setattr(guarded.context, "_aws_request_id", request)
        said = guarded.run(*mode, **event)
        shown: Json = next(each for each in guarded.ask("runs")["runs"] if each["id"] == said["run_id"])
        assert guarded.ask("run", run_id=said["run_id"])["run"]["request_id"] == "began"
        return shown

    parked = called("began", by="joe")
    assert (parked["request_id"], parked["decided_request_id"]) == ("began", None)
    done = called("approved", None, approve=parked["id"], by="jane")
    assert (done["request_id"], done["decided_request_id"]) == ("began", "approved")
    guarded.change("Support", 2, IsActive=False)
    other = called("began", by="joe")
    rejected = called("rejected", None, reject=other["id"], by="jane")
    assert (rejected["request_id"], rejected["decided_request_id"]) == ("began", "rejected")


# ── An admin's word in time ──────────────────────────────────────────────────────────────────────


def test_an_approved_run_does_what_was_planned_and_says_who_began_it_and_who_approved(
    guarded: Company, leavers: list[str], parked: Json
) -> None:
    said = guarded.run(None, approve=parked["run_id"], plan_hash=parked["plan_hash"], by="jane")
    assert (said["status"], said["run_id"]) == ("succeeded", parked["run_id"])
    assert said["counts"] == {"deactivated": 2}
    assert not guarded.active() & set(leavers)
    assert guarded.history(leavers[0])[0]["run"] == f"run:{said['run_id']}"
    run = guarded.record(said["run_id"])
    assert (run.status, run.attempt) == (Status.SUCCEEDED, 2)
    assert (run.by, run.approved_by, run.rejected_by) == ("joe", "jane", None)
    (listed,) = [each for each in guarded.ask("runs")["runs"] if each["id"] == run.id]
    assert (listed["by"], listed["approved_by"], listed["rejected_by"]) == ("joe", "jane", None)
    assert bootstrap.run_table().state("acme").full_run == said["run_id"]
    assert guarded.run()["counts"] == {}


@pytest.mark.parametrize("mode", ["incremental", "members"])
def test_so_does_one_about_some_of_the_users(guarded: Company, leavers: list[str], mode: str) -> None:
    event: Json = {"members": leavers, "mode": None} if mode == "members" else {"mode": mode}
    said = guarded.run(**event)
    assert (said["status"], said["mode"]) == ("parked", mode)
    said = guarded.run(None, approve=said["run_id"])
    assert (said["status"], said["mode"], said["counts"]) == ("succeeded", mode, {"deactivated": 2})


def test_an_approved_run_goes_on_after_its_time_was_up(guarded: Company, parked: Json) -> None:
    guarded.have_seconds(44)
    said = guarded.run(None, approve=parked["run_id"])
    for _ in range(9):
        assert said["status"] == "continue"
        # Whoever approves it again meanwhile is told that it is at work.
        assert refusal(guarded.run(None, approve=parked["run_id"]))[1].endswith("not parked but running")
        said = guarded.run(None, run_id=parked["run_id"])
        if said["status"] != "continue":
            break
    assert (said["status"], said["counts"]) == ("succeeded", {"deactivated": 2})


def test_a_plan_with_a_new_member_can_be_approved(guarded: Company, leavers: list[str]) -> None:
    guarded.salesforce.create(Department="Sales")
    parked = guarded.run()
    assert guarded.run()["run_id"] == parked["run_id"]
    said = guarded.run(None, approve=parked["run_id"])
    assert said["counts"] == {"deactivated": 2, "created": 1}


def test_a_rejected_run_changes_nothing_and_cannot_be_approved_any_more(
    guarded: Company, parked: Json
) -> None:
    before = guarded.items()
    said = guarded.run(None, reject=parked["run_id"], by="jane")
    assert said["status"] == "succeeded"
    assert "nothing was changed" in said["message"]
    run = guarded.record(parked["run_id"])
    assert (run.status, bool(run.finished_at)) == (Status.REJECTED, True)
    assert (run.by, run.approved_by, run.rejected_by) == ("joe", None, "jane")
    for word in ("approve", "reject"):
        where, message = refusal(guarded.run(None, **{word: parked["run_id"]}))
        assert (where, message) == (word, "is a run that is not parked but rejected")
    assert guarded.items() == before
    again = guarded.run()
    assert (again["status"], again["run_id"] != parked["run_id"]) == ("parked", True)


def test_a_run_is_approved_once(guarded: Company, parked: Json) -> None:
    assert guarded.run(None, approve=parked["run_id"])["status"] == "succeeded"
    before = guarded.items()
    for word in ("approve", "reject"):
        where, message = refusal(guarded.run(None, **{word: parked["run_id"]}))
        assert (where, message) == (word, "is a run that is not parked but succeeded")
    assert guarded.items() == before


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_of_two_admins_at_the_same_moment_the_first_is_obeyed(
    guarded: Company, leavers: list[str], parked: Json, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has looked at the parked run, and takes its lease, when the first has just spoken."""
    table = bootstrap.run_table()
    take = table.take
    first: list[Json] = []

    def beaten(*lease: Any) -> Any:
        monkeypatch.setattr(table, "take", take)
        first.append(guarded.run(None, **{word: parked["run_id"]}))
        return take(*lease)

    monkeypatch.setattr(table, "take", beaten)
    _, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert first[0]["status"] == "succeeded"
    assert message == f"is a run that is not parked but {'succeeded' if word == 'approve' else 'rejected'}"
    assert bool(guarded.active() & set(leavers)) == (word == "reject")
    assert guarded.run("incremental")["status"] == ("succeeded" if word == "approve" else "parked")


def test_who_takes_the_lease_of_a_run_just_approved_goes_on_with_it(
    guarded: Company, parked: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bootstrap.run_table()
    take = table.take

    def beaten(*lease: Any) -> Any:
        monkeypatch.setattr(table, "take", take)
        guarded.have_seconds(44)
        assert guarded.run(None, approve=parked["run_id"])["status"] == "continue"
        guarded.have_seconds(900)
        return take(*lease)

    monkeypatch.setattr(table, "take", beaten)
    said = guarded.run(None, approve=parked["run_id"])
    assert (said["status"], said["counts"]) == ("succeeded", {"deactivated": 2})
    assert guarded.record(parked["run_id"]).status is Status.SUCCEEDED


def test_a_run_that_is_rejected_while_it_is_being_approved_stays_rejected(
    guarded: Company, parked: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = bootstrap.run_table()
    save = table.save

    def beaten(run: Run, lease: Any) -> None:
        monkeypatch.setattr(table, "save", save)
        assert guarded.run(None, reject=run.id)["status"] == "succeeded"
        save(run, lease)

    monkeypatch.setattr(table, "save", beaten)
    before = guarded.items()
    where, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert where == "approve"
    assert "rejected it meanwhile" in message
    assert guarded.items() == before
    # Its place is free again.
    assert guarded.run(preview=True)["status"] == "succeeded"


# ── Too late, or about something else ────────────────────────────────────────────────────────────


def test_an_approval_holds_for_seventy_two_hours(
    guarded: Company, leavers: list[str], parked: Json, pass_time: PassTime
) -> None:
    pass_time(timedelta(hours=72))
    before = guarded.items()
    where, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert (where, message) == ("approve", "was not approved in time")
    run = guarded.record(parked["run_id"])
    assert (run.status, run.message) == (Status.REJECTED, "Nobody approved it in time.")
    assert guarded.items() == before
    # Planned anew it waits anew, and is approved at the last minute.
    again = guarded.run()
    assert (again["status"], again["run_id"] != parked["run_id"]) == ("parked", True)
    pass_time(timedelta(hours=71, minutes=59))
    assert guarded.run(None, approve=again["run_id"])["counts"] == {"deactivated": 2}


def test_the_hash_of_another_plan_approves_nothing_and_leaves_the_run_parked(
    guarded: Company, parked: Json
) -> None:
    before = guarded.items()
    wrong = parked["plan_hash"][::-1]
    where, _ = refusal(guarded.run(None, approve=parked["run_id"], plan_hash=wrong))
    assert where == "plan_hash"
    assert guarded.record(parked["run_id"]).status is Status.PARKED
    assert guarded.items() == before


def test_after_a_change_of_settings_the_plan_does_not_hold(guarded: Company, parked: Json) -> None:
    guarded.put_and_approve(guard={**STRICT, "count": 1})
    before = guarded.items()
    where, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert (where, message) == ("approve", "came too late: the settings have changed since")
    assert guarded.record(parked["run_id"]).status is Status.REJECTED
    assert guarded.items() == before


def another_leaves(company: Company, leavers: list[str]) -> None:
    company.change("Support", 1, IsActive=False)


def one_is_back(company: Company, leavers: list[str]) -> None:
    company.salesforce.update(leavers[0], IsActive=True)


def one_is_renamed(company: Company, leavers: list[str]) -> None:
    company.salesforce.update(leavers[0], LastName="Byron")


def the_webhook_told_of_one(company: Company, leavers: list[str]) -> None:
    assert company.hear({"Id": leavers[0]}) == 0


def the_webhook_told_of_one_and_another_leaves(company: Company, leavers: list[str]) -> None:
    the_webhook_told_of_one(company, leavers)
    another_leaves(company, leavers)


def one_was_off_and_on(company: Company, leavers: list[str]) -> None:
    """The member is as it was planned to be found, but it is not the same version any more."""
    the_webhook_told_of_one(company, leavers)
    company.salesforce.update(leavers[0], IsActive=True)
    the_webhook_told_of_one(company, leavers)
    company.salesforce.update(leavers[0], IsActive=False)


@pytest.mark.parametrize(
    "moves",
    [
        another_leaves,
        one_is_back,
        one_is_renamed,
        the_webhook_told_of_one,
        the_webhook_told_of_one_and_another_leaves,
        one_was_off_and_on,
    ],
)
def test_an_approval_is_refused_once_roster_or_source_has_moved(
    guarded: Company, leavers: list[str], parked: Json, moves: Callable[[Company, list[str]], None]
) -> None:
    moves(guarded, leavers)
    before = guarded.items()
    where, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert (where, message) == (
        "approve",
        "came too late: the roster or the source has changed since it was planned",
    )
    assert guarded.items() == before
    assert guarded.record(parked["run_id"]).status is Status.REJECTED
    # That is an answer to an admin, not a failed import.
    assert guarded.errors() == []
    assert guarded.run(preview=True)["status"] == "succeeded"


def test_while_another_run_is_at_work_nothing_is_approved_and_the_run_stays_parked(
    guarded: Company, parked: Json
) -> None:
    table = bootstrap.run_table()
    lease = table.take("acme", OTHER, 2_000_000_000, 960)
    where, message = refusal(guarded.run(None, approve=parked["run_id"]))
    assert (where, OTHER in message) == ("organization", True)
    assert guarded.record(parked["run_id"]).status is Status.PARKED
    table.release(lease)
    assert guarded.run(None, approve=parked["run_id"])["counts"] == {"deactivated": 2}


def test_a_parked_change_of_settings_is_not_approved_as_an_import(guarded: Company) -> None:
    said = guarded.put(assignments=[SUPPORT])
    assert said["status"] == "parked", said
    where, message = refusal(guarded.run(None, approve=said["run_id"]))
    assert (where, message) == ("approve", "is a change of settings, not an import")
    assert guarded.record(said["run_id"]).status is Status.PARKED
    # The event to send instead is in the remedy.
    (problem,) = guarded.run(None, approve=said["run_id"])["errors"]
    function, event = problem["remedy"].removesuffix(".").split(" saves it: ")
    assert function == "OrganizationSettingsFunction"
    approved = organization_settings.handler({**json.loads(event), "by": "joe"}, guarded.context)
    assert approved["saved"]
    # Approved or not, it is the wrong function that is told first.
    assert refusal(guarded.run(None, approve=said["run_id"]))[1] == "is a change of settings, not an import"


# ── Parked again ─────────────────────────────────────────────────────────────────────────────────


def test_the_same_plan_again_waits_as_one_run_with_one_notice(
    guarded: Company, parked: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    # Incremental runs every fifteen minutes, all with the same plan.
    table = bootstrap.run_table()
    for number in range(30):
        lease = table.take("acme", f"2100{number:04d}", 2_000_000_000, 1)
        between = replace(guarded.record(parked["run_id"]), id=lease.run, status=Status.RUNNING)
        table.finish(replace(between, status=Status.REJECTED), lease, None)
    again = guarded.run("incremental", by="schedule")
    assert (again["status"], again["run_id"]) == ("parked", parked["run_id"])
    assert guarded.record(again["run_id"]).plan_hash == parked["plan_hash"]
    assert metrics(capsys.readouterr().out)["RunsParked"] == 0
    runs, _ = table.runs("acme", 200, None)
    assert [run.id for run in runs if run.status is Status.PARKED] == [parked["run_id"]]
    assert guarded.run(None, approve=again["run_id"])["counts"] == {"deactivated": 2}


def test_the_first_time_a_plan_is_parked_is_a_notice(
    guarded: Company, leavers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    said = guarded.run()
    assert "new" not in said
    assert metrics(capsys.readouterr().out) == {"RunsParked": 1}


def test_a_newer_plan_takes_the_place_of_the_one_that_waits(
    guarded: Company, parked: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded.change("Support", 1, IsActive=False)
    capsys.readouterr()
    newer = guarded.run()
    assert (newer["status"], newer["run_id"] != parked["run_id"]) == ("parked", True)
    assert metrics(capsys.readouterr().out)["RunsParked"] == 1
    older = guarded.record(parked["run_id"])
    assert older.status is Status.REJECTED
    assert newer["run_id"] in (older.message or "")
    refusal(guarded.run(None, approve=parked["run_id"]))
    assert guarded.run(None, approve=newer["run_id"])["counts"] == {"deactivated": 3}


def test_an_older_plan_that_an_admin_closes_at_that_moment_is_no_hindrance(
    guarded: Company, parked: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.change("Support", 1, IsActive=False)
    table = bootstrap.run_table()
    save = table.save_without_lease

    def beaten(run: Run, expected: Status) -> None:
        monkeypatch.setattr(table, "save_without_lease", save)
        assert guarded.run(None, reject=run.id)["status"] == "succeeded"
        with pytest.raises(Stale):
            save(run, expected)
        raise Stale("someone else was first")

    monkeypatch.setattr(table, "save_without_lease", beaten)
    newer = guarded.run()
    assert newer["status"] == "parked"
    assert guarded.record(parked["run_id"]).message == "Rejected by an admin."
    assert guarded.run(None, approve=newer["run_id"])["counts"] == {"deactivated": 3}
