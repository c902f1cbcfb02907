"""A SCIM app of its own for each test, without a server."""

from collections.abc import Iterator

import pytest

from tests.doubles.scim_in_process import ScimInProcess, scim_in_process


@pytest.fixture
def scim() -> Iterator[ScimInProcess]:
    with scim_in_process() as scim:
        yield scim
