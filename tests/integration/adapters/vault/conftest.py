"""A vault over HTTP, and a host that answers as it is told; both for each test as good as new."""

from collections.abc import Iterator

import pytest

from sandbox import vault_crm
from sandbox.vault_crm import RunningSandbox
from tests.doubles.host import served
from tests.doubles.sandbox_doors import control
from tests.doubles.vault_host import VaultHost


@pytest.fixture(scope="session")
def _vault() -> Iterator[RunningSandbox]:
    with vault_crm.running() as vault:
        yield vault


@pytest.fixture
def vault(_vault: RunningSandbox) -> RunningSandbox:
    control(_vault.url, "POST", "reset")
    return _vault


@pytest.fixture(scope="session")
def _host() -> Iterator[VaultHost]:
    with served(VaultHost()) as host:
        yield host


@pytest.fixture
def host(_host: VaultHost) -> VaultHost:
    _host.reset()
    return _host
