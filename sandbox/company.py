"""A company of a few hundred people, the same every time, loaded into the sandbox Salesforce 200 at a time.

A division has 60 people: sales teams in Britain, Germany and the US, a support team, engineers, contractors
with addresses of their own domain, and the few whom every company has: two who have left, a user without
a first name, and a partner's employee. One chief executive is above all divisions.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched, cycle
from typing import Any

import requests

from sandbox.local_stack.salesforce_admin import API, TIMEOUT_S, SalesforceAdmin
from sandbox.local_stack.stack import LocalStack

DOMAIN, CONTRACTORS_DOMAIN, PARTNERS_DOMAIN = "acme.example", "freelance.example", "partner.example"
# Salesforce takes no more of them in one call.
RECORDS_A_CALL = 200

# As many first as last names would pair the same ones again and again.
_FIRST_NAMES = (
    "Alice Amir Beatriz Chidi Clara David Elif Emeka Fatima Grace Hana Ivan Jasmin Kofi Lena Mateo Nadia"
    " Oskar Priya Quentin Rosa Sören Tomás Yuki"
)
_LAST_NAMES = (
    "Adeyemi Baker Castro Dvořák Evans Fischer García Haddad Ito Jensen Kowalski Lindqvist Müller Novák"
    " O'Neil Patel Quinn Rossi Schmidt Tanaka Usman Vogel Walsh Young Zhang"
)
_PLACES = {
    "DE": {"TimeZoneSidKey": "Europe/Berlin", "LocaleSidKey": "de_DE", "LanguageLocaleKey": "de"},
    "GB": {"TimeZoneSidKey": "Europe/London", "LocaleSidKey": "en_GB", "LanguageLocaleKey": "en_US"},
    "US": {"TimeZoneSidKey": "America/New_York", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US"},
}


@dataclass(frozen=True)
class Person:
    """Someone who is to be a user; `manager` is the username of another person."""

    first_name: str | None
    last_name: str
    title: str
    department: str
    profile: str
    country: str
    manager: str | None = None
    domain: str = DOMAIN
    in_call_center: bool = False
    extra_seat: str | None = None
    is_active: bool = True

    @property
    def username(self) -> str:
        """The username, which is also the e-mail address."""
        parts = [_in_ascii(part) for part in (self.first_name, self.last_name) if part]
        return f"{'.'.join(parts)}@{self.domain}"


@dataclass(frozen=True)
class Team:
    """A manager and so many others; the first `forecasters` of them have a seat named in Salesforce."""

    others: int
    title: str
    department: str
    profile: str
    country: str
    forecasters: int = 0


_BRITISH_SALES = Team(9, "Account Executive", "Sales", "Sales", "GB", forecasters=2)
_GERMAN_SALES = Team(9, "Account Executive", "Sales", "Sales", "DE", forecasters=2)
_AMERICAN_SALES = Team(6, "Account Executive", "Sales", "Sales", "US")
_SUPPORT = Team(11, "Support Agent", "Support", "Service", "GB")
_ENGINEERING = Team(10, "Engineer", "Engineering", "Standard User", "DE")


def people(divisions: int) -> list[Person]:
    """Return everyone, each after their manager; there are names for nine divisions."""
    names = zip(cycle(_FIRST_NAMES.split()), cycle(_LAST_NAMES.split()), strict=True)
    chief = Person(*next(names), "Chief Executive", "Management", "Standard User", "GB")
    return [chief, *(person for _ in range(divisions) for person in _division(names, chief))]


def load(stack: LocalStack, everyone: Sequence[Person]) -> dict[str, str]:
    """Create the users, managers before their reports; return username → id.

    Raises requests.HTTPError or, with Salesforce's words, RuntimeError where it refuses them.
    """
    salesforce = SalesforceAdmin(stack)
    profiles = {each["Name"]: each["Id"] for each in salesforce.query("SELECT Id, Name FROM Profile")}
    call_center = salesforce.query("SELECT Id FROM CallCenter ORDER BY Name LIMIT 1")[0]["Id"]
    ids: dict[str, str] = {}
    remaining = list(everyone)
    while ready := [each for each in remaining if each.manager is None or each.manager in ids]:
        for some in batched(ready, RECORDS_A_CALL, strict=False):
            records = [
                _record(each)
                | {"ProfileId": profiles[each.profile], "ManagerId": ids.get(each.manager or "")}
                | {"CallCenterId": call_center if each.in_call_center else None}
                for each in some
            ]
            usernames = [each.username for each in some]
            ids |= zip(usernames, save(stack, salesforce, records), strict=True)
        remaining = [each for each in remaining if each.username not in ids]
    return ids


def save(stack: LocalStack, salesforce: SalesforceAdmin, records: Iterable[dict[str, Any]]) -> list[str]:
    """Create up to 200 users, or change those whose records have an `Id`; all or none. Return their ids.

    Raises requests.HTTPError or, with Salesforce's words, RuntimeError where it refuses them.
    """
    written = [{"attributes": {"type": "User"}, **record} for record in records]
    answer = requests.request(
        "PATCH" if all("Id" in record for record in written) else "POST",
        f"{stack.salesforce}{API}/composite/sobjects",
        headers={"Authorization": f"Bearer {salesforce.token}"},
        json={"allOrNone": True, "records": written},
        timeout=TIMEOUT_S,
    )
    answer.raise_for_status()
    results = answer.json()
    refused = [error["message"] for result in results for error in result["errors"]]
    if refused:
        raise RuntimeError(f"Salesforce refuses {len(refused)} users: {refused[0]}")
    return [result["id"] for result in results]


def _division(names: Iterator[tuple[str, str]], chief: Person) -> Iterator[Person]:
    british = list(_team(names, _BRITISH_SALES, chief))
    german = list(_team(names, _GERMAN_SALES, chief))
    support = list(_team(names, _SUPPORT, chief, in_call_center=True))
    yield from british
    yield from german
    yield from support[:-1]
    # The newest agent has not been added to the call center yet.
    yield replace(support[-1], in_call_center=False)
    yield from _team(names, _AMERICAN_SALES, chief)
    yield from _team(names, _ENGINEERING, chief)
    for manager in 3 * [support[0], british[0]]:
        yield _under(manager, next(names), title="Contractor", domain=CONTRACTORS_DOMAIN)
    yield _under(british[0], (None, next(names)[1]), title="Demo Account")
    yield _under(british[0], next(names), title="Partner Manager", domain=PARTNERS_DOMAIN)
    for _ in range(2):
        yield _under(german[0], next(names), title="Account Executive", is_active=False)


def _team(
    names: Iterator[tuple[str, str]], team: Team, chief: Person, *, in_call_center: bool = False
) -> Iterator[Person]:
    title = f"{team.department} Manager"
    kind = (team.department, team.profile, team.country)
    manager = Person(*next(names), title, *kind, chief.username, in_call_center=in_call_center)
    yield manager
    for number in range(team.others):
        extra_seat = "Forecast" if number < team.forecasters else None
        yield _under(manager, next(names), title=team.title, extra_seat=extra_seat)


def _under(manager: Person, names: tuple[str | None, str], **different: Any) -> Person:
    """Return someone who is like their manager but for these values."""
    first, last = names
    return replace(manager, first_name=first, last_name=last, manager=manager.username, **different)


def _record(person: Person) -> dict[str, Any]:
    return {
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Username": person.username,
        "Email": person.username,
        "Alias": _in_ascii(person.last_name)[:8],
        "Title": person.title,
        "Department": person.department,
        "Country": person.country,
        "Extra_Seat__c": person.extra_seat,
        # In Germany the works council has not agreed to it.
        "Import_Emails__c": person.country != "DE",
        "IsActive": person.is_active,
        "EmailEncodingKey": "UTF-8",
        **_PLACES[person.country],
    }


def _in_ascii(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, letters)).lower()
