"""The session that a vault is called in: opened with username and password, and shared.

    Sessions      the open sessions of this process, by host and username
    VaultLogin    the session of one connection (T21, U5)

Five wrong passwords in a row lock a Vault account. So a login is never made again by itself, waits
for one that is under way, and a refused password is not sent again for an hour unless it changed.
A session is never ended here: what a vault does after a write may still run in it (P4).
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

from muster.adapters.aws.secrets import demand
from muster.adapters.http_calls import System
from muster.adapters.vault.answers import INVALID_SESSION, fault_of, read_answer
from muster.errors import Misconfigured, NotServed, Rejected, Unavailable, WrongSystem

if TYPE_CHECKING:
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.sections import AlignConnection, VaultCrmConnection


# How long a refused password is not sent again.
REFUSAL_HOLDS_S = 3_600
# A vault counts logins by the minute; over its limit they fail until that minute is over.
LOGIN_WINDOW_S = 60

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,8000}")


@dataclass(slots=True, repr=False)
class _Place:
    """One user of one host: the session, or the password that was refused, when and how."""

    lock: Lock = field(default_factory=Lock)
    session_id: str | None = None
    refused: tuple[str, float, str] | None = None


class Sessions:
    """The open sessions of a process, by host and username; none of it survives the process."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = Lock()
        self._places: dict[tuple[str, str], _Place] = {}

    def place(self, base: str, username: str) -> _Place:
        """Return the place of a user's session on a host, always the same."""
        with self._lock:
            return self._places.setdefault((base, username.lower()), _Place())


OF_THIS_PROCESS = Sessions()


class VaultLogin:
    """The session of one connection; raises `Misconfigured` where an admin must act, else `Unavailable`.

    A refused login is made again once, and only with credentials that have changed meanwhile.
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
        """Log in with the connection's secret; `clock` says how old a refusal is."""
        self._connection = connection
        self._system = system
        self._base = system.base_url(connection.host)
        self._secrets = secrets
        self._session = session
        self._timeout = timeout
        self._sessions = sessions
        self._clock = clock
        self._place = _Place()

    def session_id(self, *, anew: bool = False) -> str:
        """Return an open session's id, a new one if need be or if it is to be opened `anew`."""
        name = self._connection.secret
        if name is None:
            raise Misconfigured(f"{self._system.setting.removesuffix('host')}secret names no secret")
        secret = self._secrets.get(name)
        try:
            return self._of(name, secret, anew)
        except Misconfigured:
            changed = self._secrets.refetch(name)
            if all(changed.get(key) == secret.get(key) for key in ("username", "password")):
                raise
        return self._of(name, changed, anew)

    def forget(self, session_id: str) -> None:
        """Drop a session that the vault has ended, unless another has taken its place already."""
        with self._place.lock:
            if self._place.session_id == session_id:
                self._place.session_id = None

    def _of(self, name: str, secret: Mapping[str, str], anew: bool) -> str:
        """Return the session of a secret's user; who comes while another logs in waits for that."""
        demand(name, secret, "username", "password")
        place = self._place = self._sessions.place(self._base, secret["username"])
        with place.lock:
            if place.session_id is None or anew:
                self._spare(place, secret["password"])
                place.session_id = self._opened(name, secret, place)
            return place.session_id

    def _spare(self, place: _Place, password: str) -> None:
        """Raise the refusal of this password again while it holds."""
        if place.refused is None:
            return
        refused, at, words = place.refused
        if refused == password and self._clock() - at < REFUSAL_HOLDS_S:
            raise Misconfigured(words)
        place.refused = None

    def _opened(self, name: str, secret: Mapping[str, str], place: _Place) -> str:
        """Return the id of the session that the vault opens for a secret."""
        form = {"username": secret["username"], "password": secret["password"]}
        url = f"{self._base}/api/{self._connection.api_version}/auth"
        said = self._system.send(self._session, "POST", url, self._timeout, data=form)
        answer = read_answer(self._system, said)
        if not answer.kind:
            return self._checked(name, answer.content)
        words = f"the login with the secret {name}: {answer.said}"
        if answer.kind == INVALID_SESSION:
            raise NotServed(f"{words}: the vault may not serve the connection's api_version")
        if answer.kind == "API_LIMIT_EXCEEDED":
            raise Unavailable(f"{words}: too many logins a minute", answer.retry_after or LOGIN_WINDOW_S)
        fault = fault_of(answer, "login")
        if isinstance(fault, Rejected):
            raise Misconfigured(f"{words}: check the integration user and its security policy")
        if isinstance(fault, Misconfigured) and answer.kind == "USERNAME_OR_PASSWORD_INCORRECT":
            place.refused = secret["password"], self._clock(), f"the login with the secret {name}: {fault}"
        raise type(fault)(f"the login with the secret {name}: {fault}")

    def _checked(self, name: str, said: Mapping[str, Any]) -> str:
        """Return the session of an answer, if it is in the vault of the settings.

        Who may not log in there gets a session all the same, in another vault.
        """
        match said:
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
