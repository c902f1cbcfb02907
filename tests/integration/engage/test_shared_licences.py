"""A licence freed in another group of the feature, where the vault counts its licences by feature (G8)."""

import pytest

from tests.integration.engage.licences import Licences

NONE_LEFT = "no_licenses_remaining"


@pytest.mark.parametrize(
    ("counted", "freed"),
    [("per_feature", ("UK", "success", "UK")), ("per_group", ("UK", NONE_LEFT, None))],
)
@pytest.mark.parametrize("how", ["removed", "left", "seen by an import"])
def test_who_leaves_another_group_makes_room(
    licences: Licences, counted: str, freed: tuple[str | None, ...], how: str
) -> None:
    connections = licences.company.document["connections"]
    vault_crm = {**connections["vault_crm"], "engage_licenses": counted}
    assert licences.company.put(connections={**connections, "vault_crm": vault_crm})["status"] == "succeeded"
    licences.vault.control("PUT", "engage/licenses", {"per_feature": True})
    licences.vault.group("UK", 1)
    licences.vault.group("US", 1)
    ada, bob, carol = licences.people(3)
    licences.imported()
    licences.ask(ada, group="US")
    licences.ask(bob)
    licences.push()
    licences.ask(carol)
    licences.push()
    assert licences.status(carol) == ("UK", NONE_LEFT, None)

    if how == "removed":
        licences.ask(ada, action="remove")
    elif how == "left":
        licences.edit(ada, crm_user_status="inactive")
    else:
        licences.vault.update(ada, engage_group_request__v=None)
        licences.vault.settle()
        licences.imported()
    licences.push()
    assert licences.status(carol) == freed
    assert licences.status(ada)[2] is None


def test_who_moves_within_a_feature_that_shares_its_licences_is_not_kept_waiting(licences: Licences) -> None:
    connections = licences.company.document["connections"]
    vault_crm = {**connections["vault_crm"], "engage_licenses": "per_feature"}
    licences.company.put(connections={**connections, "vault_crm": vault_crm})
    licences.vault.control("PUT", "engage/licenses", {"per_feature": True})
    licences.vault.group("UK", 1)
    licences.vault.group("US", 0)
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(ada)
    licences.push()
    licences.ask(bob)
    licences.push()
    asked = len(licences.processed())
    licences.ask(ada, group="US")
    licences.push()
    assert licences.status(ada) == ("US", "success", "US")
    assert licences.processed()[asked:] == [(ada, "US", "success__v")]
