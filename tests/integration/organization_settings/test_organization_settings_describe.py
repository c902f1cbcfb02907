"""What of Vault CRM can be mapped, asked of the vault in an admin's name (G5)."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
from muster import bootstrap
from muster.adapters.vault.client import Vault
from muster.errors import Unavailable
from sandbox import vault_crm
from sandbox.serving import serve
from sandbox.vault_crm import RunningSandbox
from tests.doubles.sandbox_doors import calls, control, misbehave
from tests.doubles.vault_host import VaultHost
from tests.integration.organization_settings.settings_examples import error_of
from tests.integration.pasted import pasted

EVENT = pasted("organization_settings_describe")
REQUEST, STATUS, GROUP = "engage_group_request__v", "engage_group_provisioning_status__v", "engage_group__v"

type Describe = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def module_vault() -> Iterator[RunningSandbox]:
    with vault_crm.running() as vault:
        yield vault


@pytest.fixture
def vault(module_vault: RunningSandbox) -> RunningSandbox:
    control(module_vault.url, "POST", "reset")
    return module_vault


@pytest.fixture
def secret(aws: SimpleNamespace, vault: RunningSandbox) -> None:
    """Write the integration user's credentials where the settings say."""
    text = json.dumps({"username": vault.username, "password": vault.password})
    boto3.client("secretsmanager").create_secret(Name="muster/acme/vault_crm", SecretString=text)


@pytest.fixture
def describe(aws: SimpleNamespace, context: LambdaContext, vault: RunningSandbox) -> Describe:
    """Return a function that puts settings with these maps, and pastes the event."""

    def call(maps: dict[str, Any] | None = None, *, put: bool = True, **connection: Any) -> dict[str, Any]:
        host = vault.url.removeprefix("http://")
        document = {
            "connections": {"vault_crm": {"host": host, "manage_features": ["engage"]} | connection},
            "field_maps": {"vault_crm": maps or {}},
        }
        event = {"organization": "acme", "action": "put", "by": "jane@acme.example", "settings": document}
        if put:
            assert organization_settings.handler(event, context)["status"] == "succeeded"
        said: dict[str, Any] = json.loads(json.dumps(organization_settings.handler(EVENT, context)))
        return said

    return call


