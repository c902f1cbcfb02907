"""The events that a change is told outward as, from its history entry alone (O1)."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from muster.roster.data_capture import Capture
from muster.roster.history import FieldChange, changes_between, taken_apart
from muster.roster.member import Member
from muster.roster.member_events import Kind, MemberEvent, events
from tests.members import changed

ADA = Member(id="ada", organization="acme", active=True, name="Ada", title="Rep")
LEFT = replace(ADA, active=False, inactive_reason="unmatched")
HELD = {"state": "held"}
WAITS = {"state": "waiting", "since": "2026-11-20T08:15:31.000Z", "rank": 2}
BLOCKED = {"state": "blocked", "requires": "gong"}
CREATED, UPDATED = MemberEvent(Kind.MEMBER_CREATED), MemberEvent(Kind.MEMBER_UPDATED)


def engage(group: str | None, status: str = "success") -> dict[str, str | None]:
    return {"request": "UK", "status": status, "group": group}


def has(**attributes: Any) -> Member:
    return changed(ADA, **attributes)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ADA, ADA, []),
        (None, ADA, [CREATED]),
        # What a new member gets is told like any other.
        (
            None,
            has(manager="grace", seats={"gong": HELD, "forecast": WAITS}, engage=engage("UK")),
            [
                CREATED,
                MemberEvent(Kind.MANAGER_CHANGED, "", None, "grace"),
                MemberEvent(Kind.SEAT_GRANTED, "gong", None, "held"),
                MemberEvent(Kind.SEAT_WAITING, "forecast", None, "waiting"),
                MemberEvent(Kind.LICENCE_GRANTED, "engage", None, "UK"),
            ],
        ),
        (ADA, has(title="Lead"), [UPDATED]),
        # Somebody else's word that is no change of the person has no history, and so no event.
        (ADA, has(digest="d2"), []),
        (ADA, LEFT, [MemberEvent(Kind.MEMBER_DEACTIVATED, "", None, "unmatched")]),
        (LEFT, ADA, [MemberEvent(Kind.MEMBER_REACTIVATED, "", "unmatched", None)]),
        (
            has(seats={"gong": HELD}),
            LEFT,
            [
                MemberEvent(Kind.MEMBER_DEACTIVATED, "", None, "unmatched"),
                MemberEvent(Kind.SEAT_REVOKED, "gong", "held", None),
            ],
        ),
        (
            has(seats={"gong": WAITS}),
            has(seats={"gong": HELD}),
            [UPDATED, MemberEvent(Kind.SEAT_GRANTED, "gong", "waiting", "held")],
        ),
        (
            has(seats={"gong": HELD}),
            has(seats={"gong": BLOCKED}),
            [UPDATED, MemberEvent(Kind.SEAT_REVOKED, "gong", "held", "blocked")],
        ),
        (
            has(seats={"gong": HELD}),
            has(seats={"gong": WAITS}),
            [
                UPDATED,
                MemberEvent(Kind.SEAT_REVOKED, "gong", "held", "waiting"),
                MemberEvent(Kind.SEAT_WAITING, "gong", "held", "waiting"),
            ],
        ),
        # Who leaves a line, or waits longer, has neither got nor lost a seat.
        (has(seats={"gong": WAITS}), ADA, [UPDATED]),
        (has(seats={"gong": WAITS}), has(seats={"gong": {**WAITS, "since": "2026-11-21"}}), [UPDATED]),
        # Names may hold dots, and may look like what is in a place.
        (
            ADA,
            has(seats={"gong.eu": HELD, "a.state": HELD}),
            [
                UPDATED,
                MemberEvent(Kind.SEAT_GRANTED, "gong.eu", None, "held"),
                MemberEvent(Kind.SEAT_GRANTED, "a.state", None, "held"),
            ],
        ),
        (
            ADA,
            has(
                workspaces={"seats.x.state": "held", "group": "UK"},
                custom={"manager": "held"},
                data_capture={"seats.gong": Capture("held", "held", None, "crm")},
            ),
            [UPDATED],
        ),
        (
            has(engage=engage(None)),
            has(engage=engage("UK")),
            [UPDATED, MemberEvent(Kind.LICENCE_GRANTED, "engage", None, "UK")],
        ),
        (
            has(engage_connect=engage("US")),
            has(engage_connect=engage(None)),
            [UPDATED, MemberEvent(Kind.LICENCE_REVOKED, "engage_connect", "US", None)],
        ),
        (
            has(engage=engage("US")),
            has(engage=engage("UK")),
            [
                UPDATED,
                MemberEvent(Kind.LICENCE_REVOKED, "engage", "US", "UK"),
                MemberEvent(Kind.LICENCE_GRANTED, "engage", "US", "UK"),
            ],
        ),
        (has(engage=engage("UK")), has(engage=engage("UK", "request_sent")), [UPDATED]),
        (
            has(manager="grace"),
            has(manager="bob"),
            [UPDATED, MemberEvent(Kind.MANAGER_CHANGED, "", "grace", "bob")],
        ),
        (
            has(manager="grace"),
            ADA,
            [UPDATED, MemberEvent(Kind.MANAGER_CHANGED, "", "grace", None)],
        ),
    ],
)
def test_events_follow_from_the_changes_as_written_and_as_stored(
    before: Member | None, after: Member, expected: list[MemberEvent]
) -> None:
    changes = changes_between(before, after)
    stored = json.loads(json.dumps([asdict(change) for change in changes]))
    assert events(changes) == tuple(expected)
    assert events([FieldChange(**each) for each in stored]) == tuple(expected)
    # With organization, member and version, kind and name identify an event.
    assert len({(event.kind, event.of) for event in expected}) == len(expected)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("title", ("title", "", "")),
        ("workspaces.EMEA.North", ("workspaces", "EMEA.North", "")),
        ("engage.group", ("engage", "group", "")),
        ("seats.gong.state", ("seats", "gong", "state")),
        ("seats.gong.eu.state", ("seats", "gong.eu", "state")),
        ("crm.salesforce.id", ("crm", "salesforce", "id")),
    ],
)
def test_a_dotted_name_is_taken_apart(name: str, parts: tuple[str, str, str]) -> None:
    assert taken_apart(name) == parts
