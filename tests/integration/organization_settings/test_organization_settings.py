"""The function an admin invokes, on the template's table: saving, racing, rotating, losing answers."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient
from botocore.exceptions import ClientError

import organization_settings
from muster import bootstrap
from muster.adapters.aws.webhook_registry import Token, WebhookRegistration
from muster.errors import Misconfigured, Unavailable
from muster.webhook import tokens
from tests.integration.pasted import events_for, pasted

NOW = datetime(2026, 11, 20, 8, 15, 32, tzinfo=UTC)
CONNECTIONS = {"salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062"}}
ADDRESS = "https://api.example.com/v2/features/agent-auto-provision/organizations/acme/integrations/salesforce/webhook"

type Invoke = Callable[..., dict[str, Any]]


@pytest.fixture
def invoke(aws: SimpleNamespace, context: LambdaContext) -> Invoke:
    """Return a function that invokes OrganizationSettingsFunction about acme, as jane."""

    def call(action: str, **event: Any) -> dict[str, Any]:
        event = {"organization": "acme", "action": action, "by": "jane@acme.example"} | event
        said: dict[str, Any] = organization_settings.handler(event, context)
        return json.loads(json.dumps(said))  # type: ignore[no-any-return]  # Lambda too answers JSON

    return call


def items(aws: SimpleNamespace) -> dict[tuple[str, str], dict[str, Any]]:
    """Return everything in the table, by keys."""
    found = aws.dynamodb.scan(TableName=aws.table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def registration() -> WebhookRegistration:
    found = bootstrap.webhook_registry().find("acme")
    assert found is not None
    return found


# ── Saving and reading ────────────────────────────────────────────────────────────────────────────


def test_nothing_is_there_before_the_first_put(invoke: Invoke) -> None:
    restore = {"version": 1}
    for action in ("get", "history", "restore", "rotate_token"):
        said = invoke(action, **(restore if action == "restore" else {}))
        assert said["status"] == "rejected"
        assert said["errors"][0]["message"] == "acme has no settings"


def test_the_first_put_saves_version_1_and_issues_a_token(invoke: Invoke, aws: SimpleNamespace) -> None:
    said = invoke("put", settings={"connections": CONNECTIONS}, why="The first")
    assert (said["status"], said["version"], said["saved"]) == ("succeeded", 1, True)
    url = urlsplit(said["webhook"]["url"])
    assert said["webhook"]["url"].startswith(ADDRESS + "?token=")
    assert parse_qs(url.query) == {"token": [said["webhook"]["token"]]}
    assert tokens.matches(said["webhook"]["token"], registration().tokens, NOW)
    assert set(items(aws)) == {
        ("ORG#acme", "SETTINGS"),
        ("ORG#acme", "SETTINGS#00000001"),
        ("WEBHOOK#acme", "WEBHOOK"),
        ("ORGANIZATIONS", "acme"),
    }


def test_the_webhook_item_has_the_shape_its_readers_know(invoke: Invoke, aws: SimpleNamespace) -> None:
    settings = {
        "connections": {"salesforce": CONNECTIONS["salesforce"] | {"action_ids": ["04k000000000001"]}}
    }
    token = invoke("put", settings=settings)["webhook"]["token"]
    assert json.loads(items(aws)["WEBHOOK#acme", "WEBHOOK"]["doc"]["S"]) == {
        "organization_id": "00D000000000062EAA",
        "action_ids": ["04k000000000001AAA"],
        "tokens": [{"sha256": tokens.digest(token), "expires_at": None, "issued_to": "jane@acme.example"}],
    }


def test_no_token_is_stored_or_logged_in_plain(
    invoke: Invoke, aws: SimpleNamespace, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    issued = [invoke("put", settings={"connections": CONNECTIONS})["webhook"]["token"]]
    issued += [invoke("rotate_token")["webhook"]["token"] for _ in range(2)]
    invoke("get")
    stored, logged = json.dumps(list(items(aws).values())), log.getvalue() + capsys.readouterr().out
    assert "rotate_token" in logged
    for token in issued:
        assert token not in stored
        assert token not in logged


def test_the_log_says_which_version_was_saved_and_nothing_of_the_document(
    invoke: Invoke, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke("put", settings={"domains": {"primary": "canary.example"}}, why="canary")
    line, metric = json.loads(log.getvalue()), json.loads(capsys.readouterr().out)
    expected = {
        "organization": "acme",
        "action": "put",
        "status": "succeeded",
        "version": 1,
    }
    assert {key: line[key] for key in expected} == expected
    assert metric["SettingsSaved"] == [1.0]
    assert "canary" not in json.dumps([line, metric])
    assert "jane" not in json.dumps([line, metric])


def test_get_answers_the_settings_as_written_and_as_they_act(invoke: Invoke) -> None:
    written = {"organization": "acme", "connections": CONNECTIONS, "guard": {"count": 7}}
    invoke("put", settings=written, why="Because")
    said = invoke("get")
    assert said["settings"] == written
    assert said["effective"]["guard"]["count"] == 7
    assert said["effective"]["guard"]["floor"] == 5
    assert said["effective"]["connections"]["salesforce"]["organization_id"] == "00D000000000062EAA"
    assert (said["version"], said["by"], said["why"]) == (1, "jane@acme.example", "Because")
    assert datetime.fromisoformat(said["at"]).tzinfo == UTC
    assert [each["where"] for each in said["warnings"]] == ["connections.salesforce.action_ids"]


@pytest.mark.parametrize("action", ["validate", "put"])
def test_who_believes_messages_or_lets_any_message_call_is_told(invoke: Invoke, action: str) -> None:
    believing = {"connections": CONNECTIONS, "auto_provision": {"read_back": False}}
    said = invoke(action, settings=believing)
    places = [each["where"] for each in said["warnings"]]
    assert {"auto_provision.read_back", "connections.salesforce.action_ids"} <= set(places)
    assert all(each["remedy"] for each in said["warnings"])


def test_yaml_is_stored_as_the_object_it_is(invoke: Invoke) -> None:
    invoke("put", settings="# Ours\nguard: {count: 7}\n")
    assert invoke("get")["settings"] == {"organization": "acme", "guard": {"count": 7}}
    assert not invoke("put", settings={"guard": {"count": 7}, "organization": "acme"})["saved"]


def test_a_later_put_shows_no_token_and_keeps_the_one_there_is(invoke: Invoke) -> None:
    token = invoke("put", settings={})["webhook"]["token"]
    assert registration().organization_id == ""
    said = invoke("put", settings={"connections": CONNECTIONS})
    assert "webhook" not in said
    assert said["version"] == 2
    assert registration().organization_id == "00D000000000062EAA"
    assert tokens.matches(token, registration().tokens, NOW)


def test_a_put_of_the_same_changes_nothing(invoke: Invoke, aws: SimpleNamespace) -> None:
    invoke("put", settings={"connections": CONNECTIONS})
    before = items(aws)
    said = invoke("put", settings={"connections": CONNECTIONS}, why="Again", expected_version=0)
    assert (said["status"], said["saved"], said["version"]) == ("succeeded", False, 1)
    assert "webhook" not in said
    assert items(aws) == before


def test_a_lost_webhook_item_is_made_anew_by_a_put_of_the_same(invoke: Invoke, aws: SimpleNamespace) -> None:
    invoke("put", settings={"connections": CONNECTIONS})
    aws.dynamodb.delete_item(TableName=aws.table, Key={"pk": {"S": "WEBHOOK#acme"}, "sk": {"S": "WEBHOOK"}})
    said = invoke("put", settings={"connections": CONNECTIONS})
    assert said["version"] == 2
    assert tokens.matches(said["webhook"]["token"], registration().tokens, NOW)


def test_a_rejected_document_changes_nothing(invoke: Invoke, aws: SimpleNamespace) -> None:
    invoke("put", settings={"connections": CONNECTIONS})
    before = items(aws)
    for settings in (
        {"guard": {"count": "x"}},
        {"organization": "globex"},
        "a: [",
        "",
        {"seats": {"a": {"requires": ["a"]}}},
    ):
        for action in ("put", "validate"):
            event = {"by": None} if action == "validate" else {}
            assert invoke(action, settings=settings, **event)["status"] == "rejected"
    assert invoke("put", settings={}, by=None)["errors"][0]["where"] == "by"
    assert invoke("put", settings=None)["errors"][0]["where"] == "settings"
    assert invoke("put", settings=[{}])["errors"][0]["where"] == "settings"
    assert items(aws) == before


def test_validate_answers_what_saving_would_change(invoke: Invoke, aws: SimpleNamespace) -> None:
    first = invoke("validate", settings={"guard": {"count": 7}})
    assert first["version"] == 0
    assert "guard" in [change["where"] for change in first["changes"]]
    invoke("put", settings={"guard": {"count": 7}, "assignments": [{"name": "A", "filter": "x = 1"}]})
    before = items(aws)
    said = invoke(
        "validate",
        settings={"guard": {"count": 8, "floor": 5}, "assignments": [{"name": "B", "filter": "x = 1"}]},
    )
    assert said["changes"] == [
        {"where": "assignments[0].name", "before": "A", "after": "B"},
        {"where": "guard.count", "before": 7, "after": 8},
    ]
    assert (said["status"], said["version"]) == ("succeeded", 1)
    assert [warning["where"] for warning in said["warnings"]] == ["assignments[0].filter"]
    assert items(aws) == before


def test_organizations_do_not_see_each_other(invoke: Invoke) -> None:
    invoke("put", settings={"guard": {"count": 7}})
    assert invoke("get", organization="acme-two")["status"] == "rejected"
    invoke("put", settings={"guard": {"count": 8}}, organization="acme-two")
    assert invoke("get")["settings"]["guard"]["count"] == 7


# ── History and restore ───────────────────────────────────────────────────────────────────────────


def test_history_lists_versions_newest_first_with_what_each_changed(invoke: Invoke) -> None:
    for count in (9, 8, 7):
        invoke("put", settings={"guard": {"count": count}}, why=f"To {count}")
    said = invoke("history", limit=2)
    assert [(entry["version"], entry["why"], entry["changed"]) for entry in said["versions"]] == [
        (3, "To 7", ["guard.count"]),
        (2, "To 8", ["guard.count"]),
    ]
    assert all(entry["by"] == "jane@acme.example" and entry["at"] for entry in said["versions"])
    rest = invoke("history", limit=2, cursor=said["cursor"])
    assert [(entry["version"], entry["changed"]) for entry in rest["versions"]] == [
        (1, ["organization", "guard"])
    ]
    assert rest["cursor"] is None
    assert invoke("history", cursor="1")["versions"] == []
    assert invoke("history", cursor="x")["status"] == "rejected"


def test_history_pages_cover_every_version_once(invoke: Invoke) -> None:
    for count in range(12, 0, -1):
        invoke("put", settings={"guard": {"count": count}})
    for limit in (1, 4, 5, 12, 100):
        seen: list[int] = []
        page = invoke("history", limit=limit)
        while True:
            seen += [entry["version"] for entry in page["versions"]]
            if page["cursor"] is None:
                break
            page = invoke("history", limit=limit, cursor=page["cursor"])
        assert seen == list(range(12, 0, -1))


def test_restore_saves_an_earlier_version_as_the_next(invoke: Invoke) -> None:
    token = invoke("put", settings={"connections": CONNECTIONS})["webhook"]["token"]
    invoke("put", settings={})
    assert registration().organization_id == ""
    said = invoke("restore", version=1, why="Back")
    assert (said["version"], said["restored"], said["saved"]) == (3, 1, True)
    assert registration().organization_id == "00D000000000062EAA"
    assert tokens.matches(token, registration().tokens, NOW)
    assert invoke("get")["settings"] == invoke("get", version=1)["settings"]
    assert invoke("history")["versions"][0]["why"] == "Back"
    assert not invoke("restore", version=3)["saved"]
    assert invoke("restore", version=9)["errors"][0]["where"] == "version"
    assert invoke("restore", version=2, expected_version=2)["errors"][0]["where"] == "expected_version"


def test_a_version_that_is_no_longer_accepted_is_shown_but_not_restored(
    invoke: Invoke, aws: SimpleNamespace
) -> None:
    invoke("put", settings={})
    for sort_key in ("SETTINGS", "SETTINGS#00000001"):
        doc = {
            "settings": {"organization": "acme", "old": 1},
            "by": "j",
            "at": "2020-01-01T00:00:00Z",
            "why": "",
            "attempt": "x",
        }
        aws.dynamodb.update_item(
            TableName=aws.table,
            Key={"pk": {"S": "ORG#acme"}, "sk": {"S": sort_key}},
            UpdateExpression="SET doc = :doc",
            ExpressionAttributeValues={":doc": {"S": json.dumps(doc)}},
        )
    stored = bootstrap.settings_table().current("acme")
    assert stored is not None
    with pytest.raises(Misconfigured, match="no longer accepted"):
        _ = stored.settings
    said = invoke("get")
    assert (said["settings"], said["effective"]) == ({"organization": "acme", "old": 1}, None)
    assert "no longer accepted" in said["warnings"][0]["message"]
    assert invoke("restore", version=1)["errors"][0]["where"] == "old"
    assert invoke("validate", settings={})["status"] == "succeeded"
    assert invoke("put", settings={})["version"] == 2


def test_an_expected_version_that_is_not_current_is_rejected(invoke: Invoke) -> None:
    assert (
        invoke("put", settings={}, expected_version=1)["errors"][0]["message"]
        == "is 1, but there are none yet"
    )
    assert invoke("put", settings={}, expected_version=0)["version"] == 1
    for expected in (0, 2):
        said = invoke("put", settings={"guard": {"count": 7}}, expected_version=expected)
        assert said["errors"][0]["message"] == f"is {expected}, but version 1 is the current one"
    assert invoke("put", settings={"guard": {"count": 7}}, expected_version=1)["version"] == 2


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────


def test_rotation_keeps_the_old_token_for_two_days(invoke: Invoke) -> None:
    old = invoke("put", settings={"connections": CONNECTIONS})["webhook"]["token"]
    said = invoke("rotate_token")
    new = said["webhook"]["token"]
    assert said["webhook"]["url"] == f"{ADDRESS}?token={new}"
    until = datetime.fromisoformat(said["previous_token_valid_until"])
    valid = registration().tokens
    assert tokens.matches(old, valid, until - timedelta(seconds=1))
    assert not tokens.matches(old, valid, until)
    assert tokens.matches(new, valid, until)
    assert registration().organization_id == "00D000000000062EAA"
    invoke("rotate_token")
    assert len(registration().tokens) == 2
    assert not tokens.matches(old, registration().tokens, NOW)


def test_rotation_needs_to_know_who_asks(invoke: Invoke) -> None:
    invoke("put", settings={})
    before = registration()
    assert invoke("rotate_token", by=None)["errors"][0]["where"] == "by"
    assert registration() == before


def test_an_item_written_without_a_version_can_be_replaced(aws: SimpleNamespace) -> None:
    doc = {"organization_id": "", "action_ids": [], "tokens": [{"sha256": "0" * 64, "expires_at": None}]}
    aws.dynamodb.put_item(
        TableName=aws.table,
        Item={"pk": {"S": "WEBHOOK#acme"}, "sk": {"S": "WEBHOOK"}, "doc": {"S": json.dumps(doc)}},
    )
    was = registration()
    becomes = WebhookRegistration("00D000000000062EAA", (), was.tokens)
    bootstrap.webhook_registry().replace("acme", was, becomes)
    assert registration() == WebhookRegistration("00D000000000062EAA", (), (Token("0" * 64),), version=1)


# ── Faults, and events to paste ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("InternalServerError", Unavailable),
        ("AccessDeniedException", Misconfigured),
        ("ThrottlingException", Unavailable),
    ],
)
def test_a_failing_table_is_a_fault_and_not_an_answer(
    aws: SimpleNamespace, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, code: str, fault: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetItem")

    monkeypatch.setattr(BaseClient, "_make_api_call", fail)
    with pytest.raises(fault):
        invoke("get")


def test_every_event_to_paste_works_in_the_order_of_the_docs(
    aws: SimpleNamespace, context: LambdaContext
) -> None:
    names = {each.removeprefix("organization_settings_") for each in events_for("organization_settings")}
    order = ["validate", "put", "get", "put_yaml", "history", "undo", "restore", "rotate_token"]
    # The others read Salesforce or Vault CRM: the tests beside this one, _preview and _describe, have them.
    assert names == {
        *order,
        "preview",
        "approve",
        "describe",
        "describe_salesforce",
        "describe_align",
    }
    for name in order:
        event = pasted(f"organization_settings_{name}")
        said = organization_settings.handler(event, context)
        assert said["status"] == "succeeded", (name, said)
    assert said["webhook"]["token"]
