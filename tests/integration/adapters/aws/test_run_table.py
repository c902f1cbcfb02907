"""Runs in the table: the lease, what is recorded and when it is refused, and how it is read."""

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from muster.adapters.aws.run_table import RunTable
from muster.errors import Misconfigured, MusterError, Rejected, Stale, Unavailable
from muster.lease import Lease, LeaseHeld
from muster.runs.import_state import ImportState, SourceState
from muster.runs.run import Run, Status
from tests.integration.run_examples import (
    JANES,
    JOES,
    MINUTE,
    NOW,
    READS,
    REJECTED,
    RUNNING,
    STATE,
    SUCCEEDED,
    WRITES,
    items,
    run_of,
)
from tests.simulation.harness.faults import Wire
from tests.simulation.harness.strict_aws import rows_of

# ── The lease ──────────────────────────────────────────────────────────────────────────────────────


def test_a_free_lease_is_taken_and_names_its_holder(jane: RunTable) -> None:
    assert jane.holder("acme", NOW) is None
    assert jane.take("acme", JANES, NOW, MINUTE) == Lease("acme", JANES, 1, NOW + MINUTE)
    assert jane.holder("acme", NOW) == JANES
    assert jane.holder("other", NOW) is None
    assert jane.take("other", JOES, NOW, MINUTE).epoch == 1


def test_a_held_lease_is_refused_with_the_run_that_holds_it(jane: RunTable) -> None:
    jane.take("acme", JANES, NOW, MINUTE)
    with pytest.raises(LeaseHeld) as caught:
        jane.take("acme", JOES, NOW + MINUTE - 0.5, MINUTE)
    assert caught.value.run == JANES
    assert jane.holder("acme", NOW + MINUTE - 0.5) == JANES


def test_the_lease_of_a_run_that_died_frees_itself(jane: RunTable) -> None:
    jane.take("acme", JANES, NOW, MINUTE)
    assert jane.holder("acme", NOW + MINUTE) is None
    assert jane.take("acme", JOES, NOW + MINUTE, MINUTE) == Lease("acme", JOES, 2, NOW + 2 * MINUTE)


def test_a_run_takes_its_own_lease_again_and_fences_off_who_had_it(jane: RunTable) -> None:
    first = jane.take("acme", JANES, NOW, MINUTE)
    second = jane.take("acme", JANES, NOW + 1, MINUTE)
    assert (second.epoch, second.expires_at) == (2, NOW + 1 + MINUTE)
    jane.save(RUNNING, second)
    with pytest.raises(Stale):
        jane.save(replace(RUNNING, cursor=10), first)
    assert jane.run("acme", JANES) == RUNNING


def test_a_lease_given_back_is_free_and_its_epoch_goes_on_counting(jane: RunTable) -> None:
    jane.release(jane.take("acme", JANES, NOW, MINUTE))
    assert jane.holder("acme", NOW) is None
    assert jane.take("acme", JOES, NOW, MINUTE).epoch == 2


def test_giving_back_a_lost_lease_leaves_it_with_its_new_holder(jane: RunTable) -> None:
    lost = jane.take("acme", JANES, NOW, MINUTE)
    jane.take("acme", JOES, NOW + MINUTE, MINUTE)
    jane.release(lost)
    assert jane.holder("acme", NOW + MINUTE) == JOES


def test_a_renewed_lease_lasts_longer_under_the_same_epoch(jane: RunTable) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    renewed = jane.renew(lease, NOW + 30, MINUTE)
    assert renewed == replace(lease, expires_at=NOW + 30 + MINUTE)
    with pytest.raises(LeaseHeld):
        jane.take("acme", JOES, NOW + MINUTE, MINUTE)
    jane.save(RUNNING, lease)


def test_an_expired_lease_that_nobody_took_can_be_renewed(jane: RunTable) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    jane.renew(lease, NOW + 2 * MINUTE, MINUTE)
    assert jane.holder("acme", NOW + 2 * MINUTE) == JANES


def test_the_lease_is_never_deleted_by_time(jane: RunTable) -> None:
    jane.take("acme", JANES, NOW, MINUTE)
    assert "expires_at" not in items("LEASE")[0]


# ── Saving and finishing ───────────────────────────────────────────────────────────────────────────


