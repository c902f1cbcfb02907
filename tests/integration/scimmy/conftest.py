"""SCIMMY over HTTP, for each test as good as new."""

from collections.abc import Iterator

import pytest

from tests.doubles.sandbox_doors import control
from tests.integration.provisioning.provisioned import Provisioned
from tests.integration.scimmy.running import Scimmy, missing, running


@pytest.fixture(scope="session")
def _scimmy() -> Iterator[Scimmy]:
    if why := missing():
        pytest.skip(why)
    with running() as scimmy:
        yield scimmy


@pytest.fixture
def app(_scimmy: Scimmy) -> Provisioned:
    control(_scimmy.url, "POST", "reset")
    return Provisioned(_scimmy)
