"""Bugs to be caught: each a fault that is easily made, put into the code for the length of a test.

A hunt is a check of the harness; it raises `Violation`. On the real code no hunt finds anything
(`test_teeth` sees to that), so what it finds in a mutant is the bug.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest
from defusedxml.ElementTree import fromstring

import user_change_worker
from muster import bootstrap
from muster.adapters import outbound_message
from muster.adapters.aws import change_queue, dynamodb_reads, roster_keys, roster_table, roster_writes
from muster.errors import MusterError, Problem, Rejected
from muster.roster import retrying_writes, salesforce_lifecycle
from muster.roster.decisions import Decision, Outcome
from muster.roster.writing_user_changes import UserChangeWriter
from muster.sources import newest_changes, notifications
from tests.integration import hostile_bodies
from tests.simulation import interleaving, orders, scenarios, sweeping
from tests.simulation.canaries import SESSION, send_canaries
from tests.simulation.messages import user
from tests.simulation.scenarios import Scenario
from tests.simulation.world import Violation, World

type Hunt = Callable[[World], object]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug: how to put it in, and the hunt that is to find it."""

    name: str
    put_in: Callable[[pytest.MonkeyPatch], None]
    hunt: Hunt


# ── Hunts ────────────────────────────────────────────────────────────────────────────────────────


def sweep(name: str, *kinds: str) -> Hunt:
    """Hunt in a scenario under one fault at a time."""
    return lambda world: sweeping.sweep(world, _scenario(name), kinds)


def race(name: str) -> Hunt:
    """Hunt in workers that meet, each stalled wherever it can be."""
    meeting = next(meeting for meeting in interleaving.RACES if meeting.name == name)
    return lambda world: interleaving.race_stalled(world, meeting)


def every_order(*users: dict[str, str]) -> Hunt:
    """Hunt in all orders of these users' states."""

    def hunt(world: World) -> None:
        _, results = orders.every_order(world, [[fields] for fields in users])
        for other in results[1:]:
            for difference in results[0].differences(other):
                raise Violation(difference)

    return hunt


def some_keys_unread(world: World) -> None:
    """Hunt where DynamoDB does not read all keys at once."""
    for seed in range(10):
        sweeping.run_with_unread_keys(world, _scenario("a namesake waits until the member leaves"), seed)


def hostile_encodings(_: World) -> None:
    """Hunt with declared encodings that bring exceptions of their own."""
    for case in itertools.takewhile(lambda case: not case.name.startswith("DTD"), hostile_bodies.cases()):
        try:
            outbound_message.parse(case.body)
        except Rejected:
            continue
        except Exception as error:
            raise Violation(f"{case.name}: {type(error).__name__}") from error


def the_session(world: World) -> None:
    """Hunt for the SessionId beyond the parser."""
    world.reset()
    send_canaries(world)
    world.receive()
    if any(SESSION in message.body for message in world.queue):
        raise Violation("the SessionId is on the queue")


def _scenario(name: str) -> Scenario:
    return next(scenario for scenario in scenarios.SCENARIOS if scenario.name == name)


# ── Mutants ──────────────────────────────────────────────────────────────────────────────────────


def _no_version_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(salesforce_lifecycle, "_is_stale", lambda *_: False)


def _acknowledged_though_not_queued(patch: pytest.MonkeyPatch) -> None:
    send = change_queue.ChangeQueue.send

    def careless(self: Any, message: Any) -> None:
        try:
            send(self, message)
        except MusterError:
            return

    patch.setattr(change_queue.ChangeQueue, "send", careless)


def _queued_after_the_answer(patch: pytest.MonkeyPatch) -> None:
    send = change_queue.ChangeQueue.send
    left: list[Any] = []

    # As with a background thread, which Lambda freezes once the answer is out.
    def late(self: Any, message: Any) -> None:
        while left:
            send(self, left.pop())
        left.append(message)

    patch.setattr(change_queue.ChangeQueue, "send", late)


def _only_parse_errors_caught(patch: pytest.MonkeyPatch) -> None:
    def tree(body: bytes) -> Any:
        try:
            return fromstring(body, forbid_dtd=True)
        except ParseError:
            raise Rejected(Problem("body", "is not well-formed", "")) from None

    patch.setattr(outbound_message, "_tree", tree)


