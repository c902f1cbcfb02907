"""A Salesforce over HTTP, and a host that answers as it is told; both for each test as good as new."""

from collections.abc import Iterator

import pytest

from sandbox.salesforce import RunningSandbox, running
from tests.doubles.host import served
from tests.doubles.salesforce_host import SalesforceHost
from tests.doubles.salesforce_over_http import Organization
from tests.doubles.sandbox_doors import control


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[RunningSandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: RunningSandbox) -> RunningSandbox:
    control(_sandbox.url, "POST", "reset")
    return _sandbox


@pytest.fixture
def org(_sandbox: RunningSandbox) -> Iterator[Organization]:
    organization = Organization(_sandbox)
    organization.control("POST", "reset")
    yield organization
    organization.http.close()


@pytest.fixture(scope="session")
def _host() -> Iterator[SalesforceHost]:
    with served(SalesforceHost()) as host:
        yield host


@pytest.fixture
def host(_host: SalesforceHost) -> SalesforceHost:
    """A host that logs everyone in."""
    _host.reset()
    return _host
