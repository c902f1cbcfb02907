"""What differs of a member between two moments: what was waited for is named as it was asked for then."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from muster.insight.looking_back import show_difference
from muster.roster.engage_state import Engage
from muster.roster.history import HistoryEntry, changes_between
from muster.roster.member import Member
from muster.times import timestamp
from tests.examples import settings

BEGIN = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
SENT = Engage("UK", "request_sent", None)


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def roster_of(*states: Member) -> Any:
    """Return the roster of one member who was all that, one an hour."""
    history = [
        asdict(
            HistoryEntry(
                member=after.id,
                version=version,
                at=timestamp(at(version)),
                origin="crm",
                run="run:r1",
                changes=changes_between(before, after),
            )
        )
        for version, (before, after) in enumerate(zip([None, *states], states, strict=False), 1)
    ]
    return SimpleNamespace(
        member=lambda organization, member: states[-1],
        history=lambda organization, member, limit, cursor: (history[::-1], None),
    )


def test_a_group_is_named_that_was_asked_for_before_and_is_another_by_now() -> None:
    asked = Member(id="m1", organization="acme", active=True, engage=SENT)
    waits = replace(asked, engage=replace(SENT, status="no_licenses_remaining"))
    now = replace(asked, engage=replace(SENT, request="US"))
    runs: Any = SimpleNamespace(run=lambda organization, run: None)
    said = show_difference(
        roster_of(asked, waits, now),
        runs,
        settings(),
        asked.id,
        timestamp(at(1.5)),
        timestamp(at(2.5)),
        at(10),
    )
    assert said["news"]["waits_for"] == [{"engage": "UK"}]
    assert [each["field"] for each in said["differences"]] == ["engage.status"]