def _version_from_a_counter(patch: pytest.MonkeyPatch) -> None:
    write = roster_table.RosterTable.write

    def counted(decision: Decision) -> Decision:
        if not decision.history or not decision.after:
            return decision
        answer = bootstrap._dynamodb().update_item(
            TableName="roster",
            Key={"pk": {"S": f"COUNTER#{decision.after.id}"}, "sk": {"S": "COUNTER"}},
            UpdateExpression="ADD versions :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        version = int(answer["Attributes"]["versions"]["N"])
        history, after = replace(decision.history, version=version), replace(decision.after, version=version)
        return replace(decision, history=history, after=after)

    def counting(self: Any, organization: str, decisions: Sequence[Decision], *others: Any) -> list[Decision]:
        asked = {id(changed := counted(decision)): (changed, decision) for decision in decisions}
        void = write(self, organization, [changed for changed, _ in asked.values()], *others)
        return [asked[id(changed)][1] for changed in void]

    patch.setattr(roster_table.RosterTable, "write", counting)


def history_apart(patch: pytest.MonkeyPatch) -> None:
    """Let history be written after the member, in a call of its own."""
    write = roster_table.RosterTable.write

    def in_two(self: Any, organization: str, decisions: Sequence[Decision], *others: Any) -> list[Decision]:
        asked = {id(bare := replace(decision, history=None)): (bare, decision) for decision in decisions}
        void = {id(bare) for bare in write(self, organization, [bare for bare, _ in asked.values()], *others)}
        for which, (_, decision) in asked.items():
            if which not in void and decision.history:
                item = roster_keys.history_item(organization, decision.history)
                bootstrap._dynamodb().put_item(TableName="roster", Item=item)
        return [decision for which, (_, decision) in asked.items() if which in void]

    patch.setattr(roster_table.RosterTable, "write", in_two)


def _member_put_without_condition(patch: pytest.MonkeyPatch) -> None:
    put = roster_writes._put

    def unconditional(table: str, item: Any, *others: Any) -> Any:
        # The history too: its key would catch the second of two equal versions.
        member = item["pk"]["S"].split("#")[2] == "MEMBER"
        return {"Put": {"TableName": table, "Item": item}} if member else put(table, item, *others)

    patch.setattr(roster_writes, "_put", unconditional)


def _failed_condition_is_success(patch: pytest.MonkeyPatch) -> None:
    write = roster_table.RosterTable.write

    def hopeful(*given: Any) -> list[Decision]:
        write(*given)
        return []

    patch.setattr(roster_table.RosterTable, "write", hopeful)


def _failed_condition_is_an_error(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retrying_writes, "ATTEMPTS", 0)


def _one_failure_returns_the_batch(patch: pytest.MonkeyPatch) -> None:
    handle = user_change_worker.handler

    def handler(event: dict[str, Any], context: Any) -> Any:
        if not handle(event, context)["batchItemFailures"]:
            return {"batchItemFailures": []}
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}

    patch.setattr(user_change_worker, "handler", handler)


def _source_stays_on_a_change_of_nothing(patch: pytest.MonkeyPatch) -> None:
    follow = salesforce_lifecycle._follow

    def lazy(*given: Any) -> Decision:
        decision = follow(*given)
        return replace(decision, after=None) if decision.outcome is Outcome.UNCHANGED else decision

    patch.setattr(salesforce_lifecycle, "_follow", lazy)


def _who_is_not_let_in_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        salesforce_lifecycle, "_not_provisioned", lambda *_: Decision(outcome=Outcome.NOT_PROVISIONED)
    )


def _addresses_unguarded(patch: pytest.MonkeyPatch) -> None:
    decide = salesforce_lifecycle.decide
    patch.setattr(salesforce_lifecycle, "decide", lambda *given: replace(decide(*given), matches=None))


def _who_is_in_the_way_unguarded(patch: pytest.MonkeyPatch) -> None:
    decide = salesforce_lifecycle.decide
    patch.setattr(salesforce_lifecycle, "decide", lambda *given: replace(decide(*given), unchanged=()))


def _empty_is_unknown(patch: pytest.MonkeyPatch) -> None:
    read = notifications.read

    def forgetful(*given: Any) -> Any:
        change = read(*given)
        known = {name: value for name, value in change.fields.items() if value is not None}
        return replace(change, fields=known)

    patch.setattr(notifications, "read", forgetful)


