"""Saving and rotating under bad luck: two at once, a crash at any call, an answer that is lost."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.run_archive import RunArchive
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.settings_table import SettingsTable
from muster.adapters.aws.webhook_journal import WebhookJournal
from muster.adapters.aws.webhook_registry import Token, WebhookRegistration, WebhookRegistry
from muster.errors import Rejected, Stale, Unavailable
from muster.organization_settings.configuring import Configuring
from muster.organization_settings.previewing import Previewing
from muster.organization_settings.saving import Signature
from muster.settings.sections import SalesforceConnection
from muster.settings.versions import StoredSettings
from muster.webhook import tokens

NOW = datetime(2026, 11, 20, 8, 15, 32, tzinfo=UTC)
CONNECTIONS = {"salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062"}}
JANE, JOE = Signature("jane@acme.example"), Signature("joe@acme.example")


def configuring(client: Any) -> Configuring:
    """Return the use case on a client; Salesforce is down, so that settings are saved without it."""

    def is_down(connection: SalesforceConnection) -> Any:
        raise Unavailable("Salesforce is down")

    table = RunTable(client, "roster")
    return Configuring(
        SettingsTable(client, "roster"),
        WebhookRegistry(client, "roster"),
        WebhookJournal(client, "roster"),
        Previewing(
            table,
            RosterTable(client, "roster"),
            RunArchive(boto3.client("s3"), "archive"),
            is_down,
            is_down,
            now=lambda: NOW,
            remaining=lambda: 900,
        ),
        "https://api.example.com/v2",
        NOW,
        loopback_hosts=True,
    )


@pytest.fixture
def jane(aws: SimpleNamespace) -> Configuring:
    """Return an admin nothing happens to."""
    return configuring(boto3.client("dynamodb"))


@pytest.fixture
def joe(aws: SimpleNamespace) -> Configuring:
    """Return an admin on the client that bad luck is watching."""
    return configuring(aws.dynamodb)


def registration(jane: Configuring) -> WebhookRegistration:
    found = jane.webhooks.find("acme")
    assert found is not None
    return found


def saved(jane: Configuring) -> dict[str, Any]:
    """Return the current document."""
    found = jane.store.current("acme")
    assert found is not None
    return found.document


# ── Two at once ───────────────────────────────────────────────────────────────────────────────────


@contextmanager
def just_before(client: Any, operation: str, act: Callable[[], object]) -> Iterator[None]:
    """Have `act` done, once, when `client` is about to call `operation`."""
    waiting = [act]

    def before(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register(f"before-call.dynamodb.{operation}", before)
    yield
    client.meta.events.unregister(f"before-call.dynamodb.{operation}", before)
    assert not waiting, f"{operation} was not called"


@pytest.mark.parametrize("version", [1, 2])
def test_of_two_puts_at_once_one_wins_and_the_other_is_told(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring, version: int
) -> None:
    if version == 2:
        jane.put("acme", {}, JANE)
    won: list[dict[str, Any]] = []

    def other() -> None:
        won.append(jane.put("acme", {"guard": {"count": 7}}, JANE))

    with just_before(aws.dynamodb, "TransactWriteItems", other), pytest.raises(Rejected) as caught:
        joe.put("acme", {"guard": {"count": 8}}, JOE)
    assert caught.value.problems[0].message == f"are overtaken: version {version} was saved meanwhile"
    assert saved(jane)["guard"] == {"count": 7}
    assert [stored.by for stored in jane.store.versions("acme", 10)] == [JANE.by] * version
    if version == 1:
        assert tokens.matches(won[0]["webhook"]["token"], registration(jane).tokens, NOW)


def test_a_put_does_not_undo_a_rotation_that_came_in_between(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring
) -> None:
    jane.put("acme", {}, JANE)
    with (
        just_before(aws.dynamodb, "TransactWriteItems", lambda: jane.rotate_token("acme", "jane")),
        pytest.raises(Rejected, match="token was changed meanwhile"),
    ):
        joe.put("acme", {"connections": CONNECTIONS}, JOE)
    assert len(registration(jane).tokens) == 2
    assert registration(jane).organization_id == ""
    assert "connections" not in saved(jane)


def test_a_put_that_leaves_the_registration_alone_is_not_held_up_by_a_rotation(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring
) -> None:
    jane.put("acme", {}, JANE)
    with just_before(aws.dynamodb, "TransactWriteItems", lambda: jane.rotate_token("acme", "jane")):
        assert joe.put("acme", {"guard": {"count": 8}}, JOE)["version"] == 2
    assert len(registration(jane).tokens) == 2


def test_of_two_rotations_at_once_one_wins_and_the_other_shows_no_token(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring
) -> None:
    jane.put("acme", {}, JANE)
    won: list[dict[str, Any]] = []
    with (
        just_before(aws.dynamodb, "PutItem", lambda: won.append(jane.rotate_token("acme", "jane"))),
        pytest.raises(Rejected, match="changed meanwhile"),
    ):
        joe.rotate_token("acme", "jane")
    assert tokens.matches(won[0]["webhook"]["token"], registration(jane).tokens, NOW)


# ── Crashes ───────────────────────────────────────────────────────────────────────────────────────


class Crash(BaseException):
    """The process ends here; not an Exception, which botocore would take for a failure to retry."""


def put_and_crash(client: Any, hook: str, calls: int, organization: str) -> bool:
    """Put, and crash at the hook after so many calls; tell whether it came to that."""
    left = itertools.count(calls, step=-1)

    def die(**_: Any) -> None:
        if next(left) == 0:
            raise Crash

    client.meta.events.register(hook, die)
    try:
        configuring(client).put(organization, {"connections": CONNECTIONS}, JOE)
    except Crash:
        return True
    finally:
        client.meta.events.unregister(hook, die)
    return False


@pytest.mark.parametrize("hook", ["before-call.dynamodb", "after-call.dynamodb"])
def test_a_crash_at_any_call_leaves_all_of_a_version_or_none(
    aws: SimpleNamespace, jane: Configuring, hook: str
) -> None:
    for calls in itertools.count():
        organization = f"acme-{calls}"
        crashed = put_and_crash(aws.dynamodb, hook, calls, organization)
        items = aws.dynamodb.scan(TableName=aws.table)["Items"]
        written = [
            item for item in items if organization in (item["sk"]["S"], item["pk"]["S"].partition("#")[2])
        ]
        assert len(written) in (0, 4)
        said = jane.put(organization, {"connections": CONNECTIONS}, JANE)
        assert said["version"] == 1
        # Whoever never saw the token of a put that died after its write rotates.
        assert ("webhook" in said) is said["saved"] is (not written)
        assert jane.rotate_token(organization, "jane")["webhook"]["token"]
        if not crashed:
            break
    assert calls == 4, "three reads and the transaction"


# ── Lost answers ──────────────────────────────────────────────────────────────────────────────────


@contextmanager
def lost_answer(client: Any, operation: str) -> Iterator[None]:
    """Have a call of `operation` take effect and its answer lost, so that botocore tries again."""
    left = [1]

    def lose(request: Any, **_: Any) -> None:
        target = request.headers["X-Amz-Target"]
        name = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        if name == operation and left:
            left.pop()
            _carry_out(name, request)
            raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register_first("before-send", lose)
    yield
    client.meta.events.unregister("before-send", lose)
    assert not left, f"{operation} was not called"


def _carry_out(operation: str, request: Any) -> None:
    """Do what a request asks for. moto knows no idempotency, so the retry meets the first try's work."""
    body = json.loads(request.body)
    body.pop("ClientRequestToken", None)
    method = {"TransactWriteItems": "transact_write_items", "PutItem": "put_item"}[operation]
    getattr(boto3.client("dynamodb"), method)(**body)


