"""One address is one person: converted addresses, and letters that only some take for the same (A14, A7)."""

from typing import Any

import pytest

from tests.examples import BOB, user
from tests.integration.company import Company

CONVERT = {"primary": "acme.example", "convert": True}
FOREIGN, OWN = "john@contractor.example", "john@acme.example"


@pytest.fixture
def converting(company: Company) -> Company:
    """Return Acme, whose members have addresses of its primary domain."""
    company.put(domains=CONVERT)
    return company


def hired(company: Company, address: str, **fields: Any) -> str:
    person = {"Department": "Sales", "FirstName": "John", "Email": address, "Username": address}
    return company.salesforce.create(**person | fields)


def emails(company: Company) -> dict[str, str]:
    """Return the addresses of the active members by CRM id."""
    return {crm_id: each["email"] for crm_id, each in company.roster().items() if each["active"]}


def taken(company: Company) -> list[str]:
    return [entry["record"] for entry in company.errors() if entry["code"] == "address_taken"]


@pytest.mark.parametrize("order", ["contractor first", "employee first", "at once"])
@pytest.mark.parametrize("by", ["import", "message"])
def test_the_employee_has_the_address_and_the_contractor_goes_by_its_own(
    converting: Company, order: str, by: str
) -> None:
    company = converting
    addresses = [OWN, FOREIGN] if order == "employee first" else [FOREIGN, OWN]
    people: dict[str, str] = {}
    for address in addresses:
        people[address] = hired(company, address)
        if order == "at once" and address == FOREIGN:
            continue
        if by == "import":
            company.run()
        else:
            assert company.hear(*({"Id": each} for each in people.values())) == 0
    assert emails(company) == {people[OWN]: OWN, people[FOREIGN]: FOREIGN}
    assert taken(company) == [people[FOREIGN]]
    assert company.run()["counts"] == {}
    assert company.ask("member", member=OWN)["member"]["crm"]["salesforce"]["id"] == people[OWN]
    assert company.ask("member", member=FOREIGN)["member"]["crm"]["salesforce"]["id"] == people[FOREIGN]


def test_a_member_never_goes_to_who_only_has_the_address_that_was_made_up(converting: Company) -> None:
    company = converting
    contractor = hired(company, FOREIGN)
    company.run()
    before = company.roster()[contractor]["id"]
    company.salesforce.update(contractor, IsActive=False)
    company.run()
    employee = hired(company, OWN)
    assert company.run()["counts"] == {"created": 1}
    roster = company.roster()
    assert roster[employee]["id"] != roster[contractor]["id"] == before
    # The contractor returns, as the same member, and without the employee's address.
    company.salesforce.update(contractor, IsActive=True)
    assert company.run("incremental")["counts"] == {"reactivated": 1}
    assert company.roster()[contractor]["id"] == before
    assert emails(company) == {employee: OWN, contractor: FOREIGN}


def test_whoever_changes_to_an_address_gets_it_from_who_only_has_it_made_up(converting: Company) -> None:
    company = converting
    contractor, employee = hired(company, FOREIGN), hired(company, "jane@acme.example")
    company.run()
    assert emails(company)[contractor] == OWN
    company.salesforce.update(employee, Email=OWN)
    assert company.run("incremental")["counts"] == {"updated": 1}
    assert emails(company) == {employee: OWN, contractor: FOREIGN}
    # Once it is free, it is made up again with the contractor's next change.
    company.salesforce.update(employee, IsActive=False)
    company.salesforce.update(contractor, Title="Lead")
    assert company.run()["counts"] == {"deactivated": 1, "updated": 1}
    assert emails(company) == {contractor: OWN}


def test_the_first_of_two_contractors_has_the_converted_address(converting: Company) -> None:
    company = converting
    first = hired(company, FOREIGN)
    company.run()
    second = hired(company, "john@agency.example")
    company.run()
    assert emails(company) == {first: OWN, second: "john@agency.example"}
    assert taken(company) == [second]


def test_a_recreated_contractor_is_found_by_its_own_address(converting: Company) -> None:
    company = converting
    first = hired(company, FOREIGN)
    company.run()
    member = company.roster()[first]["id"]
    company.salesforce.update(first, IsActive=False, Username="old@contractor.example")
    company.run()
    again = hired(company, FOREIGN, CommunityNickname="again")
    assert company.run()["counts"] == {"linked": 1}
    assert (company.roster()[again]["id"], emails(company)) == (member, {again: OWN})


@pytest.mark.parametrize(
    ("one", "other"),
    [("strasse@acme.example", "stra\u00dfe@acme.example"), ("bas@acme.example", "ba\u017f@acme.example")],
)
def test_letters_that_case_does_not_make_the_same_are_two_people(
    company: Company, one: str, other: str
) -> None:
    first = company.salesforce.create(Department="Sales", Email=one)
    company.run()
    # Salesforce takes no such letter in an address; the messages of another system might.
    company.put_and_approve(auto_provision={"require_call_center": False, "read_back": False}, assignments=[])

    assert company.hear(user(Id=BOB, Username="second@acme.example", Email=other)) == 0
    assert company.active() == {first, BOB}
    assert [company.ask("member", member=each)["member"]["email"] for each in (one, other)] == [one, other]
