"""Preflight of Vault CRM: each thing wrong is found, and nothing else is said to be wrong (U2, U6)."""

import json
from typing import Any

import pytest

from muster import bootstrap
from muster.checks import Check
from muster.connections import checking
from tests.doubles.acme import (
    HOSTS,
    Acme,
    named,
    row_of,
    rows,
)

API = "/api/v26.1"
READ = ["account__v", "address__v", "child_account__v", "product_metrics__v", "territory__v", "user__sys"]
ENGAGE = [
    "engage_group_request__v",
    "engage_group_provisioning_status__v",
    "engage_group__v",
    "remote_meeting_host_id__v",
    "remote_meeting_host_token__v",
]
CONNECT = ["engage_connect_group_request__v", "engage_connect_group_status__v", "engage_connect_group__v"]
PICKLISTS = ["engage_group_provisioning_status__v", "engage_connect_group_status__v"]


def wrong(acme: Acme, **permissions: Any) -> dict[str, Any]:
    """Set the integration user wrong, and check."""
    acme.vault_crm.control("PUT", "permissions", permissions)
    return acme.check("vault_crm")


def test_the_whole_list_is_checked_in_few_calls_and_nobody_is_read(acme: Acme) -> None:
    said = acme.check("vault_crm")
    expected = {
        *("secret", "reachable", "login", "right vault", "version", "API access", "language"),
        *(f"read {name}" for name in READ),
        *("create user__sys", "edit user__sys"),
        *(f"field {name}" for name in (*ENGAGE, *CONNECT)),
        *(f"field {name}" for name in ("id", "username__sys", "email__sys", "status__v", "modified_date__v")),
        *(f"values of {name}" for name in PICKLISTS),
        *("base licences", "password expiry", "burst limit"),
    }
    assert {row["check"] for row in rows(said)} == expected
    calls = acme.calls("vault_crm")
    assert len(calls) == 14
    assert not [path for _, path in calls if path.endswith("/query") or "/vobjects/user__sys/" in path]


# ── One thing wrong at a time ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("permissions", "check", "remedy"),
    [
        ({"language": "de"}, "language", "Language: English"),
        *(({"objects": {name: {"read": False}}}, f"read {name}", f"{name}: tick Read") for name in READ),
        ({"objects": {"user__sys": {"create": False}}}, "create user__sys", "tick Create"),
        *(
            ({"fields": {"user__sys": {name: False}}}, f"field {name}", f"{name}: tick Edit")
            for name in (*ENGAGE, *CONNECT)
        ),
    ],
)
def test_what_is_wrong_fails_alone_and_says_where_to_click(
    acme: Acme, permissions: dict[str, Any], check: str, remedy: str
) -> None:
    said = wrong(acme, **permissions)
    assert (named(said, "failed"), named(said, "could_not_check")) == ({check}, set())
    assert remedy in row_of(said, check)["remedy"]
    assert said["message"].endswith(f"checks failed: {check} (vault_crm).")


def test_without_edit_on_users_no_field_can_be_edited_either(acme: Acme) -> None:
    said = wrong(acme, objects={"user__sys": {"edit": False}})
    assert named(said, "failed") == {"edit user__sys", *(f"field {name}" for name in (*ENGAGE, *CONNECT))}


@pytest.mark.parametrize(
    ("features", "fields"), [(["engage"], CONNECT), (["engage_connect"], ENGAGE), ([], ENGAGE)]
)
def test_a_feature_that_is_not_managed_needs_no_right_to_edit(
    acme: Acme, features: list[str], fields: list[str]
) -> None:
    acme.put(connections=acme.connections(vault_crm={"manage_features": features}))
    assert wrong(acme, fields={"user__sys": dict.fromkeys(fields, False)})["status"] == "succeeded"


def test_a_vault_without_the_fields_and_objects_fails_for_each(acme: Acme) -> None:
    # An Align vault in the place of Vault CRM has users, but none of what Engage needs.
    acme.write_secret("vault_crm", acme.align.secret)
    acme.put(connections=acme.connections(vault_crm={"host": HOSTS["align"]}, align=None, salesforce=None))
    said = acme.check()
    assert named(said, "failed") == {
        *(f"read {name}" for name in READ if name != "user__sys"),
        *(f"field {name}" for name in (*ENGAGE, *CONNECT)),
    }
    assert "has no field engage_group__v" in row_of(said, "field engage_group__v")["found"]
    assert named(said, "could_not_check") == {f"values of {name}" for name in PICKLISTS}


