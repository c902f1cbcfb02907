"""The login with username and password.

Five wrong passwords in a row lock the account. A caller that cannot log in to the vault it asked for is
logged in to another one, successfully, and only the answer's `vaultIds` tell.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.setup_records import INTEGRATION_USER
from sandbox.vault_crm.vault import MOST_WRONG_PASSWORDS, Vault

OTHER_VAULT = {"id": 1001, "name": "Another vault", "url": "https://another-vault.veevavault.com/api"}


def log_in(vault: Vault, form: Mapping[str, str], host_url: str) -> dict[str, Any]:
    """Return the answer with the session; `host_url` is the address called. Raises VaultError."""
    _check(vault, form.get("username", ""), form.get("password", ""))
    own = {"id": vault.id, "name": f"Sandbox {vault.kind}", "url": f"{host_url}/api"}
    host = host_url.partition("://")[2]
    if vault.configuration.login.wrong_vault or form.get("vaultDNS", host) != host:
        session, entered = secrets.token_hex(32).upper(), OTHER_VAULT  # a session that this vault has not
    else:
        session, entered = vault.sessions.open(), own
    return {
        "responseStatus": "SUCCESS",
        "sessionId": session,
        "userId": int(INTEGRATION_USER),
        "vaultIds": [entered],
        "vaultId": entered["id"],
    }


def _check(vault: Vault, username: str, password: str) -> None:
    login = vault.configuration.login
    if not password:
        raise _refused("NO_PASSWORD_PROVIDED", "No password was provided")
    if login.locked or vault.wrong_passwords >= MOST_WRONG_PASSWORDS:
        raise _refused("USER_LOCKED_OUT", "The user is locked out after too many failed logins")
    is_right = hmac.compare_digest(password.encode(), vault.password.encode())
    # A username, like an e-mail address, has no case.
    if username.lower() != vault.username.lower() or not is_right:
        vault.wrong_passwords += 1
        raise _refused("USERNAME_OR_PASSWORD_INCORRECT", "Authentication failed")
    vault.wrong_passwords = 0
    if login.password_change_required:
        raise _refused("PASSWORD_CHANGE_REQUIRED", "The password must be changed")
    if vault.integration_user()["status__v"] != "active__v":
        raise _refused("INACTIVE_USER", "The user is inactive")


def _refused(kind: str, message: str) -> VaultError:
    return VaultError(kind, message, error_type="AUTHENTICATION_FAILED")
