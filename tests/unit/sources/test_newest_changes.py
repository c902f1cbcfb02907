"""Which of two states is the newer one, by messages and as read from Salesforce (W4, W6)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.errors import Rejected
from muster.sources.newest_changes import (
    is_newer,
    most_recent,
    read_version,
    source_version,
    state_of,
    time_of,
)
from tests.examples import ADA, BOB, change

READ_AT = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
STAMP = "2026-11-20T08:15:31.000Z"
LATER = "2026-11-20T08:15:32.000Z"


def told(
    stamp: str = STAMP, notification: str = "04l000000000001AAA", after_s: float = 0, **fields: Any
) -> str:
    """Return the version of what a message tells that was taken in so many seconds after 08:16."""
    received_at = READ_AT + timedelta(seconds=after_s)
    return source_version({"SystemModstamp": stamp, "IsActive": "true", **fields}, notification, received_at)


def read(stamp: str = STAMP, after_s: float = 0, **fields: Any) -> str:
    """Return the version of what was read, so many seconds after 08:16."""
    state = {"SystemModstamp": stamp, "IsActive": "true", **fields}
    return read_version(state, READ_AT + timedelta(seconds=after_s))


def test_versions_sort_as_the_states_count() -> None:
    in_order = [
        told(),
        told(notification="04l000000000002AAA"),
        # Within one second of Salesforce, who is out stays out, as far as messages can tell …
        told(IsActive="false"),
        # … but who was read at that second counts, on or off: the later reading most.
        read(IsActive="false"),
        read(after_s=0.001),
        read(after_s=1, IsActive="false"),
        read(after_s=3600),
        # Whatever happened a second later is newer than all that.
        told(LATER, after_s=3600),
        told(LATER, after_s=3600, IsActive="false"),
        read(LATER, after_s=-3600),
        told("2026-11-20T08:15:33.000Z", after_s=3600),
        told("2027-01-01T00:00:00.000Z", after_s=3600),
    ]
    for older, newer in pairwise(in_order):
        assert is_newer(newer, older)
        assert not is_newer(older, newer)


@pytest.mark.parametrize("stamp", [LATER, "2026-11-20T08:20:59.000Z", "2027-01-01T00:00:00.000Z"])
@pytest.mark.parametrize("after_s", [2, 3600, 864_000])
def test_what_was_read_after_a_message_was_taken_in_refutes_it_whatever_its_stamp(
    stamp: str, after_s: float
) -> None:
    """What Salesforce sent is in what it shows from then on; what is not was forged or sent again (W11)."""
    heard, shown = told(stamp), read(after_s=after_s)
    assert is_newer(shown, heard)
    assert not is_newer(heard, shown)


@pytest.mark.parametrize("after_s", [-3600, 0, 0.001, 1])
def test_what_was_read_before_a_message_or_as_it_came_in_refutes_nothing(after_s: float) -> None:
    """The clocks of two hosts may differ a little."""
    heard, shown = told(LATER), read(after_s=after_s)
    assert is_newer(heard, shown)
    assert not is_newer(shown, heard)


def test_a_message_stored_by_an_earlier_version_is_ordered_by_its_stamp() -> None:
    """It does not say when it was taken in."""
    stored = state_of(told(LATER))
    assert not is_newer(read(after_s=3600), stored)
    assert is_newer(read("2026-11-20T08:15:33.000Z"), stored)


def test_the_same_message_delivered_again_is_not_newer() -> None:
    assert not is_newer(told(after_s=60), told())
    assert state_of(told(after_s=60)) == state_of(told())


@pytest.mark.parametrize("seen", ["", "2026-11-20T08:15:31.000Z", "2026-11-20T08:15:31.000Z|1|x|y|soon"])
def test_what_is_stored_in_another_shape_is_compared_as_text(seen: str) -> None:
    assert is_newer(read(LATER), seen)
    assert not is_newer(seen, read(LATER))


def test_the_same_reading_has_the_same_version_whatever_it_found() -> None:
    """One reading shows one state; what differs between two tries at recording it is not newer."""
    assert read(Title="Rep") == read(Title="Chief")


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-20T08:15:31.000Z",
        "2026-11-20T08:15:31.000+0000",
        "2026-11-20T08:15:31Z",
        "2026-11-20T09:15:31.000+01:00",
        "2026-11-20T03:45:31-04:30",
    ],
)
def test_one_moment_is_one_version_however_it_is_written(stamp: str) -> None:
    assert read(stamp) == read()
    assert time_of(read(stamp)) == datetime(2026, 11, 20, 8, 15, 31, tzinfo=UTC)
    assert time_of(told(stamp)) == time_of(read(stamp))


def test_without_system_modstamp_last_modified_date_counts() -> None:
    fields = {"SystemModstamp": None, "LastModifiedDate": LATER, "IsActive": "true"}
    assert read_version(fields, READ_AT) == read(LATER)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, "SystemModstamp"),
        ({"SystemModstamp": None, "LastModifiedDate": None}, "SystemModstamp"),
        ({"SystemModstamp": "yesterday"}, "SystemModstamp"),
        ({"SystemModstamp": "2026-11-20T08:15:31"}, "SystemModstamp"),
        ({"LastModifiedDate": "2026-13-20T08:15:31Z"}, "LastModifiedDate"),
        ({"SystemModstamp": "0001-01-01T00:00:00+14:00"}, "SystemModstamp"),
    ],
)
def test_without_a_readable_time_there_is_no_version(fields: dict[str, str | None], where: str) -> None:
    with pytest.raises(Rejected) as read_refused:
        read_version(fields, READ_AT)
    with pytest.raises(Rejected) as told_refused:
        source_version(fields, "04l000000000001AAA", READ_AT)
    for refused in (read_refused, told_refused):
        assert refused.value.problems[0].where == where
        assert refused.value.problems[0].remedy


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive


@given(moments, moments, st.booleans(), st.booleans())
def test_a_later_change_is_newer_whoever_tells_it(
    one: datetime, other: datetime, one_is_read: bool, other_is_read: bool
) -> None:
    def version(moment: datetime, *, is_read: bool) -> str:
        stamp = moment.isoformat(timespec="milliseconds")
        return read(stamp) if is_read else told(stamp)

    first, second = version(one, is_read=one_is_read), version(other, is_read=other_is_read)
    if time_of(first) != time_of(second):
        assert (first < second) == (time_of(first) < time_of(second))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # SystemModstamp decides, whatever else says otherwise.
        (
            change(10, notification="04l000000000009AAA", IsActive="false"),
            change(11, notification="04l000000000001AAA"),
        ),
        # Time zones are only ways of writing.
        (
            change(SystemModstamp="2026-11-20T09:15:30.000+01:00"),
            change(SystemModstamp="2026-11-20T08:15:31Z"),
        ),
        # Within one second the deactivated state wins.
        (
            change(10, notification="04l000000000009AAA"),
            change(10, notification="04l000000000001AAA", IsActive="false"),
        ),
        # Then the later notification.
        (
            change(10, notification="04l000000000001AAA", Title="Z"),
            change(10, notification="04l000000000002AAA", Title="A"),
        ),
        # LastModifiedDate stands in where SystemModstamp is missing.
        (change(10, SystemModstamp=None), change(11, SystemModstamp=None)),
    ],
)
def test_source_versions_sort_as_the_changes_happened(earlier, later) -> None:  # type: ignore[no-untyped-def]  # parametrized values
    assert earlier.source < later.source


def test_the_same_state_twice_is_the_same_source_version() -> None:
    assert change(10).source == change(10).source


def test_a_source_version_tells_its_time() -> None:
    version = source_version({"SystemModstamp": "2026-11-20T08:15:31.000Z"}, "04l000000000001AAA", READ_AT)
    assert time_of(version) == datetime(2026, 11, 20, 8, 15, 31, tzinfo=UTC)


def test_the_most_recent_change_of_each_user_is_honoured_in_any_order() -> None:
    of_ada = [change(10, Title="first"), change(12, Title="last"), change(11, Title="middle")]
    of_bob = [change(10, Id=BOB), change(9, Id=BOB)]
    for order in permutations([*of_ada, *of_bob]):
        folded = {each.crm_id: each for each in most_recent(order)}
        assert folded == {ADA: of_ada[1], BOB: of_bob[0]}
