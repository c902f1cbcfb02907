"""Login to a vault: by an access token, or by a session opened with username and password, and shared.

    Sessions      the open sessions of this process, each of one organization, secret and version of it
    VaultLogin    what authorizes the calls of one connection (T21, U5)

An access token is sent with each call in place of a session: there is no login, and nothing to lock.

Five wrong passwords in a row lock a Vault account. So logins are never retried automatically, every process
takes its turn to log in, and a refused password is not sent again by any of them (`aws.login_journal`).
Sessions are never ended here: what a vault does after a write may still run in them (P4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import requests

from muster.adapters.aws.login_journal import Refusal, SecretVersion
from muster.adapters.aws.secrets import require_keys
from muster.adapters.vault.answers import (
    INVALID_SESSION,
    PASSWORD_REFUSED,
    Answer,
    fault_of,
    read_answer,
    refused_at,
    vault_system,
)
from muster.errors import (
    ApiCallsUsedUp,
    Misconfigured,
    MusterError,
    NotServed,
    PasswordRefused,
    Rejected,
    Unavailable,
    WrongSystem,
)

if TYPE_CHECKING:
    from muster.adapters.aws.login_journal import LoginJournal, Turn
    from muster.adapters.aws.secrets import Secret, Secrets
    from muster.settings.sections import AlignConnection, VaultCrmConnection


# A vault limits logins by the minute; beyond the limit they fail until the minute is over.
LOGIN_WINDOW_S = 60

ACCESS_TOKEN = "access_token"  # noqa: S105 - a secret's key
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,8000}")
_TOKEN = re.compile(r"veeva-vault-[\x21-\x7e]{1,4000}")


@dataclass(slots=True, repr=False)
class _Slot:
    """One user of one host, by a version of a secret, and the session that is open.

    `ended`: what the vault has accepted no more, an access token perhaps.
    """

    version: str = ""
    session_id: str | None = None
    ended: str = ""


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
        """Return the slot of a user whom a secret lets in; always the same one while its version is."""
        with self._lock:
            slot = self._slots.get(holder)
            if slot is None or slot.version != version:
                slot = self._slots[holder] = _Slot(version)
            return slot


OF_THIS_PROCESS = Sessions()


class VaultLogin:
    """The session of one connection; raises `Misconfigured` where an admin must act, else `Unavailable`.

    A refused login is retried once, and only if the credentials have changed meanwhile.
    """

    def __init__(
        self,
        connection: VaultCrmConnection | AlignConnection,
        name: Literal["vault_crm", "align"],
        secrets: Secrets,
        journal: LoginJournal,
        session: requests.Session,
        timeout: tuple[float, float],
        sessions: Sessions,
    ) -> None:
        """Log in with the connection's secret when first asked; `name` is its name in the settings."""
        self._connection = connection
        self._name = name
        self._system = vault_system(name)
        self._base = self._system.base_url(connection.host)
        self._secrets = secrets
        self._journal = journal
        self._session = session
        self._timeout = timeout
        self._sessions = sessions
        self._slot = _Slot()

    @property
    def by_token(self) -> bool:
        """Whether the secret holds an access token: then nothing is called to log in."""
        return ACCESS_TOKEN in self._secrets.get(self._secret_name())

    def authorization(self, *, anew: bool = False, again: bool = False) -> str:
        """Return what authorizes a call: the access token, or a session, logging in if need be.

        `anew`: log in in any case. `again`: a password that was refused is sent once more. Raises
        `PasswordRefused` for one that is not.
        """
        name = self._secret_name()
        secret = self._secrets.get(name)
        if ACCESS_TOKEN in secret:
            return self._token_in(name, secret)
        try:
            return self._session_of(name, secret, anew=anew, again=again)
        except Misconfigured:
            changed = self._secrets.refetch(name)
            if all(changed.get(key) == secret.get(key) for key in ("username", "password", ACCESS_TOKEN)):
                raise
        if ACCESS_TOKEN in changed:
            return self._token_in(name, changed)
        return self._session_of(name, changed, anew=anew, again=again)

    def refusal(self) -> str | None:
        """Return why nobody logs in: the password in the secret was refused; nothing is sent to the vault."""
        name = self._secret_name()
        found = self._journal.refusal(self._version_of(self._secrets.get(name)))
        return str(self._not_sent(name, found)) if found else None

    def forget(self, authorization: str) -> None:
        """Drop what the vault accepts no more, unless it has already been replaced."""
        slot = self._slot
        if slot.session_id == authorization:
            slot.session_id = None
        slot.ended = authorization

    def _token_in(self, name: str, secret: Secret) -> str:
        """Return the authorization by a secret's token; one that has ended is read anew once."""
        require_keys(name, secret, ACCESS_TOKEN)
        token = f"Bearer {secret[ACCESS_TOKEN]}"
        if token == self._slot.ended:
            self._slot.ended = ""
            changed = self._secrets.refetch(name)
            if ACCESS_TOKEN in changed and changed[ACCESS_TOKEN] != secret[ACCESS_TOKEN]:
                return self._token_in(name, changed)
            raise Misconfigured(
                f"{self._system.name} does not accept the access token in the secret {name}: it has expired"
                f" or was deleted, or the vault does not serve {self._connection.api_version}; write a new"
                " one into the secret, or correct the connection's api_version"
            )
        if not _TOKEN.fullmatch(secret[ACCESS_TOKEN]):
            raise Misconfigured(f"{ACCESS_TOKEN} in the secret {name} is none: they begin with veeva-vault-")
        return token

    def _secret_name(self) -> str:
        name = self._connection.secret
        if name is None:
            raise Misconfigured(
                f"{self._system.setting.removesuffix('host')}secret names no secret; write its name there"
            )
        return name

    def _version_of(self, secret: Secret) -> SecretVersion:
        return SecretVersion(self._connection.organization, self._name, secret.version)

    def _session_of(self, name: str, secret: Secret, *, anew: bool, again: bool) -> str:
        """Return the session of a secret's user; waits while anybody else logs in with the secret."""
        require_keys(name, secret, "username", "password")
        holder = self._connection.organization, name, self._base, secret["username"].lower()
        slot = self._slot = self._sessions.slot(holder, secret.version)
        before = slot.session_id
        if before is not None and not anew:
            return before
        turn = self._journal.take_turn(self._version_of(secret), again=again)
        if isinstance(turn, Refusal):
            raise self._not_sent(name, turn)
        # Another thread may have logged in while this one waited for its turn.
        if slot.session_id is None or slot.session_id == before:
            slot.session_id = self._in_turn(name, secret, turn)
        else:
            self._journal.give_back(turn)
        return slot.session_id

    def _in_turn(self, name: str, secret: Secret, turn: Turn) -> str:
        """Log in and end the turn; only a death, or a table that is down, leaves it to run out."""
        try:
            session_id = self._open(name, secret)
        except PasswordRefused:
            self._journal.refuse(turn, PASSWORD_REFUSED)
            raise
        except MusterError:
            self._journal.give_back(turn)
            raise
        self._journal.give_back(turn)
        return session_id

    def _not_sent(self, name: str, found: Refusal) -> PasswordRefused:
        words = refused_at(self._system, found.code, found.at)
        return PasswordRefused(f"the login with the secret {name}: {words}")

    def _open(self, name: str, secret: Mapping[str, str]) -> str:
        """Log in with a secret and return the session id."""
        form = {"username": secret["username"], "password": secret["password"]}
        url = f"{self._base}/api/{self._connection.api_version}/auth"
        response = self._system.send(self._session, "POST", url, self._timeout, data=form)
        answer = read_answer(self._system, response)
        if answer.kind:
            raise self._fault(f"the login with the secret {name}", answer)
        return self._checked(name, answer.content)

    def _fault(self, login: str, answer: Answer) -> MusterError:
        """Return the error for a login that failed."""
        words = f"{login}: {answer.summary}"
        if answer.kind == INVALID_SESSION:
            return NotServed(f"{words}: the vault may not serve the connection's api_version")
        if answer.kind == "API_LIMIT_EXCEEDED":
            return ApiCallsUsedUp(f"{words}: too many logins a minute", answer.retry_after or LOGIN_WINDOW_S)
        fault = fault_of(answer, "login")
        if isinstance(fault, Rejected):
            return Misconfigured(f"{words}: check the integration user and its security policy")
        return type(fault)(f"{login}: {fault}")

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