def test_a_mapped_field_that_is_not_there_fails(acme: Acme) -> None:
    acme.put(field_maps={"vault_crm": {"inbound": {"custom": {"custom.Team": "team__c"}}}})
    said = acme.check("vault_crm")
    assert named(said, "failed") == {"field team__c"}
    assert "field_maps.vault_crm" in row_of(said, "field team__c")["remedy"]


@pytest.mark.parametrize("name", PICKLISTS)
def test_a_picklist_that_lacks_a_status_fails_and_names_it(acme: Acme, name: str) -> None:
    values = acme.vault_crm.vault.configuration.picklists[name]
    kept = [value for value in values if value not in ("request_sent__v", "success__v")]
    acme.vault_crm.control("PUT", f"picklists/{name}", {"values": kept})
    said = acme.check("vault_crm")
    assert named(said, "failed") == {f"values of {name}"}
    row = row_of(said, f"values of {name}")
    assert row["found"] == "the picklist lacks request_sent__v, success__v"
    assert "connections.vault_crm.statuses.engage" in row["remedy"]


def test_statuses_go_by_the_names_of_the_settings(acme: Acme) -> None:
    name = PICKLISTS[0]
    values = acme.vault_crm.vault.configuration.picklists[name]
    own = ["done__c" if value == "success__v" else value for value in values]
    acme.vault_crm.control("PUT", f"picklists/{name}", {"values": own})
    assert named(acme.check("vault_crm"), "failed") == {f"values of {name}"}
    statuses = {"engage": {"success": "done__c"}}
    acme.put(connections=acme.connections(vault_crm={"statuses": statuses}))
    assert acme.check("vault_crm")["status"] == "succeeded"


# ── Warnings ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_password_that_expires_is_a_warning_with_the_days(acme: Acme) -> None:
    said = wrong(acme, password_expires_days=90)
    assert said["status"] == "succeeded"
    assert named(said, "warning") == {"password expiry"}
    assert "90 days" in row_of(said, "password expiry")["found"]


def test_a_burst_limit_that_is_nearly_used_up_is_a_warning(acme: Acme) -> None:
    acme.check("vault_crm")
    acme.vault_crm.control("PUT", "burst", {"limit": 28, "delay_s": 0})
    said = acme.check("vault_crm")
    row = row_of(said, "burst limit")
    assert row["result"] == "warning"
    assert "of 28 calls are left" in row["found"]


# ── The way in ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("vault", "code"),
    [
        ({"locked": True}, "USER_LOCKED_OUT"),
        ({"password_change_required": True}, "PASSWORD_CHANGE_REQUIRED"),
        ({"password": "another"}, "USERNAME_OR_PASSWORD_INCORRECT"),
    ],
)
def test_a_refused_login_fails_and_the_rest_is_not_asked(
    acme: Acme, vault: dict[str, Any], code: str
) -> None:
    assert acme.check("vault_crm")["status"] == "succeeded"
    acme.vault_crm.control("PUT", "vault", vault)
    said = acme.check("vault_crm")
    assert named(said, "failed") == {"login"}
    assert code in row_of(said, "login")["found"]
    assert named(said, "passed") == {"secret", "reachable"}
    assert "right vault" in named(said, "could_not_check")


def test_a_wrong_password_is_sent_once_however_often_preflight_runs(acme: Acme) -> None:
    secret = json.loads(acme.vault_crm.secret) | {"password": "wrong"}
    acme.write_secret("vault_crm", json.dumps(secret))
    for _ in range(6):
        assert named(acme.check("vault_crm"), "failed") == {"login"}
    assert acme.vault_crm.vault.wrong_passwords == 1


def test_a_session_that_is_open_does_not_hide_a_wrong_password(acme: Acme) -> None:
    assert acme.check("vault_crm")["status"] == "succeeded"
    secret = json.loads(acme.vault_crm.secret) | {"password": "wrong"}
    acme.write_secret("vault_crm", json.dumps(secret))
    assert named(acme.check("vault_crm"), "failed") == {"login"}


