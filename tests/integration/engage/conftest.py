"""Acme with Vault CRM connected, and with Align as well."""

from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from requests.adapters import BaseAdapter

import scheduled_push
from muster.adapters.vault import login
from muster.adapters.vault.client import Vault
from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.vault_in_process import VaultInProcess, vault_in_process
from tests.integration.beginnings import Built, begin, data_of
from tests.integration.company import Company
from tests.integration.engage import align_desk
from tests.integration.engage.align_desk import Desk
from tests.integration.engage.licences import VAULT_HOST, Licences, renew_vault


@pytest.fixture(scope="module")
def opened_vault() -> Iterator[tuple[VaultInProcess, bytes]]:
    """Open a vault for the tests of a module, one after the other; with what it holds at first."""
    with vault_in_process() as vault:
        yield vault, data_of(vault.vault.store)


@pytest.fixture
def licences(
    company: Company,
    opened_vault: tuple[VaultInProcess, bytes],
    built: Built,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Licences]:
    """Return Acme with Vault CRM connected and both features managed; the group UK has two licences."""
    vault, _ = opened_vault
    wire = InProcess(vault.http.application)

    def adapter(_: requests.Session, url: str) -> InProcess:
        return wire if urlsplit(url).netloc == VAULT_HOST else company.salesforce.wire

    monkeypatch.setattr(scheduled_push, "time", SimpleNamespace(sleep=vault.clock.pass_s))
    login.OF_THIS_PROCESS._slots.clear()
    # Between two tries of a read nobody has to wait here.
    monkeypatch.setitem(Vault.__init__.__kwdefaults__ or {}, "backoff_s", 0)
    # Undone here: `monkeypatch` lives longer than the company, whose own patch lies below.
    with patch.object(requests.Session, "get_adapter", adapter):
        # Before the secret: the test before may have changed the password.
        renew_vault(*opened_vault)
        boto3.client("secretsmanager").create_secret(Name="muster/acme/vault_crm", SecretString=vault.secret)
        licences = Licences(company, vault, wire)
        begin(licences, built, connect)
        yield licences


def connect(licences: Licences) -> None:
    """Save settings with Vault CRM connected, which has a group."""
    said = licences.company.put(
        seats={},
        seat_required={},
        assignments=[],
        connections={
            "salesforce": licences.company.salesforce.connection,
            "vault_crm": {"host": VAULT_HOST, "manage_features": ["engage", "engage_connect"]},
        },
    )
    assert said["status"] == "succeeded", said
    licences.vault.group("UK", 2)


@pytest.fixture
def desk(licences: Licences, opened_align: tuple[VaultInProcess, bytes], built: Built) -> Iterator[Desk]:
    """Return Acme with Align connected as well."""
    align, data = opened_align
    wire = InProcess(align.http.application)
    others = requests.Session.get_adapter

    def adapter(session: requests.Session, url: str) -> BaseAdapter:
        return wire if urlsplit(url).netloc == align_desk.ALIGN_HOST else others(session, url)

    with patch.object(requests.Session, "get_adapter", adapter):
        boto3.client("secretsmanager").create_secret(Name="muster/acme/align", SecretString=align.secret)
        renew_vault(align, data)
        desk = Desk(licences, align, wire)
        begin(desk, built, align_desk.set_up)
        yield desk


@pytest.fixture
def ada(desk: Desk, built: Built) -> tuple[str, str]:
    """Return somebody who is in all three systems: the ids in Vault CRM and in Align."""
    return begin(desk, built, Desk.person)


@pytest.fixture(scope="module")
def opened_align(opened_vault: tuple[VaultInProcess, bytes]) -> Iterator[tuple[VaultInProcess, bytes]]:
    """Open an Align for the tests of the module, one after the other; with what it holds at first."""
    vault, _ = opened_vault
    with vault_in_process("align", clock=vault.clock) as align:
        yield align, data_of(align.vault.store)
