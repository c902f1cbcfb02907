"""Acme with all its connections set up rightly, and keys for the JWT bearer flow."""

from collections.abc import Iterator

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.doubles.acme import Acme, acme_in_process
from tests.doubles.aws import Aws


@pytest.fixture
def acme(aws: Aws, context: LambdaContext) -> Iterator[Acme]:
    with acme_in_process(context) as found:
        yield found


@pytest.fixture(scope="session")
def keys() -> list[rsa.RSAPrivateKey]:
    """The keys that the app of the JWT bearer flow has one after the other, and one that it never has."""
    return [rsa.generate_private_key(65_537, 2_048) for _ in range(3)]
