"""Whoever stays only because the settings keep them is still governed, and gives way (A13, A14)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.company import SALES, SUPPORT, Company

NO_RECORDING = {"record_web_conferences": "prevented"}
KINDS = pytest.mark.parametrize(
    ("keep", "change"),
    [
        ({"when_deactivated": True}, {"IsActive": False}),
        ({"when_deactivated": True}, {"IsActive": False, "Department": "Kitchen"}),
        ({"when_unmatched": True}, {"Department": "Kitchen"}),
        ({"grace_days": 7}, {"Department": "Kitchen"}),
    ],
)


def kept(company: Company, keep: dict[str, Any], change: dict[str, Any]) -> str:
    """Return the id of somebody of Sales who is kept."""
    ada = company.salesforce.create(Department="Sales", CallCenterId="04v000000000001AAA")
    company.put(keep_active=keep)
    company.run()
    company.salesforce.update(ada, **change)
    company.run()
    assert company.active() == {ada}
    return ada


@KINDS
def test_a_change_of_the_assignment_reaches_who_is_kept(
    company: Company, keep: dict[str, Any], change: dict[str, Any]
) -> None:
    ada = kept(company, keep, change)
    company.put(assignments=[{**SALES, "seats": [], "data_capture": NO_RECORDING}, SUPPORT])
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["active"], member["assignment"], member["seats"]) == (True, "Sales", {})
    assert member["data_capture"]["record_web_conferences"]["effective"] == "prevented"
    assert company.ask("seats")["seats"]["gong"]["held"] == 0
    before = company.items()
    company.run()
    assert company.items() == before


@KINDS
def test_seats_that_there_are_no_more_are_given_up_even_without_the_assignment(
    company: Company, keep: dict[str, Any], change: dict[str, Any]
) -> None:
    ada = kept(company, keep, change)
    company.put(seats={"other": {}}, seat_required={}, assignments=[{**SUPPORT, "seats": ["other"]}])
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["active"], member["assignment"], member["seats"]) == (True, "Sales", {})
    assert member["workspaces"] == {"EMEA": "Team member"}
    why = company.ask("explain", member=ada)["why"]
    assert "is not in the settings any more" in why


def test_where_the_assignment_is_gone_the_one_that_matches_now_decides(company: Company) -> None:
    ada = kept(company, {"when_deactivated": True}, {"IsActive": False})
    company.put(assignments=[{"name": "Others", "filter": "Department != 'Support'"}, SUPPORT])
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["assignment"], member["seats"], member["workspaces"]) == ("Others", {}, {})


def test_without_any_assignments_who_is_kept_has_nothing_like_everybody_else(company: Company) -> None:
    ada = kept(company, {"when_deactivated": True}, {"IsActive": False})
    company.put(assignments=[])
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["active"], member["assignment"], member["seats"]) == (True, None, {})


def test_whoever_is_kept_takes_no_calls_without_a_call_center(company: Company) -> None:
    ada = kept(company, {"when_deactivated": True}, {"IsActive": False})
    member = company.roster()[ada]
    assert (member["enabled"], member["inbound_enabled"]) == (True, True)
    company.salesforce.update(ada, CallCenterId=None)
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["active"], member["enabled"], member["inbound_enabled"]) == (True, True, False)


@KINDS
def test_who_is_kept_and_comes_back_is_kept_no_more(
    company: Company, keep: dict[str, Any], change: dict[str, Any]
) -> None:
    ada = kept(company, keep, change)
    said = company.ask("explain", member=ada)
    assert said["keep_active"]["reason"] == said["reason"] is not None
    company.salesforce.update(ada, IsActive=True, Department="Sales")
    company.run("incremental")
    said = company.ask("explain", member=ada)
    assert (said["in"], said["reason"], said["keep_active"]) == (True, None, None)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_who_is_kept_gives_way_to_the_same_persons_new_user(
    company: Company, mode: str, at_once: bool
) -> None:
    org, names = company.salesforce, {"Email": "ada@acme.example", "Username": "ada@acme.example"}
    old = org.create(Department="Sales", **names)
    company.put(keep_active={"when_deactivated": True})
    company.run()
    member = company.roster()[old]["id"]
    org.update(old, IsActive=False, Username="ada.old@acme.example")
    if not at_once:
        company.run(mode)
        assert company.active() == {old}
    new = org.create(Department="Support", CommunityNickname="ada2", **names)
    company.run(mode)
    assert company.active() == {new}
    back = company.roster()[new]
    assert (back["id"], back["assignment"]) == (member, "Support")
    before = company.items()
    company.run()
    assert company.items() == before


def test_a_new_user_who_was_waiting_is_let_in_when_the_old_one_is_only_kept(company: Company) -> None:
    org = company.salesforce
    old = org.create(Department="Sales", Email="ada@acme.example")
    company.put(keep_active={"when_deactivated": True})
    company.run()
    new = org.create(Department="Support", Email="ada@acme.example")
    company.run()
    assert company.active() == {old}
    org.update(old, IsActive=False)
    company.run("incremental")
    assert company.active() == {new}


def test_who_is_kept_only_for_a_while_gives_way_to_nobody_while_their_user_is_active(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    org = company.salesforce
    old = org.create(Department="Sales", Email="ada@acme.example")
    company.put(keep_active={"grace_days": 3})
    company.run()
    org.update(old, Department="Kitchen")
    company.run()
    new = org.create(Department="Support", Email="ada@acme.example")
    company.run()
    assert company.active() == {old}
    pass_time(timedelta(days=4))
    company.run()
    assert company.active() == {new}
