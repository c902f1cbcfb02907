"""The paths under `/sandbox/` that only this sandbox has: what an admin of the vault or of Engage would do.

All take and answer JSON. Wrong input is answered with 400 and what is allowed.
"""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.vault_crm.engage import CONNECT_STATES, FEATURES
from sandbox.vault_crm.vault import Vault

# Settings of the integration user that are in its record: the reference and the field of its key.
_REFERENCES = {
    "language": ("language__sys", "admin_key__sys"),
    "security_profile": ("security_profile__sys", "profile_key__sys"),
}

TOKENS_BEGIN = "veeva-vault-"


def control_paths(vault: Vault) -> Blueprint:
    """Return the paths for the Engage server, sessions, limits, permissions and picklists."""
    paths = Blueprint("vault_control", __name__, url_prefix="/sandbox")

    @paths.errorhandler(ValueError)
    def wrong_input(error: ValueError) -> Any:
        return jsonify(error=str(error)), 400

    @paths.post("/sessions/expire")
    def expire_sessions() -> Any:
        vault.sessions.expire()
        return jsonify(status="expired")

    for section in ("burst", "paging"):
        _add_section(paths, vault, section, f"/{section}")
    for section in ("settle", "licenses"):
        _add_section(paths, vault, section, f"/engage/{section}")
    # The vault's own, beside those of Engage.
    _add_section(paths, vault, "base_licenses", "/licenses")
    _add_login(paths, vault)
    _add_permissions(paths, vault)
    _add_groups(paths, vault)
    _add_requests(paths, vault)
    return paths


def _add_section(paths: Blueprint, vault: Vault, section: str, path: str) -> None:
    def change() -> Any:
        return jsonify(vault.configuration.change(section, _body()))

    def show() -> Any:
        return jsonify(asdict(getattr(vault.configuration, section)))

    paths.add_url_rule(path, f"change_{section}", change, methods=["PUT"])
    paths.add_url_rule(path, f"show_{section}", show, methods=["GET"])


def _add_login(paths: Blueprint, vault: Vault) -> None:
    @paths.put("/vault")
    def change_login() -> Any:
        body = _object()
        password = body.pop("password", None)
        if password is not None and (not isinstance(password, str) or not password):
            raise ValueError("password is a text")
        tokens = body.pop("access_tokens", None)
        if tokens is not None and (
            not isinstance(tokens, list) or not all(str(each).startswith(TOKENS_BEGIN) for each in tokens)
        ):
            raise ValueError(f"access_tokens is a list of texts that begin with {TOKENS_BEGIN}")
        changed = vault.configuration.change("login", body)
        if password is not None:
            vault.change_password(password)
        if tokens is not None:
            vault.access_tokens = set(tokens)
        if body.get("locked") is False:
            vault.wrong_passwords = 0
        return jsonify(changed)


def _add_permissions(paths: Blueprint, vault: Vault) -> None:
    def shown() -> Any:
        user = vault.integration_user()
        own = {name: user[reference] for name, (reference, _) in _REFERENCES.items()}
        return jsonify(asdict(vault.configuration.permissions) | own)

    @paths.get("/permissions")
    def show_permissions() -> Any:
        return shown()

    @paths.put("/permissions")
    def change_permissions() -> Any:
        body = _object()
        own = {name: body.pop(name) for name in _REFERENCES if name in body}
        vault.configuration.change("permissions", body)
        for name, key in own.items():
            vault.set_integration_user(*_REFERENCES[name], key)
        return shown()

    @paths.put("/picklists/<name>")
    def put_picklist(name: str) -> Any:
        return jsonify(values=vault.configuration.put_picklist(name, _object().get("values")))


def _add_groups(paths: Blueprint, vault: Vault) -> None:
    engage = vault.engage

    @paths.get("/engage/<feature>/groups")
    def list_groups(feature: str) -> Any:
        return jsonify(engage.groups(_known(feature)))

    @paths.put("/engage/<feature>/groups/<path:name>")
    def put_group(feature: str, name: str) -> Any:
        licenses = _object().get("licenses")
        is_number = isinstance(licenses, int) and not isinstance(licenses, bool) and licenses >= 0
        if not is_number and not (licenses is None and feature == "engage_connect"):
            raise ValueError("licenses is a number, or null for any number in engage_connect")
        engage.put_group(_known(feature), name, licenses)
        return jsonify(name=name, licenses=licenses)

    @paths.delete("/engage/<feature>/groups/<path:name>")
    def remove_group(feature: str, name: str) -> Any:
        return jsonify(name=name, removed=engage.remove_group(_known(feature), name))

    @paths.post("/engage/<feature>/groups/<path:name>/rename")
    def rename_group(feature: str, name: str) -> Any:
        new_name = _object().get("name")
        if not isinstance(new_name, str) or not new_name:
            raise ValueError("name is the group's new name")
        if not engage.rename_group(_known(feature), name, new_name):
            raise ValueError(f"there is no group {name}")
        return jsonify(name=new_name)


def _add_requests(paths: Blueprint, vault: Vault) -> None:
    @paths.get("/engage/requests")
    def list_requests() -> Any:
        return jsonify(vault.engage.processed())

    @paths.put("/engage/connect-users/<user>")
    def put_connect_user(user: str) -> Any:
        state = _object().get("state")
        if state not in CONNECT_STATES:
            raise ValueError(f"state is one of {', '.join(CONNECT_STATES)}")
        vault.engage.put_connect_user(user, state)
        return jsonify(user=user, state=state)


def _known(feature: str) -> str:
    if feature not in FEATURES:
        raise ValueError(f"the feature is one of {', '.join(FEATURES)}")
    return feature


def _body() -> object:
    return request.get_json(force=True, silent=True) if request.get_data() else {}


def _object() -> dict[str, Any]:
    body = _body()
    if not isinstance(body, dict):
        raise ValueError("the body is an object")
    return body
