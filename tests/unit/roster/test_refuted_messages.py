"""Which messages are refuted by what Salesforce shows after them, and which are simply older (W11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.refuted_messages import refuted
from muster.roster.salesforce_lifecycle import decide
from muster.settings import Settings
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import UserChange
from muster.times import timestamp
from tests.examples import ADA, NOW, change, settings, user

ASSIGNED = settings(
    assignments=[{"name": "Sales", "filter": "Department = 'Sales'"}, {"name": "Rest"}],
    auto_provision={"require_call_center": False},
)
MINUTE = timedelta(minutes=1)
SALES, REST = frozenset({"Sales", "Rest"}), frozenset({"Rest"})


def told(second: int, matches: frozenset[str] = SALES, **fields: Any) -> UserChange:
    """Return what a message that was taken in at `NOW` says."""
    return replace(change(second, **fields), matches=matches)


def read(
    second: int, after: timedelta = MINUTE, matches: frozenset[str] = SALES, **fields: Any
) -> UserChange:
    """Return what Salesforce showed so long after `NOW`."""
    source = read_version(user(second), NOW + after)
    return replace(change(second, **fields), source=source, matches=matches, fields_digest="0", run="run:1")


def after(first: UserChange, second: UserChange, acme: Settings = ASSIGNED) -> Decision:
    """Return the decision about the second of two states."""
    known = Known()
    decision = decide(first, known, acme, {}, NOW)
    member, link = decision.after, decision.link
    known = Known(link=link and replace(link, revision=1), member=member and replace(member, revision=1))
    return decide(second, known, acme, {}, NOW)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        # A leaver let in; somebody shut out; somebody moved.
        (told(50), read(20, IsActive="false")),
        (told(50, IsActive="false"), read(20)),
        (told(50, SALES), read(20, matches=REST)),
        (told(50), read(20, LastName=None)),
    ],
)
@pytest.mark.parametrize("first", ["message", "reading"])
def test_a_message_is_refuted_whichever_is_followed_first(
    message: UserChange, shown: UserChange, first: str
) -> None:
    states = (message, shown) if first == "message" else (shown, message)
    decision = after(*states)
    assert (decision.outcome is Outcome.STALE) == (first == "reading")
    entry = refuted(states[1], decision, ASSIGNED)
    assert entry is not None
    assert (entry.code, entry.system, entry.record) == ("message_refuted", "salesforce", ADA)
    assert (entry.notification, entry.at) == ("04l000000000050AAA", timestamp(NOW))
    assert "rotate_token" in entry.remedy


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        # The same; only a title; a change since then; in the same second; read before it came.
        (told(50), read(20)),
        (told(50, Title="Queen"), read(20)),
        (told(50), read(51, IsActive="false")),
        (told(50), read(50, IsActive="false")),
        (told(50), read(20, -MINUTE, IsActive="false")),
        # Out, whatever the reason.
        (told(50, IsActive="false"), read(20, LastName=None)),
    ],
)
@pytest.mark.parametrize("first", ["message", "reading"])
def test_what_is_older_or_says_the_same_is_not_refuted(
    message: UserChange, shown: UserChange, first: str
) -> None:
    states = (message, shown) if first == "message" else (shown, message)
    assert refuted(states[1], after(*states), ASSIGNED) is None


def test_readings_and_messages_refute_none_of_their_kind() -> None:
    assert refuted(read(20, IsActive="false"), after(read(50), read(20, IsActive="false")), ASSIGNED) is None
    gone = told(51, IsActive="false")
    assert refuted(gone, after(told(50), gone), ASSIGNED) is None


def test_a_namesakes_message_is_not_the_users() -> None:
    former = "005000000000009AAA"
    left = Member(
        id="m1",
        organization="acme",
        crm={"salesforce": {"id": former}},
        sources={"salesforce": told(59, IsActive="false").source},
        username="ada@acme.example",
    )
    known = Known(matches={"username#ada@acme.example": frozenset({"m1"})}, namesakes=(left,))
    decision = decide(read(20), known, ASSIGNED, {}, NOW)
    assert decision.outcome is Outcome.LINKED
    assert refuted(read(20), decision, ASSIGNED) is None


def test_a_user_nobody_knows_refutes_nothing() -> None:
    assert refuted(read(20), decide(read(20), Known(), ASSIGNED, {}, NOW), ASSIGNED) is None
    waits = Known(link=Link(crm_id=ADA, reason="unmatched", revision=1))
    assert refuted(read(20), decide(read(20), waits, ASSIGNED, {}, NOW), ASSIGNED) is None
