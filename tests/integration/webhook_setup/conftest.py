"""Acme, before its webhook is set up in Salesforce and after."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.doubles.salesforce_in_process import SalesforceInProcess, salesforce_in_process
from tests.integration.beginnings import Connected
from tests.integration.webhook_setup.webhook_setup_world import Acme


@pytest.fixture
def salesforce() -> Iterator[SalesforceInProcess]:
    """Return an organization of the test's own: custom fields, once defined, stay."""
    with salesforce_in_process() as salesforce:
        yield salesforce


@pytest.fixture
def acme(connected: Connected) -> Iterator[Acme]:
    acme = Acme(*connected)
    acme.context.get_remaining_time_in_millis = lambda: 300_000  # type: ignore[method-assign]  # a test's own
    acme.put()
    with patch("time.sleep", acme.slept.append):
        yield acme


@pytest.fixture
def installed(acme: Acme) -> Acme:
    assert acme.ask("install")["status"] == "succeeded"
    acme.deploys()
    return acme
