"""Runs under bad luck: two at once, a run that was overtaken, an answer that is lost, a crash."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from muster.adapters.aws.run_table import RunTable, fence
from muster.errors import Stale, Unavailable
from muster.lease import Lease, LeaseHeld
from muster.runs.run import Run, Status
from tests.integration.run_examples import (
    JANES,
    JOES,
    MINUTE,
    NOW,
    PARKED,
    REJECTED,
    RUNNING,
    STATE,
    SUCCEEDED,
    WRITES,
    items,
    run_of,
)
from tests.simulation.harness.faults import Call, Crash, Fault, Wire, these
from tests.simulation.harness.strict_aws import StrictAws, rows_of


@pytest.fixture
def unlucky(aws: SimpleNamespace, rules: StrictAws) -> SimpleNamespace:
    """Return another worker's `table`, and the `wire` on which its calls go wrong."""
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 2}))
    return SimpleNamespace(table=RunTable(client, aws.table), wire=Wire(client))


# ── Two at once ────────────────────────────────────────────────────────────────────────────────────


def once(act: Callable[[], object], operation: str) -> Callable[[Call], None]:
    """Have `act` done just before the first call of `operation`."""
    waiting = [act]

    def on_call(call: Call) -> None:
        if call.operation == operation and waiting:
            waiting.pop()()

    return on_call


@pytest.mark.parametrize("before", ["free", "expired", "given back"])
def test_of_two_takers_at_once_one_wins_and_the_other_is_told(
    jane: RunTable, unlucky: SimpleNamespace, before: str
) -> None:
    if before != "free":
        lease = jane.take("acme", "dead", NOW - MINUTE, MINUTE)
        if before == "given back":
            jane.release(lease)
    won: list[Lease] = []
    unlucky.wire.on_call = once(lambda: won.append(jane.take("acme", JANES, NOW, MINUTE)), "UpdateItem")
    with pytest.raises(LeaseHeld) as caught:
        unlucky.table.take("acme", JOES, NOW, MINUTE)
    assert caught.value.run == JANES
    jane.save(RUNNING, won[0])


