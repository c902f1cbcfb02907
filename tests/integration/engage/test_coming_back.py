"""Who comes back gets the group that they had, whether or not an import came by (G11)."""

from typing import Any

import pytest

from tests.integration.engage.licences import Licences

PAST = "2026-01-31"
SALES: dict[str, Any] = {"name": "Sales", "engage": {"group": "UK"}}


def pushed(licences: Licences, imports: list[str]) -> None:
    """Push, and let such imports come by."""
    licences.push()
    for mode in imports:
        licences.vault.settle()
        licences.imported(mode)


@pytest.fixture
def ada(licences: Licences) -> str:
    """Return somebody with a group that was asked for by hand."""
    (person,) = licences.people(1)
    licences.imported()
    licences.ask(person)
    licences.push()
    assert licences.status(person) == ("UK", "success", "UK")
    return person


each_import = pytest.mark.parametrize("imports", [[], ["incremental"], ["full"]], ids=str)


@each_import
@pytest.mark.parametrize(
    ("closes", "opens"),
    [
        ({"end_date": PAST}, {"end_date": None, "crm_user_status": "active"}),
        ({"crm_user_status": "inactive"}, {"crm_user_status": "active"}),
    ],
)
@pytest.mark.parametrize("pending_edits", ["protect", "overwrite"])
def test_who_was_closed_by_hand_gets_it_back(
    licences: Licences,
    ada: str,
    closes: dict[str, Any],
    opens: dict[str, Any],
    imports: list[str],
    pending_edits: str,
) -> None:
    licences.company.put(pending_edits=pending_edits)
    licences.edit(ada, **closes)
    pushed(licences, imports)
    assert licences.vault.used()["UK"] == 0
    licences.edit(ada, **opens)
    licences.imported("incremental")
    licences.push()
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    assert licences.vault.used()["UK"] == 1


@each_import
@pytest.mark.parametrize("mode", ["automatic", "manual", None], ids=str)
@pytest.mark.parametrize("pending_edits", ["protect", "overwrite"])
def test_who_was_deactivated_in_salesforce_gets_it_back(
    licences: Licences, ada: str, mode: str | None, imports: list[str], pending_edits: str
) -> None:
    assignments = [{**SALES, "update_mode": mode}] if mode else []
    licences.company.put(assignments=assignments, pending_edits=pending_edits)
    licences.imported()
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    origin = licences.company.ask("explain", member=licences.member(ada)["id"])["groups"]["engage"]["origin"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported("incremental")
    assert licences.status(ada)[0] is None
    pushed(licences, imports)
    assert licences.vault.used()["UK"] == 0
    licences.company.salesforce.update(crm_id, IsActive=True)
    licences.imported("incremental")
    assert licences.status(ada) == ("UK", "retry_request", None)
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    explained = licences.company.ask("explain", member=licences.member(ada)["id"])
    assert explained["groups"]["engage"]["origin"] == origin


def test_who_was_deactivated_for_a_moment_keeps_the_licence(licences: Licences, ada: str) -> None:
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    for active in (False, True):
        licences.company.salesforce.update(crm_id, IsActive=active)
        licences.imported("incremental")
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    assert {group for _, group, _ in licences.processed()} == {"UK"}


def test_who_left_without_a_wish_comes_back_without(licences: Licences, ada: str) -> None:
    licences.ask(ada, action="remove")
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    for active in (False, True):
        licences.company.salesforce.update(crm_id, IsActive=active)
        licences.imported("incremental")
    licences.push()
    assert licences.status(ada) == (None, "success", None)


def test_an_edit_that_brings_somebody_back_says_what_comes_back(licences: Licences, ada: str) -> None:
    licences.edit(ada, crm_user_status="inactive")
    licences.push()
    said = licences.edit(ada, crm_user_status="active")
    assert "again" in said["results"][0]["note"]
