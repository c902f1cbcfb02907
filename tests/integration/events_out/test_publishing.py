"""Changes told outward from the table's stream: all of them, in order of each member, whatever fails (O1)."""

from collections import Counter
from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

import member_events
from muster import bootstrap
from muster.errors import Misconfigured, Unavailable
from tests.doubles.aws import forget_clients
from tests.doubles.event_bus import Fault, StrictBus
from tests.integration.company import store
from tests.integration.events_out.conftest import Json, Stream, recorded
from tests.integration.told_metrics import metrics

SEATED = (("seats.gong.state", "waiting", "held"), ("engage.group", None, "UK"))
# Four members, some of whom change often, and one in another organization: 24 entries and 42 events.
ENTRIES = [
    recorded(f"m{number % 4 if number % 3 else 0}", version, *(SEATED if number % 3 == 1 else ()))
    for version, number in enumerate(range(23), start=1)
] + [recorded("m1", 24, organization="globex")]


def bodies(told: list[Json]) -> dict[str, set[str]]:
    """Return by id what was told under it."""
    found: dict[str, set[str]] = {}
    for each in told:
        found.setdefault(each["id"], set()).add(str(each))
    return found


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Return what was counted, without what was not."""
    return {name: count for name, count in metrics(capsys.readouterr().out).items() if count}


def everything(stream: Stream) -> set[str]:
    """Return the ids of all events of the records, by telling them to a bus that works."""
    stream.write(*ENTRIES)
    stream.follow()
    ids = {each["id"] for each in stream.bus.details()}
    stream.bus.told.clear()
    stream.bus.calls.clear()
    return ids


def require_order(told: list[Json]) -> None:
    """Each member's versions came one after the other, the repeated ones aside."""
    first: dict[str, list[int]] = {}
    seen: set[str] = set()
    for each in told:
        if each["id"] not in seen:
            seen.add(each["id"])
            first.setdefault(each["member"] + each["organization"], []).append(each["version"])
    assert all(one <= other for versions in first.values() for one, other in pairwise(versions))


