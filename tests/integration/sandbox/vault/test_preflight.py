"""What the sandbox vault tells about itself and its integration user, and what an admin can set."""

from typing import Any

import pytest

from tests.doubles.vault_in_process import VaultInProcess, new_user

ENGAGE_FIELDS = (
    "engage_group_request__v",
    "engage_group_provisioning_status__v",
    "engage_group__v",
    "remote_meeting_host_id__v",
    "remote_meeting_host_token__v",
    "engage_connect_group_request__v",
    "engage_connect_group_status__v",
    "engage_connect_group__v",
)


def me(vault: VaultInProcess) -> Any:
    return vault.call("GET", "/objects/users/me")["users"][0]["user"]


def fields(vault: VaultInProcess) -> dict[str, Any]:
    listed = vault.call("GET", "/metadata/vobjects/user__sys")["object"]["fields"]
    return {field["name"]: field for field in listed}


def permission(vault: VaultInProcess, name: str) -> Any:
    data = vault.call("GET", f"/objects/users/me/permissions?filter=name__v::{name}")["data"]
    assert [each["name__v"] for each in data] == [name]
    return data[0]["permissions"]


def policy(vault: VaultInProcess) -> Any:
    number = me(vault)["security_policy_id__v"]
    return vault.call("GET", f"/objects/securitypolicies/{number}")["security_policy__v"]


def test_the_integration_user_is_right_from_the_start(vault: VaultInProcess) -> None:
    found = me(vault)
    assert found["user_name__v"] == vault.vault.username
    assert (found["user_language__v"], found["security_profile__v"]) == ("en", "vault_owner__v")
    assert policy(vault)["policy_security_settings__v"]["password_expiration__v"] == 0
    assert permission(vault, "object.user__sys.object_actions") == {
        "read": True,
        "create": True,
        "edit": True,
        "delete": False,
    }


def test_an_admin_can_set_the_integration_user_wrong(vault: VaultInProcess) -> None:
    vault.control(
        "PUT",
        "permissions",
        {"language": "de", "security_profile": "businessAdmin", "password_expires_days": 90},
    )
    found = me(vault)
    assert (found["user_language__v"], found["security_profile__v"]) == ("de", "business_admin__v")
    assert policy(vault)["policy_security_settings__v"]["password_expiration__v"] == 90
    vql = "SELECT language__sysr.admin_key__sys FROM user__sys WHERE id = '10000'"
    assert vault.query(vql)["data"] == [{"language__sysr.admin_key__sys": "de"}]
    vault.control("POST", "reset")
    assert me(vault)["user_language__v"] == "en"
    assert policy(vault)["policy_security_settings__v"]["password_expiration__v"] == 0


def test_every_engage_field_is_there_and_editable(vault: VaultInProcess) -> None:
    found = fields(vault)
    for name in ENGAGE_FIELDS:
        assert (found[name]["editable"], found[name]["status"]) == (True, ["active__v"])
    assert found["id"]["editable"] is False
    assert found["status__v"]["type"] == "Picklist"
    assert found["language__sys"]["object"]["name"] == "language__sys"
    assert vault.call("GET", "/metadata/vobjects/user__sys/fields/id")["field"] == found["id"]


@pytest.mark.parametrize(
    "body",
    [{"fields": {"user__sys": {"engage_group__v": False}}}, {"objects": {"user__sys": {"edit": False}}}],
)
def test_a_field_that_may_not_be_edited_says_so(vault: VaultInProcess, body: dict[str, Any]) -> None:
    vault.control("PUT", "permissions", body)
    assert fields(vault)["engage_group__v"]["editable"] is False
    assert permission(vault, "object.user__sys.object_actions")["edit"] is ("fields" in body)
    assert permission(vault, "object.user__sys.field_actions")["engage_group__v"]["edit"] is False


