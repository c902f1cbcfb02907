"""What counts as a loss at the webhook's door, and how much of it passes in an hour (W12)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from muster.roster.decisions import Decision, Outcome
from muster.roster.engage_state import NO_ENGAGE, Engage
from muster.roster.member import Member
from muster.roster.reasons import CALL_CENTER_MISSING, EMAIL_DOMAIN, INACTIVE_USER, NAME_MISSING, UNMATCHED
from muster.roster.seats import HELD_SEAT as HELD
from muster.roster.seats import SeatPlace
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import UserChange
from muster.times import timestamp
from muster.webhook.losses import MOST_AN_HOUR, Loss, beyond, of_the_last_hour, taken_by
from tests.examples import NOW, change, settings, user

GROUP = Engage("UK Field Force", "success", "UK Field Force")
BEFORE = Member(
    id="m1",
    organization="acme",
    active=True,
    assignment="Sales",
    seats={"gong": HELD, "forecast": HELD},
    engage=GROUP,
)


def told(**fields: Any) -> UserChange:
    return change(**fields)


def read(**fields: Any) -> UserChange:
    return replace(change(**fields), source=read_version(user(), NOW))


def loss(
    number: int = 1, operation: str = "deactivate", former: str | None = "Sales", ago_s: int = 0
) -> Loss:
    return Loss(f"m{number}", operation, former, timestamp(NOW - timedelta(seconds=ago_s)))


def many(number: int, start: int = 0, **given: Any) -> list[Loss]:
    return [loss(each, **given) for each in range(start, start + number)]


def code(of: UserChange, after: Member, before: Member = BEFORE) -> str | None:
    taken = taken_by(of, Decision(outcome=Outcome.UPDATED, before=before, after=after), NOW)
    return taken.code if taken else None


@pytest.mark.parametrize("reason", [CALL_CENTER_MISSING, EMAIL_DOMAIN, NAME_MISSING, UNMATCHED])
@pytest.mark.parametrize("of", [told(), read()], ids=["told", "read"])
def test_who_leaves_for_another_reason_is_counted_whatever_was_read(of: UserChange, reason: str) -> None:
    after = replace(BEFORE, active=False, inactive_reason=reason, seats={}, engage=NO_ENGAGE)
    taken = taken_by(of, Decision(outcome=Outcome.DEACTIVATED, before=BEFORE, after=after), NOW)
    assert taken is not None
    assert taken.loss == Loss("m1", "deactivate", "Sales", timestamp(NOW))
    assert (taken.code, reason in taken.text) == ("held_deactivation", True)


def test_who_is_deactivated_in_salesforce_is_counted_only_where_nobody_has_read_it() -> None:
    after = replace(BEFORE, active=False, inactive_reason=INACTIVE_USER, seats={})
    assert code(told(IsActive="false"), after) == "held_deactivation"
    assert code(read(IsActive="false"), after) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"title": "Lead"}, None),
        ({"seats": {"gong": HELD}}, "held_seats"),
        ({"seats": {"gong": HELD, "forecast": SeatPlace("waiting", "", 1)}}, "held_seats"),
        ({"seats": {"gong": HELD, "forecast": HELD, "engage": HELD}}, None),
        ({"engage": NO_ENGAGE}, "held_groups"),
        ({"engage": replace(GROUP, request="US Field Force")}, None),
        ({"engage": NO_ENGAGE, "seats": {}}, "held_seats"),
    ],
)
def test_of_who_stays_seats_and_groups_are_counted(changed: dict[str, Any], expected: str | None) -> None:
    assert code(read(), replace(BEFORE, **changed)) == expected


def test_who_was_not_active_has_nothing_to_lose() -> None:
    after = replace(BEFORE, active=False, inactive_reason=UNMATCHED, seats={})
    assert code(told(), after, before=replace(BEFORE, active=False)) is None
    assert taken_by(told(), Decision(outcome=Outcome.CREATED, after=BEFORE), NOW) is None
    assert taken_by(told(), Decision(outcome=Outcome.UNCHANGED, before=BEFORE), NOW) is None


@pytest.mark.parametrize(
    ("new", "recorded", "trips"),
    [
        # Of a hundred active members ten may go in an hour, and of the twenty in Sales five: the floor.
        (many(5), [], False),
        (many(6), [], True),
        (many(10, former=None), [], False),
        (many(11, former=None), [], True),
        (many(1, former=None), many(10, 20, former=None), True),
        (many(1), many(4, 20), False),
        (many(1), many(5, 20), True),
        # Once a member and operation.
        (many(5, 20), many(5, 20), False),
        (many(5, operation="revoke"), many(5), False),
        (many(6, operation="revoke"), [], True),
        # What the limits of another operation no longer allow is no reason.
        (many(1, operation="revoke"), many(9, 20), False),
    ],
)
def test_the_losses_of_an_hour_are_held_to_the_limits_of_a_run(
    new: list[Loss], recorded: list[Loss], trips: bool
) -> None:
    trip = beyond(new, recorded, {"": 100, "Sales": 20}, settings())
    assert (trip is not None) == trips


def test_before_the_first_import_only_the_floor_passes() -> None:
    assert beyond(many(5), [], {}, settings()) is None
    assert beyond(many(6), [], {}, settings()) is not None


def test_more_than_can_be_recorded_is_held_whatever_the_guard_allows() -> None:
    lavish = settings(guard={"floor": 1_000_000})
    assert beyond(many(MOST_AN_HOUR), [], {}, lavish) is None
    trip = beyond(many(1), many(MOST_AN_HOUR, 10), {}, lavish)
    assert trip is not None
    assert "2,001" in trip.text()


def test_losses_count_for_an_hour() -> None:
    assert of_the_last_hour([loss(1, ago_s=3_599), loss(2, ago_s=3_600)], NOW) == [loss(1, ago_s=3_599)]


@pytest.mark.parametrize("connected", [True, False])
def test_the_remedy_is_the_next_import_where_there_is_one(connected: bool) -> None:
    after = replace(BEFORE, active=False, inactive_reason=UNMATCHED)
    taken = taken_by(read(), Decision(outcome=Outcome.DEACTIVATED, before=BEFORE, after=after), NOW)
    trip = beyond(many(6), [], {}, settings())
    assert taken
    assert trip
    host = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}
    problem = taken.problem(trip, settings(connections={"salesforce": host} if connected else {}))
    assert "6 of 0 active members in all, where 5 are allowed" in problem.message
    assert ("next import" in problem.remedy) == connected
