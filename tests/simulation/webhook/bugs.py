"""Bugs in the webhook and its worker to be caught, each by the hunt it is named with."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest
from defusedxml.ElementTree import fromstring

import user_change_worker
from muster import bootstrap
from muster.adapters import outbound_message
from muster.adapters.aws import change_queue, dynamodb_reads, roster_keys, roster_table, roster_writes
from muster.errors import MusterError, Problem, Rejected
from muster.roster import retrying_writes, salesforce_lifecycle, writing_user_changes
from muster.roster.decisions import Decision, Outcome
from muster.sources import newest_changes, notifications
from tests.integration import hostile_bodies
from tests.simulation.harness.bugs import Bugs, Hunt
from tests.simulation.harness.canaries import SESSION, send_canaries
from tests.simulation.harness.messages import user
from tests.simulation.harness.subject import demand, only
from tests.simulation.harness.sweeping import prepared
from tests.simulation.harness.world import Violation, World
from tests.simulation.webhook import orders
from tests.simulation.webhook.races import RACES
from tests.simulation.webhook.scenarios import SCENARIOS
from tests.simulation.webhook.subject import Receiving, Scenario, WebhookRace

bugs: Bugs[Scenario, WebhookRace] = Bugs(Receiving.of, SCENARIOS, RACES)
ADA, ADA_CHANGED, ADA_GONE = user(1), user(3, Title="Lead"), user(4, IsActive="false")

# ── Hunts ────────────────────────────────────────────────────────────────────────────────────────


def every_order(*users: dict[str, str]) -> Hunt:
    """Hunt in all orders of these users' states."""

    def hunt(world: World) -> None:
        _, results = orders.every_order(world, [[fields] for fields in users])
        for other in results[1:]:
            demand(results[0].differences(other))

    return hunt


def some_keys_unread(world: World) -> None:
    """Hunt where DynamoDB does not read all keys at once."""
    subject, scenario = Receiving.of(world), only("a namesake waits until the member leaves", SCENARIOS)
    start, _ = prepared(subject, scenario)
    for seed in range(10):
        start()
        subject.play_with_unread_keys(scenario, seed)


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


# ── Bugs ─────────────────────────────────────────────────────────────────────────────────────────

bugs.add(
    "no version guard",
    every_order(ADA, ADA_CHANGED),
    lambda patch: patch.setattr(salesforce_lifecycle, "is_stale", lambda *_: False),
)


@bugs.bug("acknowledged though not queued", bugs.sweep("a user is created", "down"))
def _acknowledged_though_not_queued(patch: pytest.MonkeyPatch) -> None:
    send = change_queue.ChangeQueue.send

    def careless(self: Any, message: Any) -> None:
        try:
            send(self, message)
        except MusterError:
            return

    patch.setattr(change_queue.ChangeQueue, "send", careless)


@bugs.bug("queued after the answer", bugs.sweep("a user is created", "before"))
def _queued_after_the_answer(patch: pytest.MonkeyPatch) -> None:
    send = change_queue.ChangeQueue.send
    left: list[Any] = []

    # As with a background thread, which Lambda freezes once the answer is out.
    def late(self: Any, message: Any) -> None:
        while left:
            send(self, left.pop())
        left.append(message)

    patch.setattr(change_queue.ChangeQueue, "send", late)


@bugs.bug("only ParseError is caught", hostile_encodings)
def _only_parse_errors_caught(patch: pytest.MonkeyPatch) -> None:
    def tree(body: bytes) -> Any:
        try:
            return fromstring(body, forbid_dtd=True)
        except ParseError:
            raise Rejected(Problem("body", "is not well-formed", "")) from None

    patch.setattr(outbound_message, "_tree", tree)


@bugs.bug("versions from a counter", bugs.sweep("a user is changed", "lost"))
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


@bugs.bug("history outside the transaction", bugs.sweep("a user is created", "before"))
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


@bugs.bug("member put without condition", bugs.stalls("changes of a known user"))
def _member_put_without_condition(patch: pytest.MonkeyPatch) -> None:
    put = roster_writes._put

    def unconditional(table: str, item: Any, *others: Any) -> Any:
        # The history too: its key would catch the second of two equal versions.
        member = item["pk"]["S"].split("#")[2] == "MEMBER"
        return {"Put": {"TableName": table, "Item": item}} if member else put(table, item, *others)

    patch.setattr(roster_writes, "_put", unconditional)


@bugs.bug("failed condition is success", bugs.stalls("three changes of one new user"))
def _failed_condition_is_success(patch: pytest.MonkeyPatch) -> None:
    write = roster_table.RosterTable.write

    def hopeful(*given: Any) -> list[Decision]:
        write(*given)
        return []

    patch.setattr(roster_table.RosterTable, "write", hopeful)


