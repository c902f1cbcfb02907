"""Whether a digest is to be sent, and from when on it tells, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from muster.errors import Rejected, Unavailable
from muster.reporting.last_digest import AT_WORK, DAY, LONGEST, LastDigest, begins

TODAY = datetime(2026, 11, 30, 7, tzinfo=UTC)
NOW = TODAY + timedelta(seconds=3)
YESTERDAY, FRIDAY = TODAY - DAY, TODAY - 3 * DAY


def last(
    scheduled: datetime = YESTERDAY, *, sent: bool = True, taken_at: datetime | None = NOW, days: int = 1
) -> LastDigest:
    return LastDigest(scheduled, scheduled - days * DAY, taken_at, "other", sent)


@pytest.mark.parametrize(
    ("noted", "since"),
    [
        (None, YESTERDAY),
        (last(), YESTERDAY),
        # A weekend without one, and a pause of a month.
        (last(FRIDAY), FRIDAY),
        (last(TODAY - 30 * DAY), TODAY - LONGEST),
        # It was sent, or a later one was.
        (last(TODAY), None),
        (last(TODAY + DAY), None),
        (last(TODAY + DAY, sent=False), None),
        # What was begun and never sent is told by the next.
        (last(sent=False, taken_at=None), YESTERDAY - DAY),
        (last(sent=False, taken_at=YESTERDAY), YESTERDAY - DAY),
        (last(TODAY, sent=False, taken_at=None), YESTERDAY),
        (last(TODAY, sent=False, taken_at=NOW - AT_WORK), YESTERDAY),
    ],
)
def test_from_when_on_it_tells(noted: LastDigest | None, since: datetime | None) -> None:
    assert begins(noted, TODAY, NOW) == since


def test_whoever_may_still_be_sending_it_is_waited_for() -> None:
    at_work = last(TODAY, sent=False, taken_at=NOW - AT_WORK + timedelta(seconds=1))
    with pytest.raises(Unavailable, match="another invocation"):
        begins(at_work, TODAY, NOW)


def test_a_moment_that_lies_ahead_keeps_no_other_from_being_sent() -> None:
    with pytest.raises(Rejected, match="lies ahead"):
        begins(None, NOW + timedelta(days=365), NOW)
    assert begins(None, NOW + timedelta(minutes=1), NOW)
