"""A member as it was: later changes taken back, for any member and any changes."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.roster.as_of import IN_ROSTER, IS_ERASED, NOT_RECORDED, NOT_YET, Past, as_json, as_of
from muster.roster.history import BOOKKEEPING, HistoryEntry, changes_between, values_of
from muster.roster.member import Json, Member
from muster.roster.reasons import ERASED
from muster.times import timestamp
from tests.members import changed

BEGIN = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
TEXT = st.text(max_size=3) | st.none()
NAMES = st.sampled_from(["gong", "forecast", "EMEA.North", "Region__c"])
ENGAGE = st.fixed_dictionaries({"request": TEXT, "status": TEXT, "group": TEXT})
PLACES = (
    st.just({"state": "held"})
    | st.builds(lambda since: {"state": "waiting", "since": since, "rank": 2}, st.text(max_size=2))
    | st.builds(lambda seat: {"state": "blocked", "requires": seat}, NAMES)
)
ACCOUNTS = {
    "standing": st.sampled_from(["linked", "matched", "ignored"]),
    "id": st.sampled_from(["1", "2"]),
    "active": st.booleans(),
}
SETTINGS = st.fixed_dictionaries(
    {"intended": TEXT, "effective": TEXT, "seat_required": TEXT, "origin": st.just("crm")}
)
ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    "active": st.booleans(),
    "inactive_reason": st.sampled_from([None, "unmatched", "end_date"]),
    "inbound_enabled": st.booleans(),
    "email": TEXT,
    "title": TEXT,
    "phone_numbers": st.dictionaries(st.sampled_from(["mobile", "other"]), TEXT),
    "manager": TEXT,
    "crm": st.dictionaries(
        st.sampled_from(["salesforce", "vault_crm"]),
        st.dictionaries(st.sampled_from(["id", "profile_id"]), TEXT),
    ),
    "custom": st.dictionaries(NAMES, TEXT),
    "assignment": TEXT,
    "seats": st.dictionaries(NAMES, PLACES),
    "accounts": st.dictionaries(
        st.sampled_from(["scim.gong", "scim.slack"]), st.fixed_dictionaries({}, optional=ACCOUNTS)
    ),
    "workspaces": st.dictionaries(NAMES, st.text(max_size=3)),
    "data_capture": st.dictionaries(NAMES, SETTINGS),
    "engage": ENGAGE,
    "engage_connect": ENGAGE,
    "end_date": TEXT,
    # What history has nothing of.
    "digest": st.text(max_size=2),
    "updated_at": TEXT,
}
STEP = st.fixed_dictionaries({}, optional=ATTRIBUTES)


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def entry(version: int, before: Member | None, after: Member) -> Json:
    """Return a history entry as it is stored, made `version` hours after the beginning."""
    changes = changes_between(before, after)
    made = HistoryEntry(
        member="m1", version=version, at=timestamp(at(version)), origin="crm", run="run:r1", changes=changes
    )
    return asdict(made)


def lived(states: list[Member]) -> list[Json]:
    """Return the history of a member who was all that, one an hour, newest first."""
    befores = [None, *states]
    return [
        entry(n, before, after) for n, (before, after) in enumerate(zip(befores, states, strict=False), 1)
    ][::-1]


@given(steps=st.lists(STEP, min_size=1, max_size=6))
def test_taking_back_gives_every_earlier_member(steps: list[dict[str, Any]]) -> None:
    states = [Member(id="m1", organization="acme")]
    for step in steps:
        states.append(changed(states[-1], **step, version=len(states)))
    entries = lived(states[1:])
    # What changed nothing that people see has no entry.
    entries = [each for each in entries if each["changes"]]
    for hours, then in enumerate(states[1:], 1):
        past = as_of(states[-1], entries, at(hours + 0.5))
        assert (past.standing, past.values) == (IN_ROSTER, values_of(then))
    assert as_of(states[-1], entries, at(0.5)) == Past(NOT_YET, standing_at=timestamp(at(1)))


@given(step=STEP)
def test_values_have_the_shape_of_a_members_json(step: dict[str, Any]) -> None:
    """But for what has no value in a map, which history does not tell from what is not there."""
    member = changed(Member(id="m1", organization="acme"), **step)
    expected = {name: value for name, value in member.to_json().items() if name not in BOOKKEEPING}
    for name in ("crm", "seats"):
        filled = {key: _with_value(each) for key, each in expected[name].items()}
        expected[name] = {key: each for key, each in filled.items() if each}
    for name in ("custom", "workspaces"):
        expected[name] = _with_value(expected[name])
    assert as_json(values_of(member)) == expected


def _with_value(given: Json) -> Json:
    return {name: value for name, value in given.items() if value is not None}


ADA = Member(id="m1", organization="acme", active=True, title="Rep")
LEAD = replace(ADA, title="Lead")
TOMBSTONE = Member(id="m1", organization="acme", inactive_reason=ERASED)
HISTORY = lived([ADA, LEAD])
ERASURE = entry(3, replace(LEAD, active=False), replace(LEAD, active=False, inactive_reason=ERASED))


@pytest.mark.parametrize(
    ("member", "entries", "hours", "standing", "title", "standing_at"),
    [
        (LEAD, HISTORY, 2.5, IN_ROSTER, "Lead", None),
        # A change of that very moment has not happened before it.
        (LEAD, HISTORY, 2, IN_ROSTER, "Rep", None),
        (LEAD, HISTORY, 1.5, IN_ROSTER, "Rep", None),
        (LEAD, HISTORY, 1, NOT_YET, None, 1),
        (LEAD, HISTORY, -1000, NOT_YET, None, 1),
        # Those that are older than needed may be left out.
        (LEAD, HISTORY[:1], 2.5, IN_ROSTER, "Lead", None),
        (LEAD, HISTORY[:1], 1.5, NOT_RECORDED, None, 2),
        (LEAD, [], 1.5, NOT_RECORDED, None, None),
        # A change that is read, and was made after the member was read, is taken back like any other.
        (ADA, HISTORY, 1.5, IN_ROSTER, "Rep", None),
        (TOMBSTONE, [ERASURE], 4, IS_ERASED, None, 3),
        (TOMBSTONE, [ERASURE], 2.5, IS_ERASED, None, 3),
    ],
)
def test_a_member_at_a_moment(
    member: Member,
    entries: list[Json],
    hours: float,
    standing: str,
    title: str | None,
    standing_at: int | None,
) -> None:
    past = as_of(member, entries, at(hours))
    assert (past.standing, past.values.get("title")) == (standing, title)
    assert past.standing_at == (timestamp(at(standing_at)) if standing_at else None)


def test_clocks_that_differ_change_no_order() -> None:
    """Changes are taken back in the order they were made in, whatever the clocks said."""
    third = entry(3, LEAD, replace(LEAD, title="Head")) | {"at": timestamp(at(1.2))}
    past = as_of(replace(LEAD, title="Head"), [third, *HISTORY], at(1.5))
    assert past.values["title"] == "Head"