def test_a_put_whose_answer_was_lost_knows_its_own_work(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring
) -> None:
    with lost_answer(aws.dynamodb, "TransactWriteItems"):
        said = joe.put("acme", {"connections": CONNECTIONS}, JOE)
    assert (said["saved"], said["version"]) == (True, 1)
    assert tokens.matches(said["webhook"]["token"], registration(jane).tokens, NOW)
    assert len(jane.store.versions("acme", 10)) == 1


def test_a_rotation_whose_answer_was_lost_knows_its_own_work(
    aws: SimpleNamespace, jane: Configuring, joe: Configuring
) -> None:
    old = jane.put("acme", {}, JANE)["webhook"]["token"]
    with lost_answer(aws.dynamodb, "PutItem"):
        new = joe.rotate_token("acme", "jane")["webhook"]["token"]
    valid = registration(jane).tokens
    assert len(valid) == 2
    assert tokens.matches(new, valid, NOW)
    assert tokens.matches(old, valid, NOW)


MINE = StoredSettings("acme", 1, {"organization": "acme"}, JOE.by, "2026-11-20T08:15:32Z", "", "mine")


def test_work_is_known_again_under_a_newer_version(aws: SimpleNamespace, jane: Configuring) -> None:
    table = SettingsTable(aws.dynamodb, aws.table)
    registered = (None, WebhookRegistration("", (), (Token("0" * 64),)))
    table.save(MINE, registered)
    assert jane.put("acme", {"guard": {"count": 7}}, JANE)["version"] == 2
    table.save(MINE, registered)
    assert saved(jane)["guard"] == {"count": 7}


def test_the_same_settings_of_another_attempt_are_not_ones_own_work(aws: SimpleNamespace) -> None:
    table = SettingsTable(aws.dynamodb, aws.table)
    table.save(MINE, None)
    with pytest.raises(Stale):
        table.save(replace(MINE, attempt="theirs"), None)
