"""Chapter 1: what is wrong with the connections is told before it matters; then the webhook is installed."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import requests

from muster.presentation import checks, members
from sandbox.demo.walk import Answer, Walk
from sandbox.drawing import drawn
from sandbox.local_stack.enrolling import secret_name
from sandbox.local_stack.salesforce_admin import TIMEOUT_S, SalesforceAdmin
from sandbox.local_stack.stack import ORGANIZATION
from sandbox.local_stack.vault_admin import VaultAdmin

ADMIN = "jane@acme.example"
FLOW = "Muster_acme"


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    grace = _people_who_have_been_there(salesforce)
    _check_what_is_wrong(walk)
    _install(walk, salesforce)
    _let_the_first_message_arrive(walk, salesforce, grace)
    _let_the_flow_be_switched_off(walk, salesforce)
    _rotate_the_token(walk, salesforce)
    walk.step(
        "Salesforce: Grace Hopper is deactivated",
        lambda: salesforce.change_user(grace, IsActive=False),
        "that has arrived at the new address, and she is no longer listed",
        lambda members: not members,
    )


def _people_who_have_been_there(salesforce: SalesforceAdmin) -> str:
    """Make the users of a company before it has Muster; return the id of the one who takes calls."""
    salesforce.create_user(FirstName="Jane", LastName="Doe", Email=ADMIN, Username=ADMIN)
    call_center = salesforce.query("SELECT Id FROM CallCenter ORDER BY Name LIMIT 1")[0]["Id"]
    grace = {"FirstName": "Grace", "LastName": "Hopper", "Email": "grace@acme.example"}
    return salesforce.create_user(**grace, Username=grace["Email"], CallCenterId=call_center)


# ── Preflight ────────────────────────────────────────────────────────────────────────────────────────


def _check_what_is_wrong(walk: Walk) -> None:
    vault = VaultAdmin(walk.stack)
    right = walk.stack.facts["credentials"]["salesforce"]

    def break_both() -> Answer:
        _write_secret(walk, {**right, "client_secret": "of-another-app"})
        vault.speak("de")
        return walk.stack.invoke("PreflightFunction")

    said = walk.ask(
        "Two things are wrong: the secret for Salesforce holds another app's client_secret, and the"
        " integration user of Vault CRM speaks German. An admin runs preflight",
        break_both,
        "it names both, before anything was imported or pushed",
        lambda said: (
            [(row["connection"], row["check"]) for row in _of(said, "failed")]
            == [("salesforce", "login"), ("vault_crm", "language")]
        ),
    )
    walk.console.print(drawn(checks.checks_table(_of(said, "failed")), show_lines=True))
    walk.console.print(said["message"], markup=False)

    def mend_both() -> Answer:
        _write_secret(walk, right)
        vault.speak("en")
        return walk.stack.invoke("PreflightFunction")

    said = walk.ask(
        "Both are mended: the secret is written anew, which needs no deployment, and the language is"
        " English. Preflight again",
        mend_both,
        "nothing is wrong any more",
        lambda said: said["status"] == "succeeded" and said["counts"]["passed"] > 0,
    )
    walk.console.print(said["message"], markup=False)
    for row in _of(said, "warning"):
        walk.console.print(f"   {row['check']} ({row['connection']}): {row['found']}", markup=False)


def _write_secret(walk: Walk, credentials: Mapping[str, str]) -> None:
    walk.stack.client("secretsmanager").put_secret_value(
        SecretId=secret_name("salesforce"), SecretString=json.dumps(credentials)
    )


def _of(said: Answer, result: str) -> list[Answer]:
    return [row for row in said["checks"] if row["result"] == result]


# ── The webhook ──────────────────────────────────────────────────────────────────────────────────────


def _install(walk: Walk, salesforce: SalesforceAdmin) -> None:
    said = walk.ask(
        "An admin asks whether Salesforce would take the outbound message and the flow that tell of users",
        lambda: _set_up(walk, "install", by=ADMIN, check_only=True),
        "it would, and has neither so far",
        lambda said: said["status"] == "succeeded" and not salesforce.outbound_messages(),
    )
    walk.console.print(said["message"], markup=False)
    said = walk.ask(
        "The admin has Muster install them",
        lambda: _set_up(walk, "install", by=ADMIN),
        "both are deployed and read back from Salesforce, and the flow is active",
        lambda said: (
            said["status"] == "succeeded"
            and said["changed"] == ["outbound message", "flow"]
            and _holds(said, "flow active")
        ),
    )
    walk.console.print(drawn(checks.links_table(said["checks"])))


def _let_the_first_message_arrive(walk: Walk, salesforce: SalesforceAdmin, grace: str) -> None:
    def promote() -> Answer:
        salesforce.change_user(grace, Title="Rear Admiral")
        walk.until(lambda: [each["title"] for each in walk.members()] == ["Rear Admiral"], "her new title")
        return _set_up(walk, "status")

    said = walk.ask(
        "Salesforce: Grace Hopper, who has been there for long, gets another title",
        promote,
        "the first message has arrived, she is listed, every link from there to here holds, and the ActionId"
        " to list in the settings is named",
        lambda said: {row["check"] for row in said["checks"] if row["result"] != "passed"} == {"ActionId"},
    )
    walk.console.print(drawn(members.roster(walk.members())))
    walk.console.print(f"WebhookSetupFunction, action status: {said['message']}", markup=False)


def _let_the_flow_be_switched_off(walk: Walk, salesforce: SalesforceAdmin) -> None:
    def switch_off() -> Answer:
        salesforce.activate_flow(FLOW, 0)
        return _set_up(walk, "status")

    said = walk.ask(
        "Salesforce: somebody switches the flow off. An admin asks how the webhook stands",
        switch_off,
        "it names the link that is broken",
        lambda said: said["broken"] == "flow active",
    )
    walk.console.print(drawn(checks.checks_table(_of(said, "failed")), show_lines=True))
    said = walk.ask(
        "The admin has it refreshed",
        lambda: _set_up(walk, "refresh", by=ADMIN),
        "the flow is active again; nothing else was touched",
        lambda said: said["changed"] == ["version 1 of the flow activated"] and said["status"] == "succeeded",
    )
    walk.console.print(said["message"], markup=False)


def _rotate_the_token(walk: Walk, salesforce: SalesforceAdmin) -> None:
    [old] = _addresses(salesforce)

    def rotate() -> tuple[Answer, str]:
        said = _set_up(walk, "rotate_token", by=ADMIN)
        [new] = _addresses(salesforce)
        return said, new

    said, new = walk.ask(
        "The admin has the token in the webhook's address rotated",
        rotate,
        "Salesforce has a new one; messages that are on their way with the old one are let in too",
        lambda found: (
            found[0]["status"] == "succeeded"
            and found[1] != old
            and all(map(_is_let_in, (old, found[1])))
            and not _is_let_in(f"{old}-guessed")
        ),
    )
    walk.console.print(f"The old token is valid until {said['previous_token_valid_until']}.")
    # The one that came with the settings had an end since the installation, and ends with this.
    walk.stack.facts["organizations"][ORGANIZATION]["webhook_url"] = new
    walk.stack.write()


def _set_up(walk: Walk, action: str, **event: Any) -> Answer:
    return walk.stack.invoke("WebhookSetupFunction", action=action, **event)


def _holds(said: Answer, link: str) -> bool:
    rows: Iterable[Answer] = said["checks"]
    return any(row["check"] == link and row["result"] == "passed" for row in rows)


def _addresses(salesforce: SalesforceAdmin) -> list[str]:
    return [str(message["url"]) for message in salesforce.outbound_messages()]


def _is_let_in(address: str) -> bool:
    """Tell whether a sender gets past the door, where an empty message is refused as one."""
    return requests.post(address, data=b"", timeout=TIMEOUT_S).status_code == HTTPStatus.BAD_REQUEST
