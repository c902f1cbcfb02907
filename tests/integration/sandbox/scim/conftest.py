"""A SCIM app without a server, for each test as good as new."""

from collections.abc import Iterator

import pytest

from tests.doubles.clocks import Clock
from tests.doubles.scim_in_process import ScimInProcess, scim_in_process


@pytest.fixture(scope="session")
def session_scim() -> Iterator[ScimInProcess]:
    with scim_in_process() as scim:
        yield scim


@pytest.fixture
def scim(session_scim: ScimInProcess) -> ScimInProcess:
    session_scim.control("POST", "reset")
    assert isinstance(session_scim.clock, Clock)
    session_scim.clock.now = Clock().now
    return session_scim
