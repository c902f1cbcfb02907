"""The webhook set up in Salesforce by the deployed function, and a secret rotated as it runs (U5, U7)."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster

type Answer = dict[str, Any]

ADMIN = "ines@initech.example"


@dataclass(frozen=True)
class Initech:
    """An organization of its own over the same Salesforce as acme, whose webhook is left alone."""

    stack: LocalStack
    salesforce: SalesforceAdmin
    organization: str

    @property
    def name(self) -> str:
        """What its outbound message and its flow are called."""
        return f"Muster_{self.organization}"

    @property
    def secret(self) -> str:
        return f"muster/{self.organization}/salesforce"

    @property
    def roster(self) -> Roster:
        return Roster(self.stack, self.organization)

    def put(self, connection: Answer | None = None, **sections: Any) -> Answer:
        """Save settings, with some of Salesforce's connection changed."""
        acme = self.stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
        salesforce = acme["connections"]["salesforce"] | (connection or {})
        settings = {"organization": self.organization, "connections": {"salesforce": salesforce}, **sections}
        saved = self.stack.invoke(
            "OrganizationSettingsFunction",
            organization=self.organization,
            action="put",
            by=ADMIN,
            settings=settings,
        )
        assert saved["status"] == "succeeded", saved
        return saved

    def write_secret(self, **credentials: str) -> None:
        self.stack.client("secretsmanager").put_secret_value(
            SecretId=self.secret, SecretString=json.dumps(credentials)
        )

    def set_up(self, action: str) -> Answer:
        signed = {} if action == "status" else {"by": ADMIN}
        return self.stack.invoke(
            "WebhookSetupFunction", organization=self.organization, action=action, **signed
        )

    def install(self) -> None:
        said = self.set_up("install")
        assert (said["status"], said["changed"]) == ("succeeded", ["outbound message", "flow"]), said

    def addresses(self) -> list[str]:
        """Return where Salesforce sends its messages for this organization to; at most one address."""
        return [each["url"] for each in self.salesforce.outbound_messages() if each["name"] == self.name]

    def titles(self, usernames: list[str]) -> dict[str, str | None]:
        """Return the titles of these members, once all that Salesforce had to send has been applied."""
        wait_until(self.stack.is_settled, "everything delivered and applied", seconds=PATIENCE_S)
        found = (self.roster.people(each, active=True) for each in usernames)
        return {member["username"]: member["title"] for members in found for member in members}


@pytest.fixture
def initech(stack: LocalStack, salesforce: SalesforceAdmin) -> Iterator[Initech]:
    """An organization with settings and no webhook in Salesforce; afterwards it is idle and has none."""
    initech = Initech(stack, salesforce, f"initech{uuid4().hex[:12]}")
    credentials = json.dumps(stack.facts["credentials"]["salesforce"])
    stack.client("secretsmanager").create_secret(Name=initech.secret, SecretString=credentials)
    initech.put()
    yield initech
    removed = initech.set_up("remove")
    initech.put(connections={}, auto_provision={"enabled": False})
    assert (removed["status"], initech.addresses()) == ("succeeded", []), removed


@pytest.fixture
def org(salesforce: SalesforceAdmin) -> Iterator[SalesforceAdmin]:
    """Salesforce, whose kind of organization and of deployments a test may change."""
    yield salesforce
    salesforce.set_up("organization", production=False, activate_flows_by_api=False)
    salesforce.set_up("deploys", in_progress_s=0)


def is_let_in(address: str) -> bool:
    """Tell whether a sender gets past the door, where an empty message is refused as one."""
    status = requests.post(address, data=b"", timeout=60).status_code
    assert status in (400, 404)
    return status == 400


def broken(said: Answer) -> set[str]:
    return {row["check"] for row in said["checks"] if row["result"] in ("failed", "could_not_check")}


def test_acme_has_the_webhook_that_muster_installed_and_every_link_holds(
    stack: LocalStack, salesforce: SalesforceAdmin, people: People, roster: Roster
) -> None:
    assert [each["name"] for each in salesforce.outbound_messages()] == ["Muster_acme"]
    ada = people.new()
    assert roster.once_settled(ada.username, active=True)
    said = stack.invoke("WebhookSetupFunction", action="status")
    assert (said["status"], said["broken"]) == ("succeeded", None), said
    # Until the settings list the ActionId that was read back.
    assert {row["check"] for row in said["checks"] if row["result"] != "passed"} == {"ActionId"}
    assert is_let_in(stack.webhook_url), "the address of stack.json, which came with the settings"


def test_nothing_is_lost_while_the_webhook_is_looked_after(initech: Initech, people: People) -> None:
    initech.install()
    users = [people.new() for _ in range(3)]
    wanted: dict[str, str | None] = {}

    def look_after() -> list[Answer]:
        actions = ("status", "rotate_token", "refresh", "rotate_token", "status")
        return [initech.set_up(action) for action in actions]

    with ThreadPoolExecutor(1) as other:
        work = other.submit(look_after)
        number = 0
        while not work.done() or number < len(users):
            user, number = users[number % len(users)], number + 1
            wanted[user.username] = f"Title {number}"
            initech.salesforce.change_user(user.id, Title=wanted[user.username])
        said = work.result()
    assert [each["status"] for each in said] == ["succeeded"] * 5
    rotated = ["outbound message"]
    assert [each.get("changed") for each in said] == [None, rotated, [], rotated, None]
    assert initech.titles(list(wanted)) == wanted