bugs.add(
    "failed condition is an error",
    bugs.stalls("three changes of one new user"),
    lambda patch: patch.setattr(retrying_writes, "ATTEMPTS", 0),
)


@bugs.bug("one failure returns the batch", bugs.sweep("one message of a batch is poisoned", "lost"))
def _one_failure_returns_the_batch(patch: pytest.MonkeyPatch) -> None:
    handle = user_change_worker.handler

    def handler(event: dict[str, Any], context: Any) -> Any:
        if not handle(event, context)["batchItemFailures"]:
            return {"batchItemFailures": []}
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}

    patch.setattr(user_change_worker, "handler", handler)


@bugs.bug("source version stays on a change of nothing", every_order(ADA, user(5), ADA_CHANGED))
def _source_stays_on_a_change_of_nothing(patch: pytest.MonkeyPatch) -> None:
    follow = salesforce_lifecycle._follow

    def lazy(*given: Any) -> Decision:
        decision = follow(*given)
        return replace(decision, after=None) if decision.outcome is Outcome.UNCHANGED else decision

    patch.setattr(salesforce_lifecycle, "_follow", lazy)


bugs.add(
    "who is not let in is forgotten",
    every_order(ADA, ADA_GONE),
    lambda patch: patch.setattr(
        salesforce_lifecycle, "_not_provisioned", lambda *_: Decision(outcome=Outcome.NOT_PROVISIONED)
    ),
)


@bugs.bug("addresses unguarded", bugs.stalls("two new users with one address"))
def _addresses_unguarded(patch: pytest.MonkeyPatch) -> None:
    decide = salesforce_lifecycle.decide
    patch.setattr(salesforce_lifecycle, "decide", lambda *given: replace(decide(*given), matches=None))


@bugs.bug("who is in the way unguarded", bugs.stalls("a namesake arrives as the member leaves"))
def _who_is_in_the_way_unguarded(patch: pytest.MonkeyPatch) -> None:
    decide = salesforce_lifecycle.decide
    patch.setattr(salesforce_lifecycle, "decide", lambda *given: replace(decide(*given), unchanged=()))


@bugs.bug("an empty field is unknown", bugs.sweep("a field is emptied", "lost"))
def _empty_is_unknown(patch: pytest.MonkeyPatch) -> None:
    read = notifications.read

    def forgetful(*given: Any) -> Any:
        change = read(*given)
        known = {name: value for name, value in change.fields.items() if value is not None}
        return replace(change, fields=known)

    patch.setattr(notifications, "read", forgetful)


@bugs.bug("the SessionId is kept", the_session)
def _session_kept(patch: pytest.MonkeyPatch) -> None:
    parse = outbound_message.parse

    def curious(body: bytes) -> Any:
        message = parse(body)
        session = body.decode().partition("<SessionId>")[2].partition("<")[0]
        for notification in message.notifications:
            notification.fields["SessionId"] = session
        return message

    patch.setattr(outbound_message, "parse", curious)


@bugs.bug(
    "who waits is let in only at the moment", bugs.sweep("a namesake waits until the member leaves", "after")
)
def _let_in_only_at_the_moment(patch: pytest.MonkeyPatch) -> None:
    let_in = writing_user_changes.UserChangeWriter._let_waiting_in

    def once(self: Any, decided: Sequence[tuple[Any, Decision]]) -> None:
        let_in(self, [each for each in decided if each[1].outcome is not Outcome.STALE])

    patch.setattr(writing_user_changes.UserChangeWriter, "_let_waiting_in", once)


@bugs.bug("unread keys are absent", some_keys_unread)
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


@bugs.bug("links cross organizations", bugs.sweep("two organizations", "lost"))
def _links_of_all_organizations_in_one(patch: pytest.MonkeyPatch) -> None:
    link_key = roster_keys.link_key
    patch.setattr(roster_keys, "link_key", lambda _, crm_id: link_key("acme", crm_id))


@bugs.bug("the first of a message wins", bugs.sweep("two changes of one user in one message", "lost"))
def _first_of_a_message_wins(patch: pytest.MonkeyPatch) -> None:
    def first(changes: Any) -> Any:
        found: dict[str, Any] = {}
        for change in changes:
            found.setdefault(change.crm_id, change)
        return list(found.values())

    patch.setattr(newest_changes, "most_recent", first)


bugs.add(
    "parked notifications are dropped",
    bugs.sweep("some notifications are parked", "lost"),
    lambda patch: patch.setattr(roster_table.RosterTable, "park", lambda *_: None),
)
