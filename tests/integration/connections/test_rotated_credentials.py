"""Credentials that change while Muster runs: picked up without deploying, and never guessed at (U5, T21)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import scheduled_import
from muster import bootstrap
from muster.errors import Misconfigured
from tests.doubles.acme import Acme
from tests.doubles.credentials import public_pem

LOGINS = {"salesforce": "/oauth2/token", "vault_crm": "/auth", "align": "/auth"}
NEW = "another-secret"
WRONG = "a-wrong-secret"


@dataclass
class Rotating:
    """One connection: a call in its name, its credentials there and in the secret, and what both cost.

    `secret` returns the text of the secret with other credentials; `there` gives the system others.
    Credentials are named `"old"`, `"new"` and `"wrong"`.
    """

    acme: Acme
    connection: str
    call: Callable[[], object]
    secret: Callable[[str], str]
    there: Callable[[str], object]

    def __post_init__(self) -> None:
        self.there("old")
        self.write("old")
        self.reads = 0
        client = vars(bootstrap.secrets("acme"))["_client"]
        client.meta.events.register("before-call.secrets-manager.GetSecretValue", self._read)

    def _read(self, **_: Any) -> None:
        self.reads += 1

    def write(self, which: str) -> None:
        """Write credentials into Secrets Manager."""
        self.acme.write_secret(self.connection, self.secret(which))

    def end_sessions(self) -> None:
        """Have every session ended by the system."""
        self.acme.salesforce.organization.sessions.expire()
        self.acme.vault_crm.vault.sessions.expire()
        self.acme.align.vault.sessions.expire()

    def cost(self) -> tuple[int, int]:
        """Return the logins, and the reads of the secret, since this was asked last."""
        logins = [
            path for _, path in self.acme.calls(self.connection) if path.endswith(LOGINS[self.connection])
        ]
        reads, self.reads = self.reads, 0
        return len(logins), reads


def salesforce_call(login: str, acme: Acme) -> Callable[[], object]:
    """Return a call of the client that an import has."""
    acme.put(connections=acme.connections(salesforce={"login": login}))
    return lambda: bootstrap.salesforce(connections().salesforce).describe()


def connections() -> Any:
    """Return the section of the stored settings."""
    stored = bootstrap.settings_table().current("acme")
    assert stored
    return stored.settings.connections


def client_credentials(acme: Acme, _: list[rsa.RSAPrivateKey]) -> Rotating:
    client = acme.salesforce.organization.client
    secrets = {"old": client.client_secret, "new": NEW, "wrong": WRONG}
    return Rotating(
        acme,
        "salesforce",
        salesforce_call("client_credentials", acme),
        lambda which: json.dumps({"client_id": client.client_id, "client_secret": secrets[which]}),
        lambda which: acme.change_client_secret(secrets[which]),
    )


def jwt_bearer(acme: Acme, keys: list[rsa.RSAPrivateKey]) -> Rotating:
    by_name = dict(zip(("old", "new", "wrong"), keys, strict=True))
    return Rotating(
        acme,
        "salesforce",
        salesforce_call("jwt_bearer", acme),
        lambda which: acme.jwt_secret(by_name[which]),
        lambda which: acme.salesforce.organization.upload_jwt_key(public_pem(by_name[which])),
    )


def password(name: str, acme: Acme) -> Rotating:
    vault = getattr(acme, name).vault
    passwords = {"old": vault.password, "new": NEW, "wrong": WRONG}
    build = {"vault_crm": bootstrap.vault, "align": bootstrap.align}[name]
    return Rotating(
        acme,
        name,
        lambda: build(getattr(connections(), name)).me(),
        lambda which: json.dumps({"username": vault.username, "password": passwords[which]}),
        lambda which: vault.change_password(passwords[which]),
    )


KINDS: dict[str, Callable[[Acme, list[rsa.RSAPrivateKey]], Rotating]] = {
    "salesforce client credentials": client_credentials,
    "salesforce jwt bearer": jwt_bearer,
    "vault_crm": lambda acme, _: password("vault_crm", acme),
    "align": lambda acme, _: password("align", acme),
}


@pytest.fixture(params=KINDS)
def rotating(request: pytest.FixtureRequest, acme: Acme, keys: list[rsa.RSAPrivateKey]) -> Rotating:
    """A connection that has been called with credentials that are right, once."""
    found = KINDS[request.param](acme, keys)
    found.call()
    assert found.cost() == (1, 1)
    return found


def test_a_secret_that_has_not_changed_is_remembered(rotating: Rotating) -> None:
    rotating.call()
    assert rotating.cost() == (0, 0)
    rotating.end_sessions()
    rotating.call()
    assert rotating.cost() == (1, 0)


def test_what_was_rotated_is_read_at_the_first_refusal_and_works(rotating: Rotating) -> None:
    rotating.there("new")
    rotating.write("new")
    rotating.end_sessions()
    rotating.call()
    # Refused with what was remembered, then let in with what the secret holds now.
    assert rotating.cost() == (2, 1)
    rotating.end_sessions()
    rotating.call()
    assert rotating.cost() == (1, 0)


def test_after_five_minutes_what_was_rotated_is_used_without_a_refusal(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotating.there("new")
    rotating.write("new")
    rotating.end_sessions()
    secrets = bootstrap.secrets("acme")
    began = vars(secrets)["_clock"]()
    monkeypatch.setattr(secrets, "_clock", lambda: began + 301)
    rotating.call()
    assert rotating.cost() == (1, 1)


def test_a_secret_that_still_holds_the_old_is_tried_once(rotating: Rotating) -> None:
    rotating.there("new")
    rotating.end_sessions()
    with pytest.raises(Misconfigured, match=f"secret muster/acme/{rotating.connection}"):
        rotating.call()
    assert rotating.cost() == (1, 1)


def test_a_secret_that_changed_to_what_is_wrong_too_is_tried_once_more_and_no_more(
    rotating: Rotating,
) -> None:
    rotating.there("new")
    rotating.write("wrong")
    rotating.end_sessions()
    with pytest.raises(Misconfigured, match=f"secret muster/acme/{rotating.connection}") as error:
        rotating.call()
    assert rotating.cost() == (2, 1)
    assert WRONG not in str(error.value)
    # Put right at last, it works again by itself.
    rotating.write("new")
    rotating.call()


@pytest.mark.parametrize("name", ["vault_crm", "align"])
def test_however_often_a_vault_is_called_wrong_passwords_never_lock_the_user(acme: Acme, name: str) -> None:
    rotating = password(name, acme)
    rotating.call()
    rotating.there("new")
    rotating.write("wrong")
    for _ in range(6):
        with pytest.raises(Misconfigured):
            rotating.call()
    vault = getattr(acme, name).vault
    assert vault.wrong_passwords == 2
    rotating.write("new")
    rotating.call()
    assert vault.wrong_passwords == 0


def test_a_day_of_expiry_in_the_secret_disturbs_no_login(rotating: Rotating) -> None:
    rotating.end_sessions()
    text = json.dumps(json.loads(rotating.secret("old")) | {"expires_on": "2027-01-31"})
    rotating.acme.write_secret(rotating.connection, text)
    assert "expires_on" in bootstrap.secrets("acme").refetch(f"muster/acme/{rotating.connection}")
    rotating.call()
    assert rotating.cost() == (1, 1)


def test_a_scheduled_import_picks_up_rotated_credentials_of_all_its_connections(acme: Acme) -> None:
    """Two invocations of one execution environment; between them everything is rotated."""
    vault = acme.vault_crm.vault
    salesforce, vault_crm = client_credentials(acme, []), password("vault_crm", acme)
    event = {"organization": "acme", "mode": "full", "by": "schedule"}
    first = scheduled_import.handler(event, acme.context)
    assert first["status"] == "succeeded", first
    assert (salesforce.cost()[0], vault_crm.cost()[0]) == (1, 1)

    for rotating in (salesforce, vault_crm):
        rotating.there("new")
        rotating.write("new")
        rotating.end_sessions()
    second = scheduled_import.handler(event, acme.context)
    assert (second["status"], second["counts"]) == ("succeeded", {})
    assert (salesforce.cost()[0], vault_crm.cost()[0]) == (2, 2)
    assert vault.wrong_passwords == 0
