"""Another Salesforce org in the connection is a move of everybody (A14): the trial first, then production."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
import requests

from tests.doubles.salesforce_in_process import SalesforceInProcess, organization_in_process
from tests.integration.company import STRICT, Company, store


def address(number: int) -> str:
    return f"p{number}@acme.example"


@dataclass
class Moved:
    """Acme, whose members come from a sandbox, and its production org, where everyone has another id."""

    company: Company
    trial: list[str]
    production: SalesforceInProcess
    people: list[str]

    def members(self) -> dict[str, str]:
        """Return the ids of the members by the numbers in their usernames."""
        return {each["username"][1:2]: each["id"] for each in self.company.roster().values()}

    def connect(self, **sections: Any) -> None:
        """Save settings with production in the connection, as an admin has approved them."""
        connections = {"salesforce": self.production.connection}
        self.company.document = {**self.company.document, "connections": connections, **sections}
        store(self.company.document)


@pytest.fixture
def moved(company: Company) -> Iterator[Moved]:
    """Open production after a trial was imported, of whose four three are there.

    One has left there, and one is matched by no filter.
    """
    trial = [
        company.salesforce.create(
            Department="Sales",
            Username=f"{address(n)}.uat",
            Email=f"{address(n)}.invalid" if n == 1 else address(n),
        )
        for n in range(4)
    ]
    assert company.run()["counts"] == {"created": 4}
    with organization_in_process(lambda: datetime.now(UTC), None) as production:
        for _ in range(6):
            production.create(Department="Kitchen")
        people = [
            production.create(Department="Sales", Email=address(n), Username=address(n)) for n in range(3)
        ]
        production.update(people[1], Department="Kitchen")
        production.update(people[2], IsActive=False)
        secret = {"SecretId": "muster/acme/salesforce", "SecretString": production.secret}
        boto3.client("secretsmanager").put_secret_value(**secret)
        with patch.object(requests.Session, "get_adapter", lambda session, url: production.wire):
            yield Moved(company, trial, production, people)


def test_everybody_is_found_again_and_who_is_not_there_leaves(moved: Moved) -> None:
    company = moved.company
    members = moved.members()
    moved.connect()
    newcomer = moved.production.create(Department="Support", Username="new@acme.example")
    shown = company.run("incremental", preview=True)
    assert shown["mode"] == "full"
    said = company.run("incremental")
    changes = {"linked": 1, "deactivated": 3, "created": 1}
    assert (said["mode"], said["counts"]) == ("full", changes)
    assert {name: shown["counts"][name] for name in changes} == changes
    [told] = [each for each in company.errors() if each["notification"] == said["run_id"]]
    assert (told["code"], told["record"]) == ("source_organization_id", moved.production.organization.id)
    assert "3 members were found again" in told["message"]
    roster = company.roster()
    assert roster[moved.people[0]]["id"] == members["0"]
    assert roster[moved.people[0]]["seats"]["gong"]["state"] == "held"
    assert (roster[moved.people[1]]["id"], roster[moved.people[1]]["inactive_reason"]) == (
        members["1"],
        "unmatched",
    )
    assert roster[moved.people[2]]["id"] == members["2"]
    assert company.active() == {moved.people[0], newcomer}
    assert roster[moved.trial[3]]["inactive_reason"] == "inactive_user"
    # From here on it is an org like any other.
    assert company.run("incremental")["mode"] == "incremental"
    assert company.run("full")["counts"] == {}
    moved.production.update(moved.people[1], Department="Sales")
    assert company.run("incremental")["counts"] == {"reactivated": 1}
    assert company.roster()[moved.people[1]]["id"] == members["1"]


def test_the_move_is_guarded_and_nothing_happens_before_it_is_approved(moved: Moved) -> None:
    company = moved.company
    moved.connect(guard=STRICT)
    before = company.items()
    parked = company.run()
    assert parked["status"] == "parked"
    named = company.run(mode=None, members=[moved.people[0]])
    assert named["errors"][0]["where"] == "connections.salesforce.organization_id"
    assert company.items() == before
    assert company.run(mode=None, by="john", approve=parked["run_id"])["counts"]["linked"] == 1
    assert company.active() == {moved.people[0]}
    assert company.run()["counts"] == {}


@pytest.mark.parametrize("seconds", range(3))
def test_a_move_that_is_interrupted_ends_as_if_it_had_not_been(moved: Moved, seconds: int) -> None:
    company = moved.company
    members = moved.members()
    moved.connect()
    company.have_seconds(*[600] * (seconds + 1), 10, 600)
    said = company.run()
    while said["status"] == "continue":
        company.have_seconds(600)
        said = company.run(mode=None, run_id=said["run_id"])
    assert company.active() == {moved.people[0]}
    assert {company.roster()[each]["id"] for each in moved.people} == {members[str(n)] for n in range(3)}
    assert company.run()["counts"] == {}
