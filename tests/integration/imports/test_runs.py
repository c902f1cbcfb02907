"""Runs through the function's handler: one at a time, through interruptions, with a member that fails (I)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import scheduled_import
from muster import bootstrap
from muster.adapters.salesforce import client
from muster.errors import Incomplete, Misconfigured, Stale
from muster.imports import applying
from muster.runs.run import Status
from sandbox.salesforce import query
from tests.integration.company import Company
from tests.integration.told_metrics import metrics

QUERY = "/services/data/v66.0/query"
OTHER = "20261120T081532000-0a1b2c3d"
# A lease holds for sixteen minutes.
LEASE_OVER = timedelta(minutes=17)

type PassTime = Callable[[timedelta], None]


def at_first_query(company: Company, act: Callable[[], None]) -> None:
    """Have this happen once, right before Salesforce answers the first query that comes."""

    def before(request: Any) -> None:
        if QUERY in request.url:
            company.salesforce.wire.before = lambda request: None
            act()

    company.salesforce.wire.before = before


def dies() -> None:
    """End as a function does whose environment is gone: nothing after it runs."""
    raise KeyboardInterrupt


# A function that dies reports no metrics, of which Powertools warns.
deadly = pytest.mark.filterwarnings("ignore:No application metrics:UserWarning")


# ── One at a time (I7) ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["jane", "schedule"])
def test_a_run_beside_another_is_refused_or_if_scheduled_skipped_and_names_it(
    company: Company, by: str
) -> None:
    ada = company.salesforce.create(Department="Sales")
    said: list[dict[str, Any]] = []
    at_first_query(company, lambda: said.append(company.run(by=by)))
    first = company.run(by="joe")
    [second] = said
    assert first["status"] == "succeeded"
    assert company.active() == {ada}
    if by == "schedule":
        assert (second["status"], second["run_id"]) == ("skipped", first["run_id"])
    else:
        [error] = second["errors"]
        assert (second["status"], error["where"]) == ("rejected", "organization")
        assert first["run_id"] in error["message"]
        assert error["remedy"]
    assert [run["id"] for run in company.ask("runs")["runs"]] == [first["run_id"]]


@deadly
def test_the_place_of_a_dead_run_is_free_once_its_lease_is_over_and_its_record_is_closed(
    company: Company, pass_time: PassTime
) -> None:
    ada = company.salesforce.create(Department="Sales")
    at_first_query(company, dies)
    with pytest.raises(KeyboardInterrupt):
        company.run()
    dead = company.latest()
    assert dead.status is Status.RUNNING
    assert dead.id in company.run()["message"]
    pass_time(LEASE_OVER)
    assert company.run("incremental")["status"] == "succeeded"
    assert company.active() == {ada}
    closed = company.record(dead.id)
    assert closed.status is Status.FAILED
    assert closed.finished_at
    assert closed.message
    assert company.run(None, run_id=dead.id)["errors"][0]["where"] == "run_id"


def test_a_run_that_was_taken_for_dead_writes_nothing_more(company: Company, pass_time: PassTime) -> None:
    ada, bob = (company.salesforce.create(Department="Sales") for _ in range(2))
    done: list[dict[str, Any]] = []

    def overtake() -> None:
        company.salesforce.update(bob, IsActive=False)
        pass_time(LEASE_OVER)
        done.append(company.run())

    at_first_query(company, overtake)
    with pytest.raises(Stale):
        company.run()
    assert done[0]["counts"] == {"created": 1}
    assert company.active() == {ada}
    assert company.record(done[0]["run_id"]).status is Status.SUCCEEDED
    assert company.latest().id == done[0]["run_id"]
    assert [run["status"] for run in company.ask("runs")["runs"]] == ["succeeded", "failed"]


# ── Time runs out (I1, I12) ──────────────────────────────────────────────────────────────────────

PEOPLE = 12


@pytest.fixture
def many(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return Acme with three pages of users, a manager among the last, and four users applied at once."""
    monkeypatch.setattr(client, "ROWS_A_PAGE", 5)
    monkeypatch.setattr(query, "SMALLEST_PAGE", 5)
    monkeypatch.setattr(applying, "LOOKED_UP_AT_ONCE", 4)
    crm_ids = company.salesforce.create_many(PEOPLE, Department=["Sales", "Support"])
    for crm_id in crm_ids[:2]:
        company.salesforce.update(crm_id, ManagerId=crm_ids[-1])
    company.put(seats={"gong": {"limit": 20}})
    return company


