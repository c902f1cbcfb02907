"""Acme with one system that pushes are to, each in its turn."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from muster import bootstrap
from tests.doubles.user_pool import UserPool
from tests.integration.company import SALES, SUPPORT, Company
from tests.integration.engage.conftest import licences, opened_vault
from tests.integration.provisioning.conftest import _scim, apps
from tests.integration.pushes.systems import Engage, Pool, ScimApp, System

__all__ = ["_scim", "apps", "licences", "opened_vault"]


@pytest.fixture
def pool(company: Company) -> Iterator[Pool]:
    """Return Acme with a user pool."""
    users = UserPool()
    connections = {
        "salesforce": company.salesforce.connection,
        "cognito": {"portal": {"user_pool": users.id}},
    }
    assert company.put(assignments=[SALES, SUPPORT], connections=connections)["status"] == "succeeded"
    with patch.object(bootstrap, "user_pool", lambda _: users.adapter()):
        yield Pool(company, users)


@pytest.fixture(params=["engage", "scim", "cognito"])
def system(request: pytest.FixtureRequest) -> System:
    """Return each system that a push can be to."""
    if request.param == "engage":
        return Engage(request.getfixturevalue("licences"))
    if request.param == "scim":
        return ScimApp(request.getfixturevalue("apps"))
    found: Pool = request.getfixturevalue("pool")
    return found
