"""Events sent again from the history: the same ones, the oldest first, as far as time and bus allow (O1)."""

import json
from typing import Any

import pytest

import member_events
from muster import bootstrap
from muster.errors import Unavailable
from muster.events_out import resending
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from tests.doubles.aws import forget_clients
from tests.integration.company import store
from tests.integration.events_out.conftest import Json, Stream, recorded
from tests.integration.pasted import pasted

ADA = "7f3a9c52e0d14b6f8a1c3e5d7b9f1024"
# Of two members, one of whom changes seven times.
ENTRIES = [
    *(recorded(ADA, version) for version in (1, 3, 5)),
    *(recorded(member, version) for member, version in (("m2", 2), ("m3", 4), (ADA, 6), ("m2", 7))),
]


@pytest.fixture
def history(stream: Stream) -> Stream:
    """Return the stream of a table in which these entries are, and one of another organization."""
    for item in [*ENTRIES, recorded("m9", 3, organization="globex")]:
        stream.aws.dynamodb.put_item(TableName=stream.aws.table, Item=item)
    ada = Member(id=ADA, organization="acme", active=True, email="ada@acme.example", revision=1)
    void = bootstrap.roster_table().write("acme", [Decision(outcome=Outcome.CREATED, after=ada)], 0)
    assert not void
    return stream


def ask(stream: Stream, **event: Any) -> Json:
    """Ask for events to be sent again; returns the answer as Lambda would."""
    whole = {"organization": "acme", "action": "resend_events", "by": "jane@acme.example", **event}
    answer: Json = json.loads(json.dumps(member_events.handler(whole, stream.context)))
    return answer


def versions(stream: Stream) -> list[int]:
    return [each["version"] for each in stream.bus.details()]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"since": "2026-11-20"}, [1, 2, 3, 4, 5, 6, 7]),
        # From a moment on, and before another one.
        ({"since": "2026-11-20T08:03:00Z", "until": "2026-11-20T08:06:00Z"}, [3, 4, 5]),
        ({"member": "ada@acme.example"}, [1, 3, 5, 6]),
        ({"member": ADA, "since": "2026-11-20T08:04"}, [5, 6]),
        ({"member": ADA, "until": "2026-11-19"}, []),
    ],
)
def test_what_is_asked_for_is_sent_oldest_first(history: Stream, asked: Json, expected: list[int]) -> None:
    said = ask(history, **asked)
    assert said["status"] == "succeeded", said
    assert (said["entries"], said["events"], said["cursor"]) == (len(expected), len(expected), None)
    assert versions(history) == expected


def test_they_are_the_events_that_the_stream_told(history: Stream) -> None:
    history.write(*ENTRIES)
    history.follow()
    told = {str(each) for each in history.bus.told}
    history.bus.told.clear()
    ask(history, since="2026-11-20")
    assert {str(each) for each in history.bus.told} == told


@pytest.mark.parametrize("asked", [{"since": "2026-11-20"}, {"member": ADA}])
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_where_the_bus_takes_no_more_it_is_gone_on_with(
    history: Stream, asked: Json, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resending, "CHUNK", chunk)
    ask(history, **asked)
    expected = versions(history)
    history.bus.told.clear()
    # Every call of the bus is followed by one that fails; what goes before is told with its cursor.
    said: Json = {"cursor": None}
    answers = 0
    while True:
        history.bus.faults = [None, history.bus.throttled]
        said = ask(history, **asked, **({"cursor": said["cursor"]} if said["cursor"] else {}))
        answers += 1
        if said["status"] != "continue":
            break
        assert said["message"].endswith("There is more: send the event again with the cursor.")
    assert said["status"] == "succeeded"
    assert versions(history) == expected
    assert answers > 1


def test_a_bus_that_takes_nothing_is_a_fault_that_names_it(history: Stream) -> None:
    history.bus.faults = [history.bus.throttled]
    with pytest.raises(Unavailable, match="EventBridge answered ThrottlingException"):
        ask(history, since="2026-11-20")


def test_what_there_is_no_time_for_is_left_to_the_next_call(history: Stream) -> None:
    left = iter([60_000, 14_000])
    history.context.get_remaining_time_in_millis = lambda: next(left)  # type: ignore[method-assign]
    said = ask(history, member=ADA)
    assert (said["status"], said["entries"], versions(history)) == ("continue", 1, [1])


def test_an_entry_nobody_can_read_is_left_out_and_counted(history: Stream) -> None:
    broken = recorded("m3", 8)
    broken["doc"] = {"S": json.dumps({"member": "m3", "version": 8, "at": "2026-11-20T08:08:00.000Z"})}
    history.aws.dynamodb.put_item(TableName=history.aws.table, Item=broken)
    said = ask(history, since="2026-11-20")
    assert said["message"] == (
        "7 events of 8 changes sent again. 1 change could not be read and was left out."
    )


def test_values_are_sent_as_the_settings_say_by_now(history: Stream) -> None:
    store({"organization": "acme", "events": {"personal_data": True}})
    ask(history, member=ADA)
    assert all("after" in each["changes"][0] for each in history.bus.details())


@pytest.mark.parametrize(
    ("asked", "message", "remedy"),
    [
        ({}, "event says neither since nor member.", 'Say since when ("since": "yesterday")'),
        ({"since": "2026-11-20", "by": None}, "by is missing.", "Add it"),
        ({"since": "soon"}, "since 'soon' is no moment.", "Write a day or a moment"),
        (
            {"since": "2026-11-20", "until": "2026-11-19"},
            "until is not after since.",
            "The period goes from since to until",
        ),
        ({"member": "nobody@acme.example"}, "member is not in the roster: 'nobody@acme.example'.", "Ask"),
        ({"member": ADA, "cursor": "c"}, "cursor is not one that an answer had.", "Copy cursor"),
        ({"member": ADA, "cursor": "2026-11-20|m|x"}, "cursor is not one that an answer had.", "Copy"),
        ({"since": "2026-11-20", "limit": 5}, "limit is not a known key.", ""),
        ({"since": "2026-11-20", "organization": "acne"}, "organization acne has no settings.", "Did you"),
    ],
)
def test_a_wrong_event_is_told_what_is_wrong(history: Stream, asked: Json, message: str, remedy: str) -> None:
    event = {"organization": "acme", "action": "resend_events", "by": "jane@acme.example", **asked}
    given = {name: value for name, value in event.items() if value is not None}
    said = member_events.handler(given, history.context)
    assert (said["status"], said["message"]) == ("rejected", message)
    assert said["errors"][0]["remedy"].startswith(remedy)
    assert history.bus.told == []


def test_without_a_bus_it_is_told_how_to_get_one(history: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMBER_EVENTS_BUS")
    forget_clients()
    said = ask(history, since="2026-11-20")
    assert said["status"] == "rejected"
    assert said["errors"][0]["remedy"] == "Deploy the stack with the parameter MemberEvents=ENABLED."


@pytest.mark.parametrize("name", ["member_events_resend", "member_events_resend_member"])
def test_the_events_to_paste_are_answered(history: Stream, name: str, on_a_screen: None) -> None:
    said = member_events.handler(pasted(name), history.context)
    assert said["status"] == "succeeded"
    assert list(said)[:3] == ["status", "organization", "message"]
