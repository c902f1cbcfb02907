"""Acme with all its connections set up rightly, and keys for the JWT bearer flow."""

from collections.abc import Callable, Iterator

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.dynamodb.models.table import Table

from tests.doubles.acme import Acme, Systems, acme_with, systems_in_process
from tests.doubles.aws import Aws
from tests.doubles.salesforce_in_process import SalesforceInProcess
from tests.integration.beginnings import data_of, renew
from tests.integration.engage.licences import renew_vault
from tests.simulation.harness.strict_aws import copy_of, put_back


@pytest.fixture(scope="module")
def opened_systems() -> Iterator[tuple[Systems, Callable[[], None]]]:
    """Open Acme's systems for the tests of a module; with what makes them what they are at first."""
    with systems_in_process() as systems:
        salesforce = renewing(systems.salesforce)
        vaults = [(each, data_of(each.vault.store)) for each in (systems.vault_crm, systems.align)]

        def make_new() -> None:
            salesforce()
            for vault, data in vaults:
                vault.vault.sessions.expire()
                renew_vault(vault, data)

        yield systems, make_new


def renewing(salesforce: SalesforceInProcess) -> Callable[[], None]:
    """Return what makes an organization what it is now, its app's credentials as well."""
    data = data_of(salesforce.organization.store)
    client, wire = salesforce.organization.client, salesforce.wire

    def make_new() -> None:
        salesforce.organization.client, salesforce.organization._jwt_key = client, ""
        salesforce.organization.sessions.expire()
        # The application with other credentials is another one.
        salesforce.wire = wire
        renew(salesforce, data)

    return make_new


@pytest.fixture(scope="module")
def begun() -> list[Table]:
    """Hold what is in the roster table when Acme has begun."""
    return []


@pytest.fixture
def acme(
    aws: Aws,
    context: LambdaContext,
    opened_systems: tuple[Systems, Callable[[], None]],
    begun: list[Table],
) -> Iterator[Acme]:
    systems, make_new = opened_systems
    make_new()
    with acme_with(systems, context) as acme:
        if begun:
            put_back(begun[0])
            acme.version = 1
        else:
            acme.begin()
            begun.append(copy_of("roster"))
        yield acme


@pytest.fixture(scope="session")
def keys() -> list[rsa.RSAPrivateKey]:
    """The keys that the app of the JWT bearer flow has one after the other, and one that it never has."""
    return [rsa.generate_private_key(65_537, 2_048) for _ in range(3)]
