"""Periods as admins write them."""

from datetime import UTC, datetime, timedelta

import pytest

from muster.errors import Rejected
from muster.insight.periods import Period, end_of, period
from muster.times import timestamp

# A Monday; summer time in London, so that a day there begins an hour before UTC's.
NOW = datetime(2026, 7, 6, 9, 30, tzinfo=UTC)
LONDON = "Europe/London"
NOW_AND_A_TICK = "2026-07-06T09:30:00.001Z"


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, ("2026-07-05T09:30:00.001Z", NOW_AND_A_TICK)),
        ("today", None, ("2026-07-05T23:00:00.000Z", NOW_AND_A_TICK)),
        ("Yesterday ", None, ("2026-07-04T23:00:00.000Z", NOW_AND_A_TICK)),
        ("yesterday", "yesterday", ("2026-07-04T23:00:00.000Z", "2026-07-05T23:00:00.000Z")),
        ("monday", None, ("2026-07-05T23:00:00.000Z", NOW_AND_A_TICK)),
        ("Friday", None, ("2026-07-02T23:00:00.000Z", NOW_AND_A_TICK)),
        ("24 h", None, ("2026-07-05T09:30:00.000Z", NOW_AND_A_TICK)),
        ("24h", "now", ("2026-07-05T09:30:00.000Z", "2026-07-06T09:30:00.000Z")),
        ("90 minutes ago", "30 min", ("2026-07-06T08:00:00.000Z", "2026-07-06T09:00:00.000Z")),
        ("last 7 days", None, ("2026-06-29T09:30:00.000Z", NOW_AND_A_TICK)),
        ("1 week", None, ("2026-06-29T09:30:00.000Z", NOW_AND_A_TICK)),
        ("2026-07-01", "2026-07-01", ("2026-06-30T23:00:00.000Z", "2026-07-01T23:00:00.000Z")),
        ("2026-07-01T18:00", None, ("2026-07-01T17:00:00.000Z", NOW_AND_A_TICK)),
        ("2026-07-01T18:00:00Z", None, ("2026-07-01T18:00:00.000Z", NOW_AND_A_TICK)),
        ("2026-07-01T18:00+02:00", None, ("2026-07-01T16:00:00.000Z", NOW_AND_A_TICK)),
        (None, "2026-07-01T18:00:00Z", ("2026-06-30T18:00:00.000Z", "2026-07-01T18:00:00.000Z")),
    ],
)
def test_a_period_is_meant_as_it_is_said(
    since: str | None, until: str | None, expected: tuple[str, str]
) -> None:
    assert period(since, until, NOW, LONDON) == Period(*expected)


def test_what_is_asked_about_may_be_longer_ago_by_default() -> None:
    assert period(None, None, NOW, LONDON, timedelta(days=30)).since == "2026-06-06T09:30:00.001Z"


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("soon", None, "since: 'soon' is no moment"),
        ("24 parsecs", None, "since: '24 parsecs' is no moment"),
        ("2026-02-30", None, "since: '2026-02-30' is no moment"),
        ("999999 weeks", None, "since: '999999 weeks' is no moment"),
        ("9999-12-31T23:59-23:00", None, "since: '9999-12-31T23:59-23:00' is no moment"),
        ("24 h", "then", "until: 'then' is no moment"),
        ("2026-07-07", None, "since: lies ahead"),
        ("today", "yesterday", "until: is not after since"),
    ],
)
def test_what_is_no_period_is_refused_with_examples(since: str, until: str | None, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        period(since, until, NOW, LONDON)
    assert str(refused.value) == said
    assert refused.value.problems[0].remedy


@pytest.mark.parametrize(
    ("at", "within"),
    [
        ("2026-07-05T09:30:00.000Z", True),
        ("2026-07-05T09:30:00Z", True),
        ("2026-07-05T09:29:59.999Z", False),
        ("2026-07-06T09:30:00Z", True),
        ("2026-07-06T09:30:00.500Z", False),
        ("2026-07-06T09:30:01Z", False),
    ],
)
def test_a_timestamp_of_either_width_is_in_it_or_not(at: str, within: bool) -> None:
    assert Period("2026-07-05T09:30:00.000Z", "2026-07-06T09:30:00.500Z").has(at) is within


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # A day is meant whole; of today there is no more than until now.
        ("2026-07-01", "2026-07-01T23:00:00.000Z"),
        ("yesterday", "2026-07-05T23:00:00.000Z"),
        ("today", NOW_AND_A_TICK),
        # What is recorded in a moment's very millisecond has happened.
        ("2026-07-01T18:00", "2026-07-01T17:00:00.001Z"),
        ("2026-07-01T18:00:00.123Z", "2026-07-01T18:00:00.124Z"),
        ("2 h ago", "2026-07-06T07:30:00.001Z"),
        ("now", NOW_AND_A_TICK),
    ],
)
def test_a_moment_ends_after_all_that_happened_by_then(written: str, expected: str) -> None:
    assert timestamp(end_of("at", written, NOW, LONDON)) == expected


@pytest.mark.parametrize("written", ["2026-07-07", "2026-07-06T12:00", "the other day", ""])
def test_a_moment_that_lies_ahead_or_is_none_is_refused(written: str) -> None:
    with pytest.raises(Rejected) as caught:
        end_of("at", written, NOW, LONDON)
    [problem] = caught.value.problems
    assert (problem.where, bool(problem.remedy)) == ("at", True)
