"""The stand-ins as commands of their own, and what only a server can do."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import salesforce, scim, vault_crm
from sandbox.vault_crm.vault import Vault
from tests.conftest import ROOT
from tests.doubles.salesforce_over_http import Organization
from tests.doubles.sandbox_doors import control, misbehave
from tests.doubles.scim_in_process import new_user as new_scim_user
from tests.doubles.scim_in_process import scim_in_process
from tests.doubles.vault_host import Admin
from tests.doubles.vault_in_process import API, new_user


@contextmanager
def started(name: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run the command, expect it to end cleanly, and silently, when told; yields what it says at first."""
    command = [sys.executable, "-W", "error", "-m", f"sandbox.{name}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


# ── Salesforce ──────────────────────────────────────────────────────────────────────────────────────


def test_the_command_of_salesforce_says_where_it_is_and_goes_on_from_its_file(tmp_path: Path) -> None:
    data = str(tmp_path / "salesforce.sqlite")
    with started("salesforce", "--port", "0", "--data", data, "--delivery", '{"hold": true}') as said:
        first = salesforce.RunningSandbox(**said)
        org = Organization(first)
        org.control("POST", "custom-fields", {"name": "Shoe__c", "type": "Text"}, status=201)
        user = org.create(LastName="Hopper", Shoe__c="38")
        assert org.control("GET", "outbound-message/delivery")["hold"] is True
        org.http.close()
    with started("salesforce", "--data", data, "--client-secret", "changed") as said:
        second = salesforce.RunningSandbox(**said)
        assert (second.organization_id, second.client_id) == (first.organization_id, first.client_id)
        assert second.client_secret == "changed"  # noqa: S105  # a test's own
        org = Organization(second)
        read = org.user(user)
        assert (read["LastName"], read["Shoe__c"]) == ("Hopper", "38")
        assert org.create() > user
        org.http.close()


def test_wrong_delivery_settings_are_refused() -> None:
    command = [sys.executable, "-m", "sandbox.salesforce", "--delivery", '{"slow": true}']
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603  # our own command
    assert ended.returncode == 2
    assert "--delivery: the body is an object with some of hold, duplicate" in ended.stderr


# ── Vault CRM ───────────────────────────────────────────────────────────────────────────────────────

USERS = "SELECT username__sys, engage_group__v FROM user__sys WHERE country_code__v = 'GB'"


def test_the_command_of_a_vault_says_where_it_is_and_goes_on_from_its_file(tmp_path: Path) -> None:
    data = str(tmp_path / "vault.sqlite")
    with started("vault_crm", "--port", "0", "--data", data, "--username", "m@acme.example") as said:
        first = vault_crm.RunningSandbox(**said)
        control(first.url, "PUT", "engage/engage/groups/UK", {"licenses": 1})
        control(first.url, "PUT", "engage/settle", {"delay_s": 3600})
        with closing(Admin(first)) as admin:
            admin.call("POST", "vobjects/user__sys", json=[new_user(engage_group_request__v="UK")])
            (before,) = admin.rows(USERS)
    with started("vault_crm", "--data", data) as said:
        second = vault_crm.RunningSandbox(**said)
        assert (second.vault_id, second.username, second.password) == (
            first.vault_id,
            "m@acme.example",
            first.password,
        )
        with closing(Admin(second)) as admin:
            assert admin.rows(USERS) == [before]
            assert control(second.url, "GET", "engage/settle") == {"delay_s": 3600}
            control(second.url, "PUT", "engage/settle", {"delay_s": 0})
            assert admin.rows(USERS) == [before | {"engage_group__v": "UK"}]


def test_a_file_keeps_its_kind_and_takes_other_credentials(tmp_path: Path) -> None:
    data = str(tmp_path / "vault.sqlite")
    Vault(data=data, kind="align").close()
    with (
        vault_crm.running(data=data, username="new@acme.example", password="x") as vault,  # noqa: S106  # a test's own
        closing(Admin(vault)) as admin,
    ):
        me = admin.call("GET", "objects/users/me")["users"][0]["user"]
        assert me["user_name__v"] == "new@acme.example"
        admin.rows("SELECT id FROM roster_member__aln")
    with pytest.raises(ValueError, match="the kind align"):
        Vault(data=data, kind="crm")


def test_a_login_over_http_names_the_address_it_was_sent_to() -> None:
    with vault_crm.running() as vault:
        form = {"username": vault.username, "password": vault.password}
        answer = requests.post(f"{vault.url}{API}/auth", data=form, timeout=10)
        body = answer.json()
        assert body["vaultIds"] == [{"id": vault.vault_id, "name": "Sandbox crm", "url": f"{vault.url}/api"}]
        assert int(answer.headers["x-vaultapi-burstlimitremaining"]) > 0


def test_an_answer_cut_short_is_of_a_call_that_took_effect() -> None:
    with vault_crm.running() as vault, closing(Admin(vault)) as admin:
        misbehave(vault.url, {"path": f"{API}/vobjects", "fault": "truncate", "method": "POST"})
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            admin.call("POST", "vobjects/user__sys", json=[new_user()])
        assert len(admin.rows(USERS)) == 1


# ── SCIM ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_of_a_scim_app_says_where_it_is_and_goes_on_from_its_file(tmp_path: Path) -> None:
    data = str(tmp_path / "scim.sqlite")
    with scim_in_process(data=data, quirks={"seats": 1}) as before:
        ada, token = before.create("ada@acme.example"), before.app.token
        before.patch(ada, ("replace", "title", "Countess"))
    with started("scim", "--data", data) as said:
        running = scim.RunningSandbox(**said)
        assert running.token == token
        users = f"{running.url}{running.path}/Users"
        bearer = {"Authorization": f"Bearer {running.token}"}
        assert requests.get(f"{users}/{ada}", headers=bearer, timeout=10).json()["title"] == "Countess"
        bob = new_scim_user("bob@acme.example")
        assert requests.post(users, headers=bearer, json=bob, timeout=10).status_code == 403