def test_an_access_token_in_place_of_a_password_passes_every_check(acme: Acme) -> None:
    acme.vault_crm.control("PUT", "vault", {"access_tokens": ["veeva-vault-1"]})
    acme.write_secret("vault_crm", json.dumps({"access_token": "veeva-vault-1"}))
    said = acme.check("vault_crm")
    assert said["counts"]["passed"] == len(rows(said))
    assert "access token" in row_of(said, "password expiry")["found"]
    acme.write_secret("vault_crm", json.dumps({"access_token": "veeva-vault-2"}))
    row = row_of(acme.check("vault_crm"), "login")
    assert row["result"] == "failed"
    assert "Make a new access token" in row["remedy"]
    assert '{"access_token": "…"}' in row["remedy"]
    assert not [path for _, path in acme.calls("vault_crm") if path.endswith("/auth")]


def test_another_vault_is_told_apart_from_a_refused_login(acme: Acme) -> None:
    acme.vault_crm.control("PUT", "vault", {"wrong_vault": True})
    said = acme.check("vault_crm")
    assert named(said, "failed") == {"right vault"}
    assert {"secret", "reachable", "login"} <= named(said, "passed")
    assert "connections.vault_crm.host" in row_of(said, "right vault")["remedy"]


def test_a_version_that_is_not_served_fails_with_those_that_are(acme: Acme) -> None:
    acme.put(connections=acme.connections(vault_crm={"api_version": "v22.3"}))
    said = acme.check("vault_crm")
    assert {"login", "version"} == named(said, "failed")
    assert row_of(said, "version")["found"].endswith("the newest are v25.3, v26.1, v26.2")


def test_without_api_access_the_login_passes_and_the_rest_could_not_be_checked(acme: Acme) -> None:
    said = wrong(acme, api_access=False)
    assert named(said, "failed") == {"API access"}
    assert {"secret", "reachable", "login", "right vault"} <= named(said, "passed")
    assert "tick Access API" in row_of(said, "API access")["remedy"]
    assert {"language", "read account__v", "fields of user__sys"} <= named(said, "could_not_check")


def test_a_vault_that_is_down_is_not_reachable(acme: Acme) -> None:
    acme.vault_crm.control(
        "POST", "faults", [{"path": "/api", "fault": "status", "status": 503, "count": 99}]
    )
    said = acme.check("vault_crm")
    assert named(said, "failed") == {"reachable"}
    assert "connections.vault_crm.host" in row_of(said, "reachable")["remedy"]


# ── A read that fails ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        (
            f"{API}/objects/users/me/permissions",
            {f"read {name}" for name in READ} | {"create user__sys", "edit user__sys"},
        ),
        (f"{API}/objects/securitypolicies", {"password expiry"}),
        (f"{API}/objects/picklists/{PICKLISTS[0]}", {f"values of {PICKLISTS[0]}"}),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "html"},
        {"fault": "truncate"},
        {"fault": "failure", "error": "INSUFFICIENT_ACCESS"},
    ],
    ids=lambda fault: fault["fault"],
)
def test_a_read_that_fails_hides_no_other_check(
    acme: Acme, path: str, hidden: set[str], fault: dict[str, Any]
) -> None:
    before = {row["check"] for row in rows(acme.check("vault_crm"))}
    acme.vault_crm.control("POST", "faults", [{"path": path, "count": 99, **fault}])
    said = acme.check("vault_crm")
    assert {row["check"] for row in rows(said)} == before
    assert named(said, "could_not_check") == hidden
    assert named(said, "passed") == before - hidden


def test_metadata_that_cannot_be_read_are_one_check_and_what_rests_on_them(acme: Acme) -> None:
    fault = {"path": f"{API}/metadata", "fault": "status", "status": 503, "count": 99}
    acme.vault_crm.control("POST", "faults", [fault])
    said = acme.check("vault_crm")
    assert named(said, "could_not_check") == {
        "fields of user__sys",
        *(f"values of {name}" for name in PICKLISTS),
    }
    assert {"language", "edit user__sys", "password expiry"} <= named(said, "passed")