def test_what_was_sent_before_a_rotation_and_after_it_arrives(
    initech: Initech, people: People, delivery: SalesforceAdmin
) -> None:
    initech.install()
    [old] = initech.addresses()
    delivery.delivery(hold=True)
    ada, grace = people.new(), people.new()
    said = initech.set_up("rotate_token")
    assert said["status"] == "succeeded"
    [new] = initech.addresses()
    assert new != old
    # What Salesforce has under way goes to the old address, what it begins to send to the new one.
    assert is_let_in(old)
    assert is_let_in(new)
    assert not is_let_in(f"{old}x")
    delivery.change_user(ada.id, Title="Countess")
    delivery.delivery(hold=False)
    assert initech.titles([ada.username, grace.username]) == {ada.username: "Countess", grace.username: None}

    assert initech.set_up("rotate_token")["status"] == "succeeded"
    assert not is_let_in(old), "rotated twice, a token that has leaked is worth nothing"
    delivery.change_user(grace.id, Title="Rear Admiral")
    assert initech.titles([grace.username]) == {grace.username: "Rear Admiral"}


def test_in_production_an_admin_is_told_to_activate_the_flow_and_then_messages_arrive(
    initech: Initech, people: People, org: SalesforceAdmin
) -> None:
    org.set_up("organization", production=True)
    said = initech.set_up("install")
    assert (said["status"], said["changed"]) == ("succeeded_with_errors", ["outbound message", "flow"]), said
    assert broken(said) == {"flow active"}
    assert f"Setup > Flows > Muster {initech.organization} > version 1: Activate." in said["message"]
    ada = people.new()
    assert initech.titles([ada.username]) == {}, "no flow runs yet"
    assert initech.set_up("status")["last_message_at"] is None

    org.activate_flow(initech.name, 1)
    assert broken(initech.set_up("status")) == set()
    org.change_user(ada.id, Title="Countess")
    assert initech.titles([ada.username]) == {ada.username: "Countess"}
    said = initech.set_up("status")
    assert (said["status"], said["broken"]) == ("succeeded", None)
    assert said["last_message_at"]


def test_of_two_set_ups_at_once_one_is_refused(initech: Initech, org: SalesforceAdmin) -> None:
    org.set_up("deploys", in_progress_s=3600)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(initech.set_up, "install")
        try:
            wait_until(
                lambda: (setup := initech.set_up("status")["setup"]) and setup["deployment"],
                "the first one's deployment",
                seconds=PATIENCE_S,
            )
            second = initech.set_up("install")
        finally:
            org.set_up("deploys", in_progress_s=0)
        assert second["status"] == "rejected"
        assert second["errors"][0]["message"].startswith(f"is being set up already, by {ADMIN}"), second
        assert (first.result()["status"], len(initech.addresses())) == ("succeeded", 1), first.result()


def test_removed_nothing_is_left_and_installed_again_it_works(initech: Initech, people: People) -> None:
    initech.install()
    [old] = initech.addresses()
    ada = people.new()
    assert initech.titles([ada.username]) == {ada.username: None}
    assert initech.set_up("remove")["status"] == "succeeded"
    assert initech.addresses() == []
    assert not is_let_in(old)
    assert initech.set_up("status")["broken"] == "flow"
    initech.salesforce.change_user(ada.id, Title="Countess")
    assert initech.titles([ada.username]) == {ada.username: None}

    initech.install()
    initech.salesforce.change_user(ada.id, FirstName="Augusta")
    assert initech.titles([ada.username]) == {ada.username: "Countess"}
    assert broken(initech.set_up("status")) == set()


# ── Secrets ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ClientApp:
    """The app in Salesforce that Muster logs in with, when it does so with a certificate."""

    url: str

    def new_certificate(self) -> dict[str, str]:
        """Have another certificate uploaded in the place of the one before; return what a secret needs."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        uploaded = requests.put(
            f"{self.url}/sandbox/jwt-key", json={"public_key": public.decode()}, timeout=30
        )
        uploaded.raise_for_status()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {**uploaded.json(), "private_key": private.decode()}


def test_a_rotated_secret_is_taken_up_by_the_worker_as_it_runs(
    stack: LocalStack, initech: Initech, people: People
) -> None:
    app = ClientApp(stack.salesforce)
    initech.write_secret(**app.new_certificate())
    initech.put({"login": "jwt_bearer"})
    initech.install()
    ada = people.new()
    assert initech.titles([ada.username]) == {ada.username: None}, "the worker has logged in"
    initech.write_secret(**app.new_certificate())
    requests.post(f"{stack.salesforce}/sandbox/sessions/expire", timeout=30).raise_for_status()
    initech.salesforce.log_in()  # an admin's session has ended as well
    initech.salesforce.change_user(ada.id, Title="Countess")
    assert initech.titles([ada.username]) == {ada.username: "Countess"}
