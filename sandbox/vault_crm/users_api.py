"""The parts of the API about the user who is logged in: who it is, what it may do, its password's policy."""

from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.vault_crm.configuration import Permissions
from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.setup_records import INTEGRATION_USER, security_profile_name
from sandbox.vault_crm.standard_objects import USER
from sandbox.vault_crm.store import full_users
from sandbox.vault_crm.vault import Vault

SECURITY_POLICY = 4711
_NAME_FILTER = "name__v::"


def add_users(paths: Blueprint, vault: Vault) -> None:
    """Add `objects/users/me`, its permissions, licences, picklists and security policies."""

    @paths.get("/<version>/objects/users/me")
    def show_me(version: str) -> Any:
        return jsonify(responseStatus="SUCCESS", users=[{"user": _me(vault)}])

    @paths.get("/<version>/objects/users/me/permissions")
    def show_permissions(version: str) -> Any:
        wanted = request.args.get("filter")
        if wanted is not None and not wanted.startswith(_NAME_FILTER):
            raise VaultError("INVALID_FILTER", "The filter is name__v:: and the name of a permission")
        name = wanted.removeprefix(_NAME_FILTER) if wanted else None
        permissions = _permissions(vault)
        if name is not None:
            permissions = [each for each in permissions if each["name__v"] == name]
        return jsonify(responseStatus="SUCCESS", data=permissions)

    @paths.get("/<version>/objects/licenses")
    def show_licenses(version: str) -> Any:
        return jsonify(responseStatus="SUCCESS", applications=[_licenses(vault)])

    @paths.get("/<version>/objects/picklists/<name>")
    def show_picklist(version: str, name: str) -> Any:
        values = vault.configuration.picklists.get(name)
        if values is None:
            raise VaultError("INVALID_DATA", f"The picklist [{name}] does not exist")
        shown = [{"name": value, "label": label} for value, label in values.items()]
        return jsonify(responseStatus="SUCCESS", picklistValues=shown)

    @paths.get("/<version>/objects/securitypolicies/<int:number>")
    def show_security_policy(version: str, number: int) -> Any:
        if number != SECURITY_POLICY:
            raise VaultError("INVALID_DATA", f"The security policy [{number}] does not exist")
        return jsonify(responseStatus="SUCCESS", security_policy__v=_security_policy(vault))


def _me(vault: Vault) -> dict[str, Any]:
    user = vault.integration_user()
    return {
        "id": int(INTEGRATION_USER),
        "user_name__v": user["username__sys"],
        "user_first_name__v": user["first_name__sys"],
        "user_last_name__v": user["last_name__sys"],
        "user_email__v": user["email__sys"],
        "user_timezone__v": user["timezone__sys"],
        "user_locale__v": user["locale__sys"],
        "user_language__v": user["language__sys"],
        "security_profile__v": security_profile_name(str(user["security_profile__sys"])),
        "license_type__v": user["license_type__sys"],
        "security_policy_id__v": SECURITY_POLICY,
        "active__v": user["status__v"] == "active__v",
        "is_domain_admin__v": False,
        "vault_id__v": [vault.id],
    }


def _licenses(vault: Vault) -> dict[str, Any]:
    """Return the vault's own licences; what the application of a Vault CRM is called is not documented."""
    with vault.store.transaction() as db:
        used = full_users(db, USER)
    full = {"licensed": vault.configuration.base_licenses.full_users, "used": used, "shared": False}
    none = {"licensed": 0, "used": 0, "shared": False}
    return {
        "application_name": f"vault_{vault.kind}__v",
        "user_licensing": {"full__v": full, "external__v": none, "read_only__v": none},
    }


def _permissions(vault: Vault) -> list[dict[str, Any]]:
    """Return what may be done with each object and, in a shape that is not documented, with each field."""
    allowed: Permissions = vault.configuration.permissions
    found: list[dict[str, Any]] = []
    for vobject in vault.schema.values():
        actions = {each: allowed.allows(vobject.name, each) for each in ("read", "create", "edit")}
        found.append(
            {"name__v": f"object.{vobject.name}.object_actions", "permissions": actions | {"delete": False}}
        )
        fields = {
            field.name: {
                "read": actions["read"],
                "edit": field.editable and allowed.may_edit(vobject.name, field.name),
            }
            for field in vobject.fields
        }
        found.append({"name__v": f"object.{vobject.name}.field_actions", "permissions": fields})
    return found


def _security_policy(vault: Vault) -> dict[str, Any]:
    return {
        "policy_details__v": {"name__v": str(SECURITY_POLICY), "label__v": "Default", "is_active__v": True},
        "policy_security_settings__v": {
            "authentication_type__v": {"name__v": "Password", "label__v": "Password"},
            "password_expiration__v": vault.configuration.permissions.password_expires_days,
            "password_history_reuse__v": 3,
            "min_password_length__v": 12,
        },
    }
