"""Who waits for a namesake is read again, planned and named; nobody is let in from memory (A14, W8)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.company import Company

ADDRESS = "shared@acme.example"


def two_with_one_address(company: Company) -> tuple[str, str]:
    """Return the Salesforce ids of a member, and of who waits for it."""
    member = company.salesforce.create(Department="Sales", Email=ADDRESS)
    company.run()
    waits = company.salesforce.create(Department="Support", Email=ADDRESS)
    said = company.run()
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"waiting": 1})
    return member, waits


def outcomes(said: dict[str, Any]) -> dict[str, int]:
    """Return the counts of an answer without what a preview also counts: seats given and taken."""
    return {name: count for name, count in said["counts"].items() if name not in ("grant", "revoke")}


def told(company: Company, code: str) -> list[dict[str, Any]]:
    return [entry for entry in company.errors() if entry["code"] == code]


def test_who_waits_is_named_once_in_the_preview_and_in_the_error_log(company: Company) -> None:
    member = company.salesforce.create(Department="Sales", Email=ADDRESS)
    company.run()
    waits = company.salesforce.create(
        Department="Support", Email=ADDRESS, FirstName="Eve", LastName="Newcomer"
    )
    holder = company.roster()[member]["id"]
    [shown] = company.run(preview=True)["changes"]
    assert (shown["user"], shown["does"], shown["reason"]) == (waits, "waiting", "namesake_active")
    assert (shown["member"], shown["name"]) == (holder, "Eve Newcomer")
    assert told(company, "waits_for_namesake") == []
    for mode, status in (
        ("full", "succeeded_with_errors"),
        ("full", "succeeded"),
        ("incremental", "succeeded"),
    ):
        assert company.run(mode)["status"] == status
    [entry] = told(company, "waits_for_namesake")
    assert entry["record"] == waits
    assert holder in entry["message"]


def test_of_two_new_users_with_one_address_the_preview_shows_one_who_joins_and_one_who_waits(
    company: Company,
) -> None:
    for _ in range(2):
        company.salesforce.create(Department="Sales", Email=ADDRESS)
    for preview in (True, False):
        assert outcomes(company.run(preview=preview)) == {"created": 1, "waiting": 1}
    assert company.run()["counts"] == {}


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_who_is_let_in_after_a_namesake_is_part_of_the_import(company: Company, mode: str) -> None:
    member, waits = two_with_one_address(company)
    company.salesforce.update(member, IsActive=False)
    shown = company.run(mode, preview=True)
    assert shown["counts"] == {"deactivated": 1, "linked": 1, "grant": 1, "revoke": 1}
    said = company.run(mode)
    assert said["counts"] == outcomes(shown) == {"deactivated": 1, "linked": 1}
    assert company.active() == {waits}
    assert company.history(waits)[0]["run"] == f"run:{said['run_id']}"
    assert company.run("full")["counts"] == {}


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_who_gives_an_address_up_lets_in_who_waits_for_it(company: Company, mode: str) -> None:
    member, waits = two_with_one_address(company)
    company.salesforce.update(member, Email="own@acme.example")
    for preview in (True, False):
        assert outcomes(company.run(mode, preview=preview)) == {"updated": 1, "created": 1}
    assert company.active() == {member, waits}
    assert company.run("full")["counts"] == {}


def unnoticed(company: Company, now: Any, crm_id: str, **fields: Any) -> None:
    """Change somebody in Salesforce so that no message and no incremental import sees it."""
    now.time += timedelta(minutes=1)
    company.salesforce.update(crm_id, **fields)
    now.time += timedelta(minutes=20)
    company.salesforce.create(Department="Kitchen")
    company.run("full")


@pytest.mark.parametrize("by", ["full", "incremental", "message"])
def test_who_has_left_while_waiting_is_not_let_in(company: Company, now: Any, by: str) -> None:
    member, waits = two_with_one_address(company)
    unnoticed(company, now, waits, IsActive=False)
    company.salesforce.update(member, IsActive=False)
    if by == "message":
        assert company.hear({"Id": member}) == 0
    else:
        company.run(by)
    assert company.active() == set()
    assert company.ask("explain", member=waits)["recorded"]["reason"] == "inactive_user"


def test_who_waits_joins_as_salesforce_has_it_now(company: Company, now: Any) -> None:
    member, waits = two_with_one_address(company)
    unnoticed(company, now, waits, Title="Boss")
    company.salesforce.update(member, IsActive=False)
    assert company.hear({"Id": member}) == 0
    assert company.active() == {waits}
    assert company.roster()[waits]["title"] == "Boss"
    assert company.history(waits)[0]["run"] == "webhook:04l000000000001AAA"


def test_where_nobody_waits_a_leaving_costs_no_further_call(company: Company) -> None:
    alone = company.salesforce.create(Department="Sales")
    company.run()
    company.salesforce.update(alone, IsActive=False)
    company.hear({"Id": company.salesforce.create(Department="Kitchen")})  # logs in
    company.salesforce.wire.calls.clear()
    company.hear({"Id": alone})
    assert len(company.salesforce.wire.calls) == 1
