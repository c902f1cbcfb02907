"""Acme, before its settings are saved and after."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

import organization_settings
from tests.integration.beginnings import Built, Connected, begin
from tests.integration.organization_settings.settings_examples import Acme


@pytest.fixture
def acme(connected: Connected, built: Built) -> Iterator[Acme]:
    """Return Acme with three people in sales and one elsewhere; nothing is set up yet."""
    acme = Acme(*connected)
    begin(acme, built, hire)
    with patch.object(organization_settings, "_now", acme.now):
        yield acme


def hire(acme: Acme) -> None:
    for department in ("Sales", "Sales", "Sales", "Kitchen"):
        acme.salesforce.create(Department=department)


@pytest.fixture
def staffed(acme: Acme, built: Built) -> Acme:
    """Return Acme with settings in force and everybody imported."""
    begin(acme, built, set_up)
    return acme


def set_up(acme: Acme) -> None:
    assert acme.put()["status"] == "succeeded"
    assert acme.run()["counts"] == {"created": 4}
