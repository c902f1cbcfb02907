"""What a message is still worth (W13)."""

from datetime import UTC, datetime, timedelta

import pytest

from muster.webhook.deliveries import (
    MOST_REMEMBERED,
    CallsUsed,
    Followed,
    records_of,
    with_message,
    yet_to_follow,
)
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage

AT = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
ADA, BOB = "005000000000001AAA", "005000000000002AAA"


def change(notification: str, record: str = ADA) -> QueuedChange:
    return QueuedChange(notification, {"Id": record, "Title": "Rep"})


def parked(notification: str, record: str | None = None) -> ParkedNotification:
    return ParkedNotification(notification, "Account", record, "other_object")


def message(*changes: QueuedChange, others: tuple[ParkedNotification, ...] = ()) -> QueuedMessage:
    return QueuedMessage("acme", "salesforce", AT, changes, others)


@pytest.mark.parametrize(
    ("followed", "reads_back", "left"),
    [
        pytest.param(None, True, ["n1"], id="nothing is known"),
        pytest.param(Followed(ADA, frozenset({"n1"})), True, [], id="followed"),
        pytest.param(Followed(ADA, frozenset({"n2"})), True, ["n1"], id="another was followed"),
        pytest.param(Followed(ADA, read_at="2026-11-20T08:15:02.000Z"), True, [], id="read since"),
        pytest.param(Followed(ADA, read_at="2026-11-20T08:15:02.000Z"), False, ["n1"], id="not read back"),
        pytest.param(Followed(ADA, read_at="2026-11-20T08:15:01.000Z"), True, ["n1"], id="clocks differ"),
        pytest.param(Followed(ADA, read_at="2026-11-20T08:14:00.000Z"), True, ["n1"], id="read before"),
    ],
)
def test_what_is_left_of_a_message(followed: Followed | None, reads_back: bool, left: list[str]) -> None:
    known = {ADA: followed} if followed else {}
    fresh = yet_to_follow(message(change("n1")), known, reads_back=reads_back)
    assert [each.notification for each in fresh.changes] == left


def test_only_what_was_followed_is_taken_out() -> None:
    whole = message(
        change("n1"), change("n2", BOB), others=(parked("n3", "001000000000001AAA"), parked("n4"))
    )
    known = {ADA: Followed(ADA, frozenset({"n1"})), "n4": Followed("n4", frozenset({"n4"}))}
    fresh = yet_to_follow(whole, known, reads_back=True)
    assert [each.notification for each in fresh.changes] == ["n2"]
    assert [each.notification for each in fresh.parked] == ["n3"]


@pytest.mark.parametrize("record", [ADA[:15], ADA, f" {ADA} "])
def test_a_record_has_one_name_however_its_id_is_written(record: str) -> None:
    assert records_of(message(change("n1", record))) == [ADA]


@pytest.mark.parametrize("record", ["", "nobody", "005!"])
def test_a_notification_without_a_record_is_remembered_by_itself(record: str) -> None:
    assert records_of(message(change("n1", record), others=(parked("n2"),))) == ["n1", "n2"]


def test_what_is_remembered_grows_to_the_newest_hundred() -> None:
    known = {ADA: Followed(ADA, frozenset(f"n{number:03}" for number in range(MOST_REMEMBERED)), "before")}
    [followed] = with_message(known, message(change("n500"), change("n501")), None)
    assert len(followed.notifications) == MOST_REMEMBERED
    assert {"n500", "n501"} <= followed.notifications
    assert not {"n000", "n001"} & followed.notifications
    assert followed.read_at == "before"


def test_each_record_is_remembered_with_when_it_was_read() -> None:
    found = with_message(
        {}, message(change("n1"), change("n2", BOB), change("n3")), AT + timedelta(seconds=5)
    )
    read_at = "2026-11-20T08:15:05.000Z"
    assert found == [
        Followed(ADA, frozenset({"n1", "n3"}), read_at),
        Followed(BOB, frozenset({"n2"}), read_at),
    ]


@pytest.mark.parametrize(("used", "spent"), [(0, False), (700, False), (701, True), (2000, True)])
def test_messages_may_use_seven_tenths_of_the_calls(used: int, spent: bool) -> None:
    assert CallsUsed(used, 1000, AT).is_spent is spent