def test_a_run_is_read_as_it_was_saved(jane: RunTable) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    assert jane.run("acme", JANES) is None
    jane.save(RUNNING, lease)
    assert jane.run("acme", JANES) == RUNNING
    assert jane.run("other", JANES) is None
    assert jane.holder("acme", NOW) == JANES


def test_a_run_is_kept_400_days_from_its_start(jane: RunTable) -> None:
    jane.save(run_of(started_at="2026-11-20T08:15:32Z"), jane.take("acme", JANES, NOW, MINUTE))
    stored = items(f"RUN#{JANES}")[0]
    assert stored["expires_at"] == {"N": str(1_795_162_532 + 400 * 24 * 60 * 60)}
    assert stored["status"] == {"S": "running"}


@pytest.mark.parametrize("status", Status)
def test_nothing_is_saved_over_a_run_that_has_ended(jane: RunTable, status: Status) -> None:
    ended = status not in (Status.RUNNING, Status.PARKED)
    jane.finish(replace(RUNNING, status=status), jane.take("acme", JANES, NOW, MINUTE), None)
    again = jane.take("acme", JANES, NOW, MINUTE)
    writes: list[Callable[[], None]] = [
        lambda: jane.save(replace(RUNNING, cursor=51), again),
        lambda: jane.finish(replace(SUCCEEDED, cursor=51), again, STATE),
    ]
    for write in writes:
        if ended:
            with pytest.raises(Stale):
                write()
        else:
            write()
    stored = jane.run("acme", JANES)
    assert stored is not None
    assert stored.status is (status if ended else Status.SUCCEEDED)
    assert jane.state("acme") == (ImportState() if ended else STATE)


@pytest.mark.parametrize("state", [STATE, None])
def test_a_finished_run_has_given_its_lease_back(jane: RunTable, state: ImportState | None) -> None:
    assert jane.state("acme") == ImportState()
    jane.finish(SUCCEEDED, jane.take("acme", JANES, NOW, MINUTE), state)
    assert jane.run("acme", JANES) == SUCCEEDED
    assert jane.holder("acme", NOW) is None
    assert jane.state("acme") == (state or ImportState())


def test_a_run_that_finishes_without_a_state_leaves_what_was_remembered(jane: RunTable) -> None:
    jane.finish(SUCCEEDED, jane.take("acme", JANES, NOW, MINUTE), STATE)
    jane.finish(replace(SUCCEEDED, id=JOES), jane.take("acme", JOES, NOW, MINUTE), None)
    assert jane.state("acme") == STATE
    assert jane.state("other") == ImportState()


def test_a_state_of_a_newer_version_can_still_be_read(aws: SimpleNamespace, jane: RunTable) -> None:
    document = {"S": '{"rows": 7, "of_a_newer_version": true}'}
    key = {"pk": {"S": "ORG#acme"}, "sk": {"S": "IMPORT"}}
    aws.dynamodb.put_item(TableName=aws.table, Item={**key, "doc": document})
    assert jane.state("acme") == ImportState(salesforce=SourceState(rows=7))


@pytest.mark.parametrize("taken_by_another", [False, True])
def test_to_finish_again_is_no_error_and_changes_nothing(jane: RunTable, taken_by_another: bool) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    jane.finish(SUCCEEDED, lease, STATE)
    if taken_by_another:
        jane.take("acme", JOES, NOW, MINUTE)
    before = rows_of("roster")
    jane.finish(SUCCEEDED, lease, STATE)
    assert rows_of("roster") == before


def test_to_finish_again_in_another_way_is_an_error(jane: RunTable) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    jane.finish(SUCCEEDED, lease, STATE)
    with pytest.raises(Stale):
        jane.finish(replace(SUCCEEDED, errors=1), lease, STATE)
    assert jane.run("acme", JANES) == SUCCEEDED


# ── Changing what imports remember ─────────────────────────────────────────────────────────────────


def approved(state: ImportState) -> ImportState:
    """Let a plan pass."""
    return replace(state, approved="hash", approved_until="2026-11-23T08:15:32Z")


def test_what_imports_remember_is_changed_without_a_lease(jane: RunTable) -> None:
    jane.change_state("acme", approved)
    assert jane.state("acme") == approved(ImportState())
    jane.finish(SUCCEEDED, jane.take("acme", JANES, NOW, MINUTE), STATE)
    jane.change_state("acme", approved)
    assert jane.state("acme") == approved(STATE)
    assert jane.state("other") == ImportState()