def finished(company: Company, **event: Any) -> tuple[int, dict[str, Any]]:
    """Run, and go on until it has ended; returns how many invocations that took, and the last answer."""
    said = company.run(**event)
    for invocation in range(1, 50):
        if said["status"] != "continue":
            return invocation, said
        said = company.run(None, run_id=said["run_id"])
    raise AssertionError("the run never ends")


def test_a_run_that_never_has_time_for_more_than_a_step_comes_to_the_same_end(many: Company) -> None:
    many.have_seconds(44)
    calls = len(many.salesforce.wire.calls)
    invocations, said = finished(many)
    assert (said["status"], said["counts"], said["read"]) == ("succeeded", {"created": PEOPLE}, PEOPLE)
    # Three pages of users, one of who is frozen, two of each filter, three times four users.
    assert invocations == 3 + 1 + 2 * 2 + 3 + 1
    queries = [path for _, path in many.salesforce.wire.calls[calls:] if path.startswith(QUERY)]
    assert len(queries) == 3 + 1 + 2 * 2
    assert len(many.active()) == PEOPLE
    # A report that came before the manager was given it afterwards; nothing else was written twice.
    assert sum(len(many.history(crm_id)) for crm_id in many.active()) in (PEOPLE, PEOPLE + 1)
    managers = {member["manager"] for member in many.roster().values()}
    assert len(managers) == 2
    many.have_seconds(900)
    before = many.items()
    assert many.run()["counts"] == {}
    assert many.items() == before


def test_a_preview_that_runs_out_of_time_goes_on_as_a_preview(many: Company) -> None:
    many.have_seconds(44)
    before = many.items()
    invocations, said = finished(many, preview=True)
    assert (said["status"], said["counts"]["created"]) == ("succeeded", PEOPLE)
    assert invocations == 3 + 1 + 2 * 2 + 1
    assert many.record(said["run_id"]).status is Status.PREVIEWED
    assert many.items() == before


@pytest.mark.parametrize("mode", ["incremental", "members"])
def test_so_does_one_about_some_of_the_users(many: Company, mode: str) -> None:
    assert many.run()["counts"] == {"created": PEOPLE}
    changed = sorted(many.active())[:6]
    for crm_id in changed:
        many.salesforce.update(crm_id, Title="Chief")
    many.have_seconds(44)
    event: dict[str, Any] = {"members": changed, "mode": None} if mode == "members" else {"mode": mode}
    invocations, said = finished(many, **event)
    assert (said["status"], said["mode"], said["counts"]) == ("succeeded", mode, {"updated": 6})
    assert invocations > 4
    assert {crm_id for crm_id, member in many.roster().items() if member["title"]} == set(changed)


@pytest.mark.parametrize(
    ("seconds", "phase", "cursor"),
    [
        # The clock is asked after each page and after each four users.
        ([900, 44], "gather", 0),
        ([*[900] * 7, 44], "gather", 0),
        ([*[900] * 8, 44], "apply", 4),
        ([*[900] * 10, 44], "apply", 12),
    ],
)
def test_where_the_time_ran_out_is_where_it_goes_on(
    many: Company, seconds: list[float], phase: str, cursor: int
) -> None:
    many.have_seconds(*seconds)
    said = many.run(by="jane")
    assert said["status"] == "continue"
    assert said["run_id"] in said["message"]
    run = many.record(said["run_id"])
    assert (run.status, run.phase, run.cursor) == (Status.RUNNING, phase, cursor)
    assert len(many.active()) == cursor
    # Until it has gone on, its place is taken.
    assert many.run(by="schedule")["status"] == "skipped"
    many.have_seconds(900)
    ended = many.run(None, run_id=said["run_id"])
    assert (ended["status"], ended["counts"]) == ("succeeded", {"created": PEOPLE})
    assert many.record(said["run_id"]).by == "jane"


