"""Login to a vault: a session opened with username and password, and shared.

    Sessions      the open sessions of this process, each of one organization, secret and version of it
    VaultLogin    the session of one connection (T21, U5)

Five wrong passwords in a row lock a Vault account. So logins are never retried automatically, a login
waits for one that is under way, and a refused password is not sent again for an hour unless it changed.
Sessions are never ended here: what a vault does after a write may still run in them (P4).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from muster.adapters.aws.secrets import require_keys
from muster.adapters.http_calls import System
from muster.adapters.vault.answers import INVALID_SESSION, fault_of, read_answer
from muster.errors import Misconfigured, NotServed, Rejected, Unavailable, WrongSystem

if TYPE_CHECKING:
    from muster.adapters.aws.secrets import Secret, Secrets
    from muster.settings.sections import AlignConnection, VaultCrmConnection


# For how long a refused password is not sent again.
REFUSAL_HOLDS_S = 3_600
# A vault limits logins by the minute; beyond the limit they fail until the minute is over.
LOGIN_WINDOW_S = 60

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,8000}")


@dataclass(slots=True, repr=False)
class _Slot:
    """One user of one host, by a version of a secret: the session, or the refused password, when and why."""

    version: str = ""
    lock: Lock = field(default_factory=Lock)
    session_id: str | None = None
    refused: tuple[str, float, str] | None = None


class Sessions:
    """The open sessions of a process, by who may use them: who has the same secret in the same version.

    Host and username are not enough: whoever names them in settings of their own, with any password, would
    be let in on a session that another organization has opened.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._lock = Lock()
        self._slots: dict[tuple[str, ...], _Slot] = {}

    def slot(self, holder: tuple[str, ...], version: str) -> _Slot:
        """Return the slot of a user whom a secret lets in; always the same one while its version is.

        A refused password is known of the next version too: it may have been another key that changed.
        """
        with self._lock:
            slot = self._slots.get(holder)
            if slot is None or slot.version != version:
                slot = self._slots[holder] = _Slot(version, refused=slot.refused if slot else None)
            return slot


OF_THIS_PROCESS = Sessions()


class VaultLogin:
    """The session of one connection; raises `Misconfigured` where an admin must act, else `Unavailable`.

    A refused login is retried once, and only if the credentials have changed meanwhile.
    """

    def __init__(
        self,
        connection: VaultCrmConnection | AlignConnection,
        system: System,
        secrets: Secrets,
        session: requests.Session,
        timeout: tuple[float, float],
        sessions: Sessions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Log in with the connection's secret when first asked; `clock` measures the age of a refusal."""
        self._connection = connection
        self._system = system
        self._base = system.base_url(connection.host)
        self._secrets = secrets
        self._session = session
        self._timeout = timeout
        self._sessions = sessions
        self._clock = clock
        self._slot = _Slot()

    def session_id(self, *, anew: bool = False) -> str:
        """Return the id of an open session, logging in if need be, or in any case if `anew`."""
        name = self._connection.secret
        if name is None:
            raise Misconfigured(f"{self._system.setting.removesuffix('host')}secret names no secret")
        secret = self._secrets.get(name)
        try:
            return self._session_of(name, secret, anew)
        except Misconfigured:
            changed = self._secrets.refetch(name)
            if all(changed.get(key) == secret.get(key) for key in ("username", "password")):
                raise
        return self._session_of(name, changed, anew)

    def forget(self, session_id: str) -> None:
        """Drop a session that the vault has ended, unless it has already been replaced."""
        with self._slot.lock:
            if self._slot.session_id == session_id:
                self._slot.session_id = None

    def _session_of(self, name: str, secret: Secret, anew: bool) -> str:
        """Return the session of a secret's user; waits while another thread logs in."""
        require_keys(name, secret, "username", "password")
        holder = self._connection.organization, name, self._base, secret["username"].lower()
        slot = self._slot = self._sessions.slot(holder, secret.version)
        with slot.lock:
            if slot.session_id is None or anew:
                self._raise_if_refused(slot, secret["password"])
                slot.session_id = self._open(name, secret, slot)
            return slot.session_id

    def _raise_if_refused(self, slot: _Slot, password: str) -> None:
        """Raise the earlier refusal again while it holds for this password."""
        if slot.refused is None:
            return
        refused, at, words = slot.refused
        if refused == password and self._clock() - at < REFUSAL_HOLDS_S:
            raise Misconfigured(words)
        slot.refused = None

    def _open(self, name: str, secret: Mapping[str, str], slot: _Slot) -> str:
        """Log in with a secret and return the session id."""
        form = {"username": secret["username"], "password": secret["password"]}
        url = f"{self._base}/api/{self._connection.api_version}/auth"
        response = self._system.send(self._session, "POST", url, self._timeout, data=form)
        answer = read_answer(self._system, response)
        if not answer.kind:
            return self._checked(name, answer.content)
        words = f"the login with the secret {name}: {answer.summary}"
        if answer.kind == INVALID_SESSION:
            raise NotServed(f"{words}: the vault may not serve the connection's api_version")
        if answer.kind == "API_LIMIT_EXCEEDED":
            raise Unavailable(f"{words}: too many logins a minute", answer.retry_after or LOGIN_WINDOW_S)
        fault = fault_of(answer, "login")
        if isinstance(fault, Rejected):
            raise Misconfigured(f"{words}: check the integration user and its security policy")
        if isinstance(fault, Misconfigured) and answer.kind == "USERNAME_OR_PASSWORD_INCORRECT":
            slot.refused = secret["password"], self._clock(), f"the login with the secret {name}: {fault}"
        raise type(fault)(f"the login with the secret {name}: {fault}")

    def _checked(self, name: str, content: Mapping[str, Any]) -> str:
        """Return the session id in an answer, if the session is in the vault of the settings.

        A user who may not log in to that vault gets a session in another one.
        """
        match content:
            case {"sessionId": str(session_id), "vaultId": vault_id, "vaultIds": list(vaults)} if (
                _SESSION_ID.fullmatch(session_id)
            ):
                pass
            case _:
                raise Unavailable(f"{self._system.name} answered a login with something that is no session")
        hosts = [
            urlsplit(vault["url"]).netloc.lower()
            for vault in vaults
            if isinstance(vault, dict) and vault.get("id") == vault_id and isinstance(vault.get("url"), str)
        ]
        if hosts != [self._base.partition("://")[2]]:
            raise WrongSystem(
                f"the user in the secret {name} was let into another vault than {self._system.setting};"
                " make the integration user a user of that vault, or correct the host"
            )
        return session_id
