"""Connections lead to this very machine on the local stack alone (T2, T4)."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
from muster import bootstrap
from muster.errors import Misconfigured
from muster.settings.document import read
from muster.settings.sections import Connections
from tests.doubles.acme import HOSTS
from tests.doubles.aws import forget_clients

CONNECTIONS = {name: {"host": host} for name, host in HOSTS.items()}
CONNECTIONS["salesforce"] |= {"organization_id": "00D000000000062EAA"}
DOCUMENT = {"organization": "acme", "connections": CONNECTIONS}
ASKED = {"organization": "acme", "by": "jane@acme.example", "settings": DOCUMENT}

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def _on_aws(aws: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ON_LOCAL_STACK")
    forget_clients()


@pytest.mark.usefixtures("_on_aws")
@pytest.mark.parametrize("action", ["validate", "preview", "put"])
def test_on_aws_no_settings_with_such_a_host_are_accepted(action: str, context: LambdaContext) -> None:
    asked = ASKED if action != "validate" else {"organization": "acme", "settings": DOCUMENT}
    said = organization_settings.handler({"action": action, **asked}, context)
    assert said["status"] == "rejected"
    assert [each["where"] for each in said["errors"]] == [f"connections.{name}.host" for name in HOSTS]
    assert bootstrap.settings_table().current("acme") is None


def connections() -> Connections:
    """Return what an older Muster may have saved on AWS."""
    _, settings = read(DOCUMENT, loopback_hosts=True)
    return settings.connections


CLIENTS: list[tuple[str, Callable[[Any], object]]] = [
    ("salesforce", lambda connection: bootstrap.salesforce(connection)),
    ("salesforce", lambda connection: bootstrap.brisk_salesforce(connection)),
    ("salesforce", lambda connection: bootstrap.salesforce_metadata(connection)),
    ("vault_crm", lambda connection: bootstrap.vault(connection)),
    ("vault_crm", lambda connection: bootstrap.brisk_vault(connection)),
    ("align", lambda connection: bootstrap.align(connection)),
]


@pytest.mark.usefixtures("_on_aws")
@pytest.mark.parametrize(("name", "client"), CLIENTS)
def test_on_aws_no_client_is_made_for_such_a_host(name: str, client: Callable[[Any], object]) -> None:
    with pytest.raises(Misconfigured, match=f"{HOSTS[name]} is for the local stack"):
        client(getattr(connections(), name))


@pytest.mark.parametrize(("name", "client"), CLIENTS)
def test_on_the_local_stack_one_is(name: str, client: Callable[[Any], object]) -> None:
    assert client(getattr(connections(), name))


@pytest.mark.parametrize("said", ["", "false", "0", "TRUE"])
def test_nothing_but_true_says_that_this_is_the_local_stack(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ON_LOCAL_STACK", said)
    with pytest.raises(Misconfigured):
        bootstrap.salesforce(connections().salesforce)