def test_a_lease_that_is_freed_while_it_is_refused_is_taken_after_all(
    jane: RunTable, unlucky: SimpleNamespace
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    unlucky.wire.on_call = once(lambda: jane.release(lease), "GetItem")
    assert unlucky.table.take("acme", JOES, NOW, MINUTE).epoch == 2


def test_a_lease_that_keeps_changing_hands_is_given_up_on(jane: RunTable, unlucky: SimpleNamespace) -> None:
    def change_hands(call: Call) -> None:
        if call.operation == "UpdateItem":
            jane.take("acme", JANES, NOW, MINUTE)
        else:
            jane.release(jane.take("acme", JANES, NOW, MINUTE))

    unlucky.wire.on_call = change_hands
    with pytest.raises(Unavailable, match="changing hands"):
        unlucky.table.take("acme", JOES, NOW, MINUTE)


def refuse_once(client: Any, operation: str, body: dict[str, Any]) -> None:
    """Have DynamoDB refuse the next call of `operation` with `body`; moto knows no conflicts."""
    waiting = [body]

    def refuse(**_: Any) -> Any:
        return (SimpleNamespace(status_code=400), waiting.pop()) if waiting else None

    client.meta.events.register(f"before-call.dynamodb.{operation}", refuse)


CONFLICT = {"Error": {"Code": "TransactionConflictException", "Message": ""}, "ResponseMetadata": {}}


def test_who_meets_the_holders_transaction_learns_who_holds_the_lease(
    aws: SimpleNamespace, jane: RunTable
) -> None:
    jane.take("acme", JANES, NOW, MINUTE)
    refuse_once(aws.dynamodb, "UpdateItem", CONFLICT)
    with pytest.raises(LeaseHeld) as caught:
        RunTable(aws.dynamodb, aws.table).take("acme", JOES, NOW, MINUTE)
    assert caught.value.run == JANES


@pytest.mark.parametrize("taker", [JANES, JOES])
def test_a_conflict_over_a_lease_that_can_be_had_is_tried_again(
    aws: SimpleNamespace, jane: RunTable, taker: str
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    if taker == JOES:
        jane.release(lease)
    refuse_once(aws.dynamodb, "UpdateItem", CONFLICT)
    assert RunTable(aws.dynamodb, aws.table).take("acme", taker, NOW, MINUTE).epoch == 2


def test_a_conflict_of_transactions_does_not_say_that_the_lease_was_lost(
    aws: SimpleNamespace, jane: RunTable
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    cancelled = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
        "ResponseMetadata": {},
    }
    refuse_once(aws.dynamodb, "TransactWriteItems", cancelled)
    table = RunTable(aws.dynamodb, aws.table)
    with pytest.raises(Unavailable):
        table.save(RUNNING, lease)
    table.save(RUNNING, lease)


def test_of_two_who_reject_at_once_one_is_told(jane: RunTable, unlucky: SimpleNamespace, parked: Run) -> None:
    first = replace(REJECTED, by="jane@acme.example")
    unlucky.wire.on_call = once(lambda: jane.save_without_lease(first, Status.PARKED), "PutItem")
    with pytest.raises(Stale):
        unlucky.table.save_without_lease(REJECTED, Status.PARKED)
    assert jane.run("acme", JANES) == first


def test_a_run_rejected_while_it_is_approved_stays_rejected(
    jane: RunTable, unlucky: SimpleNamespace, parked: Run
) -> None:
    lease = unlucky.table.take("acme", JANES, NOW, MINUTE)
    unlucky.wire.on_call = once(
        lambda: jane.save_without_lease(REJECTED, Status.PARKED), "TransactWriteItems"
    )
    with pytest.raises(Stale):
        unlucky.table.save(replace(PARKED, status=Status.RUNNING), lease)
    assert jane.run("acme", JANES) == REJECTED
    unlucky.table.release(lease)
    assert jane.holder("acme", NOW) is None


# ── Zombies ────────────────────────────────────────────────────────────────────────────────────────


# A write as the roster's, in a transaction of its own that has the fence in it.
MEMBER: Any = {
    "Put": {"TableName": "roster", "Item": {"pk": {"S": "ORG#acme#MEMBER#0"}, "sk": {"S": "MEMBER#1"}}}
}


def writing_a_member(table: RunTable, lease: Lease) -> None:
    client = boto3.client("dynamodb")
    actions: list[Any] = [MEMBER, fence("roster", lease)]
    try:
        client.transact_write_items(TransactItems=actions)
    except client.exceptions.TransactionCanceledException as error:
        raise Stale from error


@pytest.mark.parametrize("lost_to", ["another run", "the same run", "no one"])
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda table, lease: table.renew(lease, NOW, 10 * MINUTE), id="renewing"),
        pytest.param(lambda table, lease: table.save(replace(RUNNING, cursor=199), lease), id="saving"),
        pytest.param(lambda table, lease: table.save(RUNNING, lease), id="saving_the_same"),
        pytest.param(lambda table, lease: table.finish(SUCCEEDED, lease, STATE), id="finishing"),
        writing_a_member,
    ],
)
def test_a_run_that_lost_its_lease_writes_nothing(
    jane: RunTable, lost_to: str, write: Callable[[RunTable, Lease], None]
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    jane.save(RUNNING, lease)
    match lost_to:
        case "another run":
            jane.take("acme", JOES, NOW + MINUTE, MINUTE)
        case "the same run":
            jane.take("acme", JANES, NOW, MINUTE)
        case "no one":
            jane.release(lease)
    before = rows_of("roster")
    with pytest.raises(Stale):
        write(jane, lease)
    assert rows_of("roster") == before


def test_the_fence_lets_the_holder_through(jane: RunTable) -> None:
    writing_a_member(jane, jane.take("acme", JANES, NOW, MINUTE))
    assert items("MEMBER#1")


# ── Lost answers and crashes ───────────────────────────────────────────────────────────────────────


def without_epoch() -> list[dict[str, Any]]:
    """Return the table's items, but for how often the lease was taken."""
    rows = [{name: value for name, value in row.items() if name != "epoch"} for row in rows_of("roster")]
    return sorted(rows, key=lambda row: str(row["sk"]))


@pytest.fixture(params=[True, False], ids=["token known", "token forgotten"])
def memory(request: pytest.FixtureRequest, rules: StrictAws) -> None:
    """Have AWS know a repeated transaction again, or have forgotten it: ten minutes have passed."""
    rules.remembers = request.param


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_was_lost_knows_its_own_work(
    jane: RunTable, unlucky: SimpleNamespace, rules: StrictAws, name: str
) -> None:
    outcomes = []
    for kind in ("", "lost"):
        lease = jane.take("acme", JANES, NOW, MINUTE)
        jane.save(PARKED, lease)
        unlucky.wire.plan = these(Fault(len(unlucky.wire.calls) + 1, kind))
        answer = WRITES[name](unlucky.table, lease)
        outcomes.append(without_epoch())
        if isinstance(answer, Lease):
            jane.save(replace(PARKED, cursor=61), answer)
        for row in rows_of("roster"):
            key = {"pk": row["pk"], "sk": row["sk"]}
            boto3.client("dynamodb").delete_item(TableName="roster", Key=key)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", ["before", "after", "mute", "down"])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_failed_is_all_there_or_not_at_all_and_can_be_repeated(
    jane: RunTable, unlucky: SimpleNamespace, name: str, kind: str
) -> None:
    lease = jane.take("acme", JANES, NOW, MINUTE)
    jane.save(PARKED, lease)
    before = without_epoch()
    unlucky.wire.plan = these(Fault(1, kind))
    with pytest.raises(Crash if kind in ("before", "after") else Unavailable):
        WRITES[name](unlucky.table, lease)
    broken = without_epoch()
    WRITES[name](jane, lease if name != "take" else Lease("", "", 0, 0))
    assert broken == (without_epoch() if kind in ("after", "mute") else before)


def test_a_lease_taken_without_an_answer_is_taken_by_asking_again(
    jane: RunTable, unlucky: SimpleNamespace
) -> None:
    unlucky.wire.plan = these(Fault(1, "mute"))
    with pytest.raises(Unavailable):
        unlucky.table.take("acme", JOES, NOW, MINUTE)
    assert jane.holder("acme", NOW) == JOES
    unlucky.table.save(run_of(JOES), unlucky.table.take("acme", JOES, NOW, MINUTE))