def test_picklists_list_their_values_and_an_admin_can_change_them(vault: VaultInProcess) -> None:
    name = fields(vault)["engage_group_provisioning_status__v"]["picklist"]
    values = vault.call("GET", f"/objects/picklists/{name}")["picklistValues"]
    assert {"name": "retry_request__v", "label": "Retry Request"} in values
    assert "user_not_in_connect__v" not in [value["name"] for value in values]
    vault.control("PUT", f"picklists/{name}", {"values": ["success__v"]})
    assert vault.call("GET", f"/objects/picklists/{name}")["picklistValues"] == [
        {"name": "success__v", "label": "Success"}
    ]
    answer = vault.update("10000", engage_group_provisioning_status__v="retry_request__v")
    assert answer["errors"][0]["type"] == "INVALID_DATA"


@pytest.mark.parametrize(
    "path",
    [
        "/objects/picklists/nothing__v",
        "/objects/securitypolicies/1",
        "/metadata/vobjects/nothing__v",
        "/metadata/vobjects/user__sys/fields/nothing__v",
    ],
)
def test_what_is_not_there_is_invalid(vault: VaultInProcess, path: str) -> None:
    assert vault.call("GET", path)["errors"][0]["type"] == "INVALID_DATA"


def test_a_filter_must_be_on_the_name(vault: VaultInProcess) -> None:
    answer = vault.call("GET", "/objects/users/me/permissions?filter=id::1")
    assert answer["errors"][0]["type"] == "INVALID_FILTER"


def test_a_reset_goes_back_to_the_start(vault: VaultInProcess) -> None:
    first = vault.create(engage_group_request__v="UK")
    vault.group("UK", 1)
    vault.settle()
    vault.control("PUT", "paging", {"max_rows": 1})
    vault.control("PUT", "permissions", {"objects": {"user__sys": {"edit": False}}})
    vault.control("PUT", "picklists/status__v", {"values": ["active__v"]})
    vault.control("POST", "reset")
    assert len(vault.query("SELECT id FROM user__sys")["data"]) == 4
    assert vault.control("GET", "engage/engage/groups") == vault.control("GET", "engage/requests") == []
    second = vault.create()
    assert int(second) > int(first)
    assert vault.update(second, status__v="inactive__v")["responseStatus"] == "SUCCESS"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("permissions", {"objects": {"user__sys": False}}),
        ("permissions", {"objects": {"user__sys": {"edit": "no"}}}),
        ("permissions", {"language": "Klingon"}),
        ("permissions", {"password_expires_days": -1}),
        ("permissions", {"delete": True}),
        ("burst", {"limit": 0}),
        ("burst", {"window_s": "long"}),
        ("paging", {"shrink": 1}),
        ("vault", {"wrong_vault": "yes"}),
        ("vault", {"password": ""}),
        ("vault", ["password"]),
        ("picklists/status__v", {"values": "active__v"}),
    ],
)
def test_wrong_input_is_answered_with_what_is_allowed(vault: VaultInProcess, path: str, body: object) -> None:
    assert vault.control("PUT", path, body, status=400)["error"]


def full_users(vault: VaultInProcess) -> dict[str, Any]:
    (application,) = vault.call("GET", "/objects/licenses")["applications"]
    found: dict[str, Any] = application["user_licensing"]["full__v"]
    return found


def test_without_a_licence_left_nobody_becomes_active(vault: VaultInProcess) -> None:
    ada, bob = vault.create(), vault.create(status__v="inactive__v")
    before = full_users(vault)["used"]
    vault.control("PUT", "licenses", {"full_users": before})
    assert full_users(vault) == {"licensed": before, "used": before, "shared": False}
    [refused] = vault.write("PUT", [{"id": bob, "status__v": "active__v"}])["data"]
    assert refused["errors"][0]["type"] == "OPERATION_NOT_ALLOWED"
    [refused] = vault.write("POST", [new_user()])["data"]
    assert refused["errors"][0]["type"] == "OPERATION_NOT_ALLOWED"
    # Who is active may be changed, and who is inactive made or changed otherwise.
    vault.update(ada, last_name__sys="King")
    vault.update(bob, last_name__sys="King")
    vault.create(status__v="inactive__v")

    both = [{"id": ada, "status__v": "inactive__v"}, {"id": bob, "status__v": "active__v"}]
    answer = vault.write("PUT", both)["data"]
    assert [each["responseStatus"] for each in answer] == ["SUCCESS", "SUCCESS"]
    assert full_users(vault)["used"] == before