def by_name(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert said["status"] == "succeeded", said
    return {field["name"]: field for field in said["fields"]}


@pytest.mark.usefixtures("secret")
def test_each_field_comes_with_what_it_is_mapped_to(describe: Describe) -> None:
    custom = {"custom.Country": "country_code__v", "custom.Land": "country_code__v", "engage.request": None}
    said = describe({"inbound": {"custom": custom}, "outbound": {"system": ["engage.request"]}})
    assert (said["version"], said["connection"], said["object"]) == (1, "vault_crm", "user__sys")
    fields = by_name(said)
    assert list(fields) == sorted(fields)
    assert fields[REQUEST] == {
        "name": REQUEST,
        "label": "Engage Group Request",
        "type": "String",
        "length": 255,
        "editable": True,
        "inbound": [],
        "outbound": ["engage.request"],
    }
    assert (fields[STATUS]["inbound"], fields[STATUS]["outbound"]) == (["engage.status"], [])
    assert fields["country_code__v"]["inbound"] == ["custom.Country", "custom.Land"]
    assert not fields["modified_date__v"]["editable"]
    assert said["warnings"] == []


@pytest.mark.usefixtures("secret")
def test_what_can_be_switched_on_is_among_the_mappings(describe: Describe) -> None:
    maps = {"inbound": {"system": ["engage.group"]}, "outbound": {"system": ["engage.request"]}}
    mappings = describe(maps)["mappings"]
    assert mappings["inbound"]["system"][:2] == [
        {"target": "engage.group", "field": GROUP, "active": True},
        {"target": "engage.status", "field": STATUS, "active": False},
    ]
    assert mappings["inbound"]["custom"]["engage.request"] == REQUEST
    active = [mapping["target"] for mapping in mappings["outbound"]["system"] if mapping["active"]]
    assert (len(mappings["outbound"]["system"]), active) == (4, ["engage.request"])


@pytest.mark.usefixtures("secret")
def test_custom_mappings_outbound_are_among_them(describe: Describe, vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "permissions", {"fields": {"user__sys": {"company__sys": False}}})
    kinds = {"field": "user_type__v", "map": {"Rep": "sales__v"}}
    custom = {"title": "title__sys", "extension": "company__sys", "assignment": kinds}
    said = describe({"outbound": {"custom": custom}})
    fields = by_name(said)
    assert [fields[name]["outbound"] for name in ("title__sys", "user_type__v")] == [
        ["title"],
        ["assignment"],
    ]
    assert said["mappings"]["outbound"]["custom"] == custom
    [warning] = said["warnings"]
    assert warning["where"] == "field_maps.vault_crm.outbound.custom.extension"
    assert "may not edit" in warning["message"]


@pytest.mark.usefixtures("secret")
def test_what_lets_into_meetings_is_not_offered(describe: Describe) -> None:
    fields = by_name(describe())
    assert not [name for name in fields if name.startswith("remote_meeting")]
    assert "id" not in fields


@pytest.mark.usefixtures("secret")
def test_a_mapped_field_that_the_vault_does_not_have_is_a_warning(describe: Describe) -> None:
    said = describe({"inbound": {"custom": {"custom.Team": "team__c"}}})
    [warning] = said["warnings"]
    assert warning["where"] == 'field_maps.vault_crm.inbound.custom["custom.Team"]'
    assert warning["message"].startswith("maps team__c, which is not among the fields of user__sys")


@pytest.mark.usefixtures("secret")
def test_a_field_that_would_be_pushed_and_may_not_be_edited_is_a_warning(
    describe: Describe, vault: RunningSandbox
) -> None:
    not_editable = {REQUEST: False, "engage_connect_group_request__v": False}
    control(vault.url, "PUT", "permissions", {"fields": {"user__sys": not_editable}})
    said = describe()
    assert not by_name(said)[REQUEST]["editable"]
    # Engage Connect is not managed, so nothing of it is pushed.
    [warning] = said["warnings"]
    assert warning["where"] == "field_maps.vault_crm.outbound.system"
    assert REQUEST in warning["message"]


@pytest.mark.usefixtures("secret")
def test_muster_calls_by_the_client_id_of_the_settings(describe: Describe) -> None:
    host = VaultHost()
    host.say({"responseStatus": "SUCCESS", "object": {"fields": []}})
    with serve(host, threads=4) as host.url:
        said = describe(host=host.url.removeprefix("http://"), client_id="acme-it")
    assert said["fields"] == []
    assert [call.headers["X-VaultAPI-ClientID"] for call in host.logins + host.calls] == ["acme-it"] * 2


def test_it_takes_settings_and_a_connection(
    describe: Describe, context: LambdaContext, vault: RunningSandbox
) -> None:
    assert error_of(describe(put=False))[:2] == ("organization", "acme has no settings")
    put = {"organization": "acme", "action": "put", "by": "jane@acme.example", "settings": {}}
    organization_settings.handler(put, context)
    assert error_of(describe(put=False))[:2] == ("connections.vault_crm", "is not in the settings")
    said = organization_settings.handler({**EVENT, "connection": None}, context)
    assert error_of(said)[0] == "connection"
    assert calls(vault.url) == 0


def test_what_is_set_up_wrongly_is_told(describe: Describe) -> None:
    where, message, remedy = error_of(describe())
    assert where == "connections.vault_crm"
    assert "muster/acme/vault_crm" in message
    assert remedy


@pytest.mark.usefixtures("secret")
def test_without_permission_it_is_told_what_is_missing(describe: Describe, vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "permissions", {"api_access": False})
    where, message, _ = error_of(describe())
    assert where == "connections.vault_crm"
    assert "INSUFFICIENT_ACCESS" in message


@pytest.mark.usefixtures("secret")
def test_a_vault_that_is_down_is_a_fault_and_not_an_answer(
    describe: Describe, vault: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, journal = bootstrap.secrets("acme"), bootstrap._login_journal()
    monkeypatch.setattr(bootstrap, "vault", partial(Vault, secrets=secrets, journal=journal, backoff_s=0))
    misbehave(vault.url, {"path": "/api/", "fault": "status", "status": 503, "count": 99})
    with pytest.raises(Unavailable):
        describe()
