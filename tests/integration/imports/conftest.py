"""Acme with a strict guard; and a roster whose managers are told."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.integration.beginnings import Built, begin
from tests.integration.company import SALES, STRICT, SUPPORT, Company
from tests.integration.imports.notifying_world import World, opened


@pytest.fixture
def guarded(company: Company, built: Built) -> Company:
    """Return Acme with a strict guard; six are in Sales and six in Support, and all hold a seat."""
    begin(company, built, guard)
    return company


def guard(company: Company) -> None:
    company.salesforce.create_many(12, Department=["Sales", "Support"], Division=["G"])
    import_everyone(company)


def import_everyone(company: Company) -> None:
    """Save settings with a strict guard, and import the twelve there are."""
    own = {"seats": [{"field": "Division", "map": {"G": "gong"}}], "update_mode": "automatic"}
    guests = {"name": "Guests", "filter": "Department = 'Guests'"}
    company.put(guard=STRICT, seats={"gong": {}}, assignments=[SALES | own, SUPPORT | own, guests | own])
    assert company.run()["counts"] == {"created": 12}


@pytest.fixture
def world(aws: SimpleNamespace) -> Iterator[World]:
    """Open a world with Grace and Henry in it."""
    with opened(aws.table) as world:
        yield world
