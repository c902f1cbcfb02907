"""The token that authorizes the calls of one SCIM connection.

A token that was refused is not sent again by anybody, until the secret has another version or an admin asks
for it (`aws.login_journal`, U5): a target counts refused calls, and what has expired does not become valid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from muster.adapters.aws.login_journal import Refusal, SecretVersion
from muster.adapters.aws.secrets import require_keys
from muster.errors import Misconfigured, PasswordRefused

if TYPE_CHECKING:
    from muster.adapters.aws.login_journal import LoginJournal
    from muster.adapters.aws.secrets import Secret, Secrets
    from muster.settings.scim_connection import ScimConnection

TOKEN = "token"  # noqa: S105 - a secret's key
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
_CODE = "401"


class Token:
    """The token of one connection; raises `Misconfigured` where an admin must act, else `Unavailable`."""

    def __init__(
        self, connection: ScimConnection, system: str, secrets: Secrets, journal: LoginJournal
    ) -> None:
        """Read the connection's secret when first asked; `system` is the target's name in messages."""
        self._connection = connection
        self._system = system
        self._secrets = secrets
        self._journal = journal
        # The versions of the secret that nobody had refused when this process looked.
        self._looked_up: set[str] = set()

    def authorization(self) -> str:
        """Return what authorizes a call; raises `PasswordRefused` for a token that was refused."""
        return self._of(self._secrets.get(self._name))

    def refuse(self, authorization: str) -> str:
        """Return what authorizes the call that was just refused, if the secret has changed meanwhile.

        Else the refusal is recorded, and `PasswordRefused` is raised.
        """
        changed = self._secrets.refetch(self._name)
        if self._written(changed) != authorization:
            return self._of(changed)
        turn = self._journal.take_turn(self._version_of(changed), again=True)
        if not isinstance(turn, Refusal):
            turn = self._journal.refuse(turn, _CODE)
        self._looked_up.discard(changed.version)
        raise self._refused(turn)

    def refusal(self) -> str | None:
        """Return why nothing is sent: the token in the secret was refused; the target is not called."""
        found = self._journal.refusal(self._version_of(self._secrets.get(self._name)))
        return str(self._refused(found)) if found else None

    def forgive(self) -> bool:
        """Let a token that was refused be sent once more (U5); whether there was one."""
        version = self._version_of(self._secrets.refetch(self._name))
        if self._journal.refusal(version) is None:
            return False
        turn = self._journal.take_turn(version, again=True)
        if not isinstance(turn, Refusal):
            self._journal.give_back(turn)
        return True

    def _of(self, secret: Secret) -> str:
        written = self._written(secret)
        if secret.version not in self._looked_up:
            if found := self._journal.refusal(self._version_of(secret)):
                raise self._refused(found)
            self._looked_up.add(secret.version)
        return written

    def _written(self, secret: Secret) -> str:
        require_keys(self._name, secret, TOKEN)
        if not _TOKEN.fullmatch(secret[TOKEN]):
            raise Misconfigured(
                f"{TOKEN} in the secret {self._name} holds a blank, or a character that no token has;"
                " write the token alone, without Bearer"
            )
        return f"Bearer {secret[TOKEN]}"

    @property
    def _name(self) -> str:
        if self._connection.secret is None:
            raise Misconfigured(
                f"connections.scim.{self._connection.name}.secret names no secret; write its name there"
            )
        return self._connection.secret

    def _version_of(self, secret: Secret) -> SecretVersion:
        connection = self._connection
        return SecretVersion(connection.organization, f"scim.{connection.name}", secret.version)

    def _refused(self, found: Refusal) -> PasswordRefused:
        return PasswordRefused(
            f"{self._system} answered {found.code} at {found.at} to the token in the secret {self._name}: it"
            " has expired, was revoked, or is another's; write a new one into the secret. Nobody sends this"
            " version of it again; if it has become right since, push with retry_login: true"
        )
