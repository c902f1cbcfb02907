"""Settings of one organization open no secret, and ride on no session, of another (U5)."""

import json
from typing import Any

import pytest

import organization_settings
from muster import bootstrap
from muster.errors import Misconfigured
from muster.settings.sections import Settings, VaultCrmConnection
from tests.doubles.acme import Acme

FOREIGN = ["muster/acme/vault_crm", "muster/acme", "muster/shared"]


def document(acme: Acme, **keys: str) -> dict[str, Any]:
    """Return settings of another organization, for the same vault."""
    connection = {**acme.connections()["vault_crm"], **keys}
    return {"organization": "globex", "connections": {"vault_crm": connection}}


def connection_in(settings: dict[str, Any]) -> VaultCrmConnection:
    """Return the connection of settings that are stored: nothing compares them any more."""
    connection = Settings.model_validate(settings).connections.vault_crm
    assert connection
    return connection


@pytest.mark.parametrize("secret", FOREIGN)
def test_settings_that_name_one_are_not_saved(acme: Acme, secret: str) -> None:
    settings = document(acme, secret=secret)
    asked = {"organization": "globex", "action": "put", "by": "eve", "settings": settings}
    said = organization_settings.handler(asked, acme.context)
    assert said["status"] == "rejected"
    assert [each["where"] for each in said["errors"]] == ["connections.vault_crm.secret"]
    assert bootstrap.settings_table().current("globex") is None


@pytest.mark.parametrize("secret", FOREIGN)
def test_settings_that_are_stored_and_name_one_open_nothing(acme: Acme, secret: str) -> None:
    """As an older Muster saved them, which compared less."""
    with pytest.raises(Misconfigured, match=f"the secret {secret} is not one of globex's own"):
        bootstrap.vault(connection_in(document(acme, secret=secret))).me()
    assert acme.calls("vault_crm") == []


def test_a_username_and_a_wrong_password_do_not_ride_on_anothers_session(acme: Acme) -> None:
    own = document(acme) | {"organization": "acme"}
    assert bootstrap.vault(connection_in(own)).me()
    wrong = json.loads(acme.vault_crm.secret) | {"password": "-"}
    acme.manager.create_secret(Name="muster/globex/vault_crm", SecretString=json.dumps(wrong))
    with pytest.raises(Misconfigured, match="USERNAME_OR_PASSWORD_INCORRECT"):
        bootstrap.vault(connection_in(document(acme))).me()
    assert bootstrap.vault(connection_in(own)).me()