def test_a_change_that_changes_nothing_writes_nothing(aws: SimpleNamespace, jane: RunTable) -> None:
    jane.change_state("acme", lambda state: state)
    assert items("IMPORT") == []
    jane.change_state("acme", approved)
    wire = Wire(aws.dynamodb)
    RunTable(aws.dynamodb, aws.table).change_state("acme", approved)
    assert [call.operation for call in wire.calls] == ["GetItem"]


@pytest.mark.parametrize("before", [ImportState(), STATE])
def test_a_run_that_ends_while_it_is_changed_loses_nothing(
    aws: SimpleNamespace, jane: RunTable, before: ImportState
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    if before != ImportState():
        jane.change_state("acme", lambda _: before)
    after = replace(STATE, salesforce=SourceState(rows=3))
    wire = Wire(aws.dynamodb)
    ends = [lambda: jane.finish(SUCCEEDED, lease, after)]
    wire.on_call = lambda call: ends.pop()() if ends and call.operation == "PutItem" else None
    RunTable(aws.dynamodb, aws.table).change_state("acme", approved)
    assert jane.state("acme") == approved(after)


def test_a_change_whose_answer_is_lost_knows_its_own_work(aws: SimpleNamespace, jane: RunTable) -> None:
    wire = Wire(aws.dynamodb)
    wire.plan = lambda call: "lost" if call.operation == "PutItem" else None
    RunTable(aws.dynamodb, aws.table).change_state("acme", approved)
    assert jane.state("acme") == approved(ImportState())
    assert [call.operation for call in wire.calls] == ["GetItem", "PutItem", "GetItem"]


def test_a_state_that_others_change_all_the_time_is_left_for_later(
    aws: SimpleNamespace, jane: RunTable
) -> None:
    rows = iter(range(100))
    wire = Wire(aws.dynamodb)
    wire.on_call = lambda call: (
        jane.change_state("acme", lambda state: replace(state, salesforce=SourceState(rows=next(rows))))
        if call.operation == "PutItem"
        else None
    )
    with pytest.raises(Unavailable, match="keeps changing"):
        RunTable(aws.dynamodb, aws.table).change_state("acme", approved)
    assert jane.state("acme").approved is None


# ── Rejecting ──────────────────────────────────────────────────────────────────────────────────────


def test_a_parked_run_is_rejected_without_a_lease(jane: RunTable, parked: Run) -> None:
    jane.take("acme", JOES, NOW, MINUTE)
    jane.save_without_lease(REJECTED, Status.PARKED)
    assert jane.run("acme", JANES) == REJECTED
    assert items(f"RUN#{JANES}")[0]["status"] == {"S": "rejected"}


def test_a_run_in_another_status_is_not_rejected(jane: RunTable) -> None:
    jane.save(RUNNING, jane.take("acme", JANES, NOW, MINUTE))
    with pytest.raises(Stale):
        jane.save_without_lease(REJECTED, Status.PARKED)
    assert jane.run("acme", JANES) == RUNNING


def test_a_run_that_does_not_exist_is_not_rejected(jane: RunTable) -> None:
    with pytest.raises(Stale):
        jane.save_without_lease(REJECTED, Status.PARKED)
    assert jane.run("acme", JANES) is None


# ── Reading ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def five_runs(jane: RunTable) -> list[str]:
    """Record five runs of acme, newest first in the answer, and one of another organization."""
    ids = [f"20261120T08153{second}Z-x" for second in range(5)]
    for number in ids:
        jane.finish(run_of(number), jane.take("acme", number, NOW, MINUTE), None)
    jane.finish(run_of(organization="other"), jane.take("other", JANES, NOW, MINUTE), None)
    return ids[::-1]


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1)])
def test_runs_are_listed_newest_first_page_by_page(
    jane: RunTable, five_runs: list[str], limit: int, pages: int
) -> None:
    seen: list[list[str]] = []
    cursor: str | None = None
    for _ in range(pages):
        found, cursor = jane.runs("acme", limit, cursor)
        seen.append([run.id for run in found])
    assert cursor is None
    assert [number for page in seen for number in page] == five_runs
    assert all(len(page) == limit for page in seen[:-1])


def test_an_organization_without_runs_has_none(jane: RunTable) -> None:
    assert jane.runs("acme", 10, None) == ([], None)


