"""End dates and statuses set by hand close a member as leaving does, with or without a Vault (A16)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import member_settings
from tests.integration.company import SALES, STRICT, SUPPORT, Company

PAST, NEVER = "2026-01-31", "2099-12-31"
CLOSES = pytest.mark.parametrize(
    ("closes", "opens", "reason"),
    [
        ({"end_date": PAST}, {"end_date": None}, "end_date"),
        ({"end_date": PAST}, {"end_date": NEVER}, "end_date"),
        ({"crm_user_status": "inactive"}, {"crm_user_status": "active"}, "set_inactive"),
        ({"crm_user_status": "inactive"}, {"crm_user_status": None}, "set_inactive"),
        (
            {"crm_user_status": "inactive", "end_date": PAST},
            {"crm_user_status": "active", "end_date": None},
            "end_date",
        ),
    ],
)


def edit(company: Company, *changes: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = member_settings.handler(
        {"organization": "acme", "by": "jane@acme.example", "changes": list(changes)}, company.context
    )
    assert said["status"] == "succeeded", said
    return said


def note(said: dict[str, Any]) -> str:
    return str(said["results"][0]["note"])


@CLOSES
def test_who_is_closed_by_hand_holds_nothing_and_the_seat_goes_to_the_next(
    company: Company, closes: dict[str, str], opens: dict[str, str | None], reason: str
) -> None:
    org = company.salesforce
    company.put(seats={"gong": {"limit": 1}})
    ada = org.create(Department="Sales", CallCenterId="04v000000000001AAA")
    company.run()
    bob = org.create(Department="Sales")
    company.run()
    said = edit(company, {"member": ada, **closes})
    roster = company.roster()
    member = roster[ada]
    assert (member["active"], member["inactive_reason"], member["assignment"]) == (False, reason, None)
    assert (member["seats"], member["workspaces"], member["data_capture"]) == ({}, {}, {})
    assert (member["enabled"], member["inbound_enabled"]) == (False, False)
    assert roster[bob]["seats"] == {"gong": {"state": "held"}}
    assert "inactive at once and gives back the seat gong, data_capture, workspaces" in note(said)
    assert company.ask("explain", member=ada)["reason"] == reason
    # Salesforce says that the user is active, again and again.
    before = company.items()
    for mode in ("full", "incremental"):
        company.run(mode)
        assert company.items() == before
    assert company.hear({"Id": ada}) == 0
    assert company.active() == {bob}


@CLOSES
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_taking_it_back_opens_the_member_at_the_next_import(
    company: Company, closes: dict[str, str], opens: dict[str, str | None], reason: str, mode: str
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    edit(company, {"member": ada, **closes})
    said = edit(company, {"member": ada, **opens})
    assert "next import" in note(said)
    assert "'Sales' still matches, it comes back with the seat gong, data capture, workspaces" in note(said)
    assert company.active() == set()
    assert company.ask("explain", member=ada)["reason"] == "taken_back"
    assert company.run(mode)["counts"]["reactivated"] == 1
    member = company.roster()[ada]
    assert (member["active"], member["seats"]) == (True, {"gong": {"state": "held"}})
    before = company.items()
    company.run("incremental")
    assert company.items() == before


def test_taking_it_back_lets_nobody_in_whom_salesforce_shows_as_gone(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    edit(company, {"member": ada, "end_date": PAST})
    company.salesforce.update(ada, IsActive=False)
    edit(company, {"member": ada, "end_date": None})
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["active"], member["inactive_reason"]) == (False, "inactive_user")
    said = edit(company, {"member": ada, "end_date": PAST}, {"member": ada, "end_date": None})
    assert "inactive for another reason" in str(said["results"][1]["note"])


def test_half_taken_back_the_member_stays_closed_and_the_answer_says_what_is_missing(
    company: Company,
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    edit(company, {"member": ada, "end_date": PAST, "crm_user_status": "inactive"})
    assert "crm_user_status is inactive" in note(edit(company, {"member": ada, "end_date": None}))
    company.run("incremental")
    assert company.roster()[ada]["inactive_reason"] == "set_inactive"
    edit(company, {"member": ada, "end_date": PAST})
    assert "its end_date is past" in note(edit(company, {"member": ada, "crm_user_status": "active"}))


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_end_date_that_passes_closes_the_member_the_day_after_in_the_organizations_zone(
    company: Company, pass_time: Callable[[timedelta], None], mode: str
) -> None:
    ada, bob = (company.salesforce.create(Department="Sales") for _ in range(2))
    company.put(time_zone="Pacific/Kiritimati")  # the first where the next day begins
    company.run()
    last_day = (datetime.now(UTC) + timedelta(hours=14)).date()
    edit(company, {"member": ada, "end_date": last_day.isoformat()})
    company.run(mode)
    assert company.active() == {ada, bob}
    pass_time(timedelta(days=1))
    assert company.run(mode)["counts"] == {"deactivated": 1}
    assert company.active() == {bob}
    assert company.roster()[ada]["inactive_reason"] == "end_date"
    before = company.items()
    company.run("incremental")
    assert company.items() == before


def test_end_dates_that_pass_count_for_the_guard(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    ids = company.salesforce.create_many(4, Department=["Sales"])
    company.put(guard=STRICT)
    company.run()
    edit(company, *({"member": each, "end_date": datetime.now(UTC).date().isoformat()} for each in ids))
    pass_time(timedelta(days=2))
    parked = company.run("incremental")
    assert (parked["status"], len(company.active())) == ("parked", 4)


def test_an_incremental_import_asks_for_nobody_whose_end_date_is_still_to_come(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    edit(company, {"member": ada, "end_date": NEVER})
    said = company.run("incremental")
    assert said["counts"] == {}


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_who_comes_back_with_another_user_keeps_no_end_date_of_the_time_before(
    company: Company, mode: str
) -> None:
    org, names = company.salesforce, {"Email": "ada@acme.example", "Username": "ada@acme.example"}
    old = org.create(Department="Sales", **names)
    company.run()
    edit(company, {"member": old, "end_date": PAST})
    org.update(old, IsActive=False, Username="ada.old@acme.example")
    company.run(mode)
    new = org.create(Department="Sales", CommunityNickname="ada2", **names)
    company.run(mode)
    back = company.roster()[new]
    assert (back["active"], back["end_date"], back["seats"]) == (True, None, {"gong": {"state": "held"}})
    cleared = [each for each in company.history(new)[0]["changes"] if each["field"] == "end_date"]
    assert cleared == [{"field": "end_date", "before": PAST, "after": None}]


@pytest.mark.parametrize(
    ("set_by_hand", "end_date", "expected"),
    [
        ({"end_date": PAST}, None, (True, None)),
        ({"end_date": NEVER}, NEVER, (True, None)),
        # A status set by hand is an admin's word, which only an admin takes back.
        ({"end_date": PAST, "crm_user_status": "inactive"}, None, (False, "set_inactive")),
    ],
)
def test_who_is_active_again_in_salesforce_keeps_no_end_date_of_the_time_before(
    company: Company, set_by_hand: dict[str, str], end_date: str | None, expected: tuple[bool, str | None]
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    company.salesforce.update(ada, IsActive=False)
    company.run("incremental")
    edit(company, {"member": ada, **set_by_hand})
    company.salesforce.update(ada, IsActive=True)
    company.run("incremental")
    member = company.roster()[ada]
    assert (member["end_date"], (member["active"], member["inactive_reason"])) == (end_date, expected)


def test_a_second_user_of_the_same_address_does_not_open_who_is_closed_by_hand(company: Company) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales", Email="ada@acme.example")
    company.run()
    edit(company, {"member": ada, "end_date": PAST})
    again = org.create(Department="Support", Email="ada@acme.example")
    company.run()
    assert company.active() == set()
    assert company.ask("explain", member=again)["reason"] == "namesake_active"
    company.salesforce.update(ada, IsActive=False)
    company.run("incremental")
    assert company.active() == {again}


def test_whoever_is_kept_by_the_settings_is_closed_by_hand_all_the_same(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.put(keep_active={"when_deactivated": True})
    company.run()
    company.salesforce.update(ada, IsActive=False)
    company.run()
    edit(company, {"member": ada, "end_date": PAST})
    member = company.roster()[ada]
    assert (member["active"], member["inactive_reason"]) == (False, "inactive_user")
    before = company.items()
    company.run()
    assert company.items() == before


def test_seats_freed_by_end_dates_are_free_for_others_in_the_same_import(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    company.put(seats={"gong": {"limit": 1}}, assignments=[SALES, SUPPORT])
    ada = company.salesforce.create(Department="Support")
    company.run()
    edit(company, {"member": ada, "end_date": datetime.now(UTC).date().isoformat()})
    pass_time(timedelta(days=2))
    bob = company.salesforce.create(Department="Sales")
    said = company.run("incremental")
    assert said["counts"] == {"created": 1, "deactivated": 1}
    assert company.roster()[bob]["seats"] == {"gong": {"state": "held"}}
