"""The sandbox vault as a command and over HTTP."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.vault_crm import RunningSandbox, running
from sandbox.vault_crm.vault import Vault
from tests.vault import API, new_user

ROOT = Path(__file__).parents[2]


class Caller(requests.Session):
    """A logged-in client of a running vault."""

    def __init__(self, vault: RunningSandbox) -> None:
        super().__init__()
        self.url = vault.url
        credentials = {"username": vault.username, "password": vault.password}
        self.headers["Authorization"] = self.call("POST", f"{API}/auth", data=credentials)["sessionId"]

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.request(method, self.url + path, timeout=10, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def users(self) -> Any:
        vql = "SELECT username__sys, engage_group__v FROM user__sys WHERE country_code__v = 'GB'"
        return self.call("POST", f"{API}/query", data={"q": vql})["data"]


@contextmanager
def started(*arguments: str) -> Iterator[RunningSandbox]:
    """Runs the command, and expects it to end cleanly, and silently, when told."""
    command = [sys.executable, "-W", "error", "-m", "sandbox.vault_crm", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    try:
        assert process.stdout is not None
        yield RunningSandbox(**json.loads(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_says_where_it_is_and_goes_on_from_its_file(tmp_path: Path) -> None:
    data = str(tmp_path / "vault.sqlite")
    with (
        started("--port", "0", "--data", data, "--username", "m@acme.example") as first,
        Caller(first) as caller,
    ):
        caller.call("PUT", "/sandbox/engage/engage/groups/UK", json={"licenses": 1})
        caller.call("PUT", "/sandbox/engage/settle", json={"delay_s": 3600})
        user = new_user(engage_group_request__v="UK")
        caller.call("POST", f"{API}/vobjects/user__sys", json=[user])
        (before,) = caller.users()
    with started("--data", data) as second, Caller(second) as caller:
        assert (second.vault_id, second.username, second.password) == (
            first.vault_id,
            "m@acme.example",
            first.password,
        )
        assert caller.users() == [before]
        assert caller.call("GET", "/sandbox/engage/settle") == {"delay_s": 3600}
        caller.call("PUT", "/sandbox/engage/settle", json={"delay_s": 0})
        assert caller.users() == [before | {"engage_group__v": "UK"}]


def test_a_file_keeps_its_kind_and_takes_other_credentials(tmp_path: Path) -> None:
    data = str(tmp_path / "vault.sqlite")
    Vault(data=data, kind="align").close()
    with running(data=data, username="new@acme.example", password="x") as vault, Caller(vault) as caller:  # noqa: S106  # a test's own
        me = caller.call("GET", f"{API}/objects/users/me")["users"][0]["user"]
        assert me["user_name__v"] == "new@acme.example"
        caller.call("POST", f"{API}/query", data={"q": "SELECT id FROM roster_member__aln"})
    with pytest.raises(ValueError, match="the kind align"):
        Vault(data=data, kind="crm")


def test_a_login_over_http_names_the_address_it_was_sent_to() -> None:
    with running() as vault:
        form = {"username": vault.username, "password": vault.password}
        answer = requests.post(f"{vault.url}{API}/auth", data=form, timeout=10)
        body = answer.json()
        assert body["vaultIds"] == [{"id": vault.vault_id, "name": "Sandbox crm", "url": f"{vault.url}/api"}]
        assert int(answer.headers["x-vaultapi-burstlimitremaining"]) > 0


def test_an_answer_cut_short_is_of_a_call_that_took_effect() -> None:
    with running() as vault, Caller(vault) as caller:
        fault = {"path": f"{API}/vobjects", "fault": "truncate", "method": "POST"}
        caller.call("POST", "/sandbox/faults", json=[fault])
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            caller.call("POST", f"{API}/vobjects/user__sys", json=[new_user()])
        assert len(caller.users()) == 1