@pytest.mark.parametrize(
    ("first", "before", "expected"),
    [
        ("", None, [4, 3, 2, 1]),
        ("20261102", None, [4, 3, 2]),
        ("", "20261103T000000-run", [2, 1]),
        ("20261102", "20261104", [3, 2]),
        ("20261103", "20261102", []),
        ("", "", []),
    ],
)
def test_runs_are_read_from_a_moment_and_before_another_one(
    jane: RunTable, monkeypatch: pytest.MonkeyPatch, first: str, before: str | None, expected: list[int]
) -> None:
    monkeypatch.setattr("muster.adapters.aws.run_table._RUNS_A_PAGE", 2)
    for day in (2, 4, 1, 3):
        jane.add(run_of(f"2026110{day}T000000-run"))
    jane.add(run_of("20261103T000000-run", organization="other"))
    assert [int(run.id[7]) for run in jane.runs_from("acme", first, before)] == expected


def test_a_cursor_of_one_organization_stays_within_the_other(jane: RunTable, five_runs: list[str]) -> None:
    cursor = jane.runs("acme", 1, None)[1]
    assert {run.organization for run in jane.runs("other", 10, cursor)[0]} <= {"other"}


def encoded(sort_key: bytes) -> str:
    return base64.urlsafe_b64encode(sort_key).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "no cursor",
        "\ud800",
        encoded(b"MEMBER#1"),
        encoded(b"RUN#\xff"),
        encoded(b"RUN#" + b"x" * 1021),
    ],
)
def test_a_cursor_that_was_not_handed_out_is_rejected(
    jane: RunTable, five_runs: list[str], cursor: str
) -> None:
    with pytest.raises(Rejected) as caught:
        jane.runs("acme", 10, cursor)
    assert caught.value.problems[0].where == "cursor"


def test_scheduled_runs_are_for_the_organizations_that_ask_for_them(
    aws: SimpleNamespace, jane: RunTable
) -> None:
    assert jane.organizations() == []
    for name, scheduled in {"globex": True, "acme": True, "initech": False}.items():
        key = {"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": name}}
        aws.dynamodb.put_item(TableName=aws.table, Item={**key, "scheduled": {"BOOL": scheduled}})
    assert jane.organizations() == ["acme", "globex"]


def test_reads_are_strongly_consistent(aws: SimpleNamespace) -> None:
    wire = Wire(aws.dynamodb)
    for read in READS.values():
        read(RunTable(aws.dynamodb, aws.table))
    assert len(wire.calls) == len(READS)
    assert all(call.parameters["ConsistentRead"] for call in wire.calls)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", Misconfigured),
        ("ResourceNotFoundException", Misconfigured),
        ("ProvisionedThroughputExceededException", Unavailable),
    ],
)
def test_a_table_that_fails_is_told_apart(aws: SimpleNamespace, code: str, error: type[MusterError]) -> None:
    def refuse(**_: object) -> object:
        answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=400), answer

    aws.dynamodb.meta.events.register("before-call", refuse)
    table = RunTable(aws.dynamodb, aws.table)
    reads: list[Callable[[], object]] = [partial(read, table) for read in READS.values()]
    writes = [partial(write, table, Lease("acme", JANES, 1, NOW)) for write in WRITES.values()]
    for call in reads + writes:
        with pytest.raises(error, match=code):
            call()


def test_a_run_of_before_decisions_were_kept_apart_is_read() -> None:
    stored = run_of(by="jane").to_json()
    del stored["approved_by"], stored["rejected_by"]
    assert Run.from_json(stored) == run_of(by="jane")


# ── Health ─────────────────────────────────────────────────────────────────────────────────────────


def test_when_calls_worked_last_is_beside_what_an_earlier_version_reads(jane: RunTable) -> None:
    health = {"failures": 0, "since": None, "probe_at": None, "reason": None, "last_good": "2026-11-20"}
    assert jane.health("acme", "scim.gong") == {}
    jane.save_health("acme", "scim.gong", health)
    assert jane.health("acme", "scim.gong") == health
    (item,) = items("HEALTH#scim.gong")
    assert "last_good" not in item["doc"]["S"]
    jane.save_health("acme", "scim.gong", {**health, "last_good": None})
    assert "last_good" not in jane.health("acme", "scim.gong")
