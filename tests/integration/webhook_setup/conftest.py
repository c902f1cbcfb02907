"""Acme, before its webhook is set up in Salesforce and after."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.integration.webhook_setup.webhook_setup_world import Acme, acme_in_process


@pytest.fixture
def acme(aws: SimpleNamespace, context: LambdaContext) -> Iterator[Acme]:
    with acme_in_process(context) as found:
        yield found


@pytest.fixture
def installed(acme: Acme) -> Acme:
    assert acme.ask("install")["status"] == "succeeded"
    acme.deploys()
    return acme
