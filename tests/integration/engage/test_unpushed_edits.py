"""An import after Engage requests were edited and before they are pushed: the seed's two cases (I10)."""

import pytest

from tests.integration.engage.licences import Licences


@pytest.fixture(params=["protect", "overwrite"])
def mode(request: pytest.FixtureRequest, licences: Licences) -> str:
    """Return how pending edits are treated; the organization's settings say so."""
    assert licences.company.put(pending_edits=request.param)["status"] == "succeeded"
    return str(request.param)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_the_edit_of_an_existing_member(licences: Licences, mode: str, kind: str) -> None:
    (ada,) = licences.people(1)
    licences.vault.group("US", 5)
    licences.vault.update(ada, engage_group_request__v="US")
    licences.vault.settle()
    licences.imported()
    licences.ask(ada, group="UK")
    licences.vault.update(ada, first_name__sys="Augusta")
    said = licences.imported(kind)
    if mode == "protect":
        assert licences.status(ada) == ("UK", "retry_request", "US")
        assert [entry["code"] for entry in licences.company.errors()] == ["request_kept"]
        assert said["status"] == "succeeded"
        licences.push()
        assert licences.status(ada) == ("UK", "success", "UK")
    else:
        assert licences.status(ada) == ("US", "success", "US")
        licences.push()
        assert licences.processed() == [(ada, "US", "success__v")]


def test_the_edit_of_a_new_member_is_kept_in_both_modes(licences: Licences, mode: str) -> None:
    crm_id = licences.company.salesforce.create(Department="Sales")
    licences.imported()
    row = licences.company.salesforce.call("GET", f"/services/data/v66.0/sobjects/User/{crm_id}")
    member = licences.company.roster()[crm_id]
    said = licences.ask_by_reference(row["Email"], group="UK")
    assert said["status"] == "succeeded"
    assert licences.push()["counts"] == {}, "nothing is sent for who is not in Vault CRM"
    ada = licences.vault.create(username__sys=row["Username"], email__sys=row["Email"])
    licences.imported()
    assert licences.member(ada)["id"] == member["id"]
    assert licences.status(ada) == ("UK", "retry_request", None)
    licences.imported()
    assert licences.status(ada) == ("UK", "retry_request", None)
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


def test_an_assignments_group_stands_whatever_vault_says(licences: Licences) -> None:
    licences.company.put(assignments=[{"name": "Sales", "engage": {"group": "UK"}}])
    (ada,) = licences.people(1)
    licences.imported()
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    licences.vault.group("US", 5)
    licences.vault.update(ada, engage_group_request__v="US")
    licences.vault.settle()
    licences.imported()
    assert licences.status(ada) == ("UK", "retry_request", "US")
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


def test_somebody_can_be_named_by_the_id_in_vault_crm(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    assert licences.company.ask("member", member=ada)["member"]["id"] == licences.member(ada)["id"]
    assert licences.ask_by_reference(ada, group="UK")["status"] == "succeeded"
