"""A SCIM app over HTTP, for each test as good as new."""

from collections.abc import Iterator

import pytest

from sandbox import scim
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_target import ScimTarget
from tests.integration.provisioning.provisioned import Provisioned


@pytest.fixture(scope="session")
def _target() -> Iterator[ScimTarget]:
    with scim.running() as app:
        yield ScimTarget(app)


@pytest.fixture
def app(_target: ScimTarget) -> Provisioned:
    control(_target.url, "POST", "reset")
    return Provisioned(_target)