def test_every_change_is_told_once_and_in_order(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    stream.write(*ENTRIES)
    assert stream.hand_over() == []

    told = stream.bus.details()
    assert {(each["organization"], each["member"], each["version"]) for each in told} == {
        (item["pk"]["S"].split("#")[1], *_named(item["sk"]["S"])) for item in ENTRIES
    }
    assert Counter(each["id"] for each in told).most_common(1)[0][1] == 1
    require_order(told)
    assert {entry["Source"] for entry in stream.bus.told} == {"muster"}
    assert {str(entry["Time"]) for entry in stream.bus.told} >= {"2026-11-20 08:07:00+00:00"}
    assert counted(capsys) == {"MemberEventsSent": len(told)}


def _named(sort: str) -> tuple[str, int]:
    _, member, version = sort.split("#")
    return member, int(version)


FAULTS: dict[str, Callable[[StrictBus], Fault]] = {
    "the first fails": lambda bus: bus.fails(0),
    "one in between fails": lambda bus: bus.fails(2),
    "the last fails": lambda bus: bus.fails(9),
    "several fail": lambda bus: bus.fails(1, 3),
    "throttled": lambda bus: bus.throttled,
    "the answer is lost": lambda bus: bus.lost,
    "it dies before it can say so": lambda bus: bus.crashes,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_nothing_is_lost_and_each_members_order_is_kept(fault: str, stream: Stream) -> None:
    expected = everything(stream)
    stream.follow()
    calls = len(stream.bus.calls)
    assert calls > 5
    for call in range(calls):
        stream.bus.told.clear()
        stream.tries = 0
        # Once, and once more with the first call that tries it again.
        stream.bus.faults = [*[None] * call, FAULTS[fault](stream.bus), FAULTS[fault](stream.bus)]
        stream.follow()
        told = stream.bus.details()
        assert {each["id"] for each in told} == expected, call
        assert all(len(each) == 1 for each in bodies(told).values()), call
        require_order(told)


def test_an_outage_holds_up_all_and_loses_nothing(
    stream: Stream, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.write(*ENTRIES)
    stream.bus.faults = [stream.bus.throttled] * 20
    for _ in range(20):
        assert stream.hand_over() == stream.records
    assert counted(capsys) == {"MemberEventsDelayed": 20}
    assert '"reason":"EventBridge answered ThrottlingException"' in log.getvalue().replace('": "', '":"')
    stream.follow()
    assert stream.bus.details()


def test_an_entry_nobody_can_read_is_kept_elsewhere_and_holds_nothing_up(
    stream: Stream, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = recorded("m1", 2)
    broken["doc"] = {"S": '{"member": "m1", "email": "ada@acme.example"}'}
    nothing = {**recorded("m1", 3)}
    del nothing["doc"]
    stream.write(recorded("m1", 1), broken, nothing, recorded("m1", 4))
    assert stream.hand_over() == []
    assert [each["version"] for each in stream.bus.details()] == [1, 4]
    assert stream.given_up() == [
        {"reason": "unreadable_entry", "organization": "acme", "key": f"HISTORY#m1#{version:08d}"}
        for version in (2, 3)
    ]
    assert counted(capsys) == {"MemberEventsSent": 2, "MemberEventsGivenUp": 2}
    assert "@" not in log.getvalue()


def test_an_entry_nobody_can_read_is_not_passed_over_before_it_is_kept(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**recorded("m1", 2), "doc": {"S": "{"}}
    stream.write(recorded("m1", 1), broken, recorded("m1", 3))
    queue = bootstrap.failure_queue()

    def down(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessage")

    with monkeypatch.context() as patch:
        patch.setattr(queue._client, "send_message", down)
        assert stream.hand_over() == stream.records[1:]
    assert stream.given_up() == []
    assert stream.hand_over(stream.records[1:]) == []
    assert len(stream.given_up()) == 1


def test_what_comes_after_a_failure_is_not_given_up_yet(stream: Stream) -> None:
    stream.write(recorded("m1", 1), {**recorded("m2", 1), "doc": {"S": "{"}})
    stream.bus.faults = [stream.bus.throttled]
    assert stream.hand_over() == stream.records
    assert stream.given_up() == []
    stream.follow()
    assert len(stream.given_up()) == 1


def test_whose_values_may_be_shown_is_asked_once_and_of_each_organization(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    store({"organization": "globex", "events": {"personal_data": True}})
    entries = [
        recorded("m1", version, organization=organization)
        for version in (1, 2)
        for organization in ("acme", "globex", "initech")
    ]
    stream.write(*entries)
    table, asked = bootstrap.settings_table(), []
    current = type(table).current

    def counting(self: Any, organization: str) -> Any:
        asked.append(organization)
        return current(self, organization)

    monkeypatch.setattr(type(table), "current", counting)
    stream.follow()
    assert asked == ["acme", "globex", "initech"]
    shown = {each["organization"]: "after" in each["changes"][0] for each in stream.bus.details()}
    # Nobody says so of an organization without settings.
    assert shown == {"acme": False, "globex": True, "initech": False}
    # The next invocation asks again.
    store({"organization": "globex"})
    stream.bus.told.clear()
    stream.follow()
    assert not any("after" in each["changes"][0] for each in stream.bus.details())


def test_settings_that_are_no_longer_accepted_show_nothing_and_hold_up_nobody(stream: Stream) -> None:
    item = {"pk": {"S": "ORG#globex"}, "sk": {"S": "SETTINGS"}}
    store({"organization": "globex", "events": {"personal_data": True}})
    whole = stream.aws.dynamodb.get_item(TableName=stream.aws.table, Key=item)["Item"]
    [name] = [name for name, value in whole.items() if '"personal_data"' in value.get("S", "")]
    whole[name] = {"S": whole[name]["S"].replace('"personal_data"', '"of_old": 1, "personal_data"')}
    stream.aws.dynamodb.put_item(TableName=stream.aws.table, Item=whole)
    stream.write(recorded("m1", 1, organization="globex"), recorded("m1", 1))
    assert stream.hand_over() == []
    assert [("after" in each["changes"][0]) for each in stream.bus.details()] == [False, False]


def test_where_it_cannot_be_known_what_may_be_shown_nothing_is(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.write(recorded("m1", 1), recorded("m2", 1, organization="globex"), recorded("m1", 2))
    current = bootstrap.settings_table().current

    def down(organization: str) -> Any:
        if organization == "globex":
            raise Unavailable("the settings table is down")
        return current(organization)

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap.settings_table(), "current", down)
        assert stream.hand_over() == stream.records[1:]
    assert [each["member"] for each in stream.bus.details()] == ["m1"]


def test_what_there_is_no_time_for_is_left_to_the_next_try(stream: Stream) -> None:
    stream.write(recorded("m1", 1), recorded("m1", 2), recorded("m1", 3))
    left = iter([60_000, 30_000, 14_000])
    stream.context.get_remaining_time_in_millis = lambda: next(left)  # type: ignore[method-assign]
    assert stream.hand_over() == stream.records[2:]
    assert [each["version"] for each in stream.bus.details()] == [1, 2]


def test_other_items_are_no_events(stream: Stream) -> None:
    member = {**recorded("m1", 1), "sk": {"S": "MEMBER#m1"}}
    stream.write(member)
    stream.write(recorded("m1", 1), event="REMOVE")
    stream.write(recorded("m1", 1), event="MODIFY")
    assert stream.hand_over() == []
    assert stream.bus.told == []


def test_a_stream_without_a_bus_is_a_fault(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMBER_EVENTS_BUS")
    forget_clients()
    with pytest.raises(Misconfigured, match="no event bus"):
        member_events.handler({"Records": []}, stream.context)


def test_a_large_batch_is_packed(stream: Stream) -> None:
    store({"organization": "acme", "events": {"personal_data": True}})
    large = ("custom.Notes__c", None, "n" * 90_000)
    stream.write(*(recorded(f"m{number}", 1, large) for number in range(5)))
    stream.follow()
    assert stream.bus.calls == [2, 2, 1]