def _session_kept(patch: pytest.MonkeyPatch) -> None:
    parse = outbound_message.parse

    def curious(body: bytes) -> Any:
        message = parse(body)
        session = body.decode().partition("<SessionId>")[2].partition("<")[0]
        for notification in message.notifications:
            notification.fields["SessionId"] = session
        return message

    patch.setattr(outbound_message, "parse", curious)


def _let_in_only_at_the_moment(patch: pytest.MonkeyPatch) -> None:
    let_in = UserChangeWriter._let_waiting_in

    def once(self: Any, decisions: Sequence[Decision]) -> None:
        let_in(self, [decision for decision in decisions if decision.outcome is not Outcome.STALE])

    patch.setattr(UserChangeWriter, "_let_waiting_in", once)


def _unread_keys_are_absent(patch: pytest.MonkeyPatch) -> None:
    def hasty(client: Any, table: str, wanted: Any) -> Any:
        names = {(key["pk"]["S"], key["sk"]["S"]): name for name, key in wanted.items()}
        if not names:
            return {}
        answer = client.batch_get_item(
            RequestItems={table: {"Keys": list(wanted.values()), "ConsistentRead": True}}
        )
        return {names[item["pk"]["S"], item["sk"]["S"]]: item for item in answer["Responses"][table]}

    for module in (dynamodb_reads, roster_table):
        patch.setattr(module, "get_many", hasty)


def _links_of_all_organizations_in_one(patch: pytest.MonkeyPatch) -> None:
    link_key = roster_keys.link_key
    patch.setattr(roster_keys, "link_key", lambda _, crm_id: link_key("acme", crm_id))


def _first_of_a_message_wins(patch: pytest.MonkeyPatch) -> None:
    def first(changes: Any) -> Any:
        found: dict[str, Any] = {}
        for change in changes:
            found.setdefault(change.crm_id, change)
        return list(found.values())

    patch.setattr(newest_changes, "most_recent", first)


def _parked_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(roster_table.RosterTable, "park", lambda *_: None)


ADA, ADA_CHANGED, ADA_GONE = user(1), user(3, Title="Lead"), user(4, IsActive="false")

MUTANTS = [
    Mutant("no version guard", _no_version_guard, every_order(ADA, ADA_CHANGED)),
    Mutant(
        "acknowledged though not queued",
        _acknowledged_though_not_queued,
        sweep("a user is created", "down"),
    ),
    Mutant("queued after the answer", _queued_after_the_answer, sweep("a user is created", "before")),
    Mutant("only ParseError is caught", _only_parse_errors_caught, hostile_encodings),
    Mutant("versions from a counter", _version_from_a_counter, sweep("a user is changed", "lost")),
    Mutant("history outside the transaction", history_apart, sweep("a user is created", "before")),
    Mutant("member put without condition", _member_put_without_condition, race("changes of a known user")),
    Mutant(
        "failed condition is success", _failed_condition_is_success, race("three changes of one new user")
    ),
    Mutant(
        "failed condition is an error", _failed_condition_is_an_error, race("three changes of one new user")
    ),
    Mutant(
        "one failure returns the batch",
        _one_failure_returns_the_batch,
        sweep("one message of a batch is poisoned", "lost"),
    ),
    Mutant(
        "source version stays on a change of nothing",
        _source_stays_on_a_change_of_nothing,
        every_order(ADA, user(5), ADA_CHANGED),
    ),
    Mutant("who is not let in is forgotten", _who_is_not_let_in_is_forgotten, every_order(ADA, ADA_GONE)),
    Mutant("addresses unguarded", _addresses_unguarded, race("two new users with one address")),
    Mutant(
        "who is in the way unguarded",
        _who_is_in_the_way_unguarded,
        race("a namesake arrives as the member leaves"),
    ),
    Mutant("an empty field is unknown", _empty_is_unknown, sweep("a field is emptied", "lost")),
    Mutant("the SessionId is kept", _session_kept, the_session),
    Mutant(
        "who waits is let in only at the moment",
        _let_in_only_at_the_moment,
        sweep("a namesake waits until the member leaves", "after"),
    ),
    Mutant("unread keys are absent", _unread_keys_are_absent, some_keys_unread),
    Mutant(
        "links cross organizations", _links_of_all_organizations_in_one, sweep("two organizations", "lost")
    ),
    Mutant(
        "the first of a message wins",
        _first_of_a_message_wins,
        sweep("two changes of one user in one message", "lost"),
    ),
    Mutant(
        "parked notifications are dropped",
        _parked_are_dropped,
        sweep("some notifications are parked", "lost"),
    ),
]