@deadly
def test_a_run_that_died_while_managers_were_told_ends_when_it_is_called_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = company.salesforce.create(Department="Sales")
    with monkeypatch.context() as dying:
        dying.setattr(scheduled_import, "_tell_managers", lambda *_, **__: dies())
        with pytest.raises(KeyboardInterrupt):
            company.run()
    assert company.latest().phase == "notify"
    said = company.run(None, run_id=company.latest().id)
    assert (said["status"], said["counts"]) == ("succeeded", {"created": 1})
    assert company.active() == {ada}
    assert bootstrap.run_table().state("acme").full_run == said["run_id"]


def test_what_an_earlier_try_at_planning_has_left_behind_is_not_applied(many: Company) -> None:
    many.have_seconds(*[900] * 8, 44)
    run_id = many.run()["run_id"]
    archive = bootstrap.run_archive()
    archive.put("acme", run_id, 1, "plan", 2, archive.part("acme", run_id, 1, "plan", 1))
    many.have_seconds(900)
    assert many.run(None, run_id=run_id)["counts"] == {"created": PEOPLE}


# ── Going on with what cannot go on ──────────────────────────────────────────────────────────────


def test_a_run_that_has_ended_or_never_was_is_not_gone_on_with(company: Company) -> None:
    company.salesforce.create(Department="Sales")
    ended = company.run()["run_id"]
    previewed = company.run(preview=True)["run_id"]
    before, runs = company.items(), company.ask("runs")["runs"]
    for run_id, what in (
        (ended, "has ended (succeeded)"),
        (previewed, "has ended (previewed)"),
        (OTHER, "is not a run of this organization"),
    ):
        said = company.run(None, run_id=run_id)
        [error] = said["errors"]
        assert (said["status"], error["where"]) == ("rejected", "run_id")
        assert what in error["message"]
        assert error["remedy"]
    assert company.items() == before
    assert company.ask("runs")["runs"] == runs
    assert company.run()["status"] == "succeeded"


def test_a_run_does_not_go_on_under_other_settings(many: Company) -> None:
    many.have_seconds(*[900] * 8, 44)
    run_id = many.run()["run_id"]
    many.have_seconds(900)
    # Limits decide about nobody, so saving them needs no preview, which would find the place taken.
    assert many.put(guard={"floor": 3})["status"] == "succeeded"
    with pytest.raises(Incomplete, match="settings have changed"):
        many.run(None, run_id=run_id)
    failed = many.record(run_id)
    assert (failed.status, failed.cursor, failed.counts) == (Status.FAILED, 4, {"created": 4})
    assert many.errors()[0]["code"] == "import_failed"
    assert many.run("incremental")["counts"] == {"created": PEOPLE - 4}


