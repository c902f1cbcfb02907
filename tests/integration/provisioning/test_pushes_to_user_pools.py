"""Leavers' sessions that end in a user pool, from Salesforce's row to the push (O4)."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

import scheduled_push
from muster import bootstrap
from muster.errors import Misconfigured
from tests.doubles.user_pool import UserPool
from tests.integration.company import SALES, SUPPORT, Company
from tests.integration.provisioning.apps import address

PORTAL = "cognito.portal"


class Portal:
    """Acme with a user pool connected."""

    def __init__(self, company: Company, pool: UserPool) -> None:
        self.company, self.pool = company, pool

    def person(self, name: str) -> str:
        """Create a person in Salesforce; returns the CRM id."""
        return self.company.salesforce.create(
            Username=f"{name}@acme.example.crm",
            Department="Sales",
            FirstName=name.title(),
            LastName="Lovelace",
            Email=address(name),
        )

    def user(self, name: str, email: str) -> None:
        """Let there be a user who is signed in."""
        self.pool.add(name, email=email)
        self.pool.sign_in(name)

    def after(self, mode: str) -> dict[str, int]:
        """Import, push, and return what was done to how many; a second push finds nothing to do."""
        assert self.company.run(mode)["status"] == "succeeded"
        counts: dict[str, int] = self.push()["counts"]
        self.pool.calls.clear()
        assert self.push()["counts"] == {}
        assert self.pool.calls == []
        return counts

    def push(self) -> dict[str, dict[str, int]]:
        """Push to the pool."""
        asked = {"organization": "acme", "by": "jane", "connections": [PORTAL]}
        said: dict[str, dict[str, int]] = scheduled_push.handler(asked, self.company.context)
        return said


@pytest.fixture
def portal(company: Company) -> Iterator[Portal]:
    pool = UserPool()
    connections = {
        "salesforce": company.salesforce.connection,
        "cognito": {"portal": {"user_pool": pool.id}},
    }
    assert company.put(assignments=[SALES, SUPPORT], connections=connections)["status"] == "succeeded"
    with patch.object(bootstrap, "user_pool", lambda _: pool.adapter()):
        yield Portal(company, pool)


def test_who_leaves_is_disabled_and_signed_out_and_comes_back(portal: Portal) -> None:
    ada, bob = portal.person("ada"), portal.person("bob")
    portal.user("ada", address("ada"))
    portal.user("stranger", address("stranger"))
    assert portal.after("full") == {"linked": 1}
    shown = portal.company.roster()
    assert shown[ada]["accounts"][PORTAL]["state"] == "active"
    assert PORTAL not in shown[bob].get("accounts", {})
    # Bob signs up later, and nobody has looked since.
    portal.user("bob", address("bob"))
    for crm_id in (ada, bob):
        portal.company.salesforce.update(crm_id, IsActive=False)
    assert portal.after("incremental") == {"closed": 2}
    assert portal.pool.truth() == {"ada": "disabled", "bob": "disabled", "stranger": "signed in"}
    portal.company.salesforce.update(ada, IsActive=True)
    assert portal.after("incremental") == {"opened": 1}
    assert portal.pool.truth() == {"ada": "enabled", "bob": "disabled", "stranger": "signed in"}
    assert portal.company.errors() == []


def test_that_several_users_are_somebody_is_told_without_names(portal: Portal) -> None:
    ada = portal.person("ada")
    for name in ("ada.lovelace", "okta_ada.lovelace"):
        portal.user(name, address("ada"))
    assert portal.after("full") == {"conflict": 1}
    portal.company.salesforce.update(ada, IsActive=False)
    portal.after("incremental")
    assert set(portal.pool.truth().values()) == {"signed in"}
    told = [each for each in portal.company.errors() if each["system"] == PORTAL]
    assert [each["code"] for each in told] == ["account_conflict"] * 2
    assert "lovelace" not in str(told)


def test_what_the_pool_refuses_is_told_without_names_and_what_to_do(portal: Portal) -> None:
    ada = portal.person("ada")
    portal.user("ada.lovelace", address("ada"))
    assert portal.after("full") == {"linked": 1}
    portal.company.salesforce.update(ada, IsActive=False)
    portal.company.run("incremental")
    portal.pool.answers = {"ListUsers": "AccessDeniedException"}
    with pytest.raises(Misconfigured, match="UserPoolArns"):
        portal.push()
    assert set(portal.pool.calls) == {"ListUsers"}
    portal.pool.answers = {"AdminUserGlobalSignOut": "NotAuthorizedException"}
    portal.push()
    portal.pool.answers = {}
    portal.push()
    assert portal.pool.truth() == {"ada.lovelace": "disabled"}
    told = [each for each in portal.company.errors() if each["system"] == PORTAL]
    assert [each["code"] for each in told] == ["account_refused", "push_failed"]
    assert "AdminUserGlobalSignOut" in str(told)
    assert "lovelace" not in str(told)
