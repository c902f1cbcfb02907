"""A SCIM app over HTTP, and a host that answers as it is told; both for each test as good as new."""

from collections.abc import Iterator

import pytest

from sandbox import scim
from tests.doubles.host import Host, served
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_target import ScimTarget


@pytest.fixture(scope="session")
def _target() -> Iterator[ScimTarget]:
    with scim.running() as app:
        yield ScimTarget(app)


@pytest.fixture
def target(_target: ScimTarget) -> ScimTarget:
    control(_target.url, "POST", "reset")
    return _target


@pytest.fixture(scope="session")
def _host() -> Iterator[Host]:
    with served(Host()) as host:
        yield host


@pytest.fixture
def host(_host: Host) -> Host:
    _host.reset()
    return _host
