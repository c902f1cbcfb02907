"""What happens around every call of the API: counting, the checks of version and session, the headers."""

import secrets

from flask import Response, g, request

from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.setup_records import INTEGRATION_USER
from sandbox.vault_crm.vault import Vault

_FIRST, _LAST = (23, 1), (26, 2)
SERVED_VERSIONS = [
    f"v{year}.{part}" for year in range(23, 27) for part in (1, 2, 3) if _FIRST <= (year, part) <= _LAST
]


def admit(vault: Vault) -> None:
    """Count the call and check its version and session; put the session into `g`. Raises VaultError."""
    version = (request.view_args or {}).get("version")
    is_served = version is None or version in SERVED_VERSIONS
    if request.path.endswith("/auth"):
        g.allowance = vault.burst.login()
        if not is_served:
            raise VaultError("MALFORMED_URL", f"The API version [{version}] is not supported")
        return
    g.allowance = vault.burst.call()
    given = request.headers.get("Authorization", "")
    session = given.removeprefix("Bearer ").strip()
    # A token is accepted as a Bearer only, a session either way.
    is_open = given in {f"Bearer {each}" for each in vault.access_tokens} or vault.sessions.use(session)
    # Clients report that a version which is not served is answered as if the session were not known.
    if not is_served or not is_open:
        raise VaultError("INVALID_SESSION_ID", "Invalid or expired session ID")
    g.session = session
    if not vault.configuration.permissions.api_access:
        message = f"User [{INTEGRATION_USER}] not licensed for permission [VaultActions_API_Access]"
        raise VaultError("INSUFFICIENT_ACCESS", message)


def add_headers(vault: Vault, answer: Response) -> None:
    """Add the headers that every answer has."""
    answer.headers["X-VaultAPI-ExecutionId"] = secrets.token_hex(16)
    answer.headers["X-VaultAPI-VaultId"] = str(vault.id)
    if "allowance" in g:
        answer.headers.update(g.allowance.headers())
    if "session" in g:
        answer.headers["X-VaultAPI-UserId"] = INTEGRATION_USER
        answer.headers["X-VaultAPI-TruncatedSessionId"] = f"{g.session[:3]}******{g.session[-3:]}"
    answer.headers["X-VaultAPI-Status"] = str(answer.get_json()["responseStatus"])