# ── The cheap form before a push ─────────────────────────────────────────────────────────────────────


def cheap(acme: Acme) -> list[Check]:
    """Return what a scheduled push would be kept back by."""
    stored = bootstrap.settings_table().current("acme")
    assert stored
    connection = stored.settings.connections.vault_crm
    assert connection
    return checking.failed_push_checks(stored.settings, bootstrap.vault(connection))


def test_the_cheap_form_is_a_login_and_two_calls(acme: Acme) -> None:
    assert cheap(acme) == []
    assert [path for _, path in acme.calls("vault_crm")] == [
        f"{API}/auth",
        f"{API}/objects/users/me",
        f"{API}/metadata/vobjects/user__sys",
    ]


@pytest.mark.parametrize(
    ("permissions", "failed"),
    [
        ({"language": "fr"}, ["language"]),
        ({"fields": {"user__sys": {"engage_group_request__v": False}}}, ["field engage_group_request__v"]),
        (
            {"fields": {"user__sys": {"remote_meeting_host_id__v": False}}},
            ["field remote_meeting_host_id__v"],
        ),
        ({"api_access": False}, ["login"]),
        # What a push does not rest on.
        ({"password_expires_days": 3}, []),
    ],
)
def test_the_cheap_form_answers_what_failed(
    acme: Acme, permissions: dict[str, Any], failed: list[str]
) -> None:
    acme.vault_crm.control("PUT", "permissions", permissions)
    found = cheap(acme)
    assert [check.check for check in found] == failed
    assert all(check.found and check.remedy for check in found)


def test_the_cheap_form_asks_nothing_of_what_is_not_pushed(acme: Acme) -> None:
    acme.put(connections=acme.connections(vault_crm={"manage_features": ["engage"]}))
    fields = {"user__sys": {"engage_connect_group_request__v": False}}
    acme.vault_crm.control("PUT", "permissions", {"fields": fields})
    assert cheap(acme) == []


def test_a_vault_that_is_down_is_no_failed_check_of_the_cheap_form(acme: Acme) -> None:
    acme.vault_crm.control(
        "POST", "faults", [{"path": "/api", "fault": "status", "status": 503, "count": 99}]
    )
    assert cheap(acme) == []


def test_a_refused_login_keeps_the_push_back(acme: Acme) -> None:
    acme.vault_crm.control("PUT", "vault", {"locked": True})
    [check] = cheap(acme)
    assert (check.check, "USER_LOCKED_OUT" in check.found) == ("login", True)


def test_the_fields_of_custom_mappings_are_checked_and_their_picklists(acme: Acme) -> None:
    kinds = {"field": "user_type__v", "map": {"Rep": "sales__v", "Cook": "cook__v"}}
    custom = {"title": "title__sys", "extension": "team__c", "assignment": kinds}
    acme.put(field_maps={"vault_crm": {"outbound": {"custom": custom}}})
    acme.vault_crm.control("PUT", "permissions", {"fields": {"user__sys": {"title__sys": False}}})
    said = acme.check("vault_crm")
    assert named(said, "failed") == {"field title__sys", "field team__c", "values of user_type__v"}
    assert "lacks cook__v" in row_of(said, "values of user_type__v")["found"]
    # What a licence needs is there: a push sends it, and leaves out what it cannot write.
    vault = bootstrap.settings_table().current("acme")
    assert vault
    connection = vault.settings.connections.vault_crm
    assert connection
    assert checking.failed_push_checks(vault.settings, bootstrap.vault(connection)) == []


def test_that_nobody_can_be_made_active_any_more_is_a_warning(acme: Acme) -> None:
    row = row_of(acme.check("vault_crm"), "base licences")
    assert row["result"] == "passed"
    (application,) = acme.vault_crm.call("GET", "/objects/licenses")["applications"]
    used = application["user_licensing"]["full__v"]["used"]
    acme.vault_crm.control("PUT", "licenses", {"full_users": used})
    said = acme.check("vault_crm")
    row = row_of(said, "base licences")
    assert (row["result"], said["status"]) == ("warning", "succeeded")
    assert row["found"] == f"vault_crm__v: 0 of {used} licences for users are left"
    assert "make users inactive" in row["remedy"]