def test_who_finds_the_run_ended_meanwhile_leaves_its_place_free(
    many: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.have_seconds(44)
    run_id = many.run()["run_id"]
    many.have_seconds(900)
    table = bootstrap.run_table()
    take = table.take

    def beaten(*lease: Any) -> Any:
        monkeypatch.setattr(table, "take", take)
        assert many.run(None, run_id=run_id)["status"] == "succeeded"
        return take(*lease)

    monkeypatch.setattr(table, "take", beaten)
    assert "has ended (succeeded)" in many.run(None, run_id=run_id)["message"]
    assert many.run()["status"] == "succeeded"


@deadly
def test_a_run_that_waits_for_approval_is_not_gone_on_with(company: Company) -> None:
    at_first_query(company, dies)
    with pytest.raises(KeyboardInterrupt):
        company.run()
    table = bootstrap.run_table()
    table.save_without_lease(replace(company.latest(), status=Status.PARKED), Status.RUNNING)
    [error] = company.run(None, run_id=company.latest().id)["errors"]
    assert (error["where"], error["remedy"]) == ("run_id", "Approve or reject it.")


# ── A member that cannot be written (I8) ─────────────────────────────────────────────────────────


@pytest.fixture
def refuse(aws: SimpleNamespace) -> Iterator[Callable[..., None]]:
    """Return what makes DynamoDB refuse every transaction that holds one of these texts."""
    client = bootstrap._dynamodb()
    refused: set[str] = set()

    def before(params: dict[str, Any], **_: Any) -> Any:
        if not any(text.encode() in params["body"] for text in refused):
            return None
        error = {"Code": "ValidationException", "Message": "Item size has exceeded the maximum allowed size"}
        answer = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return SimpleNamespace(status_code=400), answer

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", before)

    def these(*texts: str) -> None:
        refused.clear()
        refused.update(texts)

    yield these
    client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", before)


def test_a_member_that_cannot_be_written_stops_nobody_else(
    company: Company, refuse: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    crm_ids = company.salesforce.create_many(4, Department=["Sales"])
    refuse(f"CRM#salesforce#{crm_ids[1]}", f'\\"{crm_ids[1]}\\"')
    said = company.run()
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"created": 3})
    assert "1 error to look at" in said["message"]
    assert company.active() == set(crm_ids) - {crm_ids[1]}
    [entry] = company.errors()
    assert (entry["code"], entry["record"], entry["notification"]) == (
        "not_written",
        crm_ids[1],
        said["run_id"],
    )
    assert "next full import" in entry["remedy"]
    assert company.record(said["run_id"]).errors == 1
    assert metrics(capsys.readouterr().out)["RunsSucceeded"] == 1
    refuse()
    again = company.run()
    assert (again["status"], again["counts"]) == ("succeeded", {"created": 1})
    assert company.active() == set(crm_ids)


def test_three_members_that_cannot_be_written_stop_nobody_else_either(
    company: Company, refuse: Callable[..., None]
) -> None:
    crm_ids = company.salesforce.create_many(5, Department=["Sales"])
    refuse(*(f'\\"{crm_id}\\"' for crm_id in crm_ids[:3]))
    said = company.run()
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"created": 2})


def test_when_nobody_can_be_written_the_run_stops_and_its_record_says_how_far_it_came(
    many: Company, refuse: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    many.have_seconds(*[900] * 8, 44)
    run_id = many.run()["run_id"]
    many.have_seconds(900)
    refuse("LEASE")
    with pytest.raises(Misconfigured, match="ValidationException"):
        many.run(None, run_id=run_id)
    assert metrics(capsys.readouterr().out)["RunsFailed"] == 1
    refuse()
    assert len(many.active()) == 4
    # The table refused the record of the end as well, so the lease goes on until it is over.
    assert many.record(run_id).cursor == 4
    assert many.run(None, run_id=run_id)["counts"] == {"created": PEOPLE}


def test_a_run_that_fails_while_applying_keeps_the_count_of_what_it_did(
    many: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, roster = bootstrap.run_archive(), bootstrap.roster_table()
    write = roster.write

    def fails_later(*decisions: Any) -> Any:
        if many.latest().cursor:
            raise Misconfigured("the roster table refused the call with AccessDeniedException")
        return write(*decisions)

    monkeypatch.setattr(roster, "write", fails_later)
    with pytest.raises(Misconfigured, match="AccessDenied"):
        many.run()
    run = many.latest()
    assert (run.status, run.cursor, run.counts) == (Status.FAILED, 4, {"created": 4})
    assert archive.document("acme", run.id, 1, "plan")["counts"]["created"] == PEOPLE
