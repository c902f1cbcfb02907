"""Acme with a Salesforce, a Vault CRM and an Align, all set up rightly, and preflight against them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import requests
from aws_lambda_powertools.utilities.typing import LambdaContext
from cryptography.hazmat.primitives.asymmetric import rsa

import preflight
from muster import bootstrap
from muster.adapters.vault import login
from muster.adapters.vault.client import Vault
from muster.settings.versions import StoredSettings
from sandbox.salesforce.app import application
from tests.doubles.credentials import private_pem
from tests.doubles.salesforce_in_process import InProcess, SalesforceInProcess, organization_in_process
from tests.doubles.vault_in_process import VaultInProcess, vault_in_process

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

HOSTS = {"salesforce": "127.0.0.1:8001", "vault_crm": "127.0.0.1:8002", "align": "127.0.0.1:8003"}

type Row = dict[str, str]


@dataclass
class Acme:
    """The organization: its systems, its settings, and what preflight says."""

    salesforce: SalesforceInProcess
    vault_crm: VaultInProcess
    align: VaultInProcess
    wires: dict[str, InProcess]
    manager: "SecretsManagerClient"
    context: LambdaContext
    version: int = field(default=0, init=False)

    def connections(self, **changes: dict[str, Any] | None) -> dict[str, Any]:
        """Return the section of the settings, with changes to some connections; `None` leaves one out."""
        right: dict[str, dict[str, Any]] = {
            "salesforce": self.salesforce.connection,
            "vault_crm": {"host": HOSTS["vault_crm"], "manage_features": ["engage", "engage_connect"]},
            "align": {"host": HOSTS["align"]},
        }
        return {
            name: connection | (changes.get(name) or {})
            for name, connection in right.items()
            if changes.get(name, connection) is not None
        }

    def put(self, **sections: Any) -> None:
        """Store settings, whatever Salesforce would say of them."""
        document = {"organization": "acme", "connections": self.connections(), **sections}
        self.version += 1
        stored = StoredSettings("acme", self.version, document, "jane", "2026-11-21T08:00:00Z", "", "a")
        assert stored.settings
        bootstrap.settings_table().save(stored, None)

    def begin(self) -> None:
        """Store the first settings, and have the three people imported."""
        self.put()
        self.read_users_before(3)

    def write_secret(self, connection: str, text: str) -> None:
        """Write what Secrets Manager holds for a connection."""
        self.manager.put_secret_value(SecretId=f"muster/acme/{connection}", SecretString=text)

    def jwt_secret(self, key: rsa.RSAPrivateKey) -> str:
        """Return what Secrets Manager holds where Muster logs into Salesforce with the JWT bearer flow."""
        client = self.salesforce.organization.client
        secret = {"client_id": client.client_id, "username": client.username, "private_key": private_pem(key)}
        return json.dumps(secret | {"audience": f"http://{HOSTS['salesforce']}"})

    def change_client_secret(self, client_secret: str) -> None:
        """Have the app's consumer secret rotated in Salesforce; sessions that are open stay open."""
        organization = self.salesforce.organization
        organization.client = replace(organization.client, client_secret=client_secret)
        wire = InProcess(application(organization, self.salesforce.switch))
        self.wires["salesforce"] = self.salesforce.wire = wire

    def read_users_before(self, number: int) -> None:
        """Have the last full import have read so many users."""
        bootstrap.run_table().change_state(
            "acme", lambda state: replace(state, salesforce=replace(state.salesforce, rows=number))
        )

    def check(self, *connections: str, **event: Any) -> dict[str, Any]:
        """Invoke PreflightFunction; without names, for every connection."""
        named = {"connections": list(connections)} if connections else {}
        said: dict[str, Any] = preflight.handler({"organization": "acme", **named, **event}, self.context)
        answer: dict[str, Any] = json.loads(json.dumps(said))  # Lambda too answers JSON
        return answer

    def calls(self, connection: str) -> list[tuple[str, str]]:
        """Return the calls that a system has had since this was asked last."""
        found = list(self.wires[connection].calls)
        self.wires[connection].calls.clear()
        return found


def rows(said: dict[str, Any]) -> list[Row]:
    """Return the checks of an answer, each well-formed and counted."""
    assert said["status"] in ("succeeded", "succeeded_with_errors"), said
    checks: list[Row] = said["checks"]
    for row in checks:
        assert set(row) == {"connection", "check", "result", "found", "remedy"}
        assert row["found"]
        assert bool(row["remedy"]) is (row["result"] != "passed"), row
    for result, count in said["counts"].items():
        assert sum(row["result"] == result for row in checks) == count
    amiss = said["counts"]["failed"] + said["counts"]["could_not_check"]
    assert (said["status"] == "succeeded") is (amiss == 0)
    names = [(row["connection"], row["check"]) for row in checks]
    assert len(set(names)) == len(names)
    return checks


def named(said: dict[str, Any], result: str) -> set[str]:
    """Return the names of the checks with a result."""
    return {row["check"] for row in rows(said) if row["result"] == result}


def row_of(said: dict[str, Any], check: str) -> Row:
    """Return the one check of a name."""
    [row] = [row for row in rows(said) if row["check"] == check]
    return row


@dataclass(frozen=True)
class Systems:
    """What Acme is connected with."""

    salesforce: SalesforceInProcess
    vault_crm: VaultInProcess
    align: VaultInProcess


@contextmanager
def systems_in_process() -> Iterator[Systems]:
    """Open the systems, with a few people in Salesforce."""
    with (
        organization_in_process(lambda: datetime.now(UTC)) as salesforce,
        vault_in_process() as vault_crm,
        vault_in_process("align") as align,
    ):
        for _ in range(3):
            salesforce.create(Department="Sales")
        yield Systems(salesforce, vault_crm, align)


@contextmanager
def acme_with(systems: Systems, context: LambdaContext) -> Iterator[Acme]:
    """Have Acme's functions reach its systems; AWS has to be there, and holds no settings yet."""
    context.get_remaining_time_in_millis = lambda: 300_000  # type: ignore[method-assign]  # it is a test's
    wires = {
        "salesforce": systems.salesforce.wire,
        "vault_crm": InProcess(systems.vault_crm.http.application),
        "align": InProcess(systems.align.http.application),
    }
    names = {host: name for name, host in HOSTS.items()}

    def adapter(_: requests.Session, url: str) -> InProcess:
        return wires[names[urlsplit(url).netloc]]

    login.OF_THIS_PROCESS._slots.clear()
    manager = boto3.client("secretsmanager")
    for name in HOSTS:
        manager.create_secret(Name=f"muster/acme/{name}", SecretString=getattr(systems, name).secret)
    with (
        patch.object(requests.Session, "get_adapter", adapter),
        # Between two tries of a read nobody has to wait here.
        patch.dict(Vault.__init__.__kwdefaults__ or {}, {"backoff_s": 0, "sleep": lambda _: None}),
    ):
        yield Acme(systems.salesforce, systems.vault_crm, systems.align, wires, manager, context)


@contextmanager
def acme_in_process(context: LambdaContext) -> Iterator[Acme]:
    """Open Acme with a few people; AWS has to be there."""
    with systems_in_process() as systems, acme_with(systems, context) as acme:
        acme.begin()
        yield acme
