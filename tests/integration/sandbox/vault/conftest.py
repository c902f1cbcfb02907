"""A vault of its own for each test, without a server."""

from collections.abc import Iterator

import pytest

from tests.doubles.vault_in_process import VaultInProcess, vault_in_process


@pytest.fixture
def vault() -> Iterator[VaultInProcess]:
    with vault_in_process() as vault:
        yield vault
